# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Coverage, groups, names, filters, windows and facts: the pure rules on one node or a few."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.coverage import Coverage, to_version
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.exceptions import set_exceptions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.facts import add_facts
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.filters import to_filters
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.groups import (
    NAMED,
    group_names,
    is_built_in,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.names import host_names, to_host_name
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.records import (
    Spellings,
    source_of,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.windows import (
    Window,
    set_next_windows,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY

NOW = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
COMPLETE = {"patch_group": "A", "maintenance_window": "w", "instance_profile": "p", "resource_type": "EC2Instance"}


def node(node_id: str = "i-1", **members: Any) -> dict[str, Any]:
    return {**EMPTY, "node_id": node_id, "managed": True, "ping_status": "Online", **members}


def ping(minutes: int) -> str:
    return (NOW - timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.mark.parametrize(
    ("members", "findings"),
    [
        ({}, []),
        ({"patch_group": ""}, ["no_patch_group"]),
        ({"maintenance_window": ""}, ["no_maintenance_window"]),
        ({"managed": False, "state": "running"}, ["unmanaged"]),
        ({"managed": False, "state": "stopped"}, []),
        ({"managed": False, "state": "stopped", "instance_profile": ""}, ["no_instance_profile"]),
        ({"last_ping": ping(29)}, []),
        ({"last_ping": ping(31)}, ["stale_ping"]),
        ({"last_ping": ping(31), "state": "stopped"}, []),
        ({"ping_status": "ConnectionLost"}, ["stale_ping"]),
        ({"ping_status": "ConnectionLost", "last_ping": ping(1)}, []),
        ({"agent_version": "3.2.9.0"}, ["old_agent"]),
        ({"agent_version": "3.10.0.0"}, []),
        ({"agent_version": ""}, []),
    ],
)
def test_coverage(members: dict[str, Any], findings: list[str]) -> None:
    """Covers CG-2, PG-13, TM-16."""
    one = node(**{**COMPLETE, **members})
    Coverage(now=NOW, stale_minutes=30, oldest_agent="3.3.0.0").findings([one])
    assert one["coverage"] == findings
    assert set(findings) <= NAMED


def test_versions_are_numbers() -> None:
    assert to_version("3.10.0.0") > to_version("3.9.9.9")
    assert to_version("{{ x }}") == ()


def test_groups() -> None:
    one = node(platform="linux", executor="ssm", patch_group="WEB prod/é", account="1", region="eu-west-1", state="x")
    assert list(group_names({**one, "coverage": ["old_agent"]}, {})) == [
        "platform_linux",
        "executor_ssm",
        "patch_group_WEB_prod_é",
        "account_1",
        "region_eu_west_1",
        "ping_online",
        "state_x",
        "source_hybrid",
        "managed",
        "old_agent",
    ]
    assert all(is_built_in(name) for name in group_names(one, {}))


def test_unknown_members_make_no_group() -> None:
    assert list(group_names(node(ping_status="", managed=False), {})) == ["source_hybrid"]


@pytest.mark.parametrize(
    ("members", "source"),
    [
        ({"resource_type": "EC2Instance"}, "ec2"),
        ({"source_type": "Microsoft.Compute/virtualMachines"}, "azure"),
        ({"source_type": "compute.googleapis.com/Instance"}, "gcp"),
        ({"source_type": "AWS::SSM::ManagedInstance"}, "hybrid"),
    ],
)
def test_where_a_machine_is_at_home(members: dict[str, Any], source: str) -> None:
    """Covers MO-20."""
    assert source_of(node(**members)) == source


@pytest.mark.parametrize(
    ("rows", "name"), [([("Azure", "a"), ("GCP", "g")], "a"), ([("Azure", "a"), ("Azure", "b")], "")]
)
def test_the_connector_where_there_is_just_one(rows: list[tuple[str, str]], name: str) -> None:
    connectors = [{"Provider": provider, "DisplayName": shown} for provider, shown in rows]
    azure = node(source_type="Microsoft.Compute/virtualMachines")
    add_facts({"mi-1": azure}, {}, {}, {}, [], connectors, Spellings())
    assert azure["cloud_connector"] == name


def test_host_names() -> None:
    nodes = [node("i-1", name="a"), node("i-2", name="b"), node("i-3", name="b"), node("i-4", name="localhost")]
    assert host_names(nodes, ["name"]) == ["a", "i-2", "i-3", "i-4"]
    assert host_names(nodes, ["name"], taken={"a"}) == ["i-1", "i-2", "i-3", "i-4"]
    assert host_names(nodes, ["tag:Name"], taken={"i-1"}) == ["i-1", "i-2", "i-3", "i-4"]


def test_a_node_in_two_places_is_two_hosts() -> None:
    twice = [node(account="1", region="r"), node(account="2", region="r")]
    assert host_names(twice, []) == ["i-1@1.r", "i-1@2.r"]


@pytest.mark.parametrize(
    ("text", "name"),
    [("web 1", "web-1"), ("a,b:c!&[1]", "a-b-c-1"), ("{{ x }}", "x"), ("宿主机", "宿主机"), ("  ", "")],
)
def test_names_fit_for_patterns(text: str, name: str) -> None:
    assert to_host_name(text) == name


@pytest.mark.parametrize(
    ("option", "matches"),
    [
        ({"platform": "linux"}, True),
        ({"platform": ["windows", "macos"]}, False),
        ({"patch_group": "WEB-*"}, True),
        ({"managed": True}, True),
        ({"managed": False}, False),
        ({"state": ""}, True),
        ({"tags": {"Ring": ["0", "1"]}}, True),
        ({"tags": {"Ring": "2"}}, False),
        ({"tags": {"Nowhere": "*"}}, False),
        ({"platform": "linux", "tags": {"Ring": 1}}, True),
    ],
)
def test_filters(option: dict[str, Any], matches: bool) -> None:
    assert to_filters(option).matches(node(platform="linux", patch_group="WEB-A", tags={"Ring": "1"})) is matches


@pytest.mark.parametrize(
    ("option", "instances", "ssm", "ec2"),
    [
        ({"node_id": ["i-1"]}, True, ["InstanceIds"], ["instance-id"]),
        ({"node_id": "i-*"}, True, [], []),
        ({"ping_status": ["Online"]}, True, ["PingStatus"], []),
        ({"ping_status": ["Online", ""]}, True, [], []),
        ({"platform": "linux"}, True, [], []),
        ({"platform": "linux"}, False, ["PlatformTypes"], []),
        ({"tags": {"Ring": "1"}}, True, [], ["tag:Ring"]),
        ({"tags": {"Ring": "1*"}}, True, [], []),
        ({"state": "stopped"}, True, [], []),
        ({"node_id": [f"i-{number}" for number in range(41)]}, True, [], ["instance-id"]),
    ],
)
def test_what_the_services_filter(option: dict[str, Any], instances: bool, ssm: list[str], ec2: list[str]) -> None:
    found = to_filters(option)
    assert [item["Key"] for item in found.to_ssm(instances)] == ssm
    assert [item["Name"] for item in found.to_ec2()] == ec2


@pytest.mark.parametrize(
    "option", [{"nothing": 1}, {"tags": "x"}, {"platform": []}, {"platform": [{}]}, {"coverage": 1}]
)
def test_bad_filters(option: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=r"^filters"):
        to_filters(option)


def test_no_hybrid_node_means_no_need_for_ec2() -> None:
    assert not to_filters({"resource_type": "ManagedInstance"}).wants_instances
    assert to_filters({"resource_type": ["EC2*"]}).wants_instances


@pytest.mark.parametrize(
    ("condition", "hit"),
    [
        ({"Key": "InstanceIds", "Values": ["i-1"]}, True),
        ({"Key": "tag:Ring", "Values": ["0", "1"]}, True),
        ({"Key": "tag:Ring", "Values": ["2"]}, False),
        ({"Key": "tag-key", "Values": ["Ring"]}, True),
        ({"Key": "resource-groups:Name", "Values": ["all"]}, False),
        ({}, False),
    ],
)
def test_the_window_that_targets_a_node(condition: dict[str, Any], hit: bool) -> None:
    one = node(tags={"Ring": "1"})
    set_next_windows([one], [Window(name="w", next_at="2026-03-01T00:00:00Z", targets=[[condition]])])
    assert one["next_window_name"] == ("w" if hit else "")


def test_the_earliest_window_counts_and_all_conditions_must_hold() -> None:
    ring, other = {"Key": "tag:Ring", "Values": ["1"]}, {"Key": "tag:Other", "Values": ["x"]}
    windows = [Window(name="late", next_at="2026-03-02", targets=[[ring]]), Window(name="never", next_at="")]
    windows += [Window(name="not", next_at="2026-03-01", targets=[[ring, other], []])]
    one = node(tags={"Ring": "1"})
    set_next_windows([one], windows)
    assert (one["next_window"], one["next_window_name"]) == ("2026-03-02", "late")


def test_a_tag_counts_more_than_the_custom_inventory() -> None:
    """Covers PG-20."""
    nodes = {"mi-1": node("mi-1"), "mi-2": node("mi-2", patch_group="TAG")}
    content = {"Patch Group": "CUSTOM", "Maintenance Window": "w"}
    add_facts(nodes, {}, {}, {"mi-1": content, "mi-2": content, "mi-9": content}, [], [], Spellings())
    assert [one["patch_group"] for one in nodes.values()] == ["CUSTOM", "TAG"]


@pytest.mark.parametrize(
    ("tag", "findings"),
    [
        ("2026-03-01/2026-03-01", ["exception_in_force"]),
        ("2026-02-01/2026-02-28", []),
        ("until further notice", ["bad_exception_tag"]),
        ("", []),
    ],
)
def test_exception_tags(tag: str, findings: list[str]) -> None:
    """Covers TM-7, TM-8."""
    one = node(tags={"PatchException": tag})
    set_exceptions([one], ["Patch Exception", "PatchException"], NOW.date())
    assert one["coverage"] == findings
    assert one["exception"].get("tag", "") == tag
    assert set(findings) <= NAMED
