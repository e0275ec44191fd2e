# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims in a file that all controllers of a machine, or of a shared file system that honours flock, can write."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ...module_utils._core.errors import BadInput
from ...module_utils._core.rollout.claims import Claim, from_dict, merge, wanted
from ..files import write_text


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
            return {row["node_id"]: from_dict(row) for row in rows}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput("claims", str(self._path), f"a readable file of claims ({error})") from error

    def _write(self, claims: dict[str, Claim]) -> None:
        rows = [claims[node].to_dict() for node in sorted(claims)]
        write_text(self._path, json.dumps({"schema": "patchtide/claims/1", "claims": rows}, indent=1) + "\n")

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.with_name(f"{self._path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
