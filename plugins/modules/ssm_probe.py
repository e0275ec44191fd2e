#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_probe
short_description: Look at many managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Runs one script on nodes of many accounts and Regions. It prints free disk space, pending reboot, package
    manager lock, repositories, failed units, load, kernels, boot id and the agent's state.
  - With O(purpose=precheck) each node is judged against O(thresholds) and passes or is held back.
  - With O(purpose=verify) each node of the wave gets its final record, from its state after the work.
  - In a rollout the services that run before the work must run after it. The first look keeps their list on the node
    (on Linux in C(/var/lib/patchtide/services), for root alone; on Windows under C(HKLM:\SOFTWARE\patchtide)). The
    last one waits up to a minute, on Windows three, for those that are down, and takes the list away when none is.
    Counted are services that start with the system and keep running; not one-shots, services of a session, or those
    that are started on demand.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
  - patchtide.hybrid.stage
attributes:
  check_mode:
    description: Sends nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: It only reads the nodes, apart from the list of services that it keeps there.
    support: full
options:
  purpose:
    description: What the look is for. V(verify) only in a rollout.
    type: str
    choices: [precheck, verify]
    default: precheck
  thresholds:
    description: The C(prechecks) of the policy. What is not given has the policy's defaults.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Who would be held back?
  patchtide.hybrid.ssm_probe:
    hosts: "{{ groups['all'] }}"
    thresholds:
      disk: {"/": 2048, "C:": 8192}
      pending_reboot: skip_node
  register: probe
"""

RETURN = r"""
counts:
  description: How many nodes pass, are held, or ended how.
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
