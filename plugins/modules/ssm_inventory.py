#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_inventory
short_description: Manage custom inventory of managed nodes
version_added: 0.1.0
description:
  - Keeps data of your own with nodes, in an inventory type such as C(Custom:PatchInformation), which holds the patch
    group and
    maintenance window of nodes that can't be tagged otherwise.
  - The service keeps inventory for 30 days. Content that is older than O(renew_days) is put again, so run it more
    often than every 30 days.
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
    description: Inventory type of your own, beginning with C(Custom:).
    type: str
    required: true
  instance_ids:
    description: Nodes that the content is about. Without them, O(state=absent) deletes the type with the content of
      all nodes.
    type: list
    elements: str
  content:
    description: Entries, each a dictionary of names and text; a single entry is a list of one. Replaces what there is.
    type: list
    elements: dict
  schema_version:
    description: Version of the type.
    type: str
    default: "1.0"
  renew_days:
    description: Age in days, 1 to 30, from which content is put again though it is as it shall be.
    type: int
    default: 14
  state:
    description: V(present) puts O(content), V(absent) empties it or deletes the type.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Which patch group and window a machine on premises belongs to
  patchtide.hybrid.ssm_inventory:
    type_name: Custom:PatchInformation
    instance_ids: [mi-0123456789abcdef0]
    content:
      - Patch Group: PLANT-PROD
        Maintenance Window: plant-prod

- name: Nobody needs the type any more
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
      description: Entries of each node, by its id, as they are or would be in check mode.
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
