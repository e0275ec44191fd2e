# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every mistake of a policy is named with its path, its value and what would be right."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.errors import Mistake, PolicyError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy

ROLE = "arn:aws:iam::111122223333:role/patchtide"
ONBOARDING = {"select": {"groups": ["plant"]}, "region": "eu-central-1", "account": "web", "iam_role": "hybrid"}
GOOD: dict[str, Any] = {
    "version": 1,
    "name": "contoso",
    "estate": {
        "regions": ["eu-central-1"],
        "accounts": [{"name": "web", "id": "111122223333", "role_arn": ROLE}],
    },
    "baselines": [
        {"name": "al2023", "operating_system": "AMAZON_LINUX_2023", "rules": [{"approve_after_days": 7}]},
        {"name": "al2023-slow", "operating_system": "AMAZON_LINUX_2023", "rules": [{"approve_after_days": 30}]},
        {"name": "ubuntu", "operating_system": "UBUNTU", "rules": [{"filters": {"PRIORITY": ["Required"]}}]},
    ],
    "patch_groups": [{"name": "WEB-DEV", "baselines": ["al2023", "ubuntu"]}, {"name": "WEB-PROD"}],
    "windows": [
        {"name": "night", "schedule": "cron(0 22 ? * TUE#2 *)", "duration_hours": 4, "cutoff_hours": 1},
        {
            "name": "scan",
            "schedule": "rate(1 day)",
            "duration_hours": 2,
            "patch_groups": ["WEB-PROD"],
            "tasks": [{"operation": "Scan"}],
        },
    ],
    "waves": [{"name": "canary", "size": 1, "window": "night"}, {"name": "rest", "select": {"accounts": ["web"]}}],
    "enrollment": {"onboarding": ONBOARDING},
}


def mistakes_of(changes: dict[str, Any]) -> list[Mistake]:
    """Put values into the good policy (``{"waves.1.size": 5}``; ``None`` removes) and return what is wrong with it."""
    policy = deepcopy(GOOD)
    for path, value in changes.items():
        *steps, last = [int(step) if step.isdigit() else step for step in path.split("/")]
        holder: Any = policy
        for step in steps:
            holder = holder.setdefault(step, {}) if isinstance(step, str) else holder[step]
        if value is None:
            del holder[last]
        elif isinstance(last, int) and last == len(holder):
            holder.append(value)
        else:
            holder[last] = value
    try:
        check_policy(policy)
    except PolicyError as error:
        return list(error.mistakes)
    return []


def test_the_good_policy_is_good() -> None:
    assert mistakes_of({}) == []


DATED: dict[str, Any] = {
    "repositories": {
        "expected": [
            {
                "name": "base",
                "manager": "dnf",
                "urls": ["http://m/{snapshot}"],
                "snapshots": {"canary": "20260601", "rest": "20260602"},
            }
        ]
    }
}


# What to change, the path named, and words that must stand in what is expected.
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"version": 2}, "version", "1"),
    ({"version": None}, "version", "always 1"),
    ({"name": None}, "name", "name of the policy"),
    ({"name": "-x"}, "name", "letters, digits"),
    ({"name": "contoso\n"}, "name", "letters, digits"),
    ({"wave": []}, "wave", "'waves'"),
    ({"waves": {}}, "waves", "a list"),
    ({"tags/patch_group": "Patchgroup"}, "tags.patch_group", "PatchGroup, Patch Group"),
    ({"tags/owner": "aws:owner"}, "tags.owner", "does not begin with aws:"),
    ({"tags/owner": "a" * 129}, "tags.owner", "1 to 128"),
    ({"estate/regions/0": "Frankfurt"}, "estate.regions[0]", "eu-central-1"),
    ({"estate/accounts/0/id": 111122223333}, "estate.accounts[0].id", "in quotes"),
    ({"estate/accounts/0/id": "999999999999"}, "estate.accounts[0].id", "'111122223333'"),
    ({"estate/accounts/0/role_arn": "patchtide"}, "estate.accounts[0].role_arn", "arn:aws:iam::"),
    ({"estate/accounts/1": {"role_arn": ROLE}}, "estate.accounts[1].id", "a unique id"),
    ({"baselines/0/operating_system": "AL2023"}, "baselines[0].operating_system", "one of WINDOWS"),
    ({"baselines/0/operating_system": None}, "baselines[0].operating_system", "operating system of the baseline"),
    ({"baselines/1/name": "al2023"}, "baselines[1].name", "a unique name"),
    ({"baselines/0/name": "a b"}, "baselines[0].name", "3 to 128"),
    ({"baselines/0/rules": [{"approve_after_days": 1}] * 11}, "baselines[0].rules", "at most 10"),
    ({"baselines/0/rules/0/approve_after_days": 361}, "baselines[0].rules[0].approve_after_days", "0 to 360"),
    ({"baselines/0/rules/0/approve_until_date": "2026-01-01"}, "baselines[0].rules[0]", "exactly one"),
    ({"baselines/2/rules/0/approve_after_days": 7}, "baselines[2].rules[0]", "UBUNTU"),
    ({"baselines/0/rules/0/filters": {"COLOR": ["red"]}}, "baselines[0].rules[0].filters.COLOR", "CLASSIFICATION"),
    ({"baselines/0/rules/0/severity": ["x"] * 21}, "baselines[0].rules[0].severity", "at most 20"),
    ({"baselines/0/rejected_patches": ["x"] * 51}, "baselines[0].rejected_patches", "at most 50"),
    (
        {"baselines/0/approved_patches": ["x"], "baselines/0/rejected_patches": ["x"]},
        "baselines[0].rejected_patches",
        "approved_patches",
    ),
    (
        {"baselines/0/default": True, "baselines/1/default": True},
        "baselines[1].default",
        "'al2023' is the default already",
    ),
    ({"baselines/0/tags": {"a": 1}}, "baselines[0].tags.a", "a text"),
    ({"exclude": [{"select": {"kev": True}, "reason": "x"}]}, "exclude[0].select.kev", "of a wave only"),
    ({"patch_groups/0/baselines/0": "al2032"}, "patch_groups[0].baselines[0]", "did you mean 'al2023'"),
    ({"patch_groups/0/baselines/2": "al2023-slow"}, "patch_groups[0].baselines[2]", "'al2023' is for AMAZON_LINUX"),
    ({"patch_groups/1/name": "WEB-DEV"}, "patch_groups[1].name", "a unique name"),
    ({"patch_groups/1/name": "a;b"}, "patch_groups[1].name", "1 to 256"),
    ({"windows/0/schedule": "daily"}, "windows[0].schedule", "cron(30 23 ? * TUE#1 *)"),
    ({"windows/0/schedule": "cron(0 22 ? * TUESDAY *)"}, "windows[0].schedule: day-of-week", "SUN-SAT"),
    ({"windows/0/schedule": "rate(1 days)"}, "windows[0].schedule", "rate(1 day)"),
    ({"windows/0/timezone": "Berlin"}, "windows[0].timezone", "Europe/Berlin"),
    ({"windows/1/offset_days": 2}, "windows[1].offset_days", "only with cron"),
    ({"windows/0/offset_days": 7}, "windows[0].offset_days", "1 to 6"),
    ({"windows/0/duration_hours": 25}, "windows[0].duration_hours", "1 to 24"),
    ({"windows/0/duration_hours": None}, "windows[0].duration_hours", "hours the window is open"),
    ({"windows/0/cutoff_hours": 4}, "windows[0].cutoff_hours", "fewer hours than the window's duration, 4"),
    ({"windows/0/start_date": "tomorrow"}, "windows[0].start_date", "2026-12-31T22:00:00+01:00"),
    (
        {"windows/0/start_date": "2027-01-01T00:00:00Z", "windows/0/end_date": "2026-01-01T00:00:00Z"},
        "windows[0].end_date",
        "after the start",
    ),
    ({"windows/1/patch_groups/0": "WEB-PRD"}, "windows[1].patch_groups[0]", "did you mean 'WEB-PROD'"),
    ({"windows/1/patch_groups": []}, "windows[1].patch_groups", "at least one patch group"),
    ({"windows/1/tasks/0/operation": "Patch"}, "windows[1].tasks[0].operation", "Scan, Install"),
    ({"windows/1/tasks/0/max_concurrency": "0%"}, "windows[1].tasks[0].max_concurrency", "a count such as 5"),
    ({"windows/1/tasks/1": {"operation": "Scan"}}, "windows[1].tasks[1].name", "a unique name"),
    ({"windows": [GOOD["windows"][0]] * 51}, "windows", "at most 50"),
    ({"waves/0/window": "nigth"}, "waves[0].window", "did you mean 'night'"),
    ({"waves/0/size": 0}, "waves[0].size", "a count such as 5"),
    ({"waves/0/size": "110%"}, "waves[0].size", "10%"),
    ({"waves/0/size": True}, "waves[0].size", "a count such as 5"),
    ({"waves/1/name": "canary"}, "waves[1].name", "a unique name"),
    ({"waves/0/name": "Canary!"}, "waves[0].name", "lower-case"),
    ({"waves/0/soak_minutes": -1}, "waves[0].soak_minutes", "0 to 10080"),
    ({"waves/0/reboot": "sometimes"}, "waves[0].reboot", "never, if_required"),
    ({"waves/0/gate/max_failure_rate": 5}, "waves[0].gate.max_failure_rate", "5% or 0.05"),
    ({"waves/1/select/accounts/0": "wbe"}, "waves[1].select.accounts[0]", "an account of the estate"),
    ({"waves/1/select/regions": ["eu-west-1"]}, "waves[1].select.regions[0]", "a Region of the estate"),
    ({"waves/1/select/regions": ["WestEurope"]}, "waves[1].select.regions[0]", "such as westeurope"),
    ({"waves/1/select/accounts": ["0000-11"]}, "waves[1].select.accounts[0]", "an account of the estate"),
    ({"waves/1/select/patch_groups": ["WEB"]}, "waves[1].select.patch_groups[0]", "WEB-DEV"),
    ({"waves/1/select/executors": ["ssh"]}, "waves[1].select.executors[0]", "one that is (did you mean 'ssm'?)"),
    ({"waves/1/select/tags": {"Environment": []}}, "waves[1].select.tags.Environment", "at least one entry"),
    (
        {"waves/1/select/tags": {"Application": "shop"}, "waves/1/select/applications": ["mes"]},
        "waves[1].select.tags.Application",
        "not in both",
    ),
    ({"gates/confidence": "high"}, "gates.confidence", "a share"),
    ({"gates/confidence": 1}, "gates.confidence", "0.5 to below 1"),
    ({"waves/0/gate/confidence": "40%"}, "waves[0].gate.confidence", "0.5 to below 1"),
    ({"gates/budget": "0%"}, "gates.budget", "a count such as 5"),
    ({"prechecks/lock": True}, "prechecks.lock", "skip_node, allow"),
    ({"prechecks/disk": {"/": -1}}, "prechecks.disk./", "0 or more"),
    ({"prechecks/max_load_per_cpu": 0}, "prechecks.max_load_per_cpu", "more than 0"),
    ({"reboot/rule": "maybe"}, "reboot.rule", "if_patched"),
    ({"reboot/overrides": [{"select": {}, "rule": "never"}]}, "reboot.overrides[0].select", "at least one key"),
    ({"patching/expected_minutes/linus": 3}, "patching.expected_minutes.linus", "'linux'"),
    ({"patching/delivery_timeout": 20}, "patching.delivery_timeout", "30 to 2592000"),
    ({"patching/retries/delivery": 6}, "patching.retries.delivery", "0 to 5"),
    ({"patching/retries/execution": 4}, "patching.retries.execution", "0 to 3"),
    ({"exclude": [{"select": {"nodes": ["a"]}}]}, "exclude[0].reason", "reason"),
    ({"exclude": [{"select": {}, "reason": "x"}]}, "exclude[0].select", "every node"),
    ({"exceptions/timezone": "Mars/Olympus"}, "exceptions.timezone", "time zone"),
    ({"freeze/timezone": "Mars/Olympus"}, "freeze.timezone", "time zone"),
    ({"exceptions/max_days": 0}, "exceptions.max_days", "1 to 3660"),
    ({"exceptions/tag": "aws:x"}, "exceptions.tag", "not beginning with aws:"),
    ({"freeze/ics": [3]}, "freeze.ics[0]", "a text"),
    ({"approval/required": "maybe"}, "approval.required", "true or false"),
    ({"stopped_nodes/start": "yes!"}, "stopped_nodes.start", "true or false"),
    ({"stopped_nodes/select": {"regions": ["eu-west-1"]}}, "stopped_nodes.select.regions[0]", "a Region of the estate"),
    ({"waves/0/order": [{"patch_groups": ["WEB"]}]}, "waves[0].order[0].patch_groups[0]", "WEB-DEV"),
    ({"waves/0/order": [{}]}, "waves[0].order[0]", "at least one key"),
    ({"budgets/cluster": 0}, "budgets.cluster", "a count such as 5"),
    ({"budgets/quorum": [{"clusters": ["a"]}]}, "budgets.quorum[0].health_check", "the health check"),
    ({"budgets/quorum": [{"health_check": {"name": "q"}}]}, "budgets.quorum[0].health_check", "exactly one of"),
    ({"gates/health_checks": [{"name": "shop", "http": {}}]}, "gates.health_checks[0].http.url", "http"),
    (
        {"gates/health_checks": [{"name": "a", "alarm": {"names": ["x"], "account": "wbe"}}]},
        "gates.health_checks[0].alarm.account",
        "an account of the estate",
    ),
    ({"hooks/before_wave": "silence.yml"}, "hooks.after_wave", "undoes hooks.before_wave"),
    ({"hooks/load_balancer": {"timeout_minutes": 0}}, "hooks.load_balancer.timeout_minutes", "1 to 120"),
    ({"plan/valid_days": 0}, "plan.valid_days", "1 to 366"),
    (
        {"plan/tagged_cron": {"duration_hours": 2, "cutoff_hours": 2}},
        "plan.tagged_cron.cutoff_hours",
        "fewer hours",
    ),
    ({"plan/tagged_cron": {"timezone": "Mars/Base"}}, "plan.tagged_cron.timezone", "time zone"),
    ({"windows/1/name": "tag"}, "windows[1].name", "the node's tag decides"),
    (
        {"owners": [{"name": "a", "people": ["x"], "select": {"tags": {"Owner": "a"}}}]},
        "owners[0].select",
        "accounts, groups",
    ),
    ({"owners": [{"name": "a", "people": [], "select": {"nodes": ["i"]}}]}, "owners[0].people", ""),
    ({"drift/nodes": -1}, "drift.nodes", "0 for none"),
    (
        {"repositories": {"expected": [{"name": "a", "manager": "pacman", "urls": ["http://m"]}]}},
        "repositories.expected[0].manager",
        "apt, dnf, zypper",
    ),
    (
        {"repositories": {"expected": [{"name": "a", "manager": "dnf", "urls": ["http://u:p@m/"]}]}},
        "repositories.expected[0].urls",
        "a URL such as",
    ),
    (
        {"repositories": {"expected": [{"name": "a", "manager": "apt", "urls": ["http://m/"]}]}},
        "repositories.expected[0].suites",
        "at least one suite",
    ),
    (
        {"repositories": {"servers": [{"kind": "wsus", "address": "wsus-01", "targets": {"dve": "Dev"}}]}},
        "repositories.servers[0].targets.dve",
        "a wave of this policy",
    ),
    (
        {
            "repositories": {"servers": [{"kind": "wsus", "address": "wsus-01", "targets": {"canary": "Dev"}}]},
            "patching": {"windows": {"server": "windows_update"}},
        },
        "patching.windows.server",
        "managed_server or default",
    ),
    (
        {"enrollment/onboarding": {"region": "eu-central-1", "account": "web", "iam_role": "hybrid"}},
        "enrollment.onboarding.select",
        "a value, as the other keys have one",
    ),
    (
        {"enrollment/onboarding": {**ONBOARDING, "region": "us-gov-west-1"}},
        "enrollment.onboarding.region",
        "a Region of estate.regions",
    ),
    (
        {"enrollment/onboarding": {**ONBOARDING, "account": "wbe"}},
        "enrollment.onboarding.account",
        "did you mean 'web'",
    ),
    ({"enrollment/onboarding": {**ONBOARDING, "account": ""}}, "enrollment.onboarding.account", "an account of the"),
    ({"patching": {"windows": {"further": ["Drivers"]}}}, "patching.windows.further[0]", "Upgrades"),
    ({"repositories": {"trend_days": 0}}, "repositories.trend_days", "1 to 3650"),
    ({"repositories": {"closed": ["ftp://m/"]}}, "repositories.closed[0]", "http://deb.example/"),
    ({"repositories": {"closed": ["http://m/'$(x)'"]}}, "repositories.closed[0]", "http://deb.example/"),
    ({"repositories": {"closed": ["http://m/"] * 6}}, "repositories.closed", "at most 5"),
    ({"repositories": {"repair": "always"}}, "repositories.repair", "none, once"),
    ({"waves/0/size": None, **DATED}, "repositories.expected[0].snapshots.rest", "20260601 or an earlier date"),
    (DATED, "waves[0].size", "100%, as repositories"),
]


@pytest.mark.parametrize(("changes", "path", "words"), WRONG, ids=[f"{n}-{row[1]}" for n, row in enumerate(WRONG)])
def test_mistake_is_named(changes: dict[str, Any], path: str, words: str) -> None:
    found = mistakes_of(changes)
    assert [mistake.path for mistake in found if words in mistake.expected] == [path], found


def test_all_mistakes_are_named_at_once() -> None:
    found = mistakes_of(
        {"waves/0/size": "ten", "windows/0/cutoff_hours": 9, "nmae": "x", "patch_groups/0/baselines/0": "no"}
    )
    assert {mistake.path for mistake in found} == {
        "waves[0].size",
        "windows[0].cutoff_hours",
        "nmae",
        "patch_groups[0].baselines[0]",
    }


def test_a_wrong_entry_does_not_move_the_others() -> None:
    found = mistakes_of({"waves/0": "canary", "waves/1/window": "nowhere"})
    assert [mistake.path for mistake in found] == ["waves[0]", "waves[1].window"]


def test_too_many_groups_for_one_baseline() -> None:
    groups = [{"name": f"G{number}", "baselines": ["al2023"]} for number in range(26)]
    changed = {"patch_groups": groups, "windows/1/patch_groups/0": "G1"}
    assert [(m.path, m.value) for m in mistakes_of(changed)] == [("baselines[0].name", "al2023")]


def test_mistake_reads_as_a_sentence() -> None:
    mistake = Mistake(path="waves[1].size", value="ten", expected="a count", line=30)
    assert str(mistake) == "line 30: waves[1].size: 'ten' is not valid, expected a count"


@pytest.mark.parametrize("name", ["satellite", "sms"])
def test_an_executor_that_is_not_served_is_said_to_be(name: str) -> None:
    (mistake,) = mistakes_of({"waves/1/select/executors": [name]})
    told = (
        f"waves[1].select.executors[0]: {name!r} is not served by this version, which serves azure, linux, ssm, windows"
    )
    assert str(mistake).startswith(told)


def test_subscriptions_and_locations_of_azure_are_no_part_of_the_estate() -> None:
    select = {"accounts": ["web", "11111111-2222-3333-4444-555555555555"], "regions": ["eu-central-1", "westus2"]}
    assert not mistakes_of({"waves/1/select": select})


def test_long_values_are_cut() -> None:
    assert len(str(Mistake(path="name", value="x" * 5000, expected="less"))) < 150


@pytest.mark.parametrize("data", [None, [], "text", 7, {"version": float("nan"), "name": "x"}])
def test_what_is_no_policy_at_all_is_a_policy_error(data: Any) -> None:
    with pytest.raises(PolicyError):
        check_policy(data)


def test_a_wave_can_promote_only_what_an_install_is_limited_to() -> None:
    """``promote_from`` needs lists, and AWS-InstallWindowsUpdates reads none."""
    changed: dict[str, Any] = {"waves/1/promote_from": "canary", "patching": {"list_url": "https://lists.example"}}
    assert not mistakes_of(changed)
    changed["patching"]["windows_document"] = "AWS-InstallWindowsUpdates"
    (mistake,) = mistakes_of(changed)
    assert mistake.path == "waves[1].promote_from" and "installs all that is offered" in str(mistake)
