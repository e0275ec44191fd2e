# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows made from tags, on the lab: created with their targets, used where they exist, removed by their mark."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.window_set import AwsWindowSet
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.windows import SsmWindows
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.owners.window_sync import (
    TaggedWindow,
    ensure_windows,
    plan_windows,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.windows import Window

MARKS = {"ManagedBy": "patchtide", "Source": "tags", "Policy": "p"}


def wanted(name: str, *values: str, schedule: str = "cron(0 22 ? * SAT#3 *)") -> TaggedWindow:
    window = Window(
        name=name, schedule=schedule, timezone="Europe/Berlin", duration_hours=4, cutoff_hours=1, tags=MARKS
    )
    return TaggedWindow(window=window, values=values)


def sync(ssm: Any, *windows: TaggedWindow) -> bool:
    port = AwsWindowSet(ssm, "MaintenanceWindow")
    change = plan_windows(port.read(), windows, "p")
    ensure_windows(port, change)
    return change.changed


def shown(ssm: Any) -> dict[str, tuple[str, ...]]:
    return {item.window.name: item.values for item in AwsWindowSet(ssm, "MaintenanceWindow").read()}


def test_windows_follow_the_tags(ssm: Any) -> None:
    backup = replace(wanted("backup").window, tags={})
    SsmWindows(ssm).create(backup)
    many = tuple(f"v{number:03}" for number in range(60))
    assert sync(ssm, wanted("sat", *many), wanted("sun", "sun", schedule="cron(0 22 ? * SUN *)"))
    assert not sync(ssm, wanted("sat", *many), wanted("sun", "sun", schedule="cron(0 22 ? * SUN *)"))
    assert shown(ssm) == {"backup": (), "sat": many, "sun": ("sun",)}
    assert sync(ssm, wanted("sat", "sat", schedule="cron(0 23 ? * SAT#3 *)"))
    assert shown(ssm) == {"backup": (), "sat": ("sat",)}
    assert sync(ssm) and shown(ssm) == {"backup": ()}


def test_a_window_of_the_policy_keeps_what_it_is(ssm: Any) -> None:
    made = replace(wanted("sat", schedule="rate(7 days)").window, tags={"ManagedBy": "patchtide", "Policy": "p"})
    SsmWindows(ssm).create(made)
    assert sync(ssm, wanted("sat", "sat")) and shown(ssm) == {"sat": ("sat",)}
    assert sync(ssm) and shown(ssm) == {"sat": ()}
    (kept,) = AwsWindowSet(ssm, "MaintenanceWindow").read()
    assert kept.window.schedule == "rate(7 days)"
