#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_instance_role
short_description: Ensure that EC2 instances have a role for AWS Systems Manager
version_added: 0.1.0
description:
  - Attaches an instance profile to instances that have none. An existing instance profile is kept.
  - Attaches a managed policy to roles that lack permissions for Systems Manager. This affects all instances with such
    a role.
  - Permissions are evaluated from the attached and inline policies of the role. Permissions boundaries and
    organization policies are not evaluated. A statement with a condition counts if it allows the action.
  - The agent detects a new instance profile within 30 minutes, or when it is restarted.
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
    description: IDs of the instances. Without it, all instances that are not terminated and match O(filters).
    type: list
    elements: str
  filters:
    description:
      - Filters of C(DescribeInstances), each with one value or a list of values, such as V(tag:Patch Group) or
        V(vpc-id).
      - At least one of O(instance_ids) and O(filters) is required. With both, an instance must match both.
    type: dict
  instance_profile:
    description:
      - Name of the instance profile for instances that have none. It must contain a role.
      - Required only if there are such instances.
    type: str
  policy_arn:
    description:
      - ARN of the managed policy to attach to roles that lack permissions.
      - Defaults to V(AmazonSSMManagedInstanceCore) in the partition of the Region.
    type: str
  required_actions:
    description:
      - Actions that a role must allow.
      - Defaults to the actions that the agent needs to register, run commands, patch and report.
    type: list
    elements: str
"""

EXAMPLES = r"""
- name: Ensure that an instance can be managed
  patchtide.hybrid.ssm_instance_role:
    instance_ids: [i-0123456789abcdef0]
    instance_profile: patchtide-node

- name: Ensure that all instances with a patch group can be managed, in two Regions
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
      description: Instance profile and role by instance ID after the run, as predicted in check mode.
      returned: always
      type: dict
      contains:
        missing_actions:
          description: Actions that the role lacks. Empty after the run.
          returned: always
          type: list
          elements: str
        added_policy:
          description: ARN of the policy that this run attached to the role, or would attach in check mode.
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
