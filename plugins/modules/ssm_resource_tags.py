#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_resource_tags
short_description: Manage tags of many resources of AWS Systems Manager at once
version_added: 0.1.0
description:
  - Sets and removes tags of resources of one type, such as the tag C(Patch Group) of many managed nodes.
  - Managed nodes on EC2 (C(i-)) carry their tags in EC2, all others (C(mi-)) in SSM. The module serves both,
    also mixed.
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
    description:
      - Resources by their ids. Maintenance windows and patch baselines can be given by name as well.
    type: list
    elements: str
    required: true
  tags:
    description:
      - Tags to set, or with O(state=absent) to remove. A tag is removed only if it has the value given, an
        empty one stands for any.
      - Keys that begin with C(aws:) belong to AWS.
      - SSM allows letters, digits, spaces, dots, colons, slashes and the signs C(=+-@_) only, so a cron
        expression is no tag value there.
        EC2 allows any character.
    type: dict
    required: true
    aliases: [resource_tags]
  purge_tags:
    description: Whether tags that O(tags) does not name are removed. Off by default, since others tag nodes as well.
    type: bool
    default: false
  state:
    description: V(present) sets the tags, V(absent) removes them.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Two nodes, one on EC2 and one elsewhere, join a patch group
  patchtide.hybrid.ssm_resource_tags:
    resource_ids: [i-0123456789abcdef0, mi-0123456789abcdef0]
    tags:
      Patch Group: web-prod
      Maintenance Window: first-tuesday

- name: EC2 takes any character, SSM does not
  patchtide.hybrid.ssm_resource_tags:
    resource_ids: [i-0123456789abcdef0]
    tags:
      Maintenance Window: cron(30 23 ? * TUE#1 *)

- name: They leave it, whatever it was
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
      description: Tags of each resource, by its id, as they are or would be in check mode.
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
