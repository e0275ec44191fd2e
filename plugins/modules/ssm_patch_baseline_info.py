#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_baseline_info
short_description: Gather information about AWS Systems Manager patch baselines
version_added: 0.1.0
description:
  - Returns patch baselines with their rules, tags and patch groups and, for Windows, the patches that they approve.
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
    description: Names or IDs of the baselines. Without this and O(prefix), all baselines.
    type: list
    elements: str
  prefix:
    description: Return only baselines whose names begin with this prefix.
    type: str
  owner:
    description: Owner of the baselines.
    type: str
    choices: [self, aws, all]
    default: self
  operating_systems:
    description: Return only baselines for these operating systems, such as V(WINDOWS) or V(AMAZON_LINUX_2023).
    type: list
    elements: str
    default: []
  default:
    description:
      - V(true) returns only baselines that are the default of their operating system, V(false) only those that are
        not.
    type: bool
  effective_patches:
    description:
      - Whether to return the patches that each baseline currently approves. Supported by the service for Windows
        only.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: List our own baselines
  patchtide.hybrid.ssm_patch_baseline_info:
  register: own

- name: List the default baseline of each operating system
  patchtide.hybrid.ssm_patch_baseline_info:
    owner: all
    default: true
  register: defaults

- name: List the patches that a Windows baseline approves
  patchtide.hybrid.ssm_patch_baseline_info:
    names: [contoso-windows]
    effective_patches: true
  register: windows
"""

RETURN = r"""
patch_baselines:
  description:
    - Baselines as returned by M(patchtide.hybrid.ssm_patch_baseline), with their owner and effective patches.
  returned: always
  type: list
  elements: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      name: contoso-windows
      baseline_id: pb-0123456789abcdef0
      owner: self
      operating_system: WINDOWS
      is_default: false
      patch_groups: [win-prod]
      created_at: "2026-10-01T09:00:00Z"
      modified_at: "2026-10-02T09:00:00Z"
      tags: {}
      effective_patches:
        - id: KB5031364
          kb_number: KB5031364
          deployment_status: APPROVED
          compliance_level: CRITICAL
          approval_date: "2026-10-17T00:00:00Z"
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.baselines_info import BaselineReader

STRINGS = {"type": "list", "elements": "str"}
SPEC = {
    "names": STRINGS,
    "prefix": {"type": "str"},
    "owner": {"type": "str", "choices": ["self", "aws", "all"], "default": "self"},
    "operating_systems": {**STRINGS, "default": []},
    "default": {"type": "bool"},
    "effective_patches": {"type": "bool", "default": False},
}


def main() -> None:
    module = aws_module(SPEC)

    def read(sessions, place):
        return BaselineReader(sessions.client("ssm", place)).read(module.params)

    run_info(module, "patch_baselines", read)


if __name__ == "__main__":
    main()
