# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Ansible inventory of the hosts that are up, with the variables that a real estate's inventory sets by hand."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from lab.hosts.machine import Machine

GROUP = "lab_hosts"
# Their addresses are used again by the next lab, with other keys: nothing is remembered about them.
SSH_ARGUMENTS = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ServerAliveInterval=5"


def document(machines: list[Machine], *, private_key: Path, systems: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """The inventory as data; `systems` are the hosts' os-releases by family."""
    shared = {
        "ansible_user": "root",
        "ansible_ssh_private_key_file": str(private_key),
        "ansible_ssh_common_args": SSH_ARGUMENTS,
        "ansible_python_interpreter": "/usr/bin/python3",
        "patchtide_executor": "linux",
        "patchtide_platform": "linux",
        "patchtide_state": "running",
        "patchtide_managed": False,
    }
    hosts = {machine.host.name: _variables(machine, systems[machine.host.family]) for machine in machines}
    return {"all": {"children": {GROUP: {"hosts": hosts, "vars": shared}}}}


def write(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("---\n" + yaml.safe_dump(content, sort_keys=False, width=120))


def _variables(machine: Machine, system: Mapping[str, str]) -> dict[str, Any]:
    return {
        "patchtide_os": system.get("NAME", "Linux"),
        "patchtide_os_version": system.get("VERSION_ID", ""),
        "ansible_host": str(machine.address),
        "patchtide_node_id": machine.host.name,
        "patchtide_name": machine.host.name,
        "patchtide_ip": str(machine.address),
        **machine.host.variables,
    }
