# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan warns of about machines of Azure."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.azure_warnings import (
    assessment_warnings,
    auto_patching_warnings,
    maintenance_warnings,
)


def node(number: int, **more: Any) -> Candidate:
    return Candidate(node_id=f"i-{number}", host=f"h{number}", executor="azure", **more)


def test_old_assessments_are_named_with_their_age() -> None:
    members = [[node(1, name="a"), node(2, name="b"), node(3, name="c"), node(4, name="d")]]
    ages = {"i-1": "2026-06-01T00:00:00Z", "i-2": "2026-06-02T11:59:59Z", "i-3": "2026-06-02T12:00:01Z"}
    records = {key: {"assessed_at": at} for key, at in ages.items()}
    (text,) = assessment_warnings(records, "2026-06-03T12:00:00Z", members)
    assert text.startswith("2 nodes are planned from an assessment that was at least 24 hours old at the scan")
    assert "the oldest 60 hours (a, b)" in text
    assert not list(assessment_warnings(records, "2026-06-02T12:00:02Z", [members[0][2:]]))


def test_who_else_patches_nodes() -> None:
    found = list(auto_patching_warnings([[node(1, auto_patching="os"), node(2, auto_patching="os"), node(3)]]))
    assert len(found) == 1 and found[0].startswith("2 nodes (h1, h2): Windows Update patches it by itself")


NIGHT = {"start": "2026-06-09T20:00:00Z", "end": "2026-06-10T00:00:00Z"}
DAILY = {
    "name": "daily",
    "start": "2026-01-01 22:30",
    "duration": "02:00",
    "timezone": "Europe/Berlin",
    "recur_every": "Day",
}


def warned(records: dict[str, Any], nights: list[dict[str, Any]], night: int = 1) -> list[str]:
    row = {"node_id": "a", "name": "web", "host": "", "night": night}
    return list(maintenance_warnings([{"nights": nights, "nodes": [row]}], records))


def test_a_maintenance_configuration_of_the_same_night() -> None:
    (text,) = warned({"a": {"maintenance": [DAILY]}}, [{**NIGHT, "number": 1}])
    assert text.startswith("The maintenance configuration daily of Azure patches 1 node in the same night, first at")
    assert "2026-06-09 20:30 UTC (web)" in text
    later = {**DAILY, "start": "2026-01-01 04:00"}
    assert warned({"a": {"maintenance": [later]}}, [{**NIGHT, "number": 1}]) == []


def test_the_night_is_that_of_the_node() -> None:
    quiet = {"start": "2026-06-10T08:00:00Z", "end": "2026-06-10T10:00:00Z", "number": 1}
    assert warned({"a": {"maintenance": [DAILY]}}, [quiet, {**NIGHT, "number": 2}]) == []
    assert len(warned({"a": {"maintenance": [DAILY]}}, [quiet, {**NIGHT, "number": 2}], night=2)) == 1


def test_what_is_not_known_is_said() -> None:
    nights = [{**NIGHT, "number": 1}]
    (lost,) = warned({"a": {"maintenance": None}}, nights)
    assert "is not known (web): they could not be read" in lost
    (odd,) = warned({"a": {"maintenance": [{**DAILY, "timezone": ""}]}}, nights)
    assert "the schedule of daily can't be read" in odd
    assert warned({"a": {}}, nights) == warned({}, nights) == warned({"a": {"maintenance": [DAILY]}}, []) == []
