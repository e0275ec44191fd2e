#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_resource_tags
short_description: Manage tags of AWS Systems Manager resources
version_added: 0.1.0
description:
  - Sets and removes tags of resources of one type, such as the tag C(Patch Group) of many managed nodes.
  - EC2 instances (C(i-)) have their tags in EC2, all other managed nodes (C(mi-)) in Systems Manager. The module
    supports both in one task.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  resource_type:
    description: Type of the resources.
    type: str
    choices:
      - ManagedInstance
      - MaintenanceWindow
      - PatchBaseline
      - Document
      - Parameter
      - OpsItem
      - OpsMetadata
      - Automation
      - Association
      - CloudConnector
    default: ManagedInstance
  resource_ids:
    description: IDs of the resources. Maintenance windows and patch baselines can also be given by name.
    type: list
    elements: str
    required: true
  tags:
    description:
      - Tags to set, or to remove with O(state=absent). A tag is removed only if it has the given value; an empty
        value matches any value.
      - Keys that begin with C(aws:) are reserved for AWS.
      - Systems Manager allows only letters, digits, spaces, dots, colons, slashes and C(=+-@_), so a tag value cannot
        be a cron expression. EC2 allows any character.
    type: dict
    required: true
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that are not in O(tags).
    type: bool
    default: false
  state:
    description: V(present) sets the tags, V(absent) removes them.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Add an EC2 instance and a hybrid node to a patch group
  patchtide.hybrid.ssm_resource_tags:
    resource_ids: [i-0123456789abcdef0, mi-0123456789abcdef0]
    tags:
      Patch Group: web-prod
      Maintenance Window: first-tuesday

- name: Set a tag value that only EC2 allows
  patchtide.hybrid.ssm_resource_tags:
    resource_ids: [i-0123456789abcdef0]
    tags:
      Maintenance Window: cron(30 23 ? * TUE#1 *)

- name: Remove the nodes from their patch group
  patchtide.hybrid.ssm_resource_tags:
    resource_ids: [i-0123456789abcdef0, mi-0123456789abcdef0]
    tags:
      Patch Group: ""
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    resources:
      description: Tags by resource ID after the run, as predicted in check mode.
      returned: always
      type: dict
      sample:
        mi-0123456789abcdef0: {Patch Group: web-prod}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.resource_tags import SsmResourceTags
from ..module_utils._core.ssm.resource_tags import RESOURCE_TYPES, ResourceTagsNoun

SPEC = {
    **STATE,
    "resource_type": {"type": "str", "choices": list(RESOURCE_TYPES), "default": "ManagedInstance"},
    "resource_ids": {"type": "list", "elements": "str", "required": True},
    "tags": {"type": "dict", "required": True, "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": False},
}


def main() -> None:
    module = aws_module(SPEC)

    def make(sessions, place):
        client = sessions.client("ssm", place)
        port = SsmResourceTags(client, lambda: sessions.client("ec2", place), module.params["resource_type"])
        return ResourceTagsNoun(port, module.params)

    run_noun(
        module, "resources", make, f"tags of {len(module.params['resource_ids'])} {module.params['resource_type']}"
    )


if __name__ == "__main__":
    main()
