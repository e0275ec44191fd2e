#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_inventory
short_description: Manage custom inventory in AWS Systems Manager
version_added: 0.1.0
description:
  - Writes custom inventory of nodes. The type C(Custom:PatchInformation) holds the patch group and maintenance window
    of nodes that cannot be tagged.
  - The service keeps inventory for 30 days. Run the task more often than that; content older than O(renew_days) is
    written again.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  type_name:
    description: Custom inventory type. Must begin with C(Custom:).
    type: str
    required: true
  instance_ids:
    description: IDs of the nodes. Without it, O(state=absent) deletes the type and the content of all nodes.
    type: list
    elements: str
  content:
    description: Entries, each a dictionary of text values. They replace the existing entries of the type.
    type: list
    elements: dict
  schema_version:
    description: Schema version of the type.
    type: str
    default: "1.0"
  renew_days:
    description: Age in days, 1 to 30, from which unchanged content is written again.
    type: int
    default: 14
  state:
    description: V(present) writes O(content), V(absent) removes the content or deletes the type.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Record the patch group and maintenance window of an on-premises node
  patchtide.hybrid.ssm_inventory:
    type_name: Custom:PatchInformation
    instance_ids: [mi-0123456789abcdef0]
    content:
      - Patch Group: PLANT-PROD
        Maintenance Window: plant-prod

- name: Delete the type and the content of all nodes
  patchtide.hybrid.ssm_inventory:
    type_name: Custom:PatchInformation
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    inventory:
      description: Entries by node ID after the run, as predicted in check mode.
      returned: always
      type: dict
      sample:
        mi-0123456789abcdef0: [{Patch Group: PLANT-PROD, Maintenance Window: plant-prod}]
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.inventory import SsmInventory
from ..module_utils._core.ssm.inventory import InventoryNoun

SPEC = {
    **STATE,
    "type_name": {"type": "str", "required": True},
    "instance_ids": {"type": "list", "elements": "str"},
    "content": {"type": "list", "elements": "dict"},
    "schema_version": {"type": "str", "default": "1.0"},
    "renew_days": {"type": "int", "default": 14},
}


def main() -> None:
    module = aws_module(SPEC, required_if=[("state", "present", ["instance_ids", "content"])])
    options = module.params

    def make(sessions, place):
        now = find_clock().now()
        client, at = sessions.client("ssm", place), now.strftime("%Y-%m-%dT%H:%M:%SZ")
        return InventoryNoun(SsmInventory(client, options["type_name"], options["schema_version"], at), options, now)

    run_noun(module, "inventory", make, f"inventory {options['type_name']}")


if __name__ == "__main__":
    main()
