# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory as a user meets it, on a cloud in memory."""

from __future__ import annotations

import pytest
from ansible.inventory.data import InventoryData
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError

from tests.fakes.fleet import FakeCloud, FakePlugin, fill, instance, managed, members, trusted

EU = "111111111111/eu-central-1"
US = "111111111111/us-east-1"
TWO_REGIONS = ["eu-central-1", "us-east-1"]
TWO_ACCOUNTS = [f"arn:aws:iam::{number}:role/patchtide" for number in ("111111111111", "222222222222")]


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    found = FakeCloud()
    monkeypatch.setattr(Sessions, "client", lambda self, service, place, retry=True: found.client(service, place))
    place = found.at(EU)
    place.managed = [managed("i-0aaaaaaaaaaaaaaaa"), managed("mi-0bbbbbbbbbbbbbbbb", PlatformType="Windows")]
    tags = {"Name": "web 1", "Patch Group": "WEB-PROD"}
    place.instances = [instance("i-0aaaaaaaaaaaaaaaa", tags=tags), instance("i-0cccccccccccccccc", state="stopped")]
    place.tags = {"mi-0bbbbbbbbbbbbbbbb": {"PatchGroup": "PLANT", "MaintenanceWindow": "sunday"}}
    return found


def test_nodes_of_both_kinds_with_tags_and_groups(cloud: FakeCloud) -> None:
    """Covers CG-19, MO-20, PG-6, TCS-18."""
    inventory = fill(FakePlugin())
    assert members(inventory, "managed") == ["i-0aaaaaaaaaaaaaaaa", "mi-0bbbbbbbbbbbbbbbb"]
    assert members(inventory, "patch_group_web_prod") == ["i-0aaaaaaaaaaaaaaaa"]
    assert members(inventory, "patch_group_plant") == members(inventory, "platform_windows") == ["mi-0bbbbbbbbbbbbbbbb"]
    assert members(inventory, "state_stopped") == ["i-0cccccccccccccccc"]
    assert members(inventory, "account_111111111111") == members(inventory, "region_eu_central_1")
    hybrid = inventory.hosts["mi-0bbbbbbbbbbbbbbbb"].vars
    assert hybrid["patchtide_maintenance_window"] == "sunday"
    assert hybrid["patchtide_executor"] == "ssm"


def test_calls_for_one_place(cloud: FakeCloud) -> None:
    """One call of each kind; tags are asked for hybrid nodes only, because EC2 tells its own."""
    fill(FakePlugin())
    assert cloud.calls == {
        "get_caller_identity": 1,
        "describe_instance_properties": 1,
        "describe_instances": 1,
        "get_resources": 1,
    }


def test_tags_come_from_the_tagging_service_when_ec2_is_not_asked(cloud: FakeCloud) -> None:
    cloud.at(EU).tags["i-0aaaaaaaaaaaaaaaa"] = {"Patch Group": "TAGGED"}
    inventory = fill(FakePlugin(instances=False))
    assert members(inventory, "patch_group_tagged") == ["i-0aaaaaaaaaaaaaaaa"]
    assert "describe_instances" not in cloud.calls
    assert list(inventory.hosts) == ["i-0aaaaaaaaaaaaaaaa", "mi-0bbbbbbbbbbbbbbbb"]


def test_many_accounts_and_regions(cloud: FakeCloud) -> None:
    """Covers MO-21, PG-2, TM-36."""
    cloud.at("222222222222/us-east-1").managed = [managed("i-0dddddddddddddddd")]
    inventory = fill(FakePlugin(accounts=TWO_ACCOUNTS, regions=TWO_REGIONS))
    assert members(inventory, "account_222222222222") == ["i-0dddddddddddddddd"]
    node = inventory.hosts["i-0dddddddddddddddd"].vars
    assert node["patchtide_account_role_arn"] == TWO_ACCOUNTS[1]
    assert cloud.calls["describe_instance_properties"] == 4


def test_a_region_that_fails_is_named_and_the_rest_is_whole(cloud: FakeCloud) -> None:
    for operation in ("describe_instance_properties", "describe_instance_information"):
        cloud.errors[US, operation] = "AccessDeniedException"
    plugin = FakePlugin(regions=TWO_REGIONS)
    assert len(fill(plugin).hosts) == 3
    assert len(plugin.warnings) == 1
    assert plugin.warnings[0].startswith(f"{US} is missing in the inventory: Could not list managed nodes")


def test_nodes_come_from_the_documented_listing_where_the_consoles_is_refused(cloud: FakeCloud) -> None:
    whole = fill(FakePlugin(regions=TWO_REGIONS)).hosts.keys()
    cloud.errors[US, "describe_instance_properties"] = "AccessDeniedException"
    plugin = FakePlugin(regions=TWO_REGIONS)
    assert fill(plugin).hosts.keys() == whole
    assert not plugin.warnings


def test_a_place_that_fails_halfway_gives_nothing_rather_than_half(cloud: FakeCloud) -> None:
    cloud.at(US).managed = [managed("mi-0dddddddddddddddd")]
    cloud.errors[US, "get_resources"] = "ExpiredTokenException"
    plugin = FakePlugin(regions=TWO_REGIONS)
    assert "mi-0dddddddddddddddd" not in fill(plugin).hosts
    assert len(plugin.warnings) == 1


@pytest.mark.parametrize("options", [{"strict_permissions": True, "regions": TWO_REGIONS}, {"regions": ["us-east-1"]}])
def test_failing_is_an_error_when_wanted_and_when_nothing_is_left(cloud: FakeCloud, options: dict) -> None:
    cloud.errors[US, "describe_instances"] = "UnauthorizedOperation"
    with pytest.raises(PatchtideError, match=r"1 of \d account-Regions failed: 111111111111/us-east-1: Could not"):
        fill(FakePlugin(**options))


def test_coverage_groups(cloud: FakeCloud) -> None:
    """Covers CG-2, PG-13, TM-16."""
    place = cloud.at(EU)
    place.managed.append(managed("mi-0eeeeeeeeeeeeeeee", LastPingDateTime=1.0, AgentVersion="2.3.1.0"))
    place.instances.append(instance("i-0ffffffffffffffff"))
    inventory = fill(FakePlugin())
    assert members(inventory, "unmanaged") == ["i-0ffffffffffffffff"]
    assert members(inventory, "stale_ping") == members(inventory, "old_agent") == ["mi-0eeeeeeeeeeeeeeee"]
    assert "i-0ffffffffffffffff" in members(inventory, "no_instance_profile")
    assert "mi-0eeeeeeeeeeeeeeee" in members(inventory, "no_patch_group")


def test_constructed_options(cloud: FakeCloud) -> None:
    plugin = FakePlugin(
        compose={"ansible_host": "patchtide_ip | default('none', true)", "copied": "patchtide_tags.PatchGroup"},
        groups={"windows": "patchtide_platform == 'windows'", "composed": "ansible_host == 'none'"},
        keyed_groups=[
            {"key": "patchtide_tags['Patch Group']", "prefix": "pg"},
            {"key": "patchtide_os", "prefix": "os"},
        ],
    )
    inventory = fill(plugin)
    assert members(inventory, "windows") == ["mi-0bbbbbbbbbbbbbbbb"]
    assert members(inventory, "pg_WEB_PROD") == ["i-0aaaaaaaaaaaaaaaa"]
    assert members(inventory, "os_Amazon_Linux") == ["i-0aaaaaaaaaaaaaaaa", "mi-0bbbbbbbbbbbbbbbb"]
    assert inventory.hosts["mi-0bbbbbbbbbbbbbbbb"].vars["copied"] == "PLANT"
    assert len(members(inventory, "composed")) == 3


def test_strict_says_which_expression_fails(cloud: FakeCloud) -> None:
    with pytest.raises(Exception, match="nowhere"):
        fill(FakePlugin(keyed_groups=[{"key": "patchtide_tags.nowhere", "prefix": "x"}], strict=True))


def test_filters_include_and_exclude(cloud: FakeCloud) -> None:
    assert list(fill(FakePlugin(filters={"patch_group": "WEB-*"})).hosts) == ["i-0aaaaaaaaaaaaaaaa"]
    assert list(fill(FakePlugin(filters={"tags": {"PatchGroup": ["PLANT"]}})).hosts) == ["mi-0bbbbbbbbbbbbbbbb"]
    assert list(fill(FakePlugin(include=["patchtide_state == 'stopped'"])).hosts) == ["i-0cccccccccccccccc"]
    assert list(fill(FakePlugin(exclude=["patchtide_managed"])).hosts) == ["i-0cccccccccccccccc"]


def test_a_filter_that_ssm_applies_makes_nobody_unmanaged(cloud: FakeCloud) -> None:
    cloud.at(EU).managed[0]["PingStatus"] = "ConnectionLost"
    inventory = fill(FakePlugin(filters={"ping_status": ["Online"]}))
    assert list(inventory.hosts) == ["mi-0bbbbbbbbbbbbbbbb"]
    assert ("describe_instance_properties", "PingStatus") in {
        (name, request["FiltersWithOperator"][0]["Key"])
        for name, request in cloud.requests
        if "MaxResults" in request and "FiltersWithOperator" in request
    }


def test_hostnames_that_are_not_unique_are_nobodys(cloud: FakeCloud) -> None:
    cloud.at(EU).instances[1]["Tags"] = [{"Key": "Name", "Value": "web 1"}]
    inventory = fill(FakePlugin(hostnames=["tag:Name", "platform"]))
    assert sorted(inventory.hosts) == ["i-0aaaaaaaaaaaaaaaa", "i-0cccccccccccccccc", "windows"]


def test_a_machine_named_like_a_group_does_not_become_it(cloud: FakeCloud) -> None:
    for row, name in zip(cloud.at(EU).instances, ("platform_windows", "mine"), strict=True):
        row["Tags"] = [{"Key": "Name", "Value": name}]
    plugin = FakePlugin(
        hostnames=["tag:Name"],
        compose={"ansible_host": "'10.0.0.1'"},
        groups={"mine": "patchtide_state == 'stopped'"},
    )
    inventory = fill(plugin)
    assert not any(group.vars for group in inventory.groups.values())
    assert "i-0aaaaaaaaaaaaaaaa" in inventory.hosts
    assert members(inventory, "mine") == ["mine"]
    assert inventory.hosts["mine"].vars["ansible_host"] == "10.0.0.1"


def test_jinja_in_tags_stays_text(cloud: FakeCloud) -> None:
    evil = "{{ lookup('pipe', 'touch /tmp/patchtide-evil') }}"
    cloud.at(EU).instances[0]["Tags"] = [{"Key": "Name", "Value": evil}, {"Key": evil, "Value": evil}]
    plugin = FakePlugin(compose={"copy": "patchtide_name"}, keyed_groups=[{"key": "patchtide_name", "prefix": "n"}])
    inventory = fill(plugin)
    variables = inventory.hosts["i-0aaaaaaaaaaaaaaaa"].vars
    assert variables["patchtide_name"] == variables["copy"] == evil
    plugin.templar.available_variables = variables
    assert plugin.templar.template(trusted("{{ patchtide_name }}")) == evil
    assert plugin.templar.template(trusted("{{ copy }}")) == evil


def test_the_host_of_an_earlier_source_is_the_same_machine(cloud: FakeCloud) -> None:
    cloud.at(EU).managed[1].update(SourceType="Microsoft.Compute/virtualMachines", SourceId="vm-1")
    earlier = InventoryData()
    for name, kind in (("arc", "Microsoft.HybridCompute/machines"), ("azure", "Microsoft.Compute/virtualMachines")):
        earlier.add_host(name)
        earlier.hosts[name].vars.update(vmid="VM-1", resource_type=kind, patchtide_executor="azure")
    inventory = fill(FakePlugin(), earlier)
    assert "mi-0bbbbbbbbbbbbbbbb" not in inventory.hosts
    assert inventory.hosts["azure"].vars["patchtide_node_id"] == "mi-0bbbbbbbbbbbbbbbb"
    assert inventory.hosts["azure"].vars["patchtide_executor"] == "azure"
    assert "patchtide_node_id" not in inventory.hosts["arc"].vars


def test_optional_facts_fail_on_their_own(cloud: FakeCloud) -> None:
    cloud.errors[EU, "describe_maintenance_windows"] = "AccessDeniedException"
    cloud.at(EU).patch_states = [{"InstanceId": "i-0aaaaaaaaaaaaaaaa", "MissingCount": 2, "OperationEndTime": 0.0}]
    cloud.at(EU).patches = {"i-0aaaaaaaaaaaaaaaa": [{"KBId": "b.x86_64:1", "State": "Missing", "CVEIds": "C-2,C-1"}]}
    plugin = FakePlugin(facts=["patch_states", "missing_patches", "next_window"])
    node = fill(plugin).hosts["i-0aaaaaaaaaaaaaaaa"].vars
    assert node["patchtide_patch_state"] == {"missing_count": 2, "operation_end_time": "1970-01-01T00:00:00Z"}
    assert node["patchtide_missing_patches"][0]["cve_ids"] == ["C-1", "C-2"]
    assert len(plugin.warnings) == 1
    assert "lacks facts" in plugin.warnings[0]


def test_next_window_and_custom_inventory(cloud: FakeCloud) -> None:
    """Covers PG-20."""
    place, window = cloud.at(EU), "mw-0123456789abcdef0"
    place.tags = {}
    place.windows = [{"WindowId": window, "Name": "sunday", "NextExecutionTime": "2026-03-01T23:00Z"}]
    place.targets = {window: [{"Targets": [{"Key": "tag:Patch Group", "Values": ["WEB-PROD"]}]}]}
    content = {"Content": [{"Patch Group": "PLANT-2", "Maintenance Window": "x"}]}
    place.entities = [{"Id": "mi-0bbbbbbbbbbbbbbbb", "Data": {"Custom:PatchInformation": content}}]
    inventory = fill(FakePlugin(facts=["next_window", "patch_information"]))
    assert inventory.hosts["i-0aaaaaaaaaaaaaaaa"].vars["patchtide_next_window_name"] == "sunday"
    assert members(inventory, "patch_group_plant_2") == ["mi-0bbbbbbbbbbbbbbbb"]


def test_the_connector_of_an_azure_node(cloud: FakeCloud) -> None:
    cloud.at(EU).managed[1]["SourceType"] = "Microsoft.Compute/virtualMachines"
    cloud.at(EU).connectors = [{"Provider": "Azure", "DisplayName": "tenant"}]
    inventory = fill(FakePlugin(facts=["cloud_connectors"]))
    assert inventory.hosts["mi-0bbbbbbbbbbbbbbbb"].vars["patchtide_cloud_connector"] == "tenant"
    assert members(inventory, "source_azure") == ["mi-0bbbbbbbbbbbbbbbb"]


def test_all_enabled_regions(cloud: FakeCloud) -> None:
    fill(FakePlugin(regions=["all"], exclude_regions=["us-*"]))
    assert cloud.calls["describe_regions"] == 1
    assert cloud.calls["describe_instance_properties"] == 2


def test_an_account_that_does_not_tell_its_regions_is_named(cloud: FakeCloud) -> None:
    cloud.errors["222222222222/eu-west-1", "describe_regions"] = "UnauthorizedOperation"
    options = {"accounts": TWO_ACCOUNTS, "regions": ["all"], "region": "eu-west-1"}
    plugin = FakePlugin(**options)
    assert len(fill(plugin).hosts) == 3
    assert plugin.warnings[0].startswith("Account 222222222222 is queried in eu-west-1 only, its other Regions are")
    assert cloud.calls["describe_instance_properties"] == 4
    with pytest.raises(PatchtideError, match="enabled Regions of account 222222222222"):
        fill(FakePlugin(**options, strict_permissions=True))


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"filters": {"nonsense": 1}}, "filters"),
        ({"hostnames": ["nonsense"]}, "hostnames"),
        ({"oldest_agent": "new"}, "oldest_agent"),
        ({"accounts": ["12"]}, r"accounts\[0\].id"),
        ({"organizations": {}}, "role_name"),
        ({"accounts": ["111111111111"], "assume_role_arn": TWO_ACCOUNTS[0]}, "accounts"),
        ({"source": "resource_data_sync"}, "bucket"),
    ],
)
def test_bad_options_are_named_before_anything_is_asked(cloud: FakeCloud, options: dict, option: str) -> None:
    with pytest.raises(BadInput, match=f"^{option}: "):
        fill(FakePlugin(**options))
    assert not cloud.calls


def test_hosts_of_merged_machines_are_a_group(cloud: FakeCloud) -> None:
    """What was merged away stays visible: as a group, and by ID in a variable."""
    managed = cloud.at(EU).managed
    managed.append({**managed[1], "InstanceId": "mi-0dddddddddddddddd", "SourceId": "i-0aaaaaaaaaaaaaaaa"})
    inventory = fill(FakePlugin())
    assert members(inventory, "merged") == ["i-0aaaaaaaaaaaaaaaa"]
    assert inventory.hosts["i-0aaaaaaaaaaaaaaaa"].vars["patchtide_merged_ids"] == ["mi-0dddddddddddddddd"]
