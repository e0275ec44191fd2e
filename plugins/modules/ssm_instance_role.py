#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_instance_role
short_description: Make sure that EC2 instances have a role with which Systems Manager manages them
version_added: 0.1.0
description:
  - Gives instances without instance profile one. An instance that has a profile keeps it.
  - Gives roles that lack permissions for Systems Manager a managed policy with them. All instances with such a role
    profit.
  - Whether a role lacks permissions is told from its policies, attached and inline. A permissions boundary and
    policies of the organization are not looked at. A statement under a condition counts where it allows.
  - The agent notices a new profile within half an hour, or when it is restarted.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  instance_ids:
    description: Instances by their ids. All that are not terminated where it is not given.
    type: list
    elements: str
  filters:
    description:
      - Filters of C(DescribeInstances) with a value or a list of values, such as V(tag:Patch Group) or V(vpc-id).
      - One of O(instance_ids) and O(filters) is needed, with both an instance must fit both.
    type: dict
  instance_profile:
    description:
      - Name of the instance profile for instances that have none. It must hold a role.
      - Needed only if there is such an instance.
    type: str
  policy_arn:
    description:
      - Managed policy to attach to roles that lack permissions.
      - V(AmazonSSMManagedInstanceCore) of the Region's partition where it is not given.
    type: str
  required_actions:
    description:
      - Actions that a role must allow.
      - What the agent needs to register, take commands, patch and report where it is not given.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: A new instance is managed
  patchtide.hybrid.ssm_instance_role:
    instance_ids: [i-0123456789abcdef0]
    instance_profile: patchtide-node

- name: No instance with a patch group is left out, in two Regions
  patchtide.hybrid.ssm_instance_role:
    regions: [eu-central-1, us-east-1]
    filters:
      tag-key: [Patch Group, PatchGroup]
    instance_profile: patchtide-node
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    instance_roles:
      description: What each instance has, or would have in check mode, by its id.
      returned: always
      type: dict
      contains:
        missing_actions:
          description: Actions that the role lacked; only before, so empty.
          returned: always
          type: list
          elements: str
        added_policy:
          description: The policy that its role got from this run, or would get.
          returned: always
          type: str
          sample: arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore
      sample:
        i-0123456789abcdef0:
          instance_id: i-0123456789abcdef0
          instance_profile: patchtide-node
          role: patchtide-node
          missing_actions: []
          added_policy: ""
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._aws.instance_roles import Ec2InstanceRoles
from ..module_utils._core.ssm.instance_roles import InstanceRolesNoun

SPEC = {
    "instance_ids": {"type": "list", "elements": "str"},
    "filters": {"type": "dict"},
    "instance_profile": {"type": "str"},
    "policy_arn": {"type": "str"},
    "required_actions": {"type": "list", "elements": "str"},
}


def main() -> None:
    module = aws_module(SPEC, required_one_of=[("instance_ids", "filters")])

    def make(sessions, place):
        port = Ec2InstanceRoles(sessions.client("ec2", place), sessions.client("iam", place))
        return InstanceRolesNoun(port, module.params, place.region)

    run_noun(module, "instance_roles", make, "roles of EC2 instances")


if __name__ == "__main__":
    main()
