#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_activation
short_description: Manage hybrid activations in AWS Systems Manager
version_added: 0.1.0
description:
  - Creates and deletes hybrid activations. Machines outside EC2 use the ID and code of an activation to register as
    managed nodes.
  - Activations have no names, so the module identifies them by O(description).
  - An activation that is usable and matches the options is kept. An activation that has expired, is used up, or has
    different options is replaced, because the service cannot change it; the diff shows this.
  - The activation code is returned only by the run that creates the activation. Set C(no_log) on the task to keep it
    out of logs.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  description:
    description: Description of the activation, 1 to 256 characters.
    type: str
    required: true
  state:
    description:
      - V(present) ensures that a usable activation exists, V(absent) deletes all activations with O(description).
    type: str
    choices: [present, absent]
    default: present
  iam_role:
    description: Name of the IAM role that Systems Manager assigns to the nodes. Required for a new activation.
    type: str
  default_instance_name:
    description: Name that the nodes receive, at most 256 characters.
    type: str
  registration_limit:
    description:
      - Number of nodes that can register with the activation, 1 to 1000. Defaults to V(1) for a new activation.
    type: int
  valid_hours:
    description:
      - Hours during which a new activation can be used, 1 to 720. The expiry of an existing activation is not
        changed.
    type: int
    default: 24
  tags:
    description: Tags of the activation and of the nodes that register with it, such as C(Patch Group).
    type: dict
    aliases: [resource_tags]
  registration_metadata:
    description: Reserved for internal use by the service. Sent only for a new activation.
    type: dict
  renew:
    description: Whether to replace an activation that is usable and matches the options, to obtain a code.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Let ten machines register within a day, tagged with their patch group
  patchtide.hybrid.ssm_activation:
    description: plant machines of November
    iam_role: service-role/AmazonEC2RunCommandRoleForManagedInstances
    registration_limit: 10
    tags:
      Patch Group: PLANT-PROD
  register: activation
  no_log: true

- name: Delete the activation
  patchtide.hybrid.ssm_activation:
    description: plant machines of November
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    activation:
      description: State of the activation after the run, predicted in check mode; empty if it is absent.
      returned: always
      type: dict
      contains:
        activation_code:
          description: Activation code, returned only by the run that creates the activation.
          returned: when created
          type: str
          sample: 4Xu7mvWnyuM5zfcLzFda
      sample:
        description: plant machines of November
        iam_role: service-role/AmazonEC2RunCommandRoleForManagedInstances
        default_instance_name: ""
        registration_limit: 10
        registrations: 0
        created_at: "2026-11-21T06:00:00Z"
        expires_at: "2026-11-22T06:00:00Z"
        expired: false
        tags: {Patch Group: PLANT-PROD}
        activation_id: ab1e0000-0000-4000-8000-000000000000
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.activations import SsmActivations
from ..module_utils._core.ssm.activations import ActivationNoun

SPEC = {
    **STATE,
    "description": {"type": "str", "required": True},
    "iam_role": {"type": "str"},
    "default_instance_name": {"type": "str"},
    "registration_limit": {"type": "int"},
    "valid_hours": {"type": "int", "default": 24},
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "registration_metadata": {"type": "dict"},
    "renew": {"type": "bool", "default": False},
}


def main() -> None:
    module = aws_module(SPEC)

    def make(sessions, place):
        port = SsmActivations(sessions.client("ssm", place), sessions.client("ssm", place, retry=False))
        return ActivationNoun(port, module.params, find_clock().now())

    run_noun(module, "activation", make, f"activation {module.params['description']}")


if __name__ == "__main__":
    main()
