# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ran, and how it ended on each node: executions of associations, and the state of a node's associations."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from .association_runs import Run, outcome
from .associations import Association, kept, known, run, targets_of
from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place


@operation("StartAssociationsOnce")
def start_associations_once(place: Place, request: Request) -> Answer:
    rows = [known(place, association_id) for association_id in request["AssociationIds"]]
    for row in rows:
        run(place, row)
    return {}


@operation("DescribeAssociationExecutions")
def describe_association_executions(place: Place, request: Request) -> Answer:
    row = known(place, request["AssociationId"])
    runs = [item for item in row.runs if all(_passes(item, by) for by in request.get("Filters", []))]
    return page("AssociationExecutions", [_execution(row, item) for item in runs], request, 50)


def _passes(item: Run, by: dict[str, str]) -> bool:
    if by["Key"] == "CreatedTime":
        moment = datetime.fromisoformat(by["Value"].replace("Z", "+00:00"))
        compared = (item.started > moment) - (item.started < moment)
    else:
        mine = item.execution_id if by["Key"] == "ExecutionId" else item.status
        compared = (mine > by["Value"]) - (mine < by["Value"])
    return compared == {"EQUAL": 0, "LESS_THAN": -1, "GREATER_THAN": 1}[by["Type"]]


def _execution(row: Association, item: Run) -> dict[str, Any]:
    return {
        "AssociationId": row.association_id,
        "AssociationVersion": str(item.version),
        "ExecutionId": item.execution_id,
        "Status": item.status,
        "DetailedStatus": item.detail,
        "CreatedTime": item.started,
        "ResourceCountByStatus": "{" + ", ".join(f"{key}={value}" for key, value in sorted(item.counts.items())) + "}",
    }


@operation("DescribeAssociationExecutionTargets")
def describe_association_execution_targets(place: Place, request: Request) -> Answer:
    row = known(place, request["AssociationId"])
    item = next((item for item in row.runs if item.execution_id == request["ExecutionId"]), None)
    if item is None:
        raise SsmError("AssociationExecutionDoesNotExist", f"There is no execution {request['ExecutionId']}.")
    rows = [
        {
            "AssociationId": row.association_id,
            "AssociationVersion": str(item.version),
            "ExecutionId": item.execution_id,
            "ResourceId": invocation.node.node_id,
            "ResourceType": "ManagedInstance",
            "Status": outcome(invocation),
            "DetailedStatus": invocation.detail,
            **({"LastExecutionDate": invocation.ended} if invocation.ended else {}),
        }
        for invocation in item.command.invocations.values()
    ]
    for by in request.get("Filters", []):
        rows = [shown for shown in rows if shown[by["Key"]] == by["Value"]]
    return page("AssociationExecutionTargets", rows, request, 50)


@operation("DescribeInstanceAssociationsStatus")
def describe_instance_associations_status(place: Place, request: Request) -> Answer:
    node = place.managed_node(request["InstanceId"])
    if node is None:
        raise SsmError("InvalidInstanceId", f"{request['InstanceId']} is no managed node of this account and Region.")
    rows = [row for row in kept(place).values() if node in targets_of(place, row.declared)]
    return page("InstanceAssociationStatusInfos", [_state(row, node.node_id) for row in rows], request, 50)


def _state(row: Association, node_id: str) -> dict[str, Any]:
    ran = next((item for item in row.runs if node_id in item.command.invocations), None)
    found = {
        "AssociationId": row.association_id,
        "Name": row.declared["Name"],
        "AssociationVersion": str(row.version),
        "DocumentVersion": row.declared.get("DocumentVersion", "$DEFAULT"),
        "InstanceId": node_id,
        "Status": "Pending",
        "DetailedStatus": "Pending",
    }
    if "AssociationName" in row.declared:
        found["AssociationName"] = row.declared["AssociationName"]
    if ran:
        invocation = ran.command.invocations[node_id]
        found |= {"Status": outcome(invocation), "DetailedStatus": invocation.detail, "ExecutionDate": ran.started}
    return found


@operation("DescribeEffectiveInstanceAssociations")
def describe_effective_instance_associations(place: Place, request: Request) -> Answer:
    node = place.managed_node(request["InstanceId"])
    if node is None:
        raise SsmError("InvalidInstanceId", f"{request['InstanceId']} is no managed node of this account and Region.")
    rows = [
        {"AssociationId": row.association_id, "InstanceId": node.node_id, "AssociationVersion": str(row.version)}
        for row in kept(place).values()
        if node in targets_of(place, row.declared)
    ]
    return page("Associations", rows, request, 5)
