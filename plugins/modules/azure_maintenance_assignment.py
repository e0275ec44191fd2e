#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_maintenance_assignment
short_description: Assign maintenance configurations of Azure Update Manager
version_added: 0.1.0
description:
  - Assigns a maintenance configuration to a machine, or to all machines of a subscription or a resource group that a
    filter selects, and removes assignments.
  - A virtual machine needs the patch mode C(AutomaticByPlatform) and customer managed schedules, see
    M(patchtide.hybrid.azure_patch_settings).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.azure.login
  - patchtide.hybrid.attributes
options:
  scope:
    description: Resource ID of a machine, a resource group or a subscription.
    type: str
    required: true
  name:
    description: Name of the assignment.
    type: str
    required: true
  state:
    description: V(present) creates or changes the assignment, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  configuration_id:
    description: Resource ID of the maintenance configuration. Required for O(state=present).
    type: str
  location:
    description: Region of the machine, which Azure wants for an assignment to a machine.
    type: str
  filter:
    description: Which machines of a subscription or a resource group. Members that are not set select all.
    type: dict
    suboptions:
      resource_types:
        description: Types, V(Microsoft.Compute/virtualMachines) and V(Microsoft.HybridCompute/machines).
        type: list
        elements: str
      resource_groups:
        description: Names of resource groups.
        type: list
        elements: str
      os_types:
        description: V(Linux) and V(Windows).
        type: list
        elements: str
      locations:
        description: Regions.
        type: list
        elements: str
      tags:
        description: Values by tag.
        type: dict
      match_tags:
        description: Whether a machine needs one of the tags or all.
        type: str
        choices: [any, all]
        default: any
"""

EXAMPLES = r"""
- name: Assign a configuration to all development machines of a subscription
  patchtide.hybrid.azure_maintenance_assignment:
    scope: /subscriptions/00000000-0000-0000-0000-000000000001
    name: dev-second-tuesday
    configuration_id: "{{ second_tuesday.id }}"  # of azure_maintenance_configuration
    filter:
      tags: {Environment: [dev, test]}
"""

RETURN = r"""
maintenance_assignment:
  description: The assignment after the run, predicted in check mode; empty if it does not exist. IDs are in lower case.
  returned: always
  type: dict
  sample:
    name: dev-second-tuesday
    scope: /subscriptions/00000000-0000-0000-0000-000000000001
    configuration_id: /subscriptions/…/providers/microsoft.maintenance/maintenanceconfigurations/second-tuesday
    filter: {tags: {Environment: [dev, test]}, match_tags: any}
"""

from ..module_utils._ansible.azure_resources import run_assignment
from ..module_utils._ansible.azure_spec import STATE, TEXT, azure_login_module

TEXTS = {"type": "list", "elements": "str"}
SPEC = {
    "scope": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    **STATE,
    "configuration_id": TEXT,
    "location": TEXT,
    "filter": {
        "type": "dict",
        "options": {
            "resource_types": TEXTS,
            "resource_groups": TEXTS,
            "os_types": TEXTS,
            "locations": TEXTS,
            "tags": {"type": "dict"},
            "match_tags": {"type": "str", "choices": ["any", "all"], "default": "any"},
        },
    },
}


def main() -> None:
    run_assignment(azure_login_module(SPEC, required_if=[("state", "present", ["configuration_id"])]))


if __name__ == "__main__":
    main()
