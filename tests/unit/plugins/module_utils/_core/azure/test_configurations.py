# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Maintenance configurations of Azure: what is declared, what is kept, what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.azure.configurations import (
    ConfigurationNoun,
    from_body,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput

from tests.fakes.azure_resource import FakeResource

GIVEN: dict[str, Any] = {
    "state": "present", "name": "c", "location": "West Europe", "start": "2026-06-09 22:00", "duration": "3:00",
    "recur_every": "week saturday", "reboot": "if_required", "linux": {"classifications": ["Security", "Critical"]},
}  # fmt: skip
#: MaintenanceConfigurations_GetForResource_GuestOSPatchLinux.json (Microsoft.Maintenance 2023-04-01), without tasks
EXAMPLE: dict[str, Any] = {
    "name": "configuration1",
    "location": "westus2",
    "properties": {
        "namespace": "Microsoft.Maintenance",
        "maintenanceScope": "InGuestPatch",
        "visibility": "Custom",
        "maintenanceWindow": {
            "startDateTime": "2020-04-30 08:00",
            "expirationDateTime": "9999-12-31 00:00",
            "duration": "05:00",
            "timeZone": "Pacific Standard Time",
            "recurEvery": "5Days",
        },
        "installPatches": {
            "linuxParameters": {
                "classificationsToInclude": ["Critical"],
                "packageNameMasksToExclude": ["apt", "http"],
                "packageNameMasksToInclude": ["binutils", "bin"],
            },
            "rebootSetting": "Always",
        },
    },
}


def applied(port: FakeResource, **more: Any) -> bool:
    noun = ConfigurationNoun(port, {**GIVEN, **more}, "UTC")
    change = noun.plan()
    if change.changed:
        assert noun.apply(change) == change.after
    return change.changed


def test_the_published_example_is_read() -> None:
    found = from_body(EXAMPLE)
    assert (found.recur_every, found.reboot, found.expires, found.timezone) == (
        "5Days", "always", "", "Pacific Standard Time"
    )  # fmt: skip
    assert found.linux == {"classifications": ("Critical",), "exclude": ("apt", "http"), "include": ("bin", "binutils")}


def test_written_once_in_one_form() -> None:
    port = FakeResource()
    assert applied(port) and port.found is not None
    properties = port.found["properties"]
    assert properties["maintenanceWindow"] == {
        "startDateTime": "2026-06-09 22:00", "duration": "03:00", "timeZone": "UTC",
        "expirationDateTime": "9999-12-31 00:00", "recurEvery": "Week Saturday",
    }  # fmt: skip
    assert properties["extensionProperties"] == {"InGuestPatchMode": "User"}
    assert not applied(port) and not applied(port, recur_every="", schedule="cron(0 22 ? * SAT *)")
    assert port.writes == 1


def test_what_is_not_declared_is_kept() -> None:
    port = FakeResource(EXAMPLE)
    assert applied(port, location="westus2", linux={"include": ["bin"]}, start="2020-04-30 08:00") and port.found
    assert port.found["properties"]["namespace"] == "Microsoft.Maintenance"
    assert port.found["properties"]["installPatches"]["linuxParameters"] == {"packageNameMasksToInclude": ["bin"]}


def test_deleted_once() -> None:
    port = FakeResource(EXAMPLE)
    assert applied(port, state="absent") and port.found is None
    assert not applied(port, state="absent") and port.writes == 1


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("start", "tomorrow"),
        ("expires", "never"),
        ("duration", "01:29"),
        ("duration", "03:56"),
        ("duration", "3.5"),
        ("recur_every", "sometimes"),
        ("linux", {}),
        ("schedule", "rate(1 day)"),
    ],
)
def test_refused_by_the_name_of_the_option(option: str, value: Any) -> None:
    port = FakeResource()
    with pytest.raises(BadInput, match=option):
        applied(port, **{option: value})
    assert port.writes == 0


def test_a_schedule_opens_at_its_own_time_and_a_configuration_does_not_move() -> None:
    with pytest.raises(BadInput, match="start"):
        applied(FakeResource(), schedule="cron(30 22 ? * SAT *)")
    with pytest.raises(BadInput, match="location"):
        applied(FakeResource(EXAMPLE))
