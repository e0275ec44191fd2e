# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a declaration to stacks: what is written, what a second run writes, and what is said of failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible.stack_sets import run_stack_set
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, Conflict, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.deploy import InstancesFailed, TooSlow
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.stack_sets import Summary

from tests.fakes.stack_sets import FakeStackSets

ONE, TWO, THREE = "111111111111", "222222222222", "333333333333"
HERE, THERE = "eu-central-1", "us-east-1"
UNIT = "ou-ab12-workload"
SUMMARY = Summary(
    parameters=frozenset({"Home", "Secret", "Size"}),
    required=frozenset({"Home"}),
    hidden=frozenset({"Secret"}),
    capabilities=("CAPABILITY_IAM",),
)
DEFAULTS: dict[str, Any] = {
    **dict.fromkeys(("description", "tags", "permission_model", "administration_role_arn", "execution_role_name")),
    **dict.fromkeys(("auto_deployment", "retain_stacks_on_account_removal", "managed_execution")),
    **dict.fromkeys(("target_regions", "target_accounts", "organizational_units", "operation_preferences")),
    **dict.fromkeys(("purge_targets", "retain_stacks", "detect_drift"), False),
    "name": "spoke",
    "state": "present",
    "template_body": "Resources: {}",
    "capabilities": ["CAPABILITY_NAMED_IAM"],
    "parameters": {"Home": HERE},
    "purge_tags": True,
    "account_filter": "NONE",
    "on_instance_error": "fail",
    "wait_timeout": 60,
}
OWN = {"target_accounts": [ONE, TWO], "target_regions": [HERE, THERE]}
SERVICE = {"permission_model": "SERVICE_MANAGED", "organizational_units": [UNIT], "target_regions": [HERE]}


class Clock:
    def __init__(self) -> None:
        self.time = datetime(2026, 6, 1, tzinfo=timezone.utc)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


def run(port: FakeStackSets, *, check: bool = False, diff: bool = False, **options: Any) -> dict[str, Any]:
    port.writes.clear()
    header = "stack set spoke" if diff else ""
    return run_stack_set(port, {**DEFAULTS, **options}, Clock(), check=check, header=header)


@pytest.fixture
def port() -> FakeStackSets:
    return FakeStackSets(SUMMARY, {UNIT: [ONE, TWO], "ou-ab12-empty000": []})


def test_check_mode_predicts_and_writes_nothing(port: FakeStackSets) -> None:
    predicted = run(port, check=True, **OWN)
    assert predicted["changed"] and predicted["created"] and not port.writes and port.definition is None
    done = run(port, **OWN)
    assert done["stack_set"] == predicted["stack_set"] and [row["what"] for row in done["operations"]] == ["create"]
    assert done["stack_set"]["stacks"] == [f"{name}/{region}" for name in (ONE, TWO) for region in (HERE, THERE)]


def test_a_second_run_changes_nothing_and_makes_no_write(port: FakeStackSets) -> None:
    run(port, **OWN)
    again = run(port, **OWN)
    assert not again["changed"] and not port.writes and len(again["instances"]) == 4


@pytest.mark.parametrize(
    "options",
    [
        {"parameters": {"Home": THERE}},
        {"parameters": {"Home": HERE, "Size": [1, 2]}},
        {"template_body": "Resources: {A: 1}"},
        {"tags": {"Owner": "me"}},
        {"description": "new"},
    ],
)
def test_a_changed_definition_is_one_update_of_all_stacks(port: FakeStackSets, options: dict[str, Any]) -> None:
    run(port, **OWN)
    assert run(port, check=True, **OWN, **options)["changed"] and not port.writes
    done = run(port, diff=True, **OWN, **options)
    assert done["changed"] and [what for what, _request in port.writes] == ["update"]
    assert done["diff"]["before"] != done["diff"]["after"]
    assert not run(port, **OWN, **options)["changed"]


def test_the_end_of_the_template_file_is_no_change(port: FakeStackSets) -> None:
    run(port)
    assert not run(port, template_body="Resources: {}\n\n")["changed"]


def test_parameters_that_are_left_out_keep_their_values(port: FakeStackSets) -> None:
    run(port, parameters={"Home": HERE, "Size": True})
    assert not run(port, parameters={})["changed"] and port.definition
    assert port.definition.parameters == {"Home": HERE, "Size": "true"}


def test_a_hidden_parameter_is_sent_and_never_shown(port: FakeStackSets) -> None:
    done = run(port, diff=True, parameters={"Home": HERE, "Secret": "s3cret"})
    assert port.writes == [("create set", {"Home": HERE, "Secret": "s3cret"})] and "s3cret" not in str(done)
    assert not run(port, parameters={"Home": HERE, "Secret": "other"})["changed"], "it cannot be read"
    run(port, parameters={"Home": THERE})
    assert port.writes == [("update", {"Home": THERE, "Secret": None})], "None keeps the value"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"parameters": {"Hom": HERE}}, "parameters.Hom"),
        ({"parameters": {}}, "the template has no default"),
        ({"capabilities": []}, "CAPABILITY_IAM, which the template needs"),
        ({"template_body": "x" * 51_201}, "at most 51200 bytes"),
        ({"name": "1spoke"}, "a letter, then"),
        ({"target_regions": [HERE]}, "organizational_units or target_accounts"),
        ({"target_accounts": [ONE]}, "Regions for the stacks"),
        ({"target_accounts": ["1"], "target_regions": [HERE]}, "12 digits"),
        ({"organizational_units": [UNIT], "target_regions": [HERE]}, "permission_model=SERVICE_MANAGED"),
        ({**SERVICE, "target_accounts": [ONE]}, "account_filter beside it"),
        ({**SERVICE, "account_filter": "DIFFERENCE"}, "target_accounts beside it"),
        ({**SERVICE, "organizational_units": ["Workload"]}, "a unit such as"),
        ({**SERVICE, "execution_role_name": "x"}, "no roles of their own"),
        ({"auto_deployment": True}, "permission_model=SERVICE_MANAGED"),
        ({**SERVICE, "retain_stacks_on_account_removal": True}, "auto_deployment=true"),
    ],
)
def test_what_the_service_would_refuse_is_refused_in_check_mode(
    port: FakeStackSets, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadInput, match=message):
        run(port, check=True, **options)


def test_the_permission_model_is_not_changed(port: FakeStackSets) -> None:
    run(port)
    with pytest.raises(Conflict, match="state=absent"):
        run(port, **SERVICE)


def test_an_account_that_fails_is_a_row_and_the_next_run_tries_it_again(port: FakeStackSets) -> None:
    port.broken[TWO] = "Role patchtide already exists"
    done = run(port, on_instance_error="report", **OWN)
    assert [(row["account"], row["status"], row["reason"]) for row in done["failed_instances"]] == [
        (TWO, "FAILED", "Role patchtide already exists")
    ] * 2
    assert port.rows[ONE, HERE].status == "CURRENT" and done["operations"][0]["status"] == "FAILED"
    seen = run(port, check=True, **OWN)
    assert seen["changed"] and len(seen["failed_instances"]) == 2 and not port.writes
    port.broken.clear()
    again = run(port, diff=True, **OWN)
    assert [row["what"] for row in again["operations"]] == ["retry"] and "2 stacks are outdated" in str(again["diff"])
    assert not again["failed_instances"] and not run(port, **OWN)["changed"]


def test_failed_stacks_fail_the_task_with_all_that_is_known(port: FakeStackSets) -> None:
    port.broken[TWO] = "no"
    with pytest.raises(InstancesFailed, match=f"2 stacks of stack set spoke .* {TWO}/{HERE}: no") as error:
        run(port, **OWN)
    data = error.value.to_dict()
    assert len(data["failed_instances"]) == 2 and data["operations"][0]["results"]


def test_a_suspended_account_is_no_failure(port: FakeStackSets) -> None:
    port.suspended.add(TWO)
    assert not run(port, **OWN)["failed_instances"] and not run(port, **OWN)["changed"]


def test_a_stack_that_no_operation_made_is_not_called_deployed(port: FakeStackSets) -> None:
    port.create_instances = lambda name, request, wishes: port._begin("create", [], request)
    with pytest.raises(InstancesFailed, match="no operation created it"):
        run(port, **OWN)


def test_units_get_stacks_in_regions_that_they_lack(port: FakeStackSets) -> None:
    run(port, **SERVICE)
    assert set(port.rows) == {(ONE, HERE), (TWO, HERE)} and not run(port, **SERVICE)["changed"]
    wider = run(port, **{**SERVICE, "target_regions": [HERE, THERE]})
    assert [request.regions for _what, request in port.writes] == [(THERE,)] and len(wider["instances"]) == 4


def test_a_unit_without_accounts_is_asked_for_once(port: FakeStackSets) -> None:
    options = {**SERVICE, "organizational_units": ["ou-ab12-empty000"]}
    assert run(port, **options)["changed"] and not run(port, **options)["changed"]


@pytest.mark.parametrize(
    ("kind", "expected"), [("INTERSECTION", {ONE}), ("DIFFERENCE", {TWO}), ("UNION", {ONE, TWO, THREE})]
)
def test_filters_of_accounts(port: FakeStackSets, kind: str, expected: set[str]) -> None:
    named = [THREE] if kind == "UNION" else [ONE]
    options = {**SERVICE, "account_filter": kind, "target_accounts": named}
    done = run(port, **options)
    assert {row["account"] for row in done["instances"]} == expected and not run(port, **options)["changed"]


def test_undeclared_stacks_stay_unless_they_are_purged(port: FakeStackSets) -> None:
    run(port, **OWN)
    less = {"target_accounts": [ONE], "target_regions": [HERE]}
    kept = run(port, **less)
    assert not kept["changed"] and kept["undeclared"] == [f"{ONE}/{THERE}", f"{TWO}/{HERE}", f"{TWO}/{THERE}"]
    predicted = run(port, check=True, purge_targets=True, **less)
    done = run(port, purge_targets=True, retain_stacks=True, **less)
    assert predicted["stack_set"]["stacks"] == [f"{ONE}/{HERE}"] == done["stack_set"]["stacks"]
    assert set(port.rows) == {(ONE, HERE)} and all(retain for _what, (_request, retain) in port.writes)


def test_excluded_accounts_are_purged(port: FakeStackSets) -> None:
    run(port, **SERVICE)
    run(port, **SERVICE, account_filter="DIFFERENCE", target_accounts=[TWO], purge_targets=True)
    assert set(port.rows) == {(ONE, HERE)}


def test_without_targets_no_stack_is_touched(port: FakeStackSets) -> None:
    run(port, **OWN)
    done = run(port, purge_targets=True)
    assert not done["changed"] and not done["undeclared"] and len(port.rows) == 4


def test_absent_deletes_stacks_and_set(port: FakeStackSets) -> None:
    run(port, **SERVICE)
    gone = {"state": "absent", "template_body": None, "parameters": None, "capabilities": None}
    assert run(port, check=True, **gone)["changed"] and not port.writes
    done = run(port, **gone)
    assert done["changed"] and done["stack_set"] == {} and port.definition is None and not port.rows
    assert not run(port, **gone)["changed"]


def test_a_set_with_stacks_that_cannot_be_deleted_stays(port: FakeStackSets) -> None:
    run(port, **OWN)
    port.broken[TWO] = "the bucket is not empty"
    with pytest.raises(InstancesFailed, match="2 stacks"):
        run(port, state="absent", template_body=None)
    assert port.definition is not None and set(port.rows) == {(TWO, HERE), (TWO, THERE)}


def test_operations_of_others_are_waited_for(port: FakeStackSets) -> None:
    port.busy = 3
    assert run(port, **OWN)["changed"]
    port.busy = 99
    with pytest.raises(TooSlow, match="60 seconds were too short"):
        run(port, description="new", **OWN)


def test_drift_is_shown_and_is_no_change(port: FakeStackSets) -> None:
    run(port, **OWN)
    done = run(port, detect_drift=True, **OWN)
    assert not done["changed"] and {row["drift"] for row in done["instances"]} == {"DRIFTED"}
    assert not run(port, check=True, detect_drift=True, **OWN)["operations"] and not port.writes


def test_an_operation_gets_only_the_order_of_its_own_regions(port: FakeStackSets) -> None:
    seen: list[Any] = []
    create = port.create_instances

    def watched(name: str, request: Any, wishes: Any) -> str:
        seen.append(wishes)
        return create(name, request, wishes)

    port.create_instances = watched
    wishes = {"region_order": [THERE, HERE], "failure_tolerance_count": 0, "max_concurrent_count": None}
    run(port, **{**OWN, "target_regions": [HERE]}, operation_preferences=wishes)
    assert seen == [{"region_order": [HERE], "failure_tolerance_count": 0}]


def test_another_error_is_not_waited_out(port: FakeStackSets) -> None:
    def refused(*_values: Any) -> str:
        raise ServiceError("create stacks", "LimitExceededException", "too many stacks")

    port.create_instances = refused
    with pytest.raises(ServiceError, match="too many stacks"):
        run(port, **OWN)


def test_an_inoperable_stack_is_named_and_not_tried_again(port: FakeStackSets) -> None:
    """It "must be deleted and recreated" by hand (API reference, StackInstance, Status)."""
    run(port, **OWN)
    port.rows[ONE, HERE] = replace(port.rows[ONE, HERE], status="INOPERABLE", detail="INOPERABLE")
    done = run(port, on_instance_error="report", **OWN)
    assert not port.writes and [row["status"] for row in done["failed_instances"]] == ["INOPERABLE"]


def test_an_update_is_the_retry_of_outdated_stacks(port: FakeStackSets) -> None:
    port.broken[TWO] = "no"
    run(port, on_instance_error="report", **OWN)
    port.broken.clear()
    run(port, description="new", **OWN)
    assert [what for what, _request in port.writes] == ["update"]


def test_accounts_that_are_excluded_are_not_missed(port: FakeStackSets) -> None:
    done = run(port, **SERVICE, account_filter="DIFFERENCE", target_accounts=[ONE, TWO])
    assert not done["instances"] and not done["failed_instances"]


def test_a_parameter_that_the_template_no_longer_has_is_not_sent(port: FakeStackSets) -> None:
    run(port, parameters={"Home": HERE, "Size": 1})
    port.template = replace(SUMMARY, parameters=frozenset({"Home"}))
    run(port, template_body="Resources: {New: 1}")
    assert port.writes == [("update", {"Home": HERE})]
