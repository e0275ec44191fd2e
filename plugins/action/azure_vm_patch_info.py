# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assesses machines of Azure; see the module of the same name for the documentation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._azure.arm import Arm
from ..module_utils._azure.credentials import Credentials, login_of
from ..module_utils._azure.patching import Machines
from ..module_utils._core.errors import BadInput
from ..module_utils._core.executors import AZURE
from ..module_utils._core.nodes import PREFIX
from ..module_utils._core.work.packages.listing import PackageRules
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.executors.azure_scan import Assessments
from ..plugin_utils.executors.served import why_unserved
from ..plugin_utils.progress import Throttle


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
        login = login_of(os.environ)
        work = Assessments(
            port=Machines(Arm(login, Credentials(login).of())),
            clock=find_clock(),
            rules=PackageRules(security_only=options["security_only"], exclude=tuple(options["exclude"])),
            say=Throttle(self.say),
            max_age=timedelta(hours=options["max_age_hours"]),
            poll_seconds=float(options["poll_interval"]),
        )
        return {"changed": False, "results": work.run(nodes), "due": []}

    def _node(self, host: str, task_vars: Mapping[str, Any]) -> dict[str, str]:
        found = task_vars["hostvars"].get(host) or {}
        if found.get(f"{PREFIX}executor") != AZURE.name:
            raise BadInput("hosts", host, f"hosts with {PREFIX}executor={AZURE.name}")
        return {"node_id": str(found[f"{PREFIX}node_id"]), "platform": str(found[f"{PREFIX}platform"])}
