# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

from ansible.plugins.inventory import BaseInventoryPlugin
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.groups import group_names
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.records import EMPTY

from bench.endpoint import Estate
from bench.hosts import host_name

DOCUMENTATION = r"""
name: floor
short_description: Adds hosts, variables and groups from memory, and nothing else
description: What any inventory plugin costs at least; the yardstick of the benchmark.
options:
  plugin:
    description: Marks the file.
    required: true
  nodes:
    description: Nodes in every place.
    type: int
    default: 0
  places:
    description: Pairs of account and Region, written V(account/region).
    type: list
    elements: str
    default: []
  online:
    description: Whether every agent answers.
    type: bool
    default: false
  style:
    description: What is added. V(names) of hosts alone, V(grouped) names and groups, V(variables) all of it.
    choices: [names, grouped, variables]
    default: variables
  hosts:
    description: Hosts that are reached directly, instead of nodes in places.
    type: int
    default: 0
"""


class InventoryModule(BaseInventoryPlugin):
    NAME = "floor"

    def verify_file(self, path: str) -> bool:
        return path.endswith("floor.yml")

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        super().parse(inventory, loader, path, cache=cache)
        self._read_config_data(path)
        style = self.get_option("style")
        for number in range(self.get_option("hosts")):
            host = host_name(number)
            inventory.add_host(host)
            for name, value in {"executor": "linux", "node_id": host, "platform": "linux", "name": host}.items():
                inventory.set_variable(host, f"patchtide_{name}", value)
        estate, known = Estate(self.get_option("nodes")), dict[tuple[str, str], str]()
        for place in self.get_option("places"):
            account, region = place.split("/")
            for number in range(estate.nodes):
                node = _node(estate, account, region, number)
                node |= {"ping_status": "Online"} if self.get_option("online") else {}
                host = node["node_id"]
                inventory.add_host(host)
                if style == "variables":  # assigned directly: nothing that sets variables is cheaper
                    inventory.hosts[host].vars.update({f"patchtide_{name}": value for name, value in node.items()})
                for group in group_names(node, known) if style != "names" else ():
                    inventory.add_group(group)
                    inventory.add_child(group, host)


def _node(estate: Estate, account: str, region: str, number: int) -> dict[str, Any]:
    tags = estate.tags(number)
    return {
        **EMPTY,
        "node_id": estate.node_id(account, region, number),
        "name": tags["Name"],
        "executor": "ssm",
        "platform": "linux" if number % 4 < 3 else "windows",
        "account": account,
        "region": region,
        "state": "running",
        "ping_status": "Online" if number % 50 else "ConnectionLost",
        "managed": True,
        "patch_group": tags["Patch Group"],
        "tags": tags,
    }
