#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_inventory_info
short_description: Gather inventory of managed nodes from AWS Systems Manager
version_added: 0.1.0
description:
  - Returns inventory of nodes in types such as C(AWS:Application) or C(Custom:PatchInformation).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  types:
    description: Inventory types. Each costs one API call per 50 nodes.
    type: list
    elements: str
    default: ["AWS:InstanceInformation"]
  filters:
    description: Return only nodes whose inventory matches, at most 5 filters.
    type: list
    elements: dict
    suboptions:
      key:
        description: Type and attribute, such as V(AWS:InstanceInformation.PlatformType).
        type: str
        required: true
      values:
        description: Values to compare with, at most 40.
        type: list
        elements: str
        required: true
      type:
        description: Comparison operator.
        type: str
        choices: [Equal, NotEqual, BeginWith, LessThan, GreaterThan, Exists]
        default: Equal
"""

EXAMPLES = r"""
- name: Read the patch groups that Linux nodes report
  patchtide.hybrid.ssm_inventory_info:
    types: ["Custom:PatchInformation"]
    filters:
      - key: AWS:InstanceInformation.PlatformType
        values: [Linux]
  register: inventory
"""

RETURN = r"""
nodes:
  description: Nodes with their inventory by type.
  returned: always
  type: list
  elements: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      instance_id: mi-0123456789abcdef0
      inventory: {"Custom:PatchInformation": [{Patch Group: PLANT-PROD}]}
      captured:
        "Custom:PatchInformation": {capture_time: "2026-11-10T22:00:00Z", schema_version: "1.0", content_hash: ""}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.inventory import read_inventory

STRINGS = {"type": "list", "elements": "str"}
COMPARE = ["Equal", "NotEqual", "BeginWith", "LessThan", "GreaterThan", "Exists"]
FILTER = {
    "key": {"type": "str", "required": True, "no_log": False},
    "values": {**STRINGS, "required": True},
    "type": {"type": "str", "choices": COMPARE, "default": "Equal"},
}
SPEC = {
    "types": {**STRINGS, "default": ["AWS:InstanceInformation"]},
    "filters": {"type": "list", "elements": "dict", "options": FILTER},
}


def main() -> None:
    module = aws_module(SPEC)
    run_info(module, "nodes", lambda sessions, place: read_inventory(sessions.client("ssm", place), module.params))


if __name__ == "__main__":
    main()
