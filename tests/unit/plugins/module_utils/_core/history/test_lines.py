# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line is the canonical JSON of its row, whatever came before it, and every row is checked."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.canonical import to_canonical
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history import lines
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import DATASETS
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.lines import Lines

NODE: dict[str, Any] = {**dict.fromkeys(DATASETS["nodes"].columns, 'é\n"x'), "missing": 3, "pending_reboot": True}
LIMIT = {"name": "stale", "value": 7.5}


def test_a_line_is_the_canonical_json_of_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_KEPT", 3)
    made = Lines()
    rows = [NODE, {**NODE, "missing": None}, {**NODE, "pending_reboot": False, "missing": -1}]
    rows += [{**NODE, "name": str(number)} for number in range(9)] + [dict(reversed(NODE.items())), NODE]
    assert [made.to_line("nodes", row) for row in rows] == [to_canonical(row) for row in rows]
    for value in (7.5, 7, 0.1, -1e30, None):
        assert made.to_line("limits", {**LIMIT, "value": value}) == to_canonical({**LIMIT, "value": value})


@pytest.mark.parametrize(
    ("dataset", "row"),
    [
        ("nodes", {**NODE, "missing": "3"}),
        ("nodes", {**NODE, "missing": True}),
        ("nodes", {**NODE, "name": 1}),
        ("nodes", {**NODE, "more": ""}),
        ("nodes", LIMIT),
        ("limits", NODE),
    ],
)
def test_a_row_that_does_not_fit_is_refused_after_thousands_that_do(dataset: str, row: dict[str, Any]) -> None:
    made = Lines()
    for _again in range(3):
        made.to_line("nodes", NODE)
        made.to_line("limits", LIMIT)
        with pytest.raises(ValueError, match=dataset):
            made.to_line(dataset, row)
