# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``scan.json``: written with its digest, checked where it is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils._core.canonical import to_lines
from ..module_utils._core.plan.scan import check_scan, pack_scan, seal_scan, unpack_scan
from .files import read_json, write_pieces

#: A line for each node.
_LEVELS = 2


def write_scan(path: Path, scan: Mapping[str, Any]) -> None:
    """Pack a scan, seal it and write it."""
    write_pieces(path, to_lines(seal_scan(pack_scan(scan)), _LEVELS))


def read_scan(path: Path, option: str = "dir") -> dict[str, Any]:
    """Read a scan. :raises BadInput: it is missing, invalid or was edited."""
    scan: dict[str, Any] = read_json(path, option)
    check_scan(scan, str(path))
    return unpack_scan(scan, str(path))
