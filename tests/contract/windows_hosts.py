# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts of the lab as an inventory has them, and the action that reaches them over Ansible's own plugins."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.windows_hosts import WindowsHosts

_load_plugins = cache(init_plugin_loader)


class Coordinator(ActionBase):
    """An action as the driver's: it runs on one host and reaches all others."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        raise NotImplementedError


def open_hosts(folder: Path, hosts: Mapping[str, Mapping[str, Any]]) -> WindowsHosts:
    """Return the open connections of hosts. :param hosts: names to variables."""
    if not context.CLIARGS:
        context.CLIARGS = ImmutableDict(become_method="sudo")
    _load_plugins()
    inventory = folder / "windows.yml"
    inventory.write_text(json.dumps({"all": {"hosts": dict(hosts)}}))
    loader = DataLoader()
    manager = InventoryManager(loader=loader, sources=[str(inventory)])
    variables = VariableManager(loader=loader, inventory=manager)
    hostvars = HostVars(inventory=manager, variable_manager=variables, loader=loader)
    task = Task.load({"ansible.builtin.debug": {"msg": ""}}, variable_manager=variables, loader=loader)
    action = Coordinator(task, None, PlayContext(), loader, Templar(loader=loader, variables={}), None)
    found = WindowsHosts(action, {"hostvars": hostvars, "inventory_hostname": "localhost"})
    for name in hosts:
        found.open(name)
    return found
