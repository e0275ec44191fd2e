# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gathers what was scanned into one file; see the module of the same name for the documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.nodes import PREFIX, WATCHED, texts
from ..module_utils._core.stamp import to_time
from ..module_utils._core.work.final_record import error
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.files import write_text

SCHEMA = "patchtide/scan/1"
#: What a direct host's scan contributes; the rest of its task result is Ansible's.
MEMBERS = (
    "status",
    "started_at",
    "ended_at",
    "counts",
    "missing",
    "missing_after",
    "failed",
    "pending_reboot",
    "manager",
    "error",
)


class ActionModule(ControllerAction):
    """Every node that should have been scanned has a record, also where nothing could be read."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["targets", "written"], "default": "written"},
        "results": {"type": "list", "elements": "dict", "default": []},
        "failed_places": {"type": "list", "elements": "dict", "default": []},
        "hosts": {"type": "list", "elements": "str", "default": []},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        known = list(self._inventory(task_vars))
        if not known:
            raise EmptyInventory(NO_NODES)
        if options["state"] == "targets":
            direct = [item["host"] for item in known if item["executor"] == "linux"]
            managed = sum(item["executor"] == "ssm" for item in known)
            return {"changed": False, "direct_hosts": sorted(direct), "managed_nodes": managed}
        nodes = {}
        identities = {item["node_id"]: item for item in known}
        for result in options["results"]:
            nodes[result["node_id"]] = {**identities.get(result["node_id"], {}), **result}
        for host in options["hosts"]:
            seen = task_vars["hostvars"][host]
            node_id = str(seen.get(f"{PREFIX}node_id") or host)
            nodes[node_id] = {**identities[node_id], **_direct(seen.get("patchtide_scan"))}
        scan = {
            "schema": SCHEMA,
            "at": to_time(find_clock().now()),
            "nodes": dict(sorted(nodes.items())),
            "failed_places": options["failed_places"],
        }
        if not self.check_mode:
            text = json.dumps(scan, indent=1, sort_keys=True, ensure_ascii=False)
            write_text(Path(options["dir"]) / "scan.json", text + "\n")
        return {"changed": False, **_count(nodes), "failed_places": options["failed_places"]}

    def _inventory(self, task_vars: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        for host in task_vars["groups"]["all"]:
            seen = task_vars["hostvars"][host]
            if seen.get(f"{PREFIX}executor"):
                members = texts(seen, ("name", *WATCHED), PREFIX)
                yield {**members, "host": host, "node_id": str(seen.get(f"{PREFIX}node_id") or host)}


def _direct(found: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return what a host's own scan said; a task that broke off has no status, only a message."""
    if found and found.get("status"):
        return {name: found[name] for name in MEMBERS if name in found}
    text = str((found or {}).get("msg") or "the host did not answer")
    if not found or found.get("unreachable"):
        return {"status": "unreachable", "error": error("unreachable", text)}
    return {"status": "failed", "error": error("scan_failed", text)}


def _count(nodes: Mapping[str, Mapping[str, Any]]) -> dict[str, int]:
    good = [item for item in nodes.values() if item["status"] == "succeeded"]
    compliant = [item for item in good if not item.get("missing_after") and not item.get("pending_reboot")]
    return {"scanned": len(good), "compliant": len(compliant), "unknown": len(nodes) - len(good)}
