#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_probe
short_description: Collect the state of managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Runs the host probe, a read-only script, on nodes of many accounts and Regions. It reports free disk space, pending
    reboot, package manager lock, repositories, failed units, load, kernels, boot id and the state of the agent.
  - With O(purpose=precheck), each node is checked against O(thresholds) and passes or is skipped.
  - With O(purpose=verify), each node of the wave gets its final record from its state after the work.
  - In a rollout, services that run before the work must run after it. The first host probe stores their list on the
    node (on Linux in C(/var/lib/patchtide/services), readable by root only; on Windows under
    C(HKLM:\SOFTWARE\patchtide)). The last one waits up to one minute, on Windows three minutes, for services that are
    down, and removes the list if none is. Only services that start with the system and keep running count, not
    one-shot, session or on-demand services.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play. Progress lines are displayed while it
    runs.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
  - patchtide.hybrid.stage
attributes:
  check_mode:
    description: Sends no command.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Only reads from the nodes, except for the list of services that it stores there.
    support: full
options:
  purpose:
    description: Purpose of the host probe. V(verify) is available only in a rollout.
    type: str
    choices: [precheck, verify]
    default: precheck
  thresholds:
    description: The C(prechecks) of the policy. Missing keys have the same defaults as in the policy.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: List the nodes that would be skipped
  patchtide.hybrid.ssm_probe:
    hosts: "{{ groups['all'] }}"
    thresholds:
      disk: {"/": 2048, "C:": 8192}
      pending_reboot: skip_node
  register: probe
"""

RETURN = r"""
counts:
  description: Number of nodes by outcome (C(pass), C(skip)) or by status.
  returned: always
  type: dict
  sample: {pass: 11, skip: 1}
results:
  description: One record per node.
  returned: outside of a rollout
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      outcome: skip
      findings: [{check: disk, ok: false, text: "/ has 40 MB free, 1024 MB are needed"}]
      facts: {kernel: 6.1.134, boot_id: 1c9d}
"""
