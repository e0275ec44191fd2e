# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assesses machines of Azure; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._azure.arm import Arm
from ..module_utils._azure.maintenance import schedules
from ..module_utils._azure.patching import Machines
from ..module_utils._azure.tenants import Tenants
from ..module_utils._core.azure_ids import node_key
from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.executors import AZURE
from ..module_utils._core.fleet.azure import to_tags
from ..module_utils._core.model import Status
from ..module_utils._core.nodes import PREFIX
from ..module_utils._core.stamp import to_time
from ..module_utils._core.work.azure.maintenance import Machine
from ..module_utils._core.work.final_record import error
from ..module_utils._core.work.packages.listing import PackageRules
from ..plugin_utils.azure_login import by_subscription, env_tenants
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.executors.azure_scan import Assessments
from ..plugin_utils.executors.served import why_unserved
from ..plugin_utils.progress import Throttle

Node = dict[str, Any]


class ActionModule(ControllerAction):
    """Reads only: an assessment changes nothing on a machine."""

    SPEC: ClassVar[dict[str, Any]] = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "max_age_hours": {"type": "float", "default": 0},
        "security_only": {"type": "bool", "default": False},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "poll_interval": {"type": "int", "default": 60},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if options["max_age_hours"] < 0:
            raise BadInput("max_age_hours", options["max_age_hours"], "0 or more hours")
        nodes = [self._node(host, task_vars) for host in options["hosts"]]
        if self.check_mode or not nodes:
            return {"changed": False, "results": [], "due": [node["node_id"] for node in nodes] if nodes else []}
        if why := why_unserved(AZURE.name):
            raise BadInput("hosts", options["hosts"][0], f"an executor that works here: {why}")
        tenants = env_tenants()
        rows = by_subscription(
            nodes, lambda node: str(node["node_id"]), lambda name, some: self._of_one(tenants, name, some, options)
        )
        return {"changed": False, "results": rows, "due": []}

    def _of_one(
        self, tenants: Tenants, subscription: str, nodes: Sequence[Node], options: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """Return the results of a subscription's machines; if it does not answer, this is the result of each."""
        try:
            work = Assessments(
                port=Machines(tenants.of(subscription)),
                clock=find_clock(),
                rules=PackageRules(security_only=options["security_only"], exclude=tuple(options["exclude"])),
                say=Throttle(self.say),
                max_age=timedelta(hours=options["max_age_hours"]),
                poll_seconds=float(options["poll_interval"]),
            )
            rows = work.run(nodes)
        except PatchtideError as why:
            now = to_time(find_clock().now())
            failed = {"started_at": now, "ended_at": now, "status": Status.FAILED.value}
            return [{"node_id": node["node_id"], **failed, "error": error(why.code, str(why))} for node in nodes]

        maintenance = _maintenance(tenants.of(subscription), subscription, nodes)
        return [{**row, "maintenance": maintenance[row["node_id"].lower()]} for row in rows]

    def _node(self, host: str, task_vars: Mapping[str, Any]) -> Node:
        found = task_vars["hostvars"].get(host) or {}
        if found.get(f"{PREFIX}executor") != AZURE.name:
            raise BadInput("hosts", host, f"hosts with {PREFIX}executor={AZURE.name}")
        members = {name: str(found.get(f"{PREFIX}{name}") or "") for name in ("node_id", "platform", "state", "region")}
        members["node_id"] = node_key(members["node_id"])
        return {**members, "tags": to_tags(found.get(f"{PREFIX}tags"))}


def _maintenance(arm: Arm, subscription: str, nodes: Sequence[Node]) -> Mapping[str, list[dict[str, str]] | None]:
    """Return the maintenance configurations of machines by ID; ``None`` for all where they can't be read."""
    machines = [
        Machine(node_id=node["node_id"].lower(), platform=node["platform"], location=node["region"], tags=node["tags"])
        for node in nodes
    ]
    try:
        return schedules(arm, subscription, machines)
    except PatchtideError:
        return {machine.node_id: None for machine in machines}
