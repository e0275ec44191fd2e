# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From API rows to node records."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.records import (
    Spellings,
    from_instance,
    from_managed,
    iso,
    join,
    place_members,
    set_tags,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY

PLACE = Place(region="eu-central-1", account="111111111111", role_arn="arn:aws:iam::111111111111:role/r")
SHARED = place_members(PLACE, "shop")
FULL = {
    "InstanceId": "i-0aaaaaaaaaaaaaaaa",
    "Name": "web",
    "InstanceState": "Running",
    "IPAddress": "10.0.0.1",
    "PingStatus": "Online",
    "LastPingDateTime": 1767225600.25,
    "AgentVersion": "3.3.1611.0",
    "PlatformType": "MacOS",
    "PlatformName": "macOS",
    "PlatformVersion": "15.1",
    "RegistrationDate": datetime(2026, 1, 1, tzinfo=timezone.utc),
    "ResourceType": "AWS::EC2::Instance",
    "ComputerName": "web.example.com",
    "AvailabilityZone": "eu-central-1a",
}


def test_a_full_row() -> None:
    node = from_managed(FULL, SHARED)
    assert node is not None
    wanted = {
        "platform": "macos",
        "os": "macOS",
        "state": "running",
        "resource_type": "EC2Instance",
        "last_ping": "2026-01-01T00:00:00Z",
        "registered_at": "2026-01-01T00:00:00Z",
        "account_name": "shop",
        "zone": "eu-central-1a",
        "executor": "ssm",
        "managed": True,
    }
    assert {name: node[name] for name in wanted} == wanted


@pytest.mark.parametrize("make", [from_managed, from_instance])
def test_a_row_with_nothing_but_an_id_has_the_whole_shape(make) -> None:
    node = make({"InstanceId": "i-0aaaaaaaaaaaaaaaa", "Unknown": [1]}, SHARED)
    assert set(node) == set(EMPTY)
    assert {name: type(value) for name, value in node.items()} == {name: type(value) for name, value in EMPTY.items()}
    assert make({}, SHARED) is None


def test_the_kind_is_told_by_the_id_where_the_service_is_silent() -> None:
    """Covers MO-20."""
    node = from_managed({"InstanceId": "mi-0aaaaaaaaaaaaaaaa"}, SHARED)
    assert node is not None
    assert node["resource_type"] == "ManagedInstance"


@pytest.mark.parametrize(
    ("state", "profile", "executor"), [("stopped", "arn", "ssm"), ("stopped", None, ""), ("running", "arn", "")]
)
def test_only_a_stopped_instance_with_a_profile_may_still_become_managed(state, profile, executor) -> None:
    row = {"InstanceId": "i-0", "State": {"Name": state}, "IamInstanceProfile": {"Arn": profile}}
    node = from_instance(row, SHARED)
    assert node is not None
    assert (node["executor"], node["managed"]) == (executor, False)


def test_ec2_counts_for_the_state_and_ssm_for_the_rest() -> None:
    instance = {"InstanceId": FULL["InstanceId"], "State": {"Name": "stopped"}, "PrivateIpAddress": "10.9.9.9"}
    node = join([FULL], [instance], SHARED)[FULL["InstanceId"]]
    assert (node["state"], node["ip"], node["managed"]) == ("stopped", "10.0.0.1", True)


def test_a_node_that_two_pages_name_is_one() -> None:
    again = {**FULL, "PingStatus": "ConnectionLost"}
    assert [node["ping_status"] for node in join([FULL, again], [], SHARED).values()] == ["ConnectionLost"]


def test_tags_give_name_patch_group_and_window() -> None:
    """Both spellings count, the one with a space first (PG-6)."""
    node = from_managed(FULL, SHARED)
    assert node is not None
    tags = {"Name": "n", "PatchGroup": "a", "Patch Group": "b", "MaintenanceWindow": "c", "Maintenance Window": ""}
    set_tags(node, tags, Spellings())
    assert (node["name"], node["patch_group"], node["maintenance_window"]) == ("n", "b", "c")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("", ""),
        ("nonsense", ""),
        (1e300, ""),
        (0, "1970-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-01-01T00:00:00Z"),
        (datetime(2026, 1, 1), "2026-01-01T00:00:00Z"),
    ],
)
def test_times(value: object, text: str) -> None:
    assert iso(value) == text
