#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_group
short_description: Register patch groups with patch baselines in AWS Systems Manager
version_added: 0.1.0
description:
  - Registers a patch group with patch baselines, one per operating system.
  - A patch group exists only through these registrations. For an operating system without a registration, Systems
    Manager uses the default baseline.
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
      - Name of the patch group, which is the value of the tag C(Patch Group) or C(PatchGroup) of the nodes, 1 to 256
        characters.
    type: str
    required: true
  state:
    description:
      - V(present) registers the group with O(baselines), V(absent) deregisters it from them, or from all baselines if
        they are not set.
    type: str
    choices: [present, absent]
    default: present
  baselines:
    description:
      - Names or IDs of baselines, your own or AWS-owned, at most one per operating system. Required for
        O(state=present).
      - Names are looked up in each account-Region separately.
      - In check mode, a baseline that does not exist yet is assumed to exist.
    type: list
    elements: str
  rebind:
    description:
      - Whether to deregister the group from another baseline for the same operating system.
      - Without it, such a registration is an error that names the other baseline.
    type: bool
    default: false
  purge_baselines:
    description: Whether to deregister the group from baselines that are not in O(baselines).
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Register the production web servers with two baselines
  patchtide.hybrid.ssm_patch_group:
    name: web-prod
    baselines: [contoso-al2023, contoso-windows]

- name: Move the group to another Windows baseline
  patchtide.hybrid.ssm_patch_group:
    name: web-prod
    baselines: [contoso-windows-fast]
    rebind: true

- name: Return the group to the default baselines
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
      description: State of the group with its baselines after the run, predicted in check mode; empty if it has none.
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

from ..module_utils._ansible.patch_objects import PATCH_GROUP
from ..module_utils._ansible.run import aws_module, run_kind

SPEC = PATCH_GROUP.spec


def main() -> None:
    run_kind(aws_module(SPEC, **PATCH_GROUP.rules), PATCH_GROUP)


if __name__ == "__main__":
    main()
