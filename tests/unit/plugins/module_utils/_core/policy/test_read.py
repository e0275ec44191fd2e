# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as values: defaults, round trip, digest, and what follows from other members."""

from __future__ import annotations

import json
from copy import deepcopy
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy import notice_rules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy import run_rules as policy_run
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy import values as module
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Policy, to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import to_share
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy

SCHEMA = json.loads((Path(__file__).parents[6] / "schemas" / "policy.schema.json").read_text("utf-8"))
#: Schema definition to the class that holds it.
CLASSES = {
    "tagKeys": module.TagKeys,
    "estate": module.Estate,
    "rule": module.Rule,
    "baseline": module.PolicyBaseline,
    "patchGroup": module.PatchGroup,
    "windowTask": module.WindowTask,
    "window": module.Window,
    "select": module.Select,
    "gate": module.GateRules,
    "wave": module.Wave,
    "prechecks": module.PrecheckRules,
    "reboot": module.Reboot,
    "patching": module.Patching,
    "exclude": module.Exclude,
    "approval": module.Approval,
    "exceptions": module.ExceptionRules,
    "freeze": module.FreezeCalendars,
    "emergency": module.Emergency,
    "stoppedNodes": module.StoppedNodes,
    "budgets": policy_run.BudgetRules,
    "quorumRule": policy_run.QuorumRule,
    "loadBalancer": policy_run.LoadBalancer,
    "hooks": policy_run.Hooks,
    "drift": policy_run.DriftTolerance,
    "notices": notice_rules.NoticeRules,
    "route": notice_rules.Route,
    "quietHours": notice_rules.QuietHours,
    "digest": notice_rules.Digest,
    "snsTopic": notice_rules.SnsTopic,
    "mail": notice_rules.Mail,
    "webhook": notice_rules.Webhook,
    "serviceNowEvents": notice_rules.ServiceNowEvents,
}


def plain(value: Any) -> Any:
    if is_dataclass(value):
        return {}  # its own members are compared with its own definition
    return list(value) if isinstance(value, tuple) else value


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    target = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else {}
    return {**(resolved(target) if target else {}), **schema}


@pytest.mark.parametrize("name", [*CLASSES, "top"])
def test_defaults_are_those_of_the_schema(name: str) -> None:
    properties = SCHEMA["properties"] if name == "top" else SCHEMA["$defs"][name]["properties"]
    for item in fields(CLASSES.get(name, Policy)):
        default = item.default_factory() if item.default_factory is not MISSING else item.default
        if default is MISSING:
            continue
        shown = resolved(properties[item.name]).get("default")
        if shown is not None or default is None:
            assert plain(default) == shown, item.name


@pytest.mark.parametrize("name", [*CLASSES, "top"])
def test_members_are_those_of_the_schema(name: str) -> None:
    properties = SCHEMA["properties"] if name == "top" else SCHEMA["$defs"][name]["properties"]
    assert {item.name for item in fields(CLASSES.get(name, Policy))} == set(properties)


def test_everything_in_the_schema_is_described() -> None:
    def walk(schema: Any, path: str) -> list[str]:
        missing = []
        for key, value in (schema.get("properties") or {}).items():
            if "description" not in resolved(value):
                missing.append(f"{path}.{key}")
            missing += walk(value, f"{path}.{key}") + walk(value.get("items", {}), f"{path}.{key}[]")
        return missing

    assert walk(SCHEMA, "") == [gap for name in SCHEMA["$defs"] for gap in walk(SCHEMA["$defs"][name], name)] == []


SMALL = {"version": 1, "name": "small"}


def test_reading_what_was_written_gives_the_same_policy() -> None:
    data = {**SMALL, "waves": [{"name": "a", "select": {"tags": {"x": "y"}}, "gate": {"max_failure_rate": "5%"}}]}
    policy = check_policy(data)
    assert check_policy(policy.to_dict()) == policy
    assert check_policy(policy.to_dict()).digest == policy.digest


def test_written_out_defaults_and_the_order_of_keys_do_not_change_the_digest() -> None:
    written = {"reboot": {"rule": "if_required"}, "name": "small", "version": 1, "gates": {"max_failure_rate": "10%"}}
    assert to_policy(written).digest == to_policy(SMALL).digest


def test_every_value_changes_the_digest() -> None:
    assert to_policy({**SMALL, "reboot": {"rule": "always"}}).digest != to_policy(SMALL).digest


def test_a_wave_inherits_what_it_does_not_override() -> None:
    data = {**SMALL, "gates": {"min_sample": 3, "budget": 2}, "waves": [{"name": "a", "gate": {"min_sample": 1}}]}
    gate = to_policy(data).waves[0].gate
    assert (gate.min_sample, gate.budget, gate.max_failure_rate) == (1, 2, 0.1)


def test_account_is_known_by_its_role() -> None:
    role = "arn:aws:iam::111122223333:role/x"
    policy = to_policy({**SMALL, "estate": {"regions": ["eu-west-1"], "accounts": [{"role_arn": role}]}})
    assert (policy.estate.accounts[0].id, policy.estate.accounts[0].name) == ("111122223333", "111122223333")
    assert [place.label for place in policy.estate.places()] == ["111122223333/eu-west-1"]


def test_selectors_become_what_inventories_know() -> None:
    account = {"name": "web", "role_arn": "arn:aws:iam::111122223333:role/x"}
    select = {"accounts": ["web"], "applications": ["shop"]}
    data = {**SMALL, "tags": {"application": "App"}, "estate": {"accounts": [account]}}
    policy = to_policy({**data, "waves": [{"name": "a", "select": select}]})
    assert policy.waves[0].select.accounts == ("111122223333",)
    assert policy.waves[0].select.tags == {"App": ("shop",)}


def test_task_is_named_after_its_window() -> None:
    window = {"name": "night", "schedule": "rate(1 day)", "duration_hours": 1, "tasks": [{"operation": "Scan"}]}
    assert to_policy({**SMALL, "windows": [window]}).windows[0].tasks[0].name == "night-scan"


@pytest.mark.parametrize(("written", "share"), [("5%", 0.05), ("0.5%", 0.005), ("100%", 1.0), (0.25, 0.25), (0, 0.0)])
def test_share(written: Any, share: float) -> None:
    assert to_share(written) == share


def test_null_switches_off_what_may_be_off_and_is_the_default_elsewhere() -> None:
    policy = to_policy({**SMALL, "drift": {"nodes": None}, "reboot": {"rule": None}})
    assert (policy.drift.nodes, policy.drift.patches, policy.reboot.rule) == (None, "20%", "if_required")
    assert to_policy(policy.to_dict()) == policy


def test_reading_leaves_the_data_alone() -> None:
    data = {**SMALL, "waves": [{"name": "a"}]}
    before = deepcopy(data)
    to_policy(data)
    assert data == before
