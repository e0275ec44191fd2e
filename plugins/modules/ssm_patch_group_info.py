#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_group_info
short_description: Gather information about AWS Systems Manager patch groups
version_added: 0.1.0
description:
  - Returns the baselines that patch groups are registered with and, on request, the default baselines that apply
    instead.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  names:
    description: Names of the patch groups. Without this and O(prefix), all that are registered with a baseline.
    type: list
    elements: str
  prefix:
    description: Return only patch groups whose names begin with this prefix.
    type: str
  operating_systems:
    description:
      - Operating systems for which to return a baseline even if the group is not registered for them. C(is_fallback)
        marks default baselines.
    type: list
    elements: str
    default: []
  state_counts:
    description: Whether to count the nodes of each group by patch state.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Return the baselines of a patch group for Windows and Ubuntu
  patchtide.hybrid.ssm_patch_group_info:
    names: [web-prod]
    operating_systems: [WINDOWS, UBUNTU]
    state_counts: true
  register: groups
"""

RETURN = r"""
patch_groups:
  description: Patch groups, sorted by name.
  returned: always
  type: list
  elements: dict
  contains:
    name:
      description: Name of the group.
      type: str
    baselines:
      description: Baselines by operating system. The name of a default baseline is empty.
      type: list
      elements: dict
      sample:
        - operating_system: UBUNTU
          baseline_id: pb-0123456789abcdef0
          name: contoso-ubuntu
          description: Ubuntu in production
          is_default: false
          is_fallback: false
        - operating_system: WINDOWS
          baseline_id: arn:aws:ssm:eu-central-1:280605243866:patchbaseline/pb-09ca3fb51f0412ec3
          name: ""
          description: ""
          is_default: true
          is_fallback: true
    state_counts:
      description: Number of nodes by patch state.
      returned: if O(state_counts=true)
      type: dict
      sample: {instances: 4, instances_with_missing_patches: 2}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.baselines_info import PatchGroupReader

STRINGS = {"type": "list", "elements": "str"}
SPEC = {
    "names": STRINGS,
    "prefix": {"type": "str"},
    "operating_systems": {**STRINGS, "default": []},
    "state_counts": {"type": "bool", "default": False},
}


def main() -> None:
    module = aws_module(SPEC)

    def read(sessions, place):
        return PatchGroupReader(sessions.client("ssm", place)).read(module.params)

    run_info(module, "patch_groups", read)


if __name__ == "__main__":
    main()
