# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for stack sets as CloudFormation wants them; botocore's stubber checks their members and the answers'."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stack_sets import CfnStackSets
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.instances import Instance, Request
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.stack_sets import StackSet
from botocore.stub import Stubber

ROW = {"StackSetName": "spoke", "Status": "ACTIVE", "TemplateBody": "Resources: {}"}
ASK = {"StackSetName": "spoke", "CallAs": "DELEGATED_ADMIN"}


@pytest.fixture(scope="module")
def client() -> Any:
    return boto3.client("cloudformation", "eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")


@pytest.fixture
def stub(client: Any) -> Iterator[Stubber]:
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


@pytest.fixture
def port(client: Any) -> CfnStackSets:
    return CfnStackSets(client, "DELEGATED_ADMIN", lambda: "op-1")


def test_a_set_and_its_targets(stub: Stubber, port: CfnStackSets) -> None:
    row = {
        **ROW,
        "PermissionModel": "SERVICE_MANAGED",
        "Parameters": [{"ParameterKey": "Home", "ParameterValue": "x"}],
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
        "AdministrationRoleARN": "arn:aws:iam::111111111111:role/made-by-the-service",
        "OrganizationalUnitIds": ["ou-ab12-workload"],
        "Regions": ["eu-central-1", "us-east-1"],
    }
    stub.add_response("describe_stack_set", {"StackSet": row}, ASK)
    found = port.find("spoke")
    assert found and found[0] == StackSet(
        name="spoke",
        template="Resources: {}\n",
        permission_model="SERVICE_MANAGED",
        parameters={"Home": "x"},
        auto_deployment=True,
    )
    assert found[1] == {("ou-ab12-workload", "eu-central-1"), ("ou-ab12-workload", "us-east-1")}


@pytest.mark.parametrize("deleted", [True, False])
def test_no_set(stub: Stubber, port: CfnStackSets, deleted: bool) -> None:
    if deleted:
        stub.add_response("describe_stack_set", {"StackSet": {**ROW, "Status": "DELETED"}}, ASK)
    else:
        stub.add_client_error("describe_stack_set", "StackSetNotFoundException")
    assert port.find("spoke") is None


def test_all_pages_of_stacks_are_read(stub: Stubber, port: CfnStackSets) -> None:
    rows = [
        {"Account": "222222222222", "Region": "eu-central-1", "Status": "OUTDATED", "OrganizationalUnitId": "ou-x",
         "StackInstanceStatus": {"DetailedStatus": "FAILED"}, "StatusReason": "no", "DriftStatus": "DRIFTED"},
        {"Account": "111111111111", "Region": "eu-central-1", "Status": "CURRENT"},
    ]  # fmt: skip
    stub.add_response("list_stack_instances", {"Summaries": rows[:1], "NextToken": "2"}, ASK)
    stub.add_response("list_stack_instances", {"Summaries": rows[1:]}, {**ASK, "NextToken": "2"})
    last, first = port.instances("spoke")
    assert last.account == "111111111111"
    assert first == Instance(account="222222222222", region="eu-central-1", unit="ou-x", status="OUTDATED",
                             detail="FAILED", reason="no", drift="DRIFTED")  # fmt: skip


def test_what_a_template_needs(stub: Stubber, port: CfnStackSets) -> None:
    rows = [{"ParameterKey": "A", "DefaultValue": ""}, {"ParameterKey": "B", "NoEcho": True}]
    reply = {"Parameters": rows, "Capabilities": ["CAPABILITY_NAMED_IAM"]}
    stub.add_response("get_template_summary", reply, {"TemplateBody": "x"})
    found = port.summary("x")
    assert (found.parameters, found.required, found.hidden) == ({"A", "B"}, {"B"}, {"B"})
    assert found.capabilities == ("CAPABILITY_NAMED_IAM",)


def test_create(stub: Stubber, port: CfnStackSets) -> None:
    expected = {
        **ASK,
        "TemplateBody": "x\n",
        "Parameters": [{"ParameterKey": "Home", "ParameterValue": "here"}],
        "Tags": [{"Key": "a", "Value": "b"}],
        "PermissionModel": "SERVICE_MANAGED",
        "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": True},
        "ManagedExecution": {"Active": False},
        "ClientRequestToken": "op-1",
    }
    stub.add_response("create_stack_set", {"StackSetId": "1"}, expected)
    wanted = StackSet(name="spoke", template="x\n", tags={"a": "b"}, permission_model="SERVICE_MANAGED",
                      auto_deployment=True, retain_stacks_on_account_removal=True)  # fmt: skip
    port.create(wanted, {"Home": "here"})


def test_update_sends_no_tags_to_remove_them_and_keeps_hidden_values(stub: Stubber, port: CfnStackSets) -> None:
    expected = {
        **ASK,
        "TemplateBody": "x\n",
        "Parameters": [{"ParameterKey": "Secret", "UsePreviousValue": True}],
        "Tags": [],
        "Capabilities": ["CAPABILITY_IAM"],
        "ManagedExecution": {"Active": True},
        "OperationId": "op-1",
        "OperationPreferences": {"FailureToleranceCount": 0, "RegionOrder": ["us-east-1"]},
    }
    stub.add_response("update_stack_set", {"OperationId": "op-1"}, expected)
    wanted = StackSet(name="spoke", template="x\n", capabilities=("CAPABILITY_IAM",), managed_execution=True)
    wishes = {"failure_tolerance_count": 0, "region_order": ["us-east-1"]}
    assert port.update(wanted, {"Secret": None}, wishes) == "op-1"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (Request(regions=("a",), accounts=("1" * 12,)), {"Accounts": ["1" * 12]}),
        (
            Request(regions=("a",), units=("ou-ab12-workload",)),
            {"DeploymentTargets": {"OrganizationalUnitIds": ["ou-ab12-workload"]}},
        ),
        (
            Request(regions=("a",), units=("ou-ab12-workload",), accounts=("1" * 12,), account_filter="DIFFERENCE"),
            {"DeploymentTargets": {"OrganizationalUnitIds": ["ou-ab12-workload"], "Accounts": ["1" * 12],
                                   "AccountFilterType": "DIFFERENCE"}},
        ),
    ],
)  # fmt: skip
def test_targets_of_an_operation(
    stub: Stubber, port: CfnStackSets, request_: Request, expected: dict[str, Any]
) -> None:
    members = {**ASK, **expected, "Regions": ["a"], "OperationId": "op-1"}
    for operation in ("create_stack_instances", "update_stack_instances"):
        stub.add_response(operation, {"OperationId": "op-1"}, members)
    stub.add_response("delete_stack_instances", {"OperationId": "op-1"}, {**members, "RetainStacks": True})
    assert port.create_instances("spoke", request_, {}) == port.update_instances("spoke", request_, {}) == "op-1"
    assert port.delete_instances("spoke", request_, True, {}) == "op-1"


def test_an_operation_whose_answer_was_lost_is_not_started_twice(stub: Stubber, port: CfnStackSets) -> None:
    """botocore repeats the request under the same ID (API reference, OperationIdAlreadyExistsException)."""
    stub.add_client_error("detect_stack_set_drift", "OperationIdAlreadyExistsException")
    assert port.detect_drift("spoke", {}) == "op-1"
    stub.add_client_error("detect_stack_set_drift", "OperationInProgressException")
    with pytest.raises(ServiceError, match="detect drift of spoke"):
        port.detect_drift("spoke", {})


def test_states_and_results(stub: Stubber, port: CfnStackSets) -> None:
    ask = {**ASK, "OperationId": "op-1"}
    state = {"StackSetOperation": {"Status": "FAILED", "StatusReason": "too many failures"}}
    stub.add_response("describe_stack_set_operation", state, ask)
    row = {"Account": "1" * 12, "Region": "a", "Status": "FAILED", "StatusReason": "no"}
    stub.add_response("list_stack_set_operation_results", {"Summaries": [row]}, ask)
    assert port.operation("spoke", "op-1") == ("FAILED", "too many failures")
    assert port.results("spoke", "op-1") == [{"account": "1" * 12, "region": "a", "status": "FAILED", "reason": "no"}]


def test_a_set_that_is_gone_is_deleted(stub: Stubber, port: CfnStackSets) -> None:
    stub.add_client_error("delete_stack_set", "StackSetNotFoundException")
    port.delete("spoke")
    stub.add_client_error("delete_stack_set", "StackSetNotEmptyException")
    with pytest.raises(ServiceError, match="delete stack set spoke"):
        port.delete("spoke")


def test_the_own_account_is_no_delegated_administrator(stub: Stubber, client: Any) -> None:
    stub.add_response("describe_stack_set", {"StackSet": ROW}, {"StackSetName": "spoke"})
    assert CfnStackSets(client, "SELF").find("spoke")
