#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_managed_node
short_description: Manage hybrid nodes in AWS Systems Manager
version_added: 0.1.0
description:
  - Changes the IAM role of hybrid nodes (C(mi-)) or deregisters them.
  - This module does not register nodes. To do so, create an activation with M(patchtide.hybrid.ssm_activation) and
    register the agent on the machine.
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
    description: IDs of the hybrid nodes.
    type: list
    elements: str
    required: true
  iam_role:
    description: Name of the IAM role of the nodes, at most 64 characters. Required for O(state=present).
    type: str
  state:
    description:
      - V(present) assigns O(iam_role) to registered nodes, V(absent) deregisters them.
      - A deregistered node must be registered again before Systems Manager can manage it.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Assign a role that can write to the log bucket
  patchtide.hybrid.ssm_managed_node:
    instance_ids: [mi-0123456789abcdef0]
    iam_role: PatchtideHybridNode

- name: Deregister a node
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
      description: IAM role of each registered node by node ID after the run, as predicted in check mode.
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
