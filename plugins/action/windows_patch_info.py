# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches for missing updates of Windows hosts; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.executors import WINDOWS
from ..module_utils._core.model import Status
from ..module_utils._core.nodes import PREFIX
from ..module_utils._core.read import read
from ..module_utils._core.stamp import to_time
from ..module_utils._core.work.final_record import error
from ..module_utils._core.work.packages.listing import PackageRules
from ..module_utils._core.work.windows.selection import FURTHER, SERVERS, UpdateRules
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.executors.connection_errors import HostError
from ..plugin_utils.executors.served import why_unserved
from ..plugin_utils.executors.windows_scan import scan_host

#: Hosts that are searched at a time: each takes a thread, which waits most of the time.
_AT_ONCE = 32


class ActionModule(ControllerAction):
    """Reads only: a search changes nothing on a host."""

    SPEC: ClassVar[dict[str, Any]] = {
        "hosts": {"type": "list", "elements": "str", "required": True},
        "security_only": {"type": "bool", "default": False},
        "exclude": {"type": "list", "elements": "str", "default": []},
        "server": {"type": "str", "choices": list(SERVERS), "default": SERVERS[0]},
        "categories": {"type": "list", "elements": "str", "default": []},
        "exclude_categories": {"type": "list", "elements": "str", "default": []},
        "further": {"type": "list", "elements": "str", "choices": list(FURTHER), "default": []},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        nodes = {host: self._node_id(host, task_vars) for host in options["hosts"]}
        if self.check_mode or not nodes:
            return {"changed": False, "results": [], "due": list(nodes.values())}
        if why := why_unserved(WINDOWS.name):
            raise BadInput("hosts", options["hosts"][0], f"an executor that works here: {why}")
        from ..plugin_utils.executors.windows_hosts import WindowsHosts  # its requirements are installed

        rules = PackageRules(security_only=options["security_only"], exclude=tuple(options["exclude"]))
        updates = read(
            UpdateRules, {item.name: options[item.name] for item in fields(UpdateRules) if item.name in options}
        )
        hosts = WindowsHosts(self, task_vars)
        for host in nodes:
            hosts.try_to_open(host)

        def search(host: str) -> dict[str, Any]:
            started = to_time(find_clock().now())
            try:
                found = scan_host(hosts, host, rules, updates)
            except PatchtideError as why:
                status = Status.UNREACHABLE if isinstance(why, HostError) else Status.FAILED
                found = {"status": status.value, "error": error(why.code, str(why))}
            return {
                "node_id": nodes[host],
                "started_at": started,
                "ended_at": to_time(find_clock().now()),
                **found,
            }

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return {"changed": False, "results": list(pool.map(search, nodes)), "due": []}

    def _node_id(self, host: str, task_vars: Mapping[str, Any]) -> str:
        found = task_vars["hostvars"].get(host) or {}
        if found.get(f"{PREFIX}executor") != WINDOWS.name:
            raise BadInput("hosts", host, f"hosts with {PREFIX}executor={WINDOWS.name}")
        return str(found.get(f"{PREFIX}node_id") or host)
