# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of operations that the lab has, with paths, API versions and permissions, and what finds them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema

from . import maintenance, network, schemas
from . import operations as ops
from .answers import Refused
from .operations import Handler


@dataclass(frozen=True, slots=True)
class Route:
    """:param permission: the action of Azure RBAC. :param limit: the allowance of Compute it takes from."""

    method: str
    path: re.Pattern[str]
    apis: tuple[str, ...]
    permission: str
    act: Handler
    schema: Mapping[str, Any] | None = None
    limit: str = ""


def _route(
    method: str, path: str, apis: str, permission: str, act: Handler, schema: Any = None, limit: str = ""
) -> Route:
    return Route(method, re.compile(path, re.IGNORECASE), tuple(apis.split()), permission, act, schema, limit)


_SUB = r"/subscriptions/(?P<sub>[^/]+)"
_RG = _SUB + r"/resourceGroups/(?P<rg>[^/]+)"
_VMS, _ARCS = r"/providers/Microsoft\.Compute/virtualMachines", r"/providers/Microsoft\.HybridCompute/(?P<arc>machines)"
_VM, _ARC = _RG + _VMS + r"/(?P<name>[^/]+)", _RG + _ARCS + r"/(?P<name>[^/]+)"
_SCOPE = r"(?P<scope>/subscriptions/[^/]+/resourceGroups/[^/]+/providers/[^/]+/[^/]+/[^/]+)"
#: What maintenance configurations are assigned to: a machine, a resource group, a subscription.
_ASSIGNED = r"(?P<scope>/subscriptions/[^/]+(?:/resourceGroups/[^/]+(?:/providers/[^/]+/[^/]+/[^/]+)?)?)"
_CONFIGURATIONS = r"/providers/Microsoft\.Maintenance/maintenanceConfigurations"
_CONFIGURATION = _RG + _CONFIGURATIONS + "/(?P<name>[^/]+)"
_ASSIGNMENT = _ASSIGNED + r"/providers/Microsoft\.Maintenance/configurationAssignments/(?P<name>[^/]+)"
_CARD = _RG + r"/providers/Microsoft\.Network/networkInterfaces/(?P<name>[^/]+)"
_M, _N = "Microsoft.Maintenance", "Microsoft.Network/networkInterfaces"
_C, _H = "Microsoft.Compute/virtualMachines", "Microsoft.HybridCompute/machines"
_HYBRID = "2022-12-27 2023-10-03-preview 2024-05-20-preview 2024-07-10"

ROUTES = (
    _route("GET", "/subscriptions", "2022-12-01 2020-01-01 2019-11-01 2016-06-01", "", ops.subscriptions),
    _route("GET", _SUB, "2022-12-01 2020-01-01", "", ops.subscription),
    _route("GET", _SUB + _VMS, "2024-07-01 2023-09-01", f"{_C}/read", ops.list_machines, limit="place:list"),
    _route("GET", _RG + _VMS, "2024-07-01 2023-09-01", f"{_C}/read", ops.list_machines, limit="place:list"),
    _route("GET", _SUB + _ARCS, _HYBRID, f"{_H}/read", ops.list_machines),
    _route("GET", _RG + _ARCS, _HYBRID, f"{_H}/read", ops.list_machines),
    _route("GET", _VM, "2024-07-01 2023-09-01", f"{_C}/read", ops.get_machine, limit="get"),
    _route(
        "GET",
        _VM + "/instanceView",
        "2024-07-01 2023-09-01",
        f"{_C}/instanceView/read",
        ops.get_view,
        limit="get",
    ),
    _route("PATCH", _VM, "2024-07-01", f"{_C}/write", ops.patch_machine, schemas.PATCH_VM, "update"),
    _route("PATCH", _ARC, _HYBRID, f"{_H}/write", ops.patch_machine, schemas.PATCH_ARC),
    _route("GET", _CARD, "2023-09-01 2024-05-01", f"{_N}/read", network.get_card),
    _route("PUT", _CARD, "2023-09-01 2024-05-01", f"{_N}/write", network.put_card, schemas.CARD),
    _route("GET", _ARC, _HYBRID, f"{_H}/read", ops.get_machine),
    _route("POST", _VM + "/assessPatches", "2024-07-01 2023-09-01", f"{_C}/assessPatches/action", ops.assess),
    _route("POST", _ARC + "/assessPatches", _HYBRID, f"{_H}/assessPatches/action", ops.assess),
    _route(
        "POST",
        _VM + "/installPatches",
        "2024-07-01 2023-09-01",
        f"{_C}/installPatches/action",
        ops.install,
        schemas.INSTALL_VM,
    ),
    _route(
        "POST",
        _ARC + "/installPatches",
        _HYBRID,
        f"{_H}/installPatches/action",
        ops.install,
        schemas.INSTALL_ARC,
    ),
    _route(
        "POST",
        _VM + "/(?P<verb>start|restart|powerOff|deallocate)",
        "2024-07-01",
        f"{_C}/{{verb}}/action",
        ops.power,
        limit="update",
    ),
    _route(
        "PUT",
        _VM + "/runCommands/(?P<command>[^/]+)",
        "2024-07-01",
        f"{_C}/runCommands/write",
        ops.put_run_command,
        schemas.RUN_COMMAND,
    ),
    _route(
        "GET",
        _VM + "/runCommands/(?P<command>[^/]+)",
        "2024-07-01",
        f"{_C}/runCommands/read",
        ops.get_run_command,
    ),
    _route(
        "DELETE",
        _VM + "/runCommands/(?P<command>[^/]+)",
        "2024-07-01",
        f"{_C}/runCommands/delete",
        ops.delete_run_command,
    ),
    _route(
        "PUT",
        _ARC + "/runCommands/(?P<command>[^/]+)",
        "2024-07-10",
        f"{_H}/runCommands/write",
        ops.put_run_command,
        schemas.RUN_COMMAND,
    ),
    _route(
        "GET",
        _ARC + "/runCommands/(?P<command>[^/]+)",
        "2024-07-10",
        f"{_H}/runCommands/read",
        ops.get_run_command,
    ),
    _route(
        "DELETE",
        _ARC + "/runCommands/(?P<command>[^/]+)",
        "2024-07-10",
        f"{_H}/runCommands/delete",
        ops.delete_run_command,
    ),
    _route(
        "GET",
        _SCOPE + r"/providers/Microsoft\.Resources/tags/default",
        "2021-04-01 2022-09-01",
        "Microsoft.Resources/tags/read",
        ops.get_tags,
    ),
    _route(
        "PATCH",
        _SCOPE + r"/providers/Microsoft\.Resources/tags/default",
        "2021-04-01 2022-09-01",
        "Microsoft.Resources/tags/write",
        ops.write_tags,
        schemas.TAGS,
    ),
    _route(
        "GET",
        _SUB + _CONFIGURATIONS,
        "2023-04-01",
        f"{_M}/maintenanceConfigurations/read",
        maintenance.list_configurations,
    ),
    _route("GET", _CONFIGURATION, "2023-04-01", f"{_M}/maintenanceConfigurations/read", maintenance.get_configuration),
    _route(
        "PUT",
        _CONFIGURATION,
        "2023-04-01",
        f"{_M}/maintenanceConfigurations/write",
        maintenance.put_configuration,
        schemas.CONFIGURATION,
    ),
    _route(
        "DELETE",
        _CONFIGURATION,
        "2023-04-01",
        f"{_M}/maintenanceConfigurations/delete",
        maintenance.delete_configuration,
    ),
    _route("GET", _ASSIGNMENT, "2023-04-01", f"{_M}/configurationAssignments/read", maintenance.get_assignment),
    _route(
        "PUT",
        _ASSIGNMENT,
        "2023-04-01",
        f"{_M}/configurationAssignments/write",
        maintenance.put_assignment,
        schemas.ASSIGNMENT,
    ),
    _route("DELETE", _ASSIGNMENT, "2023-04-01", f"{_M}/configurationAssignments/delete", maintenance.delete_assignment),
    _route(
        "POST",
        r"/providers/Microsoft\.ResourceGraph/resources",
        "2021-03-01 2022-10-01 2024-04-01",
        "",
        ops.query_graph,
        schemas.GRAPH,
    ),
)
#: URLs of operations; with ``monitor=true`` that of Location.
_OPERATION = re.compile(
    _SUB + r"/providers/Microsoft\.(?:Compute|HybridCompute|Network)/locations/[^/]+"
    r"/(?:operations|updateCenterOperationResults)/(?P<operation>[^/]+)",
    re.IGNORECASE,
)


def find_route(method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """Return the operation of a path and the parts of the path; ``None`` if the lab has none."""
    for route in ROUTES:
        if route.method == method and (found := route.path.fullmatch(path)):
            return route, {key: value for key, value in found.groupdict().items() if value is not None}
    return None


def find_operation(path: str) -> dict[str, str] | None:
    found = _OPERATION.fullmatch(path)
    return found.groupdict() if found else None


def check_body(route: Route, body: Any) -> None:
    """:raises Refused: the body does not have the published form."""
    if route.schema is None:
        if body:
            raise Refused(400, "InvalidRequestContent", "The operation takes no body.")
        return
    try:
        jsonschema.validate(body, route.schema)
    except jsonschema.ValidationError as why:
        where = "/".join(str(part) for part in why.absolute_path) or "the body"
        raise Refused(400, "InvalidRequestContent", f"{where}: {why.message[:200]}") from why
