#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_group
short_description: Bind patch groups to patch baselines of AWS Systems Manager
version_added: 0.1.0
description:
  - Says which patch baseline the nodes of a patch group get, one per operating system.
  - A patch group exists only as these bindings. For an operating system without one SSM silently takes the
    default baseline.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  name:
    description:
      - Name of the patch group, the value of the nodes' tag C(Patch Group) or C(PatchGroup). 1 to 256
        characters.
    type: str
    required: true
  state:
    description:
      - V(present) binds the group to O(baselines), V(absent) unbinds it from them, or from all where they are
        not given.
    type: str
    choices: [present, absent]
    default: present
  baselines:
    description:
      - Baselines by name or id, your own or AWS-owned, at most one per operating system. Required for
        O(state=present).
      - Names are looked up in every account-Region apart.
      - In check mode a baseline that does not exist yet is taken as one that will.
    type: list
    elements: str
  rebind:
    description:
      - Whether a group that is bound to another baseline for the same operating system is taken away from it.
      - Without it that is an error which names the other baseline.
    type: bool
    default: false
  purge_baselines:
    description: Whether bindings to baselines that O(baselines) does not name are removed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Production web servers get these baselines
  patchtide.hybrid.ssm_patch_group:
    name: web-prod
    baselines: [contoso-al2023, contoso-windows]

- name: Move the group to another Windows baseline
  patchtide.hybrid.ssm_patch_group:
    name: web-prod
    baselines: [contoso-windows-fast]
    rebind: true

- name: Back to the defaults
  patchtide.hybrid.ssm_patch_group:
    name: web-prod
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    patch_group:
      description: The group with its baselines as they are, or would be in check mode; empty when it has none.
      returned: always
      type: dict
      sample:
        name: web-prod
        baselines:
          - name: contoso-al2023
            operating_system: AMAZON_LINUX_2023
            baseline_id: pb-0123456789abcdef0
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.patch_groups import SsmPatchGroups
from ..module_utils._core.ssm.patch_groups import PatchGroupNoun

SPEC = {
    **STATE,
    "name": {"type": "str", "required": True},
    "baselines": {"type": "list", "elements": "str"},
    "rebind": {"type": "bool", "default": False},
    "purge_baselines": {"type": "bool", "default": False},
}


def main() -> None:
    module = aws_module(SPEC, required_if=[("state", "present", ["baselines"])])

    def make(sessions, place):
        return PatchGroupNoun(SsmPatchGroups(sessions.client("ssm", place)), module.params)

    run_noun(module, "patch_group", make, f"patch group {module.params['name']}")


if __name__ == "__main__":
    main()
