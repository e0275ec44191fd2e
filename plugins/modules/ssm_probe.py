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
  - With O(purpose=precheck), each node is checked against O(thresholds) and passes or is skipped.
  - With O(purpose=verify), each node of the wave receives its final record, based on its state after the work.
  - In a rollout, services that ran before the work must run after it. The first probe stores the list of services on
    the node (Linux in C(/var/lib/patchtide/services), readable by root only; Windows in C(HKLM:\SOFTWARE\patchtide)).
    The last probe waits up to one minute (Windows three minutes) for services that are down, and deletes the list if
    all of them run. The list contains services that start with the system and keep running. It excludes one-shot
    services, session services and services that are started on demand.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; independently of the host of the play. Progress is shown immediately.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
  - patchtide.hybrid.stage
attributes:
  check_mode:
    description: Sends no commands.
    support: full
  diff_mode:
    description: Not applicable.
    support: none
  idempotent:
    description: Only reads the nodes, except for the list of services that it stores on them.
    support: full
options:
  purpose:
    description: Purpose of the probe. V(verify) is supported only in a rollout.
    type: str
    choices: [precheck, verify]
    default: precheck
  thresholds:
    description: Checks as in C(prechecks) of the policy. Members that are not set have the defaults of the policy.
    type: dict
    default: {}
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
