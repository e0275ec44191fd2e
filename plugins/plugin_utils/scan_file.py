# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``scan.json``: written with its digest, checked where it is read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..module_utils._core.plan.scan import check_scan, seal_scan
from .files import read_json, write_text


def write_scan(path: Path, scan: Mapping[str, Any]) -> None:
    """Seal a scan and write it."""
    write_text(path, json.dumps(seal_scan(scan), indent=1, sort_keys=True, ensure_ascii=False) + "\n")


def read_scan(path: Path, option: str = "dir") -> dict[str, Any]:
    """Read a scan. :raises BadInput: it is missing, invalid or was edited."""
    scan: dict[str, Any] = read_json(path, option)
    check_scan(scan, str(path))
    return scan
