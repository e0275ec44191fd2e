# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes what a scan found into one file; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput
from ..module_utils._core.executors import NOT_SERVED
from ..module_utils._core.nodes import Candidate
from ..module_utils._core.plan.scan import SCHEMA
from ..module_utils._core.plan.scan_servers import add_errata, add_needed
from ..module_utils._core.plan.scan_targets import scan_targets
from ..module_utils._core.policy.values import to_policy
from ..module_utils._core.report.next_words import after_scan
from ..module_utils._core.stamp import to_time
from ..module_utils._core.text import plain
from ..module_utils._core.work.final_record import error
from ..module_utils._core.work.node_answer import bounded
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.executors.served import why_unserved
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.rollout.next_commands import to_commands
from ..plugin_utils.scan_file import write_scan

#: What a direct host's scan contributes; the rest of its task result is Ansible's, such as ``failed``, a flag there.
MEMBERS = (
    "status",
    "started_at",
    "ended_at",
    "counts",
    "missing",
    "missing_after",
    "held",
    "notes",
    "kernels",
    "forecast",
    "pending_reboot",
    "reboot_reasons",
    "manager",
    "error",
)
#: A record in which one of these is not empty is not compliant.
_OPEN = ("missing_after", "failed", "held", "pending_reboot")
IDENTITY = ("host", "node_id", "name", "executor", "account", "region", "platform", "patch_group")


class ActionModule(ControllerAction):
    """Every node that should have been scanned has a record, also where nothing could be read."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "results": {"type": "list", "elements": "dict", "default": []},
        "failed_places": {"type": "list", "elements": "dict", "default": []},
        "hosts": {"type": "list", "elements": "str", "default": []},
        "needed_updates": {"type": "list", "elements": "dict", "default": []},
        "applicable_errata": {"type": "list", "elements": "dict", "default": []},
        "policy": {"type": "dict"},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy = to_policy(options["policy"]) if options["policy"] else None
        key = policy.tags.application if policy else ""
        estate = [node for node in candidates(task_vars, key) if node.executor]
        if not estate:
            raise EmptyInventory(NO_NODES)
        nodes = _records(estate, options, task_vars["hostvars"])
        for node, why in scan_targets(estate, policy, why_unserved).not_served:
            nodes[node.node_id] = {**_identity(node), "status": "failed", "error": error(NOT_SERVED, why)}
        add_needed(nodes.values(), options["needed_updates"])
        add_errata(nodes.values(), options["applicable_errata"])
        scan = {
            "schema": SCHEMA,
            "at": to_time(find_clock().now()),
            "nodes": dict(sorted(nodes.items())),
            "failed_places": bounded(options["failed_places"]),
        }
        if not self.check_mode:
            write_scan(Path(options["dir"]) / "scan.json", scan)
        commands = to_commands(options["dir"], task_vars, self._templar.template)
        told = {"failed_places": options["failed_places"], "next": plain(after_scan(commands))}
        return {"changed": False, **_count(nodes), **told}


def _records(
    estate: list[Candidate], options: Mapping[str, Any], hostvars: Mapping[str, Any]
) -> dict[str, dict[str, Any]]:
    """Return the records by node id: of the service's results, and of the hosts that were scanned directly."""
    identities = {node.node_id: _identity(node) for node in estate}
    ids = {node.host: node.node_id for node in estate}
    results = map(_kept, options["results"])
    records = {result["node_id"]: {**identities.get(result["node_id"], {}), **result} for result in results}
    for index, host in enumerate(options["hosts"]):
        if host not in ids:
            raise BadInput(f"hosts[{index}]", host, "a host of the inventory with patchtide_executor")
        records[ids[host]] = {**identities[ids[host]], **_direct(hostvars[host].get("patchtide_scan"))}
    return records


def _identity(node: Candidate) -> dict[str, str]:
    return {name: getattr(node, name) for name in IDENTITY}


def _kept(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return a service node's result within bounds."""
    return {**bounded(result), "node_id": result["node_id"]}


def _direct(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a host's own scan said; a task that broke off has no status, only a message."""
    if found and found.get("status"):
        record = {name: bounded(found[name]) for name in MEMBERS if name in found}
        return {**record, "failed": bounded(found["failed_ids"])} if "failed_ids" in found else record
    text = str((found or {}).get("msg") or "the host did not answer")
    if not found or found.get("unreachable"):
        return {"status": "unreachable", "error": error("unreachable", text)}
    return {"status": "failed", "error": error("scan_failed", text)}


def _count(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    good = [item for item in nodes.values() if item["status"] == "succeeded"]
    compliant = [item for item in good if not any(item.get(name) for name in _OPEN)]
    nobody = [item for item in nodes.values() if (item.get("error") or {}).get("code") == NOT_SERVED]
    return {
        "scanned": len(good),
        "compliant": len(compliant),
        "unknown": len(nodes) - len(good),
        NOT_SERVED: len(nobody),
    }
