# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims in a file that all controllers of a machine, or of a shared file system that honours flock, can write."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ...module_utils._core.errors import BadInput
from ...module_utils._core.rollout.claims import Claim, from_dict, merge, wanted
from ...module_utils._core.shape import NAME, TEXT, TIME, Each, Object, check_shape
from ..files import locked, write_text

_CLAIMS = Each(Object({"node_id": NAME, "owner": TEXT, "window": TEXT, "until": TIME}))


class ClaimFile:
    """A ``ClaimStore``. The file is replaced as a whole, under the lock of a file beside it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def claim(self, nodes: Sequence[str], *, owner: str, window: str, until: datetime, now: datetime) -> list[Claim]:
        with self._locked():
            kept, answer = merge(self._read(), wanted(nodes, owner, window, until), now)
            self._write(kept)
        return answer

    def release(self, nodes: Sequence[str], *, owner: str) -> None:
        with self._locked():
            mine = set(nodes)
            held = self._read()
            self._write({node: item for node, item in held.items() if item.owner != owner or node not in mine})

    def _read(self) -> dict[str, Claim]:
        try:
            rows = json.loads(self._path.read_text("utf-8"))["claims"]
            check_shape(rows, _CLAIMS, "claims")
            return {row["node_id"]: from_dict(row) for row in rows}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, LookupError, TypeError, RecursionError, BadInput) as error:
            raise BadInput("claims", str(self._path), f"a readable file of claims ({error})") from error

    def _write(self, claims: dict[str, Claim]) -> None:
        rows = [claims[node].to_dict() for node in sorted(claims)]
        write_text(self._path, json.dumps({"schema": "patchtide/claims/1", "claims": rows}, indent=1) + "\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with locked(self._path.with_name(f"{self._path.name}.lock")):
            yield
