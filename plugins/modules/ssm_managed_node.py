#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_managed_node
short_description: Manage the role and the registration of hybrid nodes of AWS Systems Manager
version_added: 0.1.0
description:
  - Gives hybrid nodes (C(mi-)) another role, or takes them out of SSM.
  - A machine becomes a node with M(patchtide.hybrid.ssm_activation) and the agent's own registration; this
    module can't do that.
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
    description: Hybrid nodes by their ids.
    type: list
    elements: str
    required: true
  iam_role:
    description: Name of the role that the nodes shall have, at most 64 characters.
    type: str
  state:
    description:
      - V(present) gives registered nodes O(iam_role), V(absent) deregisters them.
      - A deregistered node must register again; its agent goes on asking in vain until then.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: A role that may write to the log bucket
  patchtide.hybrid.ssm_managed_node:
    instance_ids: [mi-0123456789abcdef0]
    iam_role: PatchtideHybridNode

- name: The machine was scrapped
  patchtide.hybrid.ssm_managed_node:
    instance_ids: [mi-0123456789abcdef0]
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    managed_nodes:
      description: Role of each node that is registered, by its id, as it is or would be in check mode.
      returned: always
      type: dict
      sample:
        mi-0123456789abcdef0: PatchtideHybridNode
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.managed_nodes import SsmManagedNodes
from ..module_utils._core.ssm.managed_nodes import ManagedNodesNoun

SPEC = {
    **STATE,
    "instance_ids": {"type": "list", "elements": "str", "required": True},
    "iam_role": {"type": "str"},
}


def main() -> None:
    module = aws_module(SPEC, required_if=[("state", "present", ["iam_role"])])

    def make(sessions, place):
        return ManagedNodesNoun(SsmManagedNodes(sessions.client("ssm", place)), module.params)

    run_noun(module, "managed_nodes", make, f"{len(module.params['instance_ids'])} managed nodes")


if __name__ == "__main__":
    main()
