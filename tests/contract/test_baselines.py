# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Baselines and patch groups behave the same on the fake and on the lab."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, Conflict
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baseline_noun import BaselineNoun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.baselines import Baseline, to_given
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.patch_groups import PatchGroupNoun

from tests.contract.worlds import World

SECURITY = {"classification": ["Security"], "severity": ["Critical"], "approve_after_days": 7}


def declare(world: World, *, present: bool = True, **options: Any) -> tuple[bool, Baseline | None]:
    given = {"name": "web", "baseline_id": None, "tags": None, "default": None, **options}
    noun = BaselineNoun(world.baselines, to_given(given), present=present, purge_tags=True)
    change = noun.plan()
    return change.changed, noun.apply(change) if change.changed else change.after


def bind(world: World, *baselines: str, state: str = "present", **options: Any) -> bool:
    given = {"name": "prod", "baselines": list(baselines) or None, "state": state}
    noun = PatchGroupNoun(world.patch_groups, {**given, "rebind": False, "purge_baselines": False, **options})
    change = noun.plan()
    if change.changed:
        noun.apply(change)
    return change.changed


def test_created_once_then_unchanged(world: World) -> None:
    options = {"operating_system": "AMAZON_LINUX_2023", "rules": [SECURITY], "rejected_patches": ["b*", "a*"]}
    assert declare(world, **options)[0]
    assert declare(world, **{**options, "rejected_patches": ["a*", "b*"]})[0] is False


@pytest.mark.parametrize(
    ("member", "set_to", "cleared"),
    [
        ("description", "for the web", ""),
        ("rules", [SECURITY], []),
        ("approved_patches", ["kernel*"], []),
        ("approved_patches_compliance_level", "HIGH", "UNSPECIFIED"),
        ("approved_patches_enable_non_security", True, False),
        ("rejected_patches", ["docker*"], []),
        ("rejected_patches_action", "BLOCK", "ALLOW_AS_DEPENDENCY"),
        ("global_filters", {"PRODUCT": ["AmazonLinux2023"]}, {}),
        ("sources", [{"name": "mirror", "products": ["*"], "configuration": "[mirror]"}], []),
        ("tags", {"Team": "web"}, {}),
        ("default", True, False),
    ],
)
def test_member_is_set_kept_and_cleared(world: World, member: str, set_to: Any, cleared: Any) -> None:
    declare(world, operating_system="AMAZON_LINUX_2023")
    assert declare(world, **{member: set_to})[0]
    assert not declare(world, **{member: set_to})[0]
    assert not declare(world)[0], "not given means left alone"
    assert declare(world, **{member: cleared})[0]
    assert not declare(world, **{member: cleared})[0]


def test_windows_severity_and_update_status(world: World) -> None:
    rule = {"classification": ["SecurityUpdates"], "severity": ["Critical"], "approve_after_days": 0}
    options = {"operating_system": "WINDOWS", "rules": [rule], "available_security_updates_status": "NON_COMPLIANT"}
    assert declare(world, **options)[0]
    assert not declare(world, **options)[0]


def test_ubuntu_rule_has_no_delay(world: World) -> None:
    options = {"operating_system": "UBUNTU", "rules": [{"filters": {"PRIORITY": ["Required"]}}]}
    assert declare(world, **options)[0]
    assert not declare(world, **options)[0]


def test_another_system_recreates_it_and_gives_the_default_back(world: World) -> None:
    _unused, first = declare(world, operating_system="UBUNTU", default=True)
    changed, second = declare(world, operating_system="DEBIAN")
    assert changed and first and second and second.baseline_id != first.baseline_id
    assert not second.is_default
    assert world.baselines.get(first.baseline_id) is None


def test_renamed_by_its_id(world: World) -> None:
    _unused, first = declare(world, operating_system="UBUNTU")
    assert first
    assert declare(world, baseline_id=first.baseline_id, name="renamed")[0]
    assert world.baselines.find("renamed").baseline_id == first.baseline_id


def test_default_one_is_deleted_after_the_default_is_restored(world: World) -> None:
    declare(world, operating_system="UBUNTU", default=True)
    assert declare(world, present=False) == (True, None)
    assert declare(world, present=False) == (False, None)


def test_one_in_use_is_not_deleted(world: World) -> None:
    declare(world, operating_system="UBUNTU")
    bind(world, "web")
    with pytest.raises(Conflict, match="prod"):
        declare(world, present=False)


def test_two_of_one_name_are_a_conflict(world: World) -> None:
    world.baselines.create(Baseline(name="web"))
    world.baselines.create(Baseline(name="web"))
    with pytest.raises(Conflict, match="2 patch baselines"):
        declare(world)


def test_group_is_bound_once_and_unbound(world: World) -> None:
    declare(world, operating_system="AMAZON_LINUX_2023")
    assert bind(world, "web", "AWS-UbuntuDefaultPatchBaseline")
    assert not bind(world, "web", "AWS-UbuntuDefaultPatchBaseline")
    assert bind(world, "web", state="absent")
    assert [item.operating_system for item in world.patch_groups.find("prod").baselines] == ["UBUNTU"]
    assert bind(world, state="absent")
    assert not bind(world, state="absent")


def test_group_moves_only_when_asked(world: World) -> None:
    declare(world, operating_system="UBUNTU")
    declare(world, name="other", operating_system="UBUNTU")
    bind(world, "web")
    with pytest.raises(Conflict, match="gets web for UBUNTU, not other"):
        bind(world, "other")
    assert bind(world, "other", rebind=True)
    assert not bind(world, "other")


def test_group_purges_when_asked(world: World) -> None:
    declare(world, operating_system="AMAZON_LINUX_2023")
    bind(world, "web", "AWS-UbuntuDefaultPatchBaseline")
    assert not bind(world, "web")
    assert bind(world, "web", purge_baselines=True)


def test_group_with_an_unknown_baseline_is_predicted_but_not_written(world: World) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        bind(world, "nowhere")
    assert world.patch_groups.find("prod") is None


@pytest.mark.parametrize(
    ("system", "options", "message"),
    [
        ("AMAZON_LINUX_2023", {"product": ["All"]}, r"rules\[0\].filters.PRODUCT: 'All'.*'\*' for all values"),
        ("AMAZON_LINUX_2023", {"classification": ["security"]}, r"CLASSIFICATION: 'security'.*Security\? Values"),
        ("SUSE", {"severity": ["Blah"]}, r"SEVERITY: 'Blah'.*Critical, Important, Low, Moderate"),
        ("WINDOWS", {"severity": ["Imprtant"]}, r"MSRC_SEVERITY: 'Imprtant'.*Important\?"),
        ("WINDOWS", {"product": ["MicrosoftSQLServer2022"]}, "PRODUCT: 'MicrosoftSQLServer2022'"),
    ],
)
def test_a_filter_value_that_is_none_is_refused_before_anything_is_written(
    world: World, system: str, options: Any, message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        declare(world, operating_system=system, rules=[{**options, "approve_after_days": 7}])
    assert world.baselines.find("web") is None


def test_filter_values_of_applications_are_others(world: World) -> None:
    rule = {"product": ["MicrosoftSQLServer2022"], "filters": {"PATCH_SET": ["APPLICATION"]}, "approve_after_days": 7}
    assert declare(world, operating_system="WINDOWS", rules=[rule])[0]


def test_a_value_that_the_service_no_longer_lists_stays(world: World) -> None:
    declare(world, operating_system="AMAZON_LINUX_2023", rules=[SECURITY])
    port = world.baselines
    port.filter_values = lambda *_unused: ("Bugfix",)
    assert not declare(world, rules=[SECURITY])[0]
    assert declare(world, description="changed", rules=[SECURITY])[0]


def test_without_the_right_to_list_values_the_service_checks_them(world: World) -> None:
    world.baselines.filter_values = lambda *_unused: ()
    assert declare(world, operating_system="AMAZON_LINUX_2023", rules=[SECURITY])[0]
