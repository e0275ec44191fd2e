# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the services answer: no crash, no lost node, no template run, and the same inventory from the same input."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.fleet import FakeCloud, FakePlugin, fill, trusted

EU = "111111111111/eu-central-1"
IDS = [f"{kind}-{number:017x}" for kind in ("i", "mi") for number in range(6)]
#: What tags and names may hold: 255 characters of any script, templates, markup, names with a meaning.
TEXT = st.one_of(
    st.text(max_size=255),
    st.text(alphabet="ä宿шπא़😀'\"{}%#", max_size=255),
    st.sampled_from(["{{ 7 * 6 }}", "{% for x in y %}", "{{ lookup('pipe', 'id') }}", "localhost", "all", "managed"]),
)
TIME = st.one_of(st.none(), st.floats(), st.integers(), st.just("2026-01-01T00:00:00.000Z"), st.just("no time"))
ODD = st.one_of(st.none(), TEXT, st.integers())
MANAGED = st.fixed_dictionaries(
    {"InstanceId": st.sampled_from(IDS)},
    optional={
        "Name": TEXT,
        "ComputerName": TEXT,
        "InstanceState": ODD,
        "PingStatus": st.sampled_from(["Online", "ConnectionLost", "Inactive", "New"]),
        "PlatformType": st.sampled_from(["Linux", "Windows", "MacOS", "Plan9", None]),
        "PlatformName": ODD,
        "AgentVersion": st.one_of(st.sampled_from(["3.3.1.0", "2.3", "x", ""]), TEXT),
        "LastPingDateTime": TIME,
        "RegistrationDate": TIME,
        "ResourceType": ODD,
        "SourceType": ODD,
        "SourceId": st.sampled_from(["", *IDS[:3], "vm-1"]),
        "IPAddress": st.sampled_from(["", "10.0.0.1"]),
        "NewMember": st.lists(TEXT, max_size=2),
    },
)
PAIRS = st.lists(st.fixed_dictionaries({"Key": TEXT}, optional={"Value": st.one_of(TEXT, st.none())}), max_size=4)
INSTANCE = st.fixed_dictionaries(
    {"InstanceId": st.sampled_from(IDS[:6])},
    optional={
        "State": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"Name": ODD})),
        "Tags": st.one_of(st.none(), PAIRS),
        "IamInstanceProfile": st.one_of(st.none(), st.fixed_dictionaries({}, optional={"Arn": ODD})),
        "Placement": st.none(),
        "PlatformDetails": ODD,
        "LaunchTime": TIME,
    },
)
NAMELESS = st.just({"Name": "no id"})
TAGS = st.dictionaries(
    st.sampled_from(IDS[6:]), st.dictionaries(st.one_of(TEXT, st.just("Patch Group")), TEXT, max_size=4)
)

SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
FUZZ = settings(max_examples=60, suppress_health_check=SLOW)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> dict[str, FakeCloud]:
    found: dict[str, FakeCloud] = {}
    monkeypatch.setattr(
        Sessions, "client", lambda self, service, place, retry=True: found["now"].client(service, place)
    )
    return found


def cloud(managed: list[Any], instances: list[Any], tags: dict[str, Any], page: int = 1000) -> FakeCloud:
    made = FakeCloud(page=page)
    made.at(EU).managed, made.at(EU).instances = copy.deepcopy(managed), copy.deepcopy(instances)
    made.at(EU).tags = copy.deepcopy(tags)
    return made


def seen(world: dict[str, FakeCloud], made: FakeCloud, **options: Any) -> dict[str, Any]:
    world["now"] = made
    plugin = FakePlugin(hostnames=["tag:Name", "name"], **options)
    inventory = fill(plugin)
    hosts = {name: dict(host.vars) for name, host in inventory.hosts.items()}
    groups = {name: sorted(host.name for host in group.hosts) for name, group in inventory.groups.items()}
    return {"hosts": hosts, "groups": groups, "plugin": plugin, "inventory": inventory}


@FUZZ
@given(managed=st.lists(st.one_of(MANAGED, NAMELESS), max_size=8), instances=st.lists(INSTANCE, max_size=8), tags=TAGS)
def test_every_answer_makes_a_whole_inventory(world: Any, managed: Any, instances: Any, tags: Any) -> None:
    found = seen(world, cloud(managed, instances, tags))
    names = {row["InstanceId"] for row in (*managed, *instances) if "InstanceId" in row}
    shown = [(host["patchtide_node_id"], *host["patchtide_merged_ids"]) for host in found["hosts"].values()]
    assert sorted(name for ids in shown for name in ids) == sorted(names)
    for host in found["hosts"].values():
        assert {name for name in host if name.startswith("patchtide_")} == {f"patchtide_{name}" for name in EMPTY}
        assert all(isinstance(host[f"patchtide_{name}"], type(value)) for name, value in EMPTY.items())


@FUZZ
@given(managed=st.lists(MANAGED, min_size=1, max_size=8), tags=TAGS, instances=st.lists(INSTANCE, max_size=4))
def test_no_field_is_ever_a_template(world: Any, managed: Any, instances: Any, tags: Any) -> None:
    found = seen(world, cloud(managed, instances, tags))
    templar = found["plugin"].templar
    for host in found["hosts"].values():
        templar.available_variables = host
        for name in ("patchtide_name", "patchtide_tags", "patchtide_os", "patchtide_patch_group"):
            assert templar.template(trusted("{{ " + name + " }}")) == host[name]
    assert not any(group.vars for group in found["inventory"].groups.values())


@FUZZ
@given(
    managed=st.lists(MANAGED, max_size=10, unique_by=lambda row: row["InstanceId"]),
    instances=st.lists(INSTANCE, max_size=6, unique_by=lambda row: row["InstanceId"]),
    tags=TAGS,
    page=st.integers(1, 12),
    seed=st.integers(0, 99),
)
def test_order_and_pages_make_no_difference(
    world: Any, managed: Any, instances: Any, tags: Any, page: int, seed: int
) -> None:
    first = seen(world, cloud(managed, instances, tags))
    shuffled = random.Random(seed)
    other_managed, other_instances = list(managed), list(instances)
    shuffled.shuffle(other_managed)
    shuffled.shuffle(other_instances)
    second = seen(world, cloud(other_managed, other_instances, tags, page=page), workers=1 + seed % 5)
    assert (first["hosts"], first["groups"]) == (second["hosts"], second["groups"])
    assert list(first["hosts"]) == list(second["hosts"])
