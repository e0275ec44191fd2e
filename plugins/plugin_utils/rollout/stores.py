# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a rollout keeps its journal and its claims: files by default, DynamoDB tables if the user names them.

The choice is made once, when the rollout is opened, and is kept in ``stores.json`` of its directory.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...module_utils._ansible.clock import is_rehearsal
from ...module_utils._core.errors import BadInput
from ...module_utils._core.plan.plan import check_plan
from ...module_utils._core.rollout.journal_head import Head
from ...module_utils._core.rollout.shared import SharedStore
from ...module_utils._core.rollout.stores import ClaimStore, HeadStore, JournalStore
from ...module_utils._core.shape import TEXT, Object, check_shape
from ..files import read_json, write_text
from ..tenant_root import tenant_folder
from .checkpoint_file import CheckpointFile
from .claim_file import ClaimFile
from .head_file import HeadFile
from .journal_file import JournalFile

#: The name for "no claims".
NO_CLAIMS = "none"
NAME, SCHEMA, JOURNAL = "stores.json", "patchtide/stores/1", "journal.jsonl"
_SHAPE = Object({"journal": TEXT, "claims": TEXT})
_TABLE = "dynamodb:<table> or dynamodb:<Region>/<table>"


@dataclass(frozen=True, slots=True)
class Stores:
    """The stores of a directory by name. An empty ``journal`` is a file there; empty ``claims`` were never chosen."""

    folder: Path
    journal: str = ""
    claims: str = ""

    @property
    def is_remote(self) -> bool:
        """Whether the journal is elsewhere and the directory has at most a copy."""
        return bool(self.journal)

    def open_journal(self, rollout: str) -> JournalStore:
        """Return the journal of a rollout."""
        if not self.journal:
            return JournalFile(self.folder / JOURNAL)
        from ...module_utils._aws.stores import DynamoJournal  # the SDK takes time to load, and files need none

        return DynamoJournal(*_table("journal", self.journal), rollout)

    def open_checkpoint(self, rollout: str) -> CheckpointFile | None:
        """Return the checkpoint of a rollout's journal; ``None`` if the journal is not a file."""
        return None if self.is_remote else CheckpointFile(_state_directory() / "checkpoints" / f"{rollout}.json")

    def open_head(self, rollout: str) -> HeadStore | None:
        """Return the head of a rollout's journal that is noted beside the claims; ``None`` without claims.

        It remains when the journal is removed or the plan is begun in another directory.
        """
        if self.claims in ("", NO_CLAIMS):
            return None
        kind, _separator, place = self.claims.partition(":")
        if kind == "file":
            return HeadFile(Path(place).parent / "heads" / f"{rollout}.head")
        from ...module_utils._aws.stores import DynamoHead

        return DynamoHead(*_table("claims", self.claims), rollout)

    def open_claims(self) -> ClaimStore | None:
        """Return the claims; ``None`` if no other rollout shares its nodes."""
        if self.claims in ("", NO_CLAIMS):
            return None
        kind, _separator, place = self.claims.partition(":")
        if kind == "file":
            return ClaimFile(Path(place))
        from ...module_utils._aws.stores import DynamoClaims

        return DynamoClaims(*_table("claims", self.claims))

    def open_shared(self, rollout: str) -> SharedStore:
        """Return what the child plans of a rollout share, beside the claims.

        :raises BadInput: the claims are not in a table, which all controllers share.
        """
        if not self.claims.startswith("dynamodb:"):
            raise BadInput("claims", self.claims, f"for a child plan {_TABLE}, which all its controllers use")
        from ...module_utils._aws.stores import DynamoShared

        return DynamoShared(*_table("claims", self.claims), rollout)


def read_stores(folder: Path) -> Stores:
    """Return the stores that were chosen for a directory."""
    if not (folder / NAME).exists():
        return Stores(folder)
    data = read_json(folder / NAME, "dir")
    if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
        raise BadInput("dir", str(folder / NAME), f"a file of the schema {SCHEMA}")
    check_shape(data, _SHAPE, str(folder / NAME))
    return Stores(folder, *(data[name] and _checked(name, data[name]) for name in ("journal", "claims")))


def choose_stores(folder: Path, journal: str | None, claims: str | None, *, write: bool) -> Stores:
    """Choose the stores that the user names, and note the choice.

    :raises BadInput: an invalid name, or a journal other than the one in which the rollout began.
    """
    before = read_stores(folder)
    chosen = Stores(
        folder,
        before.journal if journal is None else _checked("journal", journal),
        before.claims or default_claims(folder) if claims is None else _checked("claims", claims),
    )
    if chosen == before:
        return before
    if chosen.journal != before.journal and _has_begun(before):
        raise BadInput("journal", journal, f"the store in which the rollout began: {before.journal or JOURNAL}")
    if write:
        data = {"schema": SCHEMA, "journal": chosen.journal, "claims": chosen.claims}
        write_text(folder / NAME, json.dumps(data, indent=1) + "\n")
    return chosen


def default_claims(folder: Path) -> str:
    """Return the claims of this controller: two of its rollouts never work on the same node at the same time.

    They are kept in the user's state directory (``XDG_STATE_HOME``), those of rehearsals separate from real ones, and
    those of a tenant in its directory: hosts of two tenants can have the same name.
    """
    place = tenant_folder(folder) or _state_directory()
    return f"file:{place / ('rehearsal-claims.json' if is_rehearsal() else 'claims.json')}"


def _state_directory() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base).absolute() / "patchtide"


def read_head(folder: Path) -> Head:
    """Return the head noted beside the journal's file; that of an empty journal if there is none."""
    return HeadFile((folder / JOURNAL).with_suffix(".head")).read()


def read_journal_bytes(folder: Path) -> bytes:
    """Return the journal's bytes: the file, or the store's content if there is no copy yet."""
    path = folder / JOURNAL
    stores = read_stores(folder)
    if stores.is_remote and not path.exists():
        plan = read_json(folder / "plan.json", "dir")
        check_plan(plan, str(folder / "plan.json"))
        rollout = plan["rollout"]
        return b"".join(f"{record.to_line()}\n".encode() for record in stores.open_journal(rollout).stream())
    try:
        return path.read_bytes()
    except FileNotFoundError:
        if read_head(folder).seq:  # there was one, so the journal is damaged
            return b""
        raise BadInput("dir", str(path), "an existing journal") from None
    except OSError as error:
        raise BadInput("dir", str(path), f"a readable journal ({error})") from error


def _has_begun(stores: Stores) -> bool:
    journal = stores.folder / JOURNAL
    return stores.is_remote or (journal.exists() and journal.stat().st_size > 0) or read_head(stores.folder).seq > 0


def _checked(option: str, value: str) -> str:
    kind, _separator, place = value.partition(":")
    if option == "journal" and value in ("", "file"):
        return ""
    if option == "claims" and value in ("", NO_CLAIMS):
        return NO_CLAIMS
    if kind == "dynamodb" and place.rpartition("/")[2]:
        return value
    if option == "claims" and kind == "file" and Path(place).is_absolute():
        return value
    known = {"journal": f"file, {_TABLE}", "claims": f"{NO_CLAIMS}, file:<absolute path>, {_TABLE}"}
    raise BadInput(option, value, known[option])


def _table(option: str, name: str) -> tuple[Any, str]:
    """Return a client and the table; credentials come from the default sources of AWS tools."""
    from ...module_utils._aws.session import Connection, Sessions
    from ...module_utils._core.model import Place

    region, _separator, table = name.partition(":")[2].rpartition("/")
    sessions = Sessions(Connection())
    region = region or sessions.default_region or ""
    if not region:
        raise BadInput(option, name, f"{_TABLE}; there is no Region in the environment either")
    return sessions.client("dynamodb", Place(region=region)), table
