# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command: SendCommand, CancelCommand, ListCommands, ListCommandInvocations, GetCommandInvocation."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from ..clock import from_iso
from ..node import Node
from ..world import world
from .documents import Document, find_document
from .invocations import Command, Invocation, status_of
from .operations import Answer, Request, SsmError, operation, page
from .sending import check_sending

if TYPE_CHECKING:
    from .backend import Place

#: "The Run Command API follows an eventual consistency model": for so long a new command can't be read.
VISIBLE_AFTER = timedelta(seconds=1.5)
MOST_LISTED, MOST_STDOUT, MOST_STDERR = 2500, 24000, 8000
_KEPT = ("Comment", "MaxConcurrency", "MaxErrors", "NotificationConfig", "CloudWatchOutputConfig", "AlarmConfiguration")
_S3 = ("OutputS3Region", "OutputS3BucketName", "OutputS3KeyPrefix")


@operation("SendCommand")
def send_command(place: Place, request: Request) -> Answer:
    document = find_document(request["DocumentName"])
    check_sending(place, request, document)
    parameters = document.read(request.get("Parameters", {}))
    nodes = _targets(place, request, document)
    refusal = world().faults.refusal(request, place.account, place.region)
    command = Command(
        place=place,
        command_id=str(uuid.UUID(int=place.chance.getrandbits(128), version=4)),
        document=document,
        parameters=parameters,
        request=request,
        requested=place.sim.now,
        nodes=nodes,
        refused=refusal,
    )
    place.commands[command.command_id] = command
    place.ledger.fact(
        "commands",
        {
            "command_id": command.command_id,
            "account": place.account,
            "region": place.region,
            "document": document.name,
            "comment": request.get("Comment", ""),
            "parameters": request.get("Parameters", {}),
            "nodes": [] if refusal else [node.node_id for node in nodes],
            **({"refused": refusal} if refusal else {}),
        },
        place.sim.now,
    )
    answer = {"Command": _to_command(command)}
    command.start()
    return answer


def _targets(place: Place, request: Request, document: Document) -> list[Node]:
    ids, targets = request.get("InstanceIds", []), request.get("Targets", [])
    if bool(ids) == bool(targets):
        raise SsmError("InvalidParameters", "Give either InstanceIds or Targets.")
    if targets:
        return [node for node in place.managed() if all(_is_target(node, target) for target in targets)]
    if len(set(ids)) != len(ids):
        raise SsmError("DuplicateInstanceId", "An instance ID was given more than once.")
    nodes = [place.managed_node(node_id) for node_id in ids]
    bad = [node_id for node_id, node in zip(ids, nodes, strict=True) if not node or not _is_valid(node)]
    if bad:
        # One bad id fails the whole call, with this text. The reference calls a stopped instance valid; in practice it
        # is refused like one that was never registered (aws-cli#2412, #3646), and the lab takes the stricter reading.
        listed = ", ".join(bad)
        raise SsmError("InvalidInstanceId", f"Instances [[{listed}]] not in a valid state for account {place.account}")
    known = [node for node in nodes if node]
    if other := [node.node_id for node in known if node.system.platform not in document.platforms]:
        raise SsmError("UnsupportedPlatformType", f"{document.name} does not support the platform of {other}.")
    return known


def _is_valid(node: Node) -> bool:
    return node.power in ("running", "pending")


def _is_target(node: Node, target: dict[str, Any]) -> bool:
    key, values = target.get("Key", ""), target.get("Values", [])
    if key.startswith("tag:"):
        return node.tags.get(key[4:]) in values
    if key == "tag-key":
        return any(value in node.tags for value in values)
    if key.lower() == "instanceids":  # the user guide writes both, "Key=instanceids,Values=…" for most commands
        return node.node_id in values
    raise SsmError("InvalidParameters", f"The lab has no targets by {key}; it has tag:…, tag-key and InstanceIds.")


def _to_command(command: Command) -> dict[str, Any]:
    request, detail = command.request, command.detail
    rows = command.invocations.values()
    return {
        "CommandId": command.command_id,
        "DocumentName": command.document.name,
        "DocumentVersion": request.get("DocumentVersion", "$DEFAULT"),
        "Comment": "",
        "MaxConcurrency": "50",
        "MaxErrors": "0",
        **{key: request[key] for key in (*_KEPT, *_S3) if key in request},
        "ExpiresAfter": command.requested + timedelta(seconds=command.total_timeout),
        "Parameters": request.get("Parameters", {}),
        "InstanceIds": request.get("InstanceIds", []),
        "Targets": request.get("Targets", []),
        "RequestedDateTime": command.requested,
        "Status": status_of(detail),
        "StatusDetails": detail,
        "TargetCount": len(command.nodes),
        "CompletedCount": command.completed,
        "ErrorCount": command.errors,
        "DeliveryTimedOutCount": sum(row.detail == "DeliveryTimedOut" for row in rows),
        "ServiceRole": request.get("ServiceRoleArn", ""),
        "TimeoutSeconds": command.delivery_timeout,
    }


def _visible(place: Place) -> list[Command]:
    """The newest first, without those too new to be seen."""
    commands = [row for row in place.commands.values() if place.sim.now - row.requested >= VISIBLE_AFTER]
    return sorted(commands, key=lambda row: (row.requested, row.command_id), reverse=True)


def _command(place: Place, command_id: str) -> Command:
    if command_id not in place.commands:
        raise SsmError("InvalidCommandId", f"Command {command_id} does not exist in this account and Region.")
    found: Command = place.commands[command_id]
    return found


@operation("CancelCommand")
def cancel_command(place: Place, request: Request) -> Answer:
    command, ids = _command(place, request["CommandId"]), request.get("InstanceIds", [])
    if len(set(ids)) != len(ids):
        raise SsmError("DuplicateInstanceId", "An instance ID was given more than once.")
    if unknown := [node_id for node_id in ids if node_id not in command.invocations]:
        raise SsmError("InvalidInstanceId", f"The command was not sent to {unknown}.")
    command.cancel(ids)
    return {}


@operation("ListCommands")
def list_commands(place: Place, request: Request) -> Answer:
    rows = _visible(place)
    if "CommandId" in request:
        _command(place, request["CommandId"])
        rows = [row for row in rows if row.command_id == request["CommandId"]]
    if "InstanceId" in request:
        rows = [row for row in rows if request["InstanceId"] in row.invocations]
    rows = [row for row in rows if _passes(row, row.detail, request.get("Filters", []))]
    return page("Commands", [_to_command(row) for row in rows], request, 50)


def _passes(command: Command, detail: str, filters: Sequence[dict[str, str]]) -> bool:
    for item in filters:
        key, value = item["key"], item["value"]
        if key == "InvokedAfter" and command.requested <= _moment(value):
            return False
        if key == "InvokedBefore" and command.requested >= _moment(value):
            return False
        if key == "Status" and value not in (detail, status_of(detail)):
            return False
        if key == "DocumentName" and command.document.name != value:
            return False
        over = status_of(detail) not in ("Pending", "InProgress", "Delayed", "Cancelling")
        if key == "ExecutionStage" and value != ("Complete" if over else "Executing"):
            return False
    return True


def _moment(text: str) -> datetime:
    try:
        return from_iso(text)
    except ValueError:
        raise SsmError("InvalidFilterKey", f"{text!r} is no ISO 8601 moment such as 2026-06-01T06:00:00Z.") from None


@operation("ListCommandInvocations")
def list_command_invocations(place: Place, request: Request) -> Answer:
    commands = _visible(place)
    if "CommandId" in request:
        _command(place, request["CommandId"])
        commands = [row for row in commands if row.command_id == request["CommandId"]]
    rows = [
        row
        for command in commands
        for row in command.invocations.values()
        if request.get("InstanceId") in (None, row.node.node_id)
        and _passes(command, row.detail, request.get("Filters", []))
    ]
    return page("CommandInvocations", [_to_invocation(row, request.get("Details", False)) for row in rows], request, 50)


def _to_invocation(row: Invocation, details: bool) -> dict[str, Any]:
    command = row.command
    data = {
        "CommandId": command.command_id,
        "InstanceId": row.node.node_id,
        "InstanceName": row.node.tags.get("Name", "") if row.node.spec.source == "ec2" else row.node.name,
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.document.name,
        "DocumentVersion": command.request.get("DocumentVersion", "$DEFAULT"),
        "RequestedDateTime": command.requested,
        "Status": status_of(row.detail),
        "StatusDetails": row.detail,
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
        "CommandPlugins": [],
        "ServiceRole": "",
    }
    if details:
        data["CommandPlugins"] = [_to_plugin(row, step) for step in command.document.steps]
    return data


def _to_plugin(row: Invocation, step: str) -> dict[str, Any]:
    status, code, stdout, stderr = _step(row, step)
    text = stdout + (f"\n----------ERROR-------\n{stderr}" if stderr else "")
    plugin = {
        "Name": step,
        "Status": "Pending" if status == "Delayed" else "InProgress" if status == "Cancelling" else status,
        "StatusDetails": row.detail,
        "ResponseCode": code,
        "Output": text[:MOST_LISTED],
        "StandardOutputUrl": "",
        "StandardErrorUrl": "",
    }
    times = {"ResponseStartDateTime": row.started, "ResponseFinishDateTime": row.ended}
    return {**plugin, **{name: moment for name, moment in times.items() if moment}}


def _step(row: Invocation, step: str) -> tuple[str, int, str, str]:
    """Status, code, stdout and stderr of one step; steps for other platforms are skipped at once."""
    document, platform = row.command.document, row.node.system.platform
    if step != document.step_for(platform) and row.started:
        skipped = f"Step execution skipped due to unsupported platform: {platform.lower()}. Step name: {step}"
        return "Success", 0, skipped, ""
    if row.result is None or not row.is_over:
        return status_of(row.detail), row.code, "", ""
    return status_of(row.detail), row.code, row.result.stdout, row.result.stderr


@operation("GetCommandInvocation")
def get_command_invocation(place: Place, request: Request) -> Answer:
    command = _command(place, request["CommandId"])
    row = command.invocations.get(request["InstanceId"])
    if row is None or place.sim.now - command.requested < VISIBLE_AFTER:
        raise SsmError("InvocationDoesNotExist", "The command ID and managed node ID you specified did not match.")
    steps, name = command.document.steps, request.get("PluginName")
    if name is not None and name not in steps:
        raise SsmError("InvalidPluginName", f"{command.document.name} has no step {name}; it has {list(steps)}.")
    if name is None and len(steps) > 1:
        # "If the document contains more than one step, you must specify the name of the step": no output without it
        status, code, stdout, stderr = status_of(row.detail), row.code, "", ""
    else:
        name = name or next(iter(steps))
        status, code, stdout, stderr = _step(row, name)
    answer = {
        "CommandId": command.command_id,
        "InstanceId": row.node.node_id,
        "Comment": command.request.get("Comment", ""),
        "DocumentName": command.document.name,
        "DocumentVersion": command.request.get("DocumentVersion", "$DEFAULT"),
        "ResponseCode": code,
        "ExecutionStartDateTime": f"{row.started:%Y-%m-%dT%H:%M:%S}Z" if row.started else "",
        "ExecutionElapsedTime": _elapsed(row),
        "ExecutionEndDateTime": f"{row.ended:%Y-%m-%dT%H:%M:%S}Z" if row.ended else "",
        "Status": status,
        "StatusDetails": row.detail,
        "StandardOutputContent": stdout[:MOST_STDOUT],
        "StandardOutputUrl": "",
        "StandardErrorContent": stderr[:MOST_STDERR],
        "StandardErrorUrl": "",
    }
    return {**answer, "PluginName": name} if name else answer


def _elapsed(row: Invocation) -> str:
    if not row.started or not row.ended:
        return ""
    minutes, seconds = divmod((row.ended - row.started).total_seconds(), 60)
    return f"PT{int(minutes)}M{seconds:.3f}S" if minutes else f"PT{seconds:.3f}S"
