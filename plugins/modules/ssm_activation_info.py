#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_activation_info
short_description: Gather information about AWS Systems Manager hybrid activations
version_added: 0.1.0
description:
  - Returns hybrid activations, including how many nodes have registered with them. Activation codes cannot be read.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  description:
    description: Return only activations with this description.
    type: str
  usable:
    description:
      - V(true) returns only activations that machines can still register with, V(false) only those that they cannot.
    type: bool
"""

EXAMPLES = r"""
- name: List the activations that machines can register with
  patchtide.hybrid.ssm_activation_info:
    usable: true
  register: activations
"""

RETURN = r"""
activations:
  description: Activations as returned by M(patchtide.hybrid.ssm_activation), without the code.
  returned: always
  type: list
  elements: dict
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.activations import SsmActivations

SPEC = {"description": {"type": "str"}, "usable": {"type": "bool"}}


def main() -> None:
    module = aws_module(SPEC)
    description, usable = module.params["description"], module.params["usable"]

    def read(sessions, place):
        found = SsmActivations(sessions.client("ssm", place)).read()
        return [item for item in found if description in (None, item.description) and usable in (None, item.is_usable)]

    run_info(module, "activations", read)


if __name__ == "__main__":
    main()
