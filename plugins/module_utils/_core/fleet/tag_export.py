# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a tag audit as a file for people: JSON, or CSV that no spreadsheet takes for formulas. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import BadInput
from ..report.csv import to_cell, to_line

_COLUMNS = (
    "subscription",
    "subscription_name",
    "resource_group",
    "name",
    "resource_type",
    "location",
    "status",
    "missing",
    "invalid",
    "misspelt",
    "tags",
    "error",
    "id",
)


def to_export(path: str, rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of the file. :raises BadInput: the name ends with neither .json nor .csv."""
    if path.endswith(".json"):
        return json.dumps(list(rows), indent=2, sort_keys=True, ensure_ascii=False) + "\n"
    if not path.endswith(".csv"):
        raise BadInput("export_path", path, "a file name that ends with .json or .csv")
    return "".join([to_line(_COLUMNS), *(to_line(to_cell(_text(row[name])) for name in _COLUMNS) for row in rows)])


def _text(value: Any) -> Any:
    if isinstance(value, Mapping):
        return "; ".join(f"{key}={item}" for key, item in value.items())
    return "; ".join(map(str, value)) if isinstance(value, (list, tuple)) else value
