# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which maintenance configurations a machine has, and whether they patch it in a night."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.schedule import UTC
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.azure.maintenance import (
    Machine,
    assigned,
    opens_between,
    to_record,
)

SUB = "/subscriptions/s"
VM = Machine(
    node_id=f"{SUB}/resourcegroups/rg-web/providers/microsoft.compute/virtualmachines/web",
    platform="linux",
    location="westeurope",
    tags={"Env": "dev", "Team": "web"},
)
NAME = "/providers/Microsoft.Maintenance/configurationAssignments/a"
WINDOW = {"startDateTime": "2026-01-06 22:30", "duration": "02:00", "timeZone": "-", "recurEvery": "Week Tuesday"}


def of(scope: str, **filters: Any) -> list[str]:
    properties = {"maintenanceConfigurationId": "/X", **({"filter": filters} if filters else {})}
    return assigned(VM, [{"id": f"{scope}{NAME}", "properties": properties}])


def test_a_machine_has_its_own_assignments_whatever_their_case() -> None:
    assert of(VM.node_id.upper().replace("/SUBSCRIPTIONS", "/subscriptions")) == ["/x"]
    assert of(f"{VM.node_id}2") == [] == of(VM.node_id[:-1])


@pytest.mark.parametrize(
    ("filters", "chosen"),
    [
        ({"resourceTypes": ["Microsoft.Compute/virtualMachines"]}, True),
        ({"resourceTypes": ["Microsoft.HybridCompute/machines"]}, False),
        ({"resourceGroups": ["RG-WEB"]}, True),
        ({"resourceGroups": ["rg"]}, False),
        ({"locations": ["West Europe"], "osTypes": ["Linux"]}, True),
        ({"locations": ["West Europe"], "osTypes": ["Windows"]}, False),
        ({"tagSettings": {"tags": {"ENV": ["dev", "test"], "Team": ["db"]}, "filterOperator": "Any"}}, True),
        ({"tagSettings": {"tags": {"ENV": ["dev", "test"], "Team": ["db"]}, "filterOperator": "All"}}, False),
        ({"tagSettings": {"tags": {"Env": ["DEV"]}}}, False),
        ({"tagSettings": {"tags": {}}}, True),
    ],
)
def test_filters_of_a_subscription_or_resource_group(filters: dict[str, Any], chosen: bool) -> None:
    assert bool(of(SUB, **filters)) == bool(of(f"{SUB}/resourceGroups/RG-Web", **filters)) == chosen
    assert not of("/subscriptions/other", **filters) and not of(f"{SUB}/resourcegroups/rg", **filters)


def test_an_assignment_without_a_filter_takes_all_of_its_scope() -> None:
    assert of(SUB) == ["/x"]


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("begin", "hours", "opening"),
    [
        ("2026-06-09 20:00", 4, "2026-06-09 20:30"),  # a Tuesday; Berlin is two hours ahead
        ("2026-06-09 22:29", 1, "2026-06-09 20:30"),
        ("2026-06-09 22:30", 1, None),
        ("2026-06-09 18:30", 2, None),
        ("2026-06-10 20:00", 4, None),
        ("2026-01-06 00:00", 24, "2026-01-06 21:30"),
        ("2025-12-30 00:00", 24, None),
    ],
)
def test_a_night_in_which_a_configuration_is_at_work(begin: str, hours: int, opening: str | None) -> None:
    record = to_record("c", WINDOW, "Europe/Berlin")
    found = opens_between(record, at(begin), at(begin) + timedelta(hours=hours))
    assert found == (at(opening) if opening else None)


def test_one_that_expired_or_runs_once() -> None:
    night = at("2026-06-09 20:00"), at("2026-06-10 00:00")
    expired = to_record("c", {**WINDOW, "expirationDateTime": "2026-06-09 22:00"}, "Europe/Berlin")
    assert opens_between(expired, *night) is None
    once = to_record("c", {**WINDOW, "recurEvery": "", "startDateTime": "2026-06-09 22:30"}, "Europe/Berlin")
    assert opens_between(once, *night) == at("2026-06-09 20:30")
    assert opens_between(once, night[0] + timedelta(days=1), night[1] + timedelta(days=1)) is None
    assert to_record("c", {"expirationDateTime": "9999-12-31 23:59:59"}, "UTC")["expires"] == ""


@pytest.mark.parametrize(
    "change", [{"timeZone": ""}, {"recurEvery": "sometimes"}, {"startDateTime": "soon"}, {"duration": "long"}]
)
def test_a_schedule_that_can_not_be_read_is_no_free_night(change: dict[str, str]) -> None:
    zone = "" if "timeZone" in change else "UTC"
    with pytest.raises(BadInput):
        opens_between(to_record("c", {**WINDOW, **change}, zone), at("2026-06-09 20:00"), at("2026-06-10 00:00"))
