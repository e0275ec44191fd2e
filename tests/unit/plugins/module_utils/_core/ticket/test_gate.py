# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A change lets a plan be carried out if it is approved, ready, not on hold, and its window is open."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ticket.gate import FIELDS, objections

NOW = "2026-12-01T22:30:00Z"
CHANGE = {
    "number": "CHG0040007",
    "sys_id": "0" * 32,
    "correlation_id": "patchtide:d1",
    "state": "-2",
    "approval": "approved",
    "on_hold": "false",
    "start_date": "2026-12-01 22:00:00",
    "end_date": "2026-12-02 02:00:00",
    "sys_mod_count": "7",
}


def said(now: str = NOW, **changes: Any) -> list[str]:
    return objections({**CHANGE, **changes}, "patchtide:d1", from_time(now))


@pytest.mark.parametrize("state", ["-2", "-1"])
def test_a_ready_change(state: str) -> None:
    assert said(state=state) == []


def test_values_come_with_links_and_display_values_too() -> None:
    wrapped = {name: {"display_value": "shown", "value": value, "link": "https://x"} for name, value in CHANGE.items()}
    assert objections(wrapped, "patchtide:d1", from_time(NOW)) == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"state": "-5"}, "its state is New, not Scheduled or Implement"),
        ({"state": "-3"}, "its state is Authorize"),
        ({"state": "0"}, "its state is Review"),
        ({"state": "3"}, "its state is Closed"),
        ({"state": "4"}, "its state is Canceled"),
        ({"state": "17"}, "its state is 17"),
        ({"approval": "requested"}, "its approval is 'requested', not 'approved'"),
        ({"approval": ""}, "its approval is ''"),
        ({"on_hold": "true"}, "it is on hold"),
        ({"correlation_id": "patchtide:d2"}, "its correlation ID is 'patchtide:d2', not 'patchtide:d1'"),
        ({"start_date": ""}, "not two times"),
        ({"end_date": "2026-12-02"}, "not two times"),
        ({"now": "2026-12-01T21:59:59.999Z"}, "its planned window begins at 2026-12-01 22:00:00 UTC"),
        ({"now": "2026-12-02T02:00:00Z"}, "its planned window ended at 2026-12-02 02:00:00 UTC"),
    ],
)
def test_what_it_lacks(changes: dict[str, str], told: str) -> None:
    (why,) = said(**changes)
    assert told in why


def test_the_window_includes_its_first_second() -> None:
    assert said(now="2026-12-01T22:00:00Z") == [] and said(now="2026-12-02T01:59:59.999Z") == []


@pytest.mark.parametrize("name", FIELDS)
def test_what_cannot_be_read_is_not_approved(name: str) -> None:
    """A field without read access is missing in the answer of the Table API."""
    change = {key: value for key, value in CHANGE.items() if key != name}
    (why,) = objections(change, "patchtide:d1", from_time(NOW))
    assert f"cannot read its {name}," in why


def test_everything_is_said_at_once() -> None:
    assert len(said(state="-5", approval="rejected", on_hold="true")) == 3
