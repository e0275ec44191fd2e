# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Limits and predictions of maintenance windows (limits: botocore's model of CreateMaintenanceWindow)."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.change import Change
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.windows import (
    Window,
    only_one,
    plan_window,
    to_given,
)

NEEDED: dict[str, Any] = {"name": "night", "schedule": "rate(7 days)", "duration_hours": 4, "cutoff_hours": 1}


def plan(before: Window | None = None, **options: Any) -> Change[Window]:
    return plan_window(before, to_given({**NEEDED, **options}), present=True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"schedule": None}, "schedule: None is not valid, expected a value, which a new window requires"),
        ({"schedule": "every tuesday"}, "schedule: 'every tuesday'"),
        ({"schedule": "cron(0 2 1 * 1 *)"}, "schedule"),
        ({"name": "x"}, "name: 'x'"),
        ({"duration_hours": 25}, "1 to 24 hours"),
        ({"cutoff_hours": 24}, "0 to 23 hours"),
        ({"cutoff_hours": 4}, "less than the duration of 4 hours"),
        ({"offset_days": 7}, "1 to 6 days"),
        ({"offset_days": 2}, "only a cron schedule"),
        ({"timezone": "Mars/Olympus"}, "an IANA time zone"),
        ({"start": "tomorrow"}, "an ISO 8601 time"),
        ({"start": "2027-01-02", "end": "2027-01-01"}, "a time after the start"),
        ({"description": "x" * 129}, "at most 128 characters"),
    ],
)
def test_what_the_service_would_refuse_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        plan(**options)


def test_same_instant_in_another_zone_is_no_change() -> None:
    before = plan(start="2027-01-01T00:00:00+01:00").after
    assert not plan(before, start="2026-12-31T23:00:00Z").changed


def test_existing_window_needs_no_schedule() -> None:
    before = plan().after
    given = to_given({"name": "night", "enabled": False})
    assert plan_window(before, given, present=True).after.enabled is False


def test_several_of_one_name_are_a_conflict() -> None:
    with pytest.raises(Conflict, match="mw-1, mw-2"):
        only_one("maintenance window", "night", ["mw-1", "mw-2"])
