# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of Azure Resource Manager on machines, tags and Resource Graph: a function each; see ``routes``.

Paths, API versions, members and statuses are those of https://github.com/Azure/azure-rest-api-specs: Compute
2024-07-01, HybridCompute 2022-12-27 (run commands 2024-07-10), ResourceGraph 2022-10-01, Resources 2022-09-01.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lab.aws.clock import to_iso

from . import graph, scripts
from .answers import Refused, Reply, not_found, throttled
from .estate import Client, Subscription
from .machine import Machine, Operation, RunCommand
from .views import arc_model, computeresource, graph_row, instance_view, patch_rows, vm_model
from .world import World

#: Updates of tags may take up to so many (Microsoft Learn, "Use tags to organize your Azure resources").
MOST_TAGS, LONGEST_NAME, LONGEST_VALUE = 50, 512, 256
MOST_RUN_COMMANDS = 25
#: How long Resource Graph keeps results (Microsoft Learn, "Overview of query logs in Azure Update Manager").
ASSESSMENT_DAYS, INSTALLATION_DAYS = 7, 30
_BAD_IN_TAG = set("<>%&\\?/")


@dataclass(frozen=True, slots=True)
class Request:
    """One call: who asks for what."""

    world: World
    client: Client
    method: str
    path: str
    query: Mapping[str, str]
    body: Any
    parts: Mapping[str, str]
    base: str
    etag: str = ""

    @property
    def api(self) -> str:
        return self.query.get("api-version", "")

    def machine(self) -> Machine:
        """Return the machine of the path. :raises Refused: there is none, or the client can't read it."""
        wanted = machine_id(self.parts)
        found = self.world.machines.get(wanted)
        if found is None or found.spec.scale_set:
            raise not_found(f"{self.parts.get('kind', 'machines')}/{self.parts['name']}")
        return found


def machine_id(parts: Mapping[str, str]) -> str:
    provider = "microsoft.hybridcompute/machines" if parts.get("arc") else "microsoft.compute/virtualmachines"
    return f"/subscriptions/{parts['sub']}/resourcegroups/{parts['rg']}/providers/{provider}/{parts['name']}".lower()


Handler = Callable[[Request], Reply]


def _subscription(item: Subscription) -> dict[str, Any]:
    return {
        "id": f"/subscriptions/{item.subscription_id}",
        "subscriptionId": item.subscription_id,
        "tenantId": item.tenant,
        "displayName": item.name,
        "state": item.state,
    }


def subscription(request: Request) -> Reply:
    found = request.world.subscription(request.parts["sub"])
    assert found is not None  # the server has checked it
    return Reply(body=_subscription(found))


def subscriptions(request: Request) -> Reply:
    rows = [_subscription(item) for item in request.world.readable(request.client)]
    return Reply(body={"value": rows, "count": {"type": "Total", "value": len(rows)}})


def list_machines(request: Request) -> Reply:
    arc = bool(request.parts.get("arc"))
    rows = [
        item
        for item in request.world.machines.values()
        if item.is_arc == arc
        and not item.spec.scale_set
        and item.spec.node.account.lower() == request.parts["sub"].lower()
        and request.parts.get("rg", item.spec.resource_group).lower() == item.spec.resource_group.lower()
    ]
    only_status = request.query.get("statusOnly") == "true"
    make = (
        arc_model
        if arc
        else (lambda item: {"id": item.resource_id, "properties": {"instanceView": instance_view(item)}})
        if only_status
        else vm_model
    )
    start, size = int(request.query.get("$skiptoken") or 0), 50
    body: dict[str, Any] = {"value": [make(item) for item in rows[start : start + size]]}
    if start + size < len(rows):
        extra = "&statusOnly=true" if only_status else ""
        body["nextLink"] = f"{request.base}{request.path}?api-version={request.api}&$skiptoken={start + size}{extra}"
    return Reply(body=body)


def get_machine(request: Request) -> Reply:
    machine = request.machine()
    if machine.is_arc:
        return Reply(body=arc_model(machine))
    body = vm_model(machine)
    if request.query.get("$expand", "").lower() == "instanceview":
        body["properties"]["instanceView"] = instance_view(machine)
    return Reply(body=body)


def patch_machine(request: Request) -> Reply:
    """Update a machine: the settings of patching, and tags, which are replaced.

    Hotpatching with customer managed schedules is refused (claranet/terraform-azurerm-windows-vm issue 4).
    """
    machine = request.machine()
    _unlocked(machine)
    profile = (request.body.get("properties") or {}).get("osProfile") or {}
    kind = "windowsConfiguration" if machine.node.is_windows else "linuxConfiguration"
    if set(profile) - {kind}:
        raise Refused(400, "InvalidParameter", f"osProfile: only {kind} is valid for this operating system.")
    machine.set_patching((profile.get(kind) or {}).get("patchSettings") or {})
    if "tags" in request.body:
        for key in {*machine.node.tags, *request.body["tags"]}:
            machine.node.tag(key, request.body["tags"].get(key))
    return Reply(body=arc_model(machine) if machine.is_arc else vm_model(machine))


def get_view(request: Request) -> Reply:
    return Reply(body=instance_view(request.machine()))


def assess(request: Request) -> Reply:
    machine = _ready(request)
    operation = request.world.begin("assessPatches", machine)
    machine.assess(operation)
    return _accepted(request, machine, operation)


def install(request: Request) -> Reply:
    machine = _ready(request)
    body = request.body
    kind = "windowsParameters" if machine.node.is_windows else "linuxParameters"
    other = "linuxParameters" if machine.node.is_windows else "windowsParameters"
    given = body.get(kind) or {}
    if body.get(other):
        raise Refused(400, "InvalidParameter", f"{other} is not valid for this operating system.")
    includes = (
        given.get(name) for name in ("classificationsToInclude", "packageNameMasksToInclude", "kbNumbersToInclude")
    )
    if not any(includes):
        raise Refused(400, "InvalidParameter", "At least one classification or one update to include is required.")
    chosen = set(given.get("classificationsToInclude") or ())
    if kind == "linuxParameters" and "Other" in chosen and len(chosen & {"Critical", "Security"}) == 1:
        raise Refused(400, "InvalidParameter", "Critical and Security are only allowed together if Other is included.")
    seconds = _seconds(str(body.get("maximumDuration") or "PT4H"))
    operation = request.world.begin("installPatches", machine)
    machine.install(operation, body, seconds)
    return _accepted(request, machine, operation)


def power(request: Request) -> Reply:
    machine = request.machine()
    _unlocked(machine)
    verb = {"start": "start", "restart": "restart", "poweroff": "powerOff", "deallocate": "deallocate"}[
        request.parts["verb"].lower()
    ]
    if verb == "restart" and machine.power != "running":
        raise Refused(
            409, "OperationNotAllowed", f"Operation 'restart' is not allowed since the VM is {machine.power}."
        )
    if verb == "start" and machine.node.faults["no_capacity"]:
        raise Refused(409, "AllocationFailed", "Allocation failed. We do not have sufficient capacity in this region.")
    operation = request.world.begin(verb, machine)
    machine.power_call(verb, operation)
    return _accepted(request, machine, operation, both=True)


def operation_result(request: Request) -> Reply:
    """The URL of ``Location``: 202 while it runs, then 200 with the result."""
    found = request.world.operations.get(request.parts["operation"])
    if found is None:
        raise Refused(404, "OperationNotFound", "The operation was not found.")
    operation, machine = found
    if not operation.done:
        return Reply(202, None, _headers(request, machine, operation, False))
    return Reply(200, operation.body or None)


def operation_status(request: Request) -> Reply:
    """The URL of ``Azure-AsyncOperation``."""
    found = request.world.operations.get(request.parts["operation"])
    if found is None:
        raise Refused(404, "OperationNotFound", "The operation was not found.")
    operation, _machine = found
    if operation.at_look:
        operation.at_look -= 1
        if not operation.at_look:
            operation.then()
    body = {
        "startTime": to_iso(operation.started),
        "status": "Succeeded" if operation.done else "InProgress",
        "name": operation.operation_id,
    }
    return Reply(200, body)


def put_run_command(request: Request) -> Reply:
    machine = request.machine()
    _unlocked(machine)
    name = request.parts["command"]
    known = machine.commands.get(name.lower())
    if known is None and len(machine.commands) >= MOST_RUN_COMMANDS:
        raise Refused(409, "OperationNotAllowed", f"A machine has at most {MOST_RUN_COMMANDS} run commands.")
    if not machine.is_arc and machine.power != "running":
        raise Refused(409, "OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.")
    properties = request.body.get("properties", {})
    script = (properties.get("source") or {}).get("script")
    if not script:
        raise Refused(400, "InvalidParameter", "The lab runs inline scripts alone.")
    command = RunCommand(name.lower(), script, int(properties.get("timeoutInSeconds") or 5400), data=dict(properties))
    machine.run(command, scripts.run)
    return Reply(200 if known else 201, _command(request, command, machine))


def get_run_command(request: Request) -> Reply:
    machine = request.machine()
    command = machine.commands.get(request.parts["command"].lower())
    if command is None:
        raise not_found(f"runCommands/{request.parts['command']}")
    return Reply(200, _command(request, command, machine))


def delete_run_command(request: Request) -> Reply:
    machine = request.machine()
    return Reply(200 if machine.commands.pop(request.parts["command"].lower(), None) else 204)


def get_tags(request: Request) -> Reply:
    machine = _scope(request)
    return Reply(body=_tags_body(request, machine))


def write_tags(request: Request) -> Reply:
    """PATCH Merge, Replace or Delete. Names of tags have no case: the first spelling stays (specs issue 8982)."""
    machine = _scope(request)
    _unlocked(machine)
    if machine.faults["deny_tags"]:
        raise Refused(403, "RequestDisallowedByPolicy", f"Resource '{machine.node.name}' was disallowed by policy.")
    operation, wanted = request.body["operation"], request.body["properties"].get("tags") or {}
    for name, value in wanted.items():
        if not name or len(name) > LONGEST_NAME or set(name) & _BAD_IN_TAG:
            raise Refused(400, "InvalidTagNameCharacters", f"The tag name {name[:80]!r} is not valid.")
        if len(value) > LONGEST_VALUE:
            raise Refused(400, "TagValueTooLong", f"The value of {name!r} is longer than {LONGEST_VALUE} characters.")
    spelled = {key.casefold(): key for key in machine.node.tags}
    after = {} if operation == "Replace" else dict(machine.node.tags)
    for name, value in wanted.items():
        key = spelled.get(name.casefold(), name)
        if operation == "Delete":
            if after.get(key) == value or not value:
                after.pop(key, None)
        else:
            after[key] = value
    if len(after) > MOST_TAGS:
        raise Refused(400, "TooManyTags", f"A resource has at most {MOST_TAGS} tags.")
    for key in {*machine.node.tags, *after}:
        machine.node.tag(key, after.get(key))
    return Reply(body=_tags_body(request, machine))


def query_graph(request: Request) -> Reply:
    body = request.body
    options = body.get("options") or {}
    world = request.world
    allowed = {item.subscription_id.lower() for item in world.readable(request.client)}
    wanted = {item.lower() for item in body.get("subscriptions") or allowed}
    shown = [item for item in world.machines.values() if item.spec.node.account.lower() in wanted & allowed]

    def of_maintenance(rows: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
        """Maintenance rows of subscriptions, with the type in lower case as Resource Graph has it."""
        found = [(key.split("/")[2], row) for key, row in rows.items()]
        return [
            {**row, "type": row["type"].lower(), "subscriptionId": place}
            for place, row in found
            if place in wanted & allowed
        ]

    tables: dict[str, Callable[[], list[dict[str, Any]]]] = {
        "resources": lambda: [
            *(world.seen(f"r {item.resource_id}", graph_row(item)) for item in shown if not item.spec.scale_set),
            *of_maintenance(world.configurations),
        ],
        "maintenanceresources": lambda: of_maintenance(world.assignments),
        "computeresources": lambda: [computeresource(item) for item in shown if item.spec.scale_set],
        "patchassessmentresources": lambda: [
            row
            for item in shown
            for row in world.seen(f"a {item.resource_id}", {"rows": patch_rows(item, "assessment")})["rows"]
            if kept(item.assessment, ASSESSMENT_DAYS, world.now)
        ],
        "patchinstallationresources": lambda: [
            row
            for item in shown
            for row in world.seen(f"i {item.resource_id}", {"rows": patch_rows(item, "installation")})["rows"]
            if kept(item.installation, INSTALLATION_DAYS, world.now)
        ],
    }
    try:
        rows, has_id = graph.run(body["query"], tables)
    except graph.BadQuery as why:
        raise Refused(400, "BadRequest", f"Please provide below info when asking for support: {why}") from why
    start = int(options.get("$skipToken") or options.get("$skip") or 0)
    page = rows[start : start + int(options.get("$top") or 100)]
    more = start + len(page) < len(rows)
    answer: dict[str, Any] = {
        "totalRecords": len(rows),
        "count": len(page),
        "data": page,
        "facets": [],
        "resultTruncated": "true" if more and not has_id else "false",
    }
    if more and has_id:
        answer["$skipToken"] = str(start + len(page))
    return Reply(body=answer, headers={"x-ms-user-quota-remaining": "14", "x-ms-user-quota-resets-after": "00:00:05"})


def kept(run: Mapping[str, Any] | None, days: int, now: datetime) -> bool:
    """Tell whether Resource Graph still has a result."""
    return run is not None and now - run["start"] <= timedelta(days=days)


def _scope(request: Request) -> Machine:
    found = request.world.machines.get(request.parts["scope"].lower())
    if found is None:
        raise not_found(request.parts["scope"].rpartition("/providers/")[2])
    return found


def _tags_body(request: Request, machine: Machine) -> dict[str, Any]:
    return {
        "id": f"{request.parts['scope']}/providers/Microsoft.Resources/tags/default",
        "name": "default",
        "type": "Microsoft.Resources/tags",
        "properties": {"tags": dict(machine.node.tags)},
    }


def _command(request: Request, command: RunCommand, machine: Machine) -> dict[str, Any]:
    found = {
        "executionState": command.state,
        "executionMessage": "",
        "exitCode": command.exit_code if command.exit_code is not None else 0,
        "output": command.output,
        "error": command.error,
        "startTime": to_iso(command.started) if command.started else None,
        "endTime": to_iso(command.ended) if command.ended else None,
        "statuses": None,
    }
    properties = {**command.data, "provisioningState": "Succeeded" if command.ended else "Creating"}
    # Without $expand=instanceView Compute leaves the result out; Azure Arc always shows it.
    if machine.is_arc or request.query.get("$expand", "").lower() == "instanceview":
        properties["instanceView"] = found
    return {
        "id": request.path,
        "name": request.parts["command"],
        "type": request.path.rpartition("/providers/")[2],
        "location": machine.spec.node.region,
        "properties": properties,
    }


def _ready(request: Request) -> Machine:
    """Return the machine if it can be assessed or patched now."""
    machine = request.machine()
    _unlocked(machine)
    world, spec = request.world, machine.spec.node
    for limit, key in (("patch", machine.resource_id), ("place:patch", f"{spec.account} {spec.region}")):
        if seconds := world.allow(limit, key):
            raise throttled(seconds, "patch operations")
    if machine.running is not None:
        text = f"Operation '{machine.running.kind}' is in progress. Please try again later."
        raise Refused(409, "OperationNotAllowed", text)
    if machine.is_arc:
        if machine.arc_status != "Connected":
            raise Refused(409, "HCRP409", f"The machine is not connected: its status is {machine.arc_status}.")
        return machine
    if machine.power != "running":
        raise Refused(409, "OperationNotAllowed", "Cannot modify extensions in the VM when the VM is not running.")
    if machine.faults["agent_down"]:
        raise Refused(409, "VMAgentStatusCommunicationError", "The VM agent is not reporting its status.")
    return machine


def _unlocked(machine: Machine) -> None:
    """Refuse what a lock forbids: of POST, PUT and PATCH only ReadOnly does."""
    if machine.faults["lock"] == "ReadOnly":
        text = (
            f"The scope '{machine.resource_id}' cannot perform write operation because following scope(s) are locked."
        )
        raise Refused(409, "ScopeLocked", text)


def _accepted(request: Request, machine: Machine, operation: Operation, both: bool = False) -> Reply:
    return Reply(202, None, _headers(request, machine, operation, both))


def _headers(request: Request, machine: Machine, operation: Operation, both: bool) -> dict[str, str]:
    provider = "Microsoft.HybridCompute" if machine.is_arc else "Microsoft.Compute"
    kind = "updateCenterOperationResults" if machine.is_arc else "operations"
    place = f"/subscriptions/{machine.spec.node.account}/providers/{provider}/locations/{machine.spec.node.region}"
    url = f"{request.base}{place}/{kind}/{operation.operation_id}?p=lab&api-version={request.api}"
    found = {"Location": f"{url}&monitor=true", "Retry-After": "15"}
    if both:
        found["Azure-AsyncOperation"] = url
    return found


def _seconds(duration: str) -> float:
    found = re.fullmatch(r"PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?", duration)
    hours, minutes, seconds = (int(part or 0) for part in (found.groups() if found else (0, 0, 0)))
    return hours * 3600 + minutes * 60 + seconds
