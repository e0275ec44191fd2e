# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-inventory on the rehearsal estate: three accounts, two Regions, roles, an external id, a denied role."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab

ROOT = Path(__file__).resolve().parents[2]
#: amazon.aws comes with the ansible package, or from where the caller keeps collections.
COLLECTIONS = [ROOT / "build" / "tree", *filter(None, os.environ.get("ANSIBLE_COLLECTIONS_PATH", "").split(os.pathsep))]
ACCOUNTS = [
    {"id": "111111111111", "name": "shared", "role_arn": "arn:aws:iam::111111111111:role/patchtide"},
    {"id": "222222222222", "name": "web", "role_arn": "arn:aws:iam::222222222222:role/patchtide"},
    {
        "id": "333333333333",
        "name": "data",
        "role_arn": "arn:aws:iam::333333333333:role/patchtide",
        "external_id": "lab-data-team",
    },
]
DENIED = {"id": "333333333333", "role_arn": "arn:aws:iam::333333333333:role/patchtide-denied"}
REGIONS = ["eu-central-1", "us-east-1"]


@dataclass(frozen=True)
class Shown:
    """What ansible-inventory printed."""

    hosts: dict[str, dict[str, Any]]
    groups: dict[str, list[str]]
    warnings: str
    status: int


def plain(value: Any) -> Any:
    """Text that is no template is printed as {"__ansible_unsafe": text} by some versions of ansible-core."""
    if isinstance(value, dict):
        return plain(value["__ansible_unsafe"]) if set(value) == {"__ansible_unsafe"} else _plain_members(value)
    return [plain(item) for item in value] if isinstance(value, list) else value


def _plain_members(value: dict[str, Any]) -> dict[str, Any]:
    return {key: plain(item) for key, item in value.items()}


def show(aws: Lab, place: Path, **options: Any) -> Shown:
    file = place / "estate.ssm_fleet.yml"
    file.write_text(yaml.safe_dump({"plugin": "patchtide.hybrid.ssm_fleet", "regions": REGIONS, **options}))
    aside = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))}
    environment = {
        **aside,
        **aws.environment(),
        "ANSIBLE_COLLECTIONS_PATH": os.pathsep.join(map(str, COLLECTIONS)),
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
    }
    command = [str(Path(sys.executable).with_name("ansible-inventory")), "-i", str(file), "--list"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=place)
    data = json.loads(done.stdout) if done.returncode == 0 else {}
    hosts = plain(data.get("_meta", {}).get("hostvars", {}))
    groups = {name: item.get("hosts", []) for name, item in data.items() if name != "_meta"}
    return Shown(hosts, groups, " ".join(done.stderr.split()), done.returncode)


@pytest.fixture(scope="module")
def estate(aws: Lab, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    aws.reset()
    return show(aws, tmp_path_factory.mktemp("estate"), accounts=ACCOUNTS, facts=["patch_states", "next_window"])


def test_every_machine_of_the_estate_is_a_host(aws: Lab, estate: Shown) -> None:
    """Covers TCS-2, CG-19, MO-19, MO-21, PG-2, TM-36."""
    assert "[WARNING]" not in estate.warnings
    nodes = {node["node_id"]: node for node in aws.get("nodes")["nodes"]}
    assert set(estate.hosts) == set(nodes)
    for name, node in nodes.items():
        host = estate.hosts[name]
        assert (host["patchtide_managed"], host["patchtide_tags"]) == (node["managed"], node["tags"])
        assert host["patchtide_patch_group"] == (node["patch_group"] or "")
    assert {len(estate.groups[f"account_{item['id']}"]) > 0 for item in ACCOUNTS} == {True}
    assert set(estate.groups) >= {"region_eu_central_1", "region_us_east_1", "platform_linux", "platform_windows"}


def test_hybrid_nodes_tell_their_source(estate: Shown) -> None:
    """Covers MO-20; patch groups of both spellings."""
    hybrid = {name: item for name, item in estate.hosts.items() if item["patchtide_resource_type"] == "ManagedInstance"}
    assert hybrid
    assert all(name.startswith("mi-") for name in hybrid)
    kinds = {item["patchtide_source_type"] for item in hybrid.values()}
    assert "Microsoft.Compute/virtualMachines" in kinds
    assert all(item["patchtide_tags"] for item in hybrid.values())
    assert any(item["patchtide_patch_group"] for item in hybrid.values())


def test_stopped_instances_are_there_with_their_state(estate: Shown) -> None:
    """Covers TM-17, MO-5."""
    assert estate.groups["state_stopped"]
    assert all(estate.hosts[name]["patchtide_executor"] == "ssm" for name in estate.groups["state_stopped"])


def test_names_of_machines_are_never_run(aws: Lab, estate: Shown, tmp_path: Path) -> None:
    """The estate has machines whose tags are markup and templates."""
    named = show(aws, tmp_path, accounts=ACCOUNTS, hostnames=["tag:Name"])
    assert len(named.hosts) == len(estate.hosts)
    assert not any(set(name) & set("<>{}() '") for name in named.hosts)


def test_a_role_that_is_denied_is_named_and_the_rest_is_whole(aws: Lab, estate: Shown, tmp_path: Path) -> None:
    found = show(aws, tmp_path, accounts=[*ACCOUNTS[:2], DENIED])
    assert found.status == 0
    for region in REGIONS:
        assert f"333333333333/{region} is missing in the inventory" in found.warnings
    others = {name for name, item in estate.hosts.items() if item["patchtide_account"] != "333333333333"}
    assert set(found.hosts) == others


def test_strict_permissions_make_it_fail(aws: Lab, tmp_path: Path) -> None:
    found = show(aws, tmp_path, accounts=[*ACCOUNTS[:2], DENIED], strict_permissions=True)
    assert found.status != 0
    assert "2 of 6 account-Regions failed: 333333333333/eu-central-1" in found.warnings


def test_a_missing_external_id_is_a_refusal(aws: Lab, tmp_path: Path) -> None:
    account = {name: value for name, value in ACCOUNTS[2].items() if name != "external_id"}
    found = show(aws, tmp_path, accounts=[ACCOUNTS[0], account])
    assert "333333333333/us-east-1 is missing" in found.warnings


def test_the_bucket_of_a_resource_data_sync_gives_the_same_nodes(aws: Lab, estate: Shown, tmp_path: Path) -> None:
    """Covers MO-16, PG-16."""
    _fill_bucket(aws, estate)
    found = show(aws, tmp_path, source="resource_data_sync", bucket="sync", bucket_prefix="inventory", regions=[])
    managed = {name: item for name, item in estate.hosts.items() if item["patchtide_managed"]}
    assert set(found.hosts) == set(managed)
    members = ("account", "region", "platform", "os", "os_version", "agent_version", "tags", "patch_group", "ip")
    for name, item in managed.items():
        for member in members:
            assert found.hosts[name][f"patchtide_{member}"] == item[f"patchtide_{member}"], (name, member)


def _fill_bucket(aws: Lab, estate: Shown) -> None:
    """Write what a Resource Data Sync would."""
    s3 = aws.client("s3", "us-east-1")
    s3.create_bucket(Bucket="sync")
    kinds = {"linux": "Linux", "windows": "Windows", "macos": "MacOS"}
    for name, item in estate.hosts.items():
        if not item["patchtide_managed"]:
            continue
        where = f"accountid={item['patchtide_account']}/region={item['patchtide_region']}"
        end = f"{where}/resourcetype=ManagedInstanceInventory/{name}.json"
        information = {
            "AgentVersion": item["patchtide_agent_version"],
            "ComputerName": item["patchtide_computer_name"],
            "IpAddress": item["patchtide_ip"],
            "PlatformName": item["patchtide_os"],
            "PlatformType": kinds[item["patchtide_platform"]],
            "PlatformVersion": item["patchtide_os_version"],
            "ResourceType": item["patchtide_resource_type"],
            "InstanceStatus": "Active",
            "resourceId": name,
        }
        tags = "\n".join(json.dumps({"Key": key, "Value": value}) for key, value in item["patchtide_tags"].items())
        s3.put_object(Bucket="sync", Key=f"inventory/AWS:InstanceInformation/{end}", Body=json.dumps(information))
        s3.put_object(Bucket="sync", Key=f"inventory/AWS:Tag/{end}", Body=tags)


def test_the_accounts_of_an_organization(aws: Lab, tmp_path: Path) -> None:
    """Covers MO-21, PG-17: an organization with one member below an organizational unit and one outside it."""
    organizations = aws.client("organizations", "us-east-1")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name="workloads")["OrganizationalUnit"]["Id"]
    created = organizations.create_account(AccountName="member", Email="m@example.com")["CreateAccountStatus"]
    organizations.move_account(AccountId=created["AccountId"], SourceParentId=root, DestinationParentId=unit)
    found = show(aws, tmp_path, organizations={"exclude_units": [unit]}, role_name="patchtide")
    assert {item["patchtide_account"] for item in found.hosts.values()} == {"111111111111"}
    other = show(aws, tmp_path, organizations={"units": [unit]}, role_name="patchtide")
    assert f"{created['AccountId']}/eu-central-1" in other.warnings
