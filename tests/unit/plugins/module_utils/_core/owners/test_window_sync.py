# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows made from tags: one for each schedule, the quota kept, and nobody else's window touched (PG-14, PG-18)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.owners.window_sync import (
    QUOTA,
    TaggedWindow,
    ensure_windows,
    plan_windows,
    target_values,
    wanted_windows,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.node_windows import WindowChoice
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.patch_information import stated_tags
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.windows import Window
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys
from hypothesis import given
from hypothesis import strategies as st

SATURDAY = "cron(0 22 ? * SAT#3 *)"
POLICY = to_policy(
    {
        "name": "p",
        "windows": [
            {"name": "sat", "schedule": SATURDAY, "duration_hours": 4, "cutoff_hours": 1},
            {"name": "sun", "schedule": "cron(0 22 ? * SUN *)", "duration_hours": 4, "cutoff_hours": 1},
        ],
    }
)


def wanted(*values: str) -> list[TaggedWindow]:
    choice = WindowChoice(POLICY)
    tagged: dict[str, Any] = {
        value: choice.by_tag(Candidate(node_id="i-1", host="h", tags={"MaintenanceWindow": value})) for value in values
    }
    return wanted_windows(POLICY, tagged)


def foreign(name: str, **tags: str) -> TaggedWindow:
    window = Window(name=name, schedule="rate(7 days)", duration_hours=2, cutoff_hours=0, tags=tags)
    return TaggedWindow(window=replace(window, window_id=f"mw-{name}"))


@dataclass
class Place:
    """A ``WindowSetPort`` in memory."""

    windows: dict[str, TaggedWindow] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def read(self) -> list[TaggedWindow]:
        return list(self.windows.values())

    def put(self, before: TaggedWindow | None, after: TaggedWindow) -> None:
        self.calls.append(f"{'update' if before else 'create'} {after.window.name}")
        window = replace(after.window, window_id=after.window.window_id or f"mw-{after.window.name}")
        self.windows[after.window.name] = replace(after, window=window)

    def remove(self, window: TaggedWindow) -> None:
        self.calls.append(f"remove {window.window.name}")
        del self.windows[window.window.name]

    def sync(self, *values: str) -> bool:
        change = plan_windows(self.read(), wanted(*values), "p")
        ensure_windows(self, change)
        return change.changed


def test_equal_schedules_share_a_window_named_after_the_menu() -> None:
    found = {item.window.name: item.values for item in wanted("sat", SATURDAY, "sun", "cron(0 3 ? * MON *)")}
    assert found.pop("sat") == (SATURDAY, "sat") and found.pop("sun") == ("sun",)
    ((name, values),) = found.items()
    assert name.startswith("tagged-") and values == ("cron(0 3 ? * MON *)",)


@given(st.lists(st.sets(st.sampled_from(["sat", "sun", SATURDAY, "cron(0 3 ? * MON *)"])), min_size=1, max_size=5))
def test_a_second_run_changes_nothing_and_what_nobody_uses_goes(runs: list[set[str]]) -> None:
    place = Place({"backup": foreign("backup")})
    for values in runs:
        place.sync(*values)
        assert not place.sync(*values)
        in_use = {value for item in place.windows.values() if item.window.name != "backup" for value in item.values}
        assert in_use == values and place.windows["backup"] == foreign("backup")
        assert len(place.windows) == 1 + len({"sat" if value == SATURDAY else value for value in values})


def test_a_window_of_the_policy_gets_targets_and_is_never_removed() -> None:
    place = Place({"sat": foreign("sat", ManagedBy="patchtide", Policy="p")})
    assert place.sync("sat") and place.windows["sat"].window.schedule == "rate(7 days)"
    assert place.windows["sat"].values == ("sat",)
    place.sync()
    assert place.windows["sat"].values == () and place.calls == ["update sat", "update sat"]


def test_a_window_of_somebody_else_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="'sat' exists and is not managed by patchtide"):
        Place({"sat": foreign("sat")}).sync("sat")


def test_the_quota_is_kept_before_anything_is_changed() -> None:
    place = Place({f"w{number}": foreign(f"w{number}") for number in range(QUOTA - 1)})
    with pytest.raises(Conflict, match=r"51 would be needed, and the quota is 50\. Nothing was changed"):
        place.sync("sat", "sun")
    assert place.calls == [] and place.sync("sat", SATURDAY)


def test_targets_hold_fifty_values() -> None:
    found = target_values([str(number) for number in range(101)])
    assert {name: len(values) for name, values in found.items()} == {
        "tagged-nodes": 50,
        "tagged-nodes-2": 50,
        "tagged-nodes-3": 1,
    }


@pytest.mark.parametrize(
    ("entry", "tags", "missing", "remark"),
    [
        (
            {"Patch Group": "A", "Maintenance Window": "sat"},
            {},
            {"PatchGroup": "A", "MaintenanceWindow": "sat"},
            "",
        ),
        ({"Patch Group": "A"}, {"PatchGroup": "A"}, {}, ""),
        ({"Maintenance Window": "sat"}, {"MaintenanceWindow": "sun"}, {}, "its tag MaintenanceWindow has 'sun'"),
        ({"Maintenance Window": SATURDAY}, {}, {}, "which no tag holds"),
        ({"Patch Group": " ", "Other": "x"}, {}, {}, ""),
    ],
)
def test_tags_come_from_the_inventory_of_hybrid_nodes(
    entry: dict[str, str], tags: dict[str, str], missing: dict[str, str], remark: str
) -> None:
    """Tags of managed instances take letters, digits, blanks and ``_.:/=+-@`` (SSM API, Tag): no cron expression."""
    found = stated_tags(entry, tags, TagKeys())
    assert dict(found.missing) == missing and remark in " ".join(found.remarks) and bool(remark) == bool(found.remarks)
