#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_probe
short_description: Run host probes on managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Runs a script on nodes in many accounts and Regions that reports free disk space, pending reboots, package manager
    locks, repositories, failed units, load, kernels, boot ID and agent state.
  - Checks each node against O(thresholds). The outcome of a node is V(pass) or V(skip).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
  - patchtide.hybrid.stage
  - patchtide.hybrid.rollout_step.thresholds
options:
  endpoints:
    description:
      - C(https://) addresses that are tried, at most 8. Any answer of HTTP counts, because an endpoint refuses what
        is not signed only after TLS.
      - C({region}) in an address is the Region of the node.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Sends no commands.
    support: full
  diff_mode:
    description: Not applicable.
    support: none
  idempotent:
    description: Only reads the nodes.
    support: full
"""

EXAMPLES = r"""
- name: Find nodes that would be skipped
  patchtide.hybrid.ssm_probe:
    hosts: "{{ groups['all'] }}"
    thresholds:
      disk: {"/": 2048, "C:": 8192}
      pending_reboot: skip_node
  register: probe
"""

RETURN = r"""
counts:
  description: Number of nodes by outcome.
  returned: always
  type: dict
  sample: {pass: 11, skip: 1}
results:
  description: One record per node, with C(ways) if O(endpoints) is set.
  returned: always
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      outcome: skip
      findings: [{check: disk, ok: false, text: "/ has 40 MB free, 1024 MB are needed"}]
      facts: {kernel: 6.1.134, boot_id: 1c9d}
failed_places:
  description: Account-Regions in which no command could be sent, with C(place), C(account), C(region) and C(error).
  returned: always
  type: list
  elements: dict
due:
  description: IDs of the nodes that the task would work on, in check mode. Otherwise empty.
  returned: always
  type: list
  elements: str
"""
