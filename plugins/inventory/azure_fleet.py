# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: azure_fleet
short_description: Azure virtual machines and Azure Arc servers of many subscriptions
version_added: 0.1.0
author:
  - The patchtide.hybrid contributors (@patchtide)
description:
  - Lists the virtual machines, the instances of scale sets and the servers of Azure Arc in all given subscriptions,
    with one query of Azure Resource Graph for each 1,000 machines.
  - Host variables and groups are those of P(patchtide.hybrid.ssm_fleet#inventory). See the guide for a list.
  - The executor of virtual machines and Arc servers is C(azure). Instances of scale sets have no executor, because
    Azure Update Manager does not support them.
  - The file name must end with C(azure_fleet.yml) or C(azure_fleet.yaml).
notes:
  - Resource Graph may show changes late, usually after less than a minute. Before work begins, the state of a machine
    is read from its own service.
extends_documentation_fragment:
  - inventory_cache
  - constructed
  - patchtide.hybrid.azure.plugins
  - patchtide.hybrid.fleet
options:
  plugin:
    description: Name of the plugin. Identifies the file as a source for this plugin.
    type: str
    required: true
    choices: [patchtide.hybrid.azure_fleet]
  resource_graph:
    description:
      - Whether to query Azure Resource Graph. V(false) lists the machines of each subscription, at the cost of more
        calls and without the instances of scale sets. The lists are also used if Resource Graph refuses the query.
    type: bool
    default: true
  include_arc:
    description: Whether to list servers of Azure Arc.
    type: bool
    default: true
  include_scale_sets:
    description: Whether to list instances of scale sets.
    type: bool
    default: true
  filters:
    description:
      - Includes only nodes that have, for every key, one of the given values. C(*) and C(?) are wildcards.
      - Keys are host variables without the prefix C(patchtide_), and C(tags), a dictionary of tag keys to values.
    type: dict
    default: {}
  hostnames:
    description:
      - Preferences for host names. Each is a host variable without the prefix C(patchtide_), or V(tag:) and the key of
        a tag. The first value that is set and unique is used, otherwise the resource ID.
    type: list
    elements: str
    default: [name]
  merge:
    description:
      - Rules for merging entries of the same machine into one host. An empty list disables merging.
      - V(source) merges a virtual machine and an Azure Arc server with the same firmware ID.
      - V(inventory) merges machines with hosts of earlier inventory sources, such as nodes of AWS Systems Manager, that
        have the same C(patchtide_source_id) or C(vmid). Variables that those sources set are kept, so the first source
        decides the executor.
    type: list
    elements: str
    choices: [source, inventory]
    default: [source, inventory]
  oldest_agent:
    description: Azure Arc servers with an older agent are added to the group C(old_agent). If empty, the version is not
      checked.
    type: str
    default: ''
"""

EXAMPLES = r"""
# All subscriptions that the credentials can read
plugin: patchtide.hybrid.azure_fleet

---
# Two subscriptions, virtual machines only, in US Government
plugin: patchtide.hybrid.azure_fleet
cloud: us_government
subscriptions:
  - {id: 00000000-0000-0000-0000-000000000001, name: shop}
  - 00000000-0000-0000-0000-000000000002
include_arc: false
keyed_groups:
  - key: patchtide_tags.Application | default('none')
    prefix: app
"""

from ..module_utils._azure.errors import sdk_missing
from ..plugin_utils.inventory.azure import AZURE_ASKED, azure_source
from ..plugin_utils.inventory.plugin import FleetPlugin
from ..plugin_utils.inventory.run import MakeSource


class InventoryModule(FleetPlugin):
    NAME = "patchtide.hybrid.azure_fleet"
    TEMPLATED = ("client_id", "secret", "tenant", "arm_endpoint", "authority", "profile")
    ASKED = AZURE_ASKED

    def source(self) -> MakeSource:
        return azure_source

    def lacks(self) -> str:
        return sdk_missing()
