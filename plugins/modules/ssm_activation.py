#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_activation
short_description: Manage hybrid activations of AWS Systems Manager
version_added: 0.1.0
description:
  - Creates and deletes activations, with whose id and code machines outside EC2 register as managed nodes.
  - The service gives activations no name, so one is found by its description.
  - A usable activation that fits is left alone. One that is expired or used up is replaced, and so is one whose
    options differ,
    because the service can't change it; the diff says so.
  - The code comes back only from the run that creates the activation. Keep it out of logs with C(no_log) on the task.
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
    description: V(present) makes sure that there is a usable one, V(absent) deletes all with that description.
    type: str
    choices: [present, absent]
    default: present
  iam_role:
    description: Name of the role that SSM gives the nodes. Needed for a new activation.
    type: str
  default_instance_name:
    description: Name that the nodes get, at most 256 characters.
    type: str
  registration_limit:
    description: How many nodes may use it, 1 to 1000; V(1) for a new one.
    type: int
  valid_hours:
    description:
      - Hours that a new activation can be used, 1 to 720. The running time of an existing one is not changed.
    type: int
    default: 24
  tags:
    description: Tags of the activation and of the nodes that register with it, such as C(Patch Group).
    type: dict
    aliases: [resource_tags]
  registration_metadata:
    description: Reserved for internal use of the service, as its documentation says. Only sent for a new activation.
    type: dict
  renew:
    description: Whether a usable activation that fits is replaced as well, to get a code.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Ten machines may register within a day, born into their patch group
  patchtide.hybrid.ssm_activation:
    description: plant machines of November
    iam_role: service-role/AmazonEC2RunCommandRoleForManagedInstances
    registration_limit: 10
    tags:
      Patch Group: PLANT-PROD
  register: activation
  no_log: true

- name: Nobody may any more
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
      description: The activation as it is, or would be in check mode; empty when it is absent.
      returned: always
      type: dict
      contains:
        activation_code:
          description: The code, only from the run that created the activation.
          returned: when it was created
          type: str
          sample: 4Xu7mvWnyuM5zfcLzFda
      sample:
        description: plant machines of November
        iam_role: service-role/AmazonEC2RunCommandRoleForManagedInstances
        default_instance_name: ""
        registration_limit: 10
        registrations: 0
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
