# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The audit as a file."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.tag_export import to_export

ROW: dict[str, Any] = {
    **dict.fromkeys(("subscription", "subscription_name", "resource_group", "resource_type", "location"), "x"),
    "name": "=cmd|' /C calc'!A0",
    "status": "not_compliant",
    "missing": ["Patch Group", "Owner"],
    "invalid": {"Environment": "expected one of dev"},
    "misspelt": {},
    "tags": {"a": "1\n2"},
    "error": None,
    "id": "/subscriptions/x",
}


def test_csv_is_safe_in_a_spreadsheet() -> None:
    """OWASP, "CSV injection": a cell must not begin with =, +, -, @."""
    (row,) = csv.DictReader(io.StringIO(to_export("tags.csv", [ROW])))
    assert row["name"].startswith("'=cmd")
    assert row["missing"] == "Patch Group; Owner"
    assert row["tags"] == "a=1 2" and row["error"] == ""


def test_json_has_everything() -> None:
    assert json.loads(to_export("tags.json", [ROW])) == [ROW]


def test_another_ending_is_refused() -> None:
    with pytest.raises(BadInput, match=r"export_path: 'tags.xlsx' is not valid"):
        to_export("tags.xlsx", [])
