# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The judgement of one machine: each trouble has one finding or one repair, and what the policy excludes has none."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, ClassVar

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.enrollment.judge import Judge
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.enrollment.machine import Judgement, Machine
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import EMPTY, VARIABLES, Candidate, texts
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.instance_roles import RoleFacts

NOW = datetime(2026, 6, 1, 12, 0, tzinfo=timezone.utc)
ARN = "arn:aws:iam::111111111111:instance-profile/patchtide-node"
GOOD = RoleFacts(role="patchtide-node")
WEAK = RoleFacts(role="patchtide-node", missing=("ssm:PutInventory",))
#: A machine with which all is well.
WELL: dict[str, Any] = {
    "node_id": "i-1",
    "name": "web-1",
    "executor": "ssm",
    "platform": "linux",
    "account": "111111111111",
    "region": "eu-central-1",
    "resource_type": "EC2Instance",
    "state": "running",
    "managed": True,
    "ping_status": "Online",
    "patch_group": "WEB",
    "instance_profile": ARN,
    "tags": {"PatchGroup": "WEB", "Owner": "web-team"},
}
UNMANAGED = {"managed": False, "executor": "", "ping_status": "", "launched_at": "2026-06-01T00:00:00Z"}
HYBRID = {"node_id": "mi-1", "resource_type": "ManagedInstance", "state": "", "instance_profile": ""}
STATIC = {**HYBRID, "node_id": "db01", "resource_type": "", "account": "", "region": "", "executor": "linux"}
GROUP = "/subscriptions/22222222-bbbb-4bbb-8bbb-000000000001/resourcegroups/rg"
AZURE_ID = f"{GROUP}/providers/microsoft.compute/virtualmachines/a"
AZURE = {**HYBRID, "node_id": AZURE_ID, "executor": "azure", "resource_type": "AzureVM", "state": "running"}


def machine(*, role: RoleFacts | None = GOOD, listed: bool = True, **members: Any) -> Machine:
    node = {**EMPTY, "coverage": [], **WELL, **members}
    given: dict[str, Any] = texts(node, VARIABLES)
    candidate = Candidate(host=node["node_id"], managed=node["managed"], tags=node["tags"], **given)
    return Machine(node=node, candidate=candidate, role=role, listed=listed)


def judge(item: Machine, policy: dict[str, Any] | None = None, **enrollment: Any) -> Judgement:
    data = {"waves": [{"name": "all"}], **(policy or {}), "enrollment": enrollment}
    return Judge(to_policy(data), NOW).judge(item)


def codes(found: Judgement) -> list[str]:
    return [item.code for item in found.findings]


def repairs(found: Judgement) -> list[str]:
    return [item.text() for item in found.repairs]


def test_a_machine_with_which_all_is_well_is_enrolled() -> None:
    found = judge(machine(), {"patch_groups": [{"name": "WEB"}]}, required_tags={"Owner": None})
    assert found.state == "enrolled" and not found.repairs and not found.waiting


def test_what_the_policy_excludes_is_neither_repaired_nor_reported() -> None:
    policy = {"exclude": [{"select": {"nodes": ["i-1"]}, "reason": "an appliance"}]}
    found = judge(machine(**UNMANAGED, instance_profile=""), policy, instance_profile="patchtide-node")
    assert found.state == "excluded" and found.excluded == "an appliance" and not found.repairs and not found.findings


BARE = {**UNMANAGED, "instance_profile": ""}


class TestAccess:
    def test_without_a_profile_of_the_policy_none_is_attached(self) -> None:
        assert codes(judge(machine(**BARE, role=None))) == ["no_instance_profile"]

    def test_the_profile_of_the_policy_is_attached(self) -> None:
        found = judge(machine(**BARE), instance_profile="patchtide-node")
        assert repairs(found) == ["attach the instance profile patchtide-node"] and found.state == "repairable"

    def test_a_stopped_instance_gets_it_too_and_is_not_expected_to_register(self) -> None:
        found = judge(machine(**{**BARE, "state": "stopped"}), instance_profile="p")
        assert len(found.repairs) == 1 and not found.findings
        assert judge(machine(**{**UNMANAGED, "state": "stopped"})).state == "enrolled"

    def test_a_managed_instance_without_profile_has_the_default_host_role(self) -> None:
        assert judge(machine(instance_profile="", role=None), instance_profile="p").state == "enrolled"

    @pytest.mark.parametrize("managed", [{}, UNMANAGED])
    def test_a_weak_role_gets_the_policy_only_if_the_policy_names_one(self, managed: dict[str, Any]) -> None:
        found = judge(machine(**managed, role=WEAK), role_policy_arn="arn:aws:iam::aws:policy/x")
        assert repairs(found) == ["attach the policy to role patchtide-node"] and not found.findings
        left = judge(machine(**managed, role=WEAK))
        assert codes(left) == ["role_lacks"] and "ssm:PutInventory" in left.findings[0].what

    def test_no_profile_is_attached_whose_role_would_not_do(self) -> None:
        found = judge(machine(**BARE, role=WEAK), instance_profile="p")
        assert codes(found) == ["role_lacks"] and not found.repairs
        both = judge(machine(**BARE, role=WEAK), instance_profile="p", role_policy_arn="arn:aws:iam::aws:policy/x")
        assert [item.kind for item in both.repairs] == ["attach_policy", "attach_profile"]

    @pytest.mark.parametrize(
        ("role", "code"),
        [
            (RoleFacts(exists=False), "no_role"),
            (RoleFacts(), "no_role"),
            (RoleFacts(role="r", denied=("ssm:PutInventory",), missing=("ssm:PutInventory",)), "role_denies"),
            (None, "role_unread"),
        ],
    )
    def test_a_role_that_no_policy_helps_is_a_finding(self, role: RoleFacts | None, code: str) -> None:
        found = judge(machine(**UNMANAGED, role=role), role_policy_arn="arn:aws:iam::aws:policy/x")
        assert codes(found) == [code] and not found.repairs

    def test_why_a_role_is_unknown_is_named(self) -> None:
        item = replace(machine(role=None), role_error="Could not read: AccessDenied: no")
        assert "AccessDenied" in judge(item).findings[0].what

    def test_a_new_instance_has_time_to_register(self) -> None:
        new = machine(**{**UNMANAGED, "launched_at": "2026-06-01T11:40:00Z"})
        found = judge(new)
        assert found.state == "registering" and "until 12:10 UTC" in found.waiting
        assert codes(judge(new, register_minutes=20)) == ["not_registered"]

    def test_an_instance_with_a_good_role_that_never_registered_is_a_finding(self) -> None:
        assert codes(judge(machine(**UNMANAGED))) == ["not_registered"]


OLD = {"coverage": ["old_agent"], "agent_version": "3.2.1.0"}


class TestAgent:
    @pytest.mark.parametrize(
        ("members", "code"),
        [({}, "agent_silent"), (HYBRID, "hybrid_silent"), ({**AZURE, "ping_status": "ConnectionLost"}, "arc_silent")],
    )
    def test_a_silent_agent_is_a_finding_that_fits_its_kind(self, members: dict[str, Any], code: str) -> None:
        found = judge(machine(**{**members, "coverage": ["stale_ping", "old_agent"]}), update_agent=True)
        assert codes(found) == [code] and not found.repairs

    def test_an_old_agent_is_updated_if_the_policy_says_so(self) -> None:
        assert repairs(judge(machine(**OLD), update_agent=True, oldest_agent="3.3.0.0")) == ["update the SSM Agent"]
        left = judge(machine(**OLD), oldest_agent="3.3.0.0")
        assert codes(left) == ["old_agent"] and left.findings[0].what == "its agent 3.2.1.0 is older than 3.3.0.0"

    def test_never_on_a_node_that_is_being_patched_or_stopped(self) -> None:
        at_work = machine(**OLD, tags={**WELL["tags"], "now": "rollout-7"})
        found = judge(at_work, {"tags": {"patch_now": "now"}}, update_agent=True)
        assert codes(found) == ["old_agent"] and not found.repairs
        assert judge(machine(**OLD, state="stopped"), update_agent=True).state == "enrolled"


GROUPS = {"patch_groups": [{"name": "WEB"}, {"name": "DB"}]}


class TestTags:
    def test_a_default_is_set_and_a_tag_without_one_is_a_finding(self) -> None:
        rules = {"Environment": {"default": "prod"}, "CostCenter": None}
        found = judge(machine(), required_tags=rules)
        assert repairs(found) == ["set Environment=prod"] and codes(found) == ["no_tag"]
        assert found.findings[0].what == "has no tag CostCenter"

    def test_a_value_that_is_not_valid_is_never_overwritten(self) -> None:
        found = judge(machine(), required_tags={"Owner": {"allowed": ["db-team"], "default": "db-team"}})
        assert codes(found) == ["bad_tag"] and not found.repairs

    def test_keys_of_aws_differ_by_case(self) -> None:
        item = machine(tags={"PatchGroup": "WEB", "owner": "web-team", "ENVIRONMENT": ""})
        found = judge(item, required_tags={"Owner": {"default": "x"}, "Environment": {"default": "prod"}})
        assert codes(found) == ["misspelt_tag"] and repairs(found) == ["set Environment=prod"]

    @pytest.mark.parametrize(("group", "code"), [("", "no_tag"), ("WBE", "bad_tag")])
    def test_a_node_of_a_baseline_needs_a_patch_group_of_the_policy(self, group: str, code: str) -> None:
        tags = {"PatchGroup": group} if group else {}
        assert codes(judge(machine(patch_group=group, tags=tags), GROUPS)) == [code]
        assert judge(machine(**{**STATIC, "patch_group": "", "tags": {}}), GROUPS).state == "enrolled"

    def test_an_unmanaged_instance_needs_one_as_well(self) -> None:
        assert "no_tag" in codes(judge(machine(**UNMANAGED, patch_group="", tags={}), GROUPS))

    def test_either_spelling_of_the_patch_group_counts(self) -> None:
        item = machine(tags={"Patch Group": "WEB"})
        assert judge(item, GROUPS).state == "enrolled"
        assert judge(item, required_tags={"PatchGroup": None}).state == "enrolled"

    def test_a_rule_of_its_own_for_the_patch_group_replaces_that_of_the_groups(self) -> None:
        item = machine(patch_group="", tags={})
        found = judge(item, GROUPS, required_tags={"PatchGroup": {"default": "WEB"}})
        assert repairs(found) == ["set PatchGroup=WEB"] and not found.findings

        other = machine(patch_group="OTHER", tags={"PatchGroup": "OTHER"})
        assert judge(other, GROUPS, required_tags={"PatchGroup": {"allowed": ["OTHER"]}}).state == "enrolled"

    def test_without_patch_groups_in_the_policy_none_is_needed(self) -> None:
        assert judge(machine(patch_group="", tags={})).state == "enrolled"

    def test_variables_and_what_a_node_states_count_in_each_spelling(self) -> None:
        rules = {"Patch Group": None, "MaintenanceWindow": None}
        host = machine(**{**STATIC, "tags": {}, "maintenance_window": "sat"})
        assert judge(host, required_tags=rules).state == "enrolled"
        stated = {"PatchGroup": "WEB", "MaintenanceWindow": "sat"}
        item = replace(machine(**{**HYBRID, "patch_group": "", "tags": {}}), stated=stated)
        assert judge(item, required_tags=rules).state == "repairable"

    def test_what_a_node_states_comes_before_defaults(self) -> None:
        item = replace(machine(**{**HYBRID, "patch_group": "", "tags": {}}), stated={"PatchGroup": "DB"})
        rules = {"PatchGroup": {"default": "WEB"}, "Owner": {"default": "nobody"}}
        assert repairs(judge(item, GROUPS, required_tags=rules)) == ["set Owner=nobody, PatchGroup=DB"]

    def test_what_it_states_is_not_set_if_it_is_not_valid(self) -> None:
        item = replace(machine(**{**HYBRID, "patch_group": "", "tags": {}}), stated={"PatchGroup": "DBB"})
        found = judge(item, GROUPS)
        assert codes(found) == ["bad_tag"] and not found.repairs

    def test_a_contradiction_is_a_finding(self) -> None:
        item = replace(
            machine(**HYBRID), remarks=("its inventory states Patch Group 'DB', its tag PatchGroup has 'WEB'",)
        )
        assert codes(judge(item)) == ["stated"]

    def test_hosts_in_no_cloud_have_variables_that_nobody_sets(self) -> None:
        found = judge(machine(**{**STATIC, "tags": {}}), required_tags={"Environment": {"default": "prod"}})
        assert codes(found) == ["no_variable"] and not found.repairs and "host variables" in found.findings[0].fix

    def test_machines_of_azure_get_tags_by_their_own_spelling(self) -> None:
        item = machine(**{**AZURE, "patch_group": "", "tags": {"ENVIRONMENT": ""}})
        assert repairs(judge(item, required_tags={"Environment": {"default": "prod"}})) == ["set ENVIRONMENT=prod"]


class TestPlan:
    def test_a_machine_that_the_inventory_lacks_is_named(self) -> None:
        policy = {"waves": [{"name": "dev", "select": {"groups": ["dev"]}}]}
        assert codes(judge(machine(listed=False), policy)) == ["not_in_inventory"]

    def test_a_machine_of_no_wave_is_named_after_its_tags_are_set(self) -> None:
        policy = {"waves": [{"name": "prod", "select": {"tags": {"Environment": ["prod"]}}}]}
        assert codes(judge(machine(), policy)) == ["no_wave"]
        found = judge(machine(), policy, required_tags={"Environment": {"default": "prod"}})
        assert found.state == "repairable" and not found.findings

    def test_a_policy_without_waves_plans_nothing_yet(self) -> None:
        assert judge(machine(), {"waves": []}).state == "enrolled"

    def test_an_application_counts_once_its_tag_is_set(self) -> None:
        policy = {"waves": [{"name": "shop", "select": {"applications": ["shop"]}}]}
        assert judge(machine(), policy, required_tags={"Application": {"default": "shop"}}).state == "repairable"

    def test_waves_see_an_instance_as_it_will_be_once_registered(self) -> None:
        policy = {"waves": [{"name": "aws", "select": {"executors": ["ssm"], "patch_groups": ["WEB"]}}]}
        item = machine(**{**UNMANAGED, "instance_profile": "", "patch_group": "", "tags": {}})
        found = judge(item, policy, instance_profile="p", required_tags={"PatchGroup": {"default": "WEB"}})
        assert found.state == "repairable" and len(found.repairs) == 2

    def test_a_window_that_cannot_be_read_is_a_finding_where_waves_take_it_from_tags(self) -> None:
        policy = {
            "windows": [{"name": "sat", "schedule": "cron(0 22 ? * SAT *)", "duration_hours": 4}],
            "waves": [{"name": "all", "window": "tag"}],
        }
        found = judge(machine(), policy)
        assert codes(found) == ["no_window"] and "its owner is web-team" in found.findings[0].what
        assert judge(machine(maintenance_window="sat"), policy).state == "enrolled"
        assert judge(machine(), {**policy, "waves": [{"name": "all", "window": "sat"}]}).state == "enrolled"
        first = {"name": "first", "window": "sat"}
        assert judge(machine(), {**policy, "waves": [first, *policy["waves"]]}).state == "enrolled"
        repaired = judge(machine(), policy, required_tags={"MaintenanceWindow": {"default": "sat"}})
        assert repaired.state == "repairable"

    @pytest.mark.parametrize(
        ("members", "code"),
        [({"executor": ""}, "no_executor"), ({"executor": "lunix"}, "not_served")],
    )
    def test_a_host_that_nothing_patches_is_named(self, members: dict[str, Any], code: str) -> None:
        rules = {"Environment": {"default": "prod"}}
        for kind in (STATIC, AZURE):
            found = judge(machine(**{**kind, **members}), required_tags=rules)
            assert codes(found) == [code] and not found.repairs


class TestOnboarding:
    RULES: ClassVar[dict[str, Any]] = {
        "select": {"groups": ["plant"]},
        "region": "eu-central-1",
        "iam_role": "service-role/hybrid",
    }

    def outside(self, *, hybrid: bool = False, **members: Any) -> Machine:
        given = {**STATIC, "executor": "", "tags": {}, "patch_group": "", **members}
        item = machine(role=None, **given)
        return replace(item, candidate=replace(item.candidate, groups=frozenset({"plant"})), hybrid=hybrid)

    def test_a_selected_machine_registers_with_its_tags_and_with_defaults(self) -> None:
        item = self.outside(tags={"Owner": "plant"}, maintenance_window="night")
        wanted = {"Owner": None, "Environment": {"default": "prod"}}
        found = judge(item, onboarding=self.RULES, required_tags=wanted)
        (repair,) = found.repairs
        assert repair.kind == "onboard" and repair.text() == "register it with Systems Manager in eu-central-1"
        assert repair.tags == {"Owner": "plant", "Environment": "prod", "MaintenanceWindow": "night"}
        assert found.state == "repairable"

    def test_a_tag_that_has_no_default_stays_with_its_owner(self) -> None:
        found = judge(self.outside(), {"patch_groups": [{"name": "WEB"}]}, onboarding=self.RULES)
        assert codes(found) == ["no_variable"] and len(found.repairs) == 1

    @pytest.mark.parametrize("rules", [{}, {**RULES, "select": {"groups": ["other"]}}])
    def test_what_the_policy_does_not_select_stays_a_finding(self, rules: dict[str, Any]) -> None:
        found = judge(self.outside(), onboarding=rules)
        assert codes(found) == ["no_executor"] and "enrollment.onboarding" in found.findings[0].fix

    @pytest.mark.parametrize("members", [{"executor": "linux"}, {"executor": "windows"}, {"hybrid": True}])
    def test_what_is_patched_already_is_not_registered(self, members: dict[str, Any]) -> None:
        assert not judge(self.outside(**members), onboarding=self.RULES).repairs

    @pytest.mark.parametrize("members", [UNMANAGED, HYBRID])
    def test_nodes_of_aws_are_not_registered(self, members: dict[str, Any]) -> None:
        item = machine(**members)
        item = replace(item, candidate=replace(item.candidate, groups=frozenset({"plant"}), executor=""))
        assert "onboard" not in [repair.kind for repair in judge(item, onboarding=self.RULES).repairs]

    def test_a_virtual_machine_of_azure_gets_its_tags_as_well(self) -> None:
        item = self.outside(**{**AZURE, "tags": {"a": "b"}})
        found = judge(item, onboarding=self.RULES, required_tags={"Environment": {"default": "prod"}})
        assert [repair.kind for repair in found.repairs] == ["set_tags", "onboard"]
        assert found.repairs[1].tags == {"a": "b", "Environment": "prod"}
