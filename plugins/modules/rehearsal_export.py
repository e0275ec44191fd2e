#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rehearsal_export
short_description: Export nodes and their missing patches for a rehearsal
version_added: 0.1.0
description:
  - Reads the patch states and missing patches of all nodes in the inventory that Systems Manager manages, and writes
    them with their tags and states into one file. It only reads, sends no commands, and connects to no host.
  - The rehearsal (C(make rehearse) or C(python -m lab.rehearse)) loads the file into a simulated AWS and runs a policy
    on it.
  - The service does not tell release dates, sizes, or which patches need a reboot. The rehearsal takes all missing
    patches as released 30 days ago, and kernels, C libraries and all Windows updates as in need of a reboot.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - Hosts reached over SSH are not exported, because the rehearsal cannot patch them.
attributes:
  check_mode:
    description: Reads everything and writes no file.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: The time of the export and new pseudonyms make every file different.
    support: none
options:
  dest:
    description: The file to write, readable by its owner only.
    type: path
    required: true
  policy:
    description: The policy, as RV(patchtide.hybrid.policy_info#module:policy).
    type: dict
    required: true
  pseudonyms:
    description:
      - Whether to replace names and IDs of nodes and owners, and to omit tags that the policy does not read.
      - Account numbers, Regions, patch groups, windows, applications and environments remain, because policies name
        them.
    type: bool
    default: false
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Read the policy
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Export the estate
  patchtide.hybrid.rehearsal_export:
    dest: estate.yml
    policy: "{{ policy.policy }}"
    pseudonyms: true
"""

RETURN = r"""
nodes:
  description: Number of nodes in the file.
  returned: success
  type: int
  sample: 412
never_scanned:
  description:
    - Nodes without a patch state. In the file they lack every patch that others of their system are missing.
    - If it equals RV(nodes), a rehearsal has nothing to install until the nodes are scanned and exported again.
  returned: success
  type: int
  sample: 3
left_out:
  description: Number of nodes that are not in the file, by reason.
  returned: success
  type: dict
  sample: {"reached by the executor linux, which the rehearsal has no hosts for": 12}
failed_places:
  description: Account-Regions that failed, with C(place) and C(error).
  returned: always
  type: list
  elements: dict
  sample: []
"""
