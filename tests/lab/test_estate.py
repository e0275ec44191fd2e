# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate file: what is in it, what a mistake in it says, and the variant that goes bad."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from lab.aws.catalogue import FOLDER, load_operating_system
from lab.aws.estate import load_estate, read_estate
from lab.aws.ssm.baselines import FILTER_KEYS
from lab.aws.world import DEFAULT_ESTATE
from lab.azure.estate import to_azure_estate

from .conftest import Fleet

ESTATE = load_estate(DEFAULT_ESTATE)


def test_three_accounts_two_regions_about_sixty_nodes() -> None:
    assert len(ESTATE.accounts) == 3
    assert set(ESTATE.regions) == {"eu-central-1", "us-east-1"}
    assert 55 <= len(ESTATE.nodes) <= 70
    assert {(node.account, node.region) for node in ESTATE.nodes} == {
        (account.account_id, region) for account in ESTATE.accounts for region in ESTATE.regions
    }


def test_every_kind_of_machine_is_there() -> None:
    sources = Counter(node.source for node in ESTATE.nodes)
    assert min(sources["ec2"], sources["onprem"], sources["azure"]) >= 6
    assert {node.os for node in ESTATE.nodes} == {path.stem for path in FOLDER.glob("*.yml")}
    assert sum(node.stopped for node in ESTATE.nodes) >= 3


def test_azure_is_in_every_wave_of_the_demo() -> None:
    """Two subscriptions, virtual machines and Azure Arc servers, Linux and Windows, in development and production."""
    data = read_estate(DEFAULT_ESTATE)
    machines = to_azure_estate(data["azure"], ESTATE.start).machines
    assert len({item.node.account for item in machines}) == len(data["azure"]["subscriptions"]) == 2
    for environment in ("dev", "prod"):
        found = [item for item in machines if item.node.tags["Environment"] == environment]
        assert {item.kind for item in found} == {"vm", "arc"}
        assert {load_operating_system(item.node.os, ESTATE.start).platform for item in found} == {"Linux", "Windows"}


def test_on_the_bad_day_every_canary_fails_in_both_clouds() -> None:
    data = read_estate(DEFAULT_ESTATE.with_name("estate-abort.yml"))
    groups = [*data["groups"], *data["azure"]["groups"]]
    canaries = {item["name"] for item in groups if item["tags"].get("Environment") == "dev"}
    assert {item["name"] for item in groups if item.get("fail_patches") == ["*"]} == canaries


def test_ids_are_stable_unique_and_of_their_kind() -> None:
    assert [node.node_id for node in ESTATE.nodes] == [node.node_id for node in load_estate(DEFAULT_ESTATE).nodes]
    assert len({node.node_id for node in ESTATE.nodes}) == len(ESTATE.nodes)
    assert all(node.node_id.startswith("i-") == (node.source == "ec2") for node in ESTATE.nodes)


def test_hybrid_nodes_have_only_tags_that_ssm_accepts(fleet: Fleet) -> None:
    """SSM's tag values allow no ( ) ? * #, so no cron expression; EC2's do."""
    for node in (node for node in ESTATE.nodes if node.source != "ec2"):
        rows = [{"Key": key, "Value": value} for key, value in node.tags.items()]
        fleet.ssm(node.name).add_tags_to_resource(ResourceType="ManagedInstance", ResourceId=node.node_id, Tags=rows)


def test_a_mistake_names_its_group(tmp_path: Path) -> None:
    data = yaml.safe_load(DEFAULT_ESTATE.read_text())
    data["groups"][0]["colour"] = "blue"
    (tmp_path / "e.yml").write_text(yaml.safe_dump(data))
    with pytest.raises(ValueError, match=r"web-dev.*colour"):
        load_estate(tmp_path / "e.yml")


@pytest.mark.parametrize("member", ["web-prod-99", "db-prod"])
def test_a_target_group_has_nodes_of_its_place(tmp_path: Path, member: str) -> None:
    data = yaml.safe_load(DEFAULT_ESTATE.read_text())
    data["load_balancers"][0]["target_groups"][0]["members"].append(member)
    (tmp_path / "e.yml").write_text(yaml.safe_dump(data))
    with pytest.raises(ValueError, match=rf"load balancer shop.*{member}"):
        load_estate(tmp_path / "e.yml")


def test_on_the_bad_day_the_canaries_can_not_install() -> None:
    bad = load_estate(DEFAULT_ESTATE.with_name("estate-abort.yml"))
    failing = {node.name for node in bad.nodes if node.faults["fail_patches"]}
    assert failing == {node.name for node in bad.nodes if node.tags["Environment"] == "dev"}
    assert [node.node_id for node in bad.nodes] == [node.node_id for node in ESTATE.nodes]


@pytest.mark.parametrize("key", sorted(path.stem for path in FOLDER.glob("*.yml")))
def test_a_catalogue_has_what_the_rehearsal_needs(key: str) -> None:
    system = load_operating_system(key, ESTATE.start)
    assert any(patch.is_kernel and patch.needs_reboot for patch in system.updates)
    assert any((ESTATE.start - patch.released).days < 7 for patch in system.updates) or key == "sles-15"
    assert len({patch.patch_id for patch in system.updates}) == len(system.updates)
    assert system.baseline_os in {*FILTER_KEYS, "AMAZON_LINUX_2023", "REDHAT_ENTERPRISE_LINUX", "SUSE"}
