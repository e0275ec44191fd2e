#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch
short_description: Scan or patch many managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Runs C(AWS-RunPatchBaseline) on nodes of many accounts and Regions at once, 50 nodes a command, and waits for all
    of them. The number of tasks and forks does not depend on the number of nodes.
  - An install never reboots by itself. Reboots are a stage of their own, see M(patchtide.hybrid.ssm_reboot), after all
    patches are in.
  - Every node is judged by the patch state it is left in, never by the command's status alone. A command can be
    C(Success) although nodes were never reached, and C(Failed) although everything was installed.
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
    description: Sends nothing. An install is reported as a change, a scan never is.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: A rollout installs on a node once; outside of a rollout an install runs whenever it is asked for.
    support: partial
options:
  operation:
    description: V(Scan) finds out what is missing, V(Install) installs what the node's patch baseline approves.
    type: str
    choices: [Scan, Install]
    required: true
  snapshot_id:
    description: Id (a GUID) of the patch baseline snapshot, so that all nodes use the same one. It is valid for three
      days.
    type: str
"""

EXAMPLES = r"""
- name: Scan everything in the inventory that Systems Manager reaches
  patchtide.hybrid.ssm_patch:
    operation: Scan
    hosts: "{{ groups['all'] }}"
    accounts:
      - role_arn: arn:aws:iam::111111111111:role/patchtide
  register: scan

- name: Install on two nodes
  patchtide.hybrid.ssm_patch:
    operation: Install
    nodes:
      - {node_id: i-0123456789abcdef0, account: "111111111111", region: eu-central-1, platform: linux}
      - {node_id: mi-0123456789abcdef0, account: "111111111111", region: eu-central-1, platform: windows}

- name: Install on a wave of a rollout
  patchtide.hybrid.ssm_patch:
    operation: Install
    dir: /var/lib/patchtide/2026-06
    wave: canary
"""

RETURN = r"""
counts:
  description: How many nodes ended how, by status.
  returned: always
  type: dict
  sample: {succeeded: 57, unreachable: 2}
results:
  description: One record per node.
  returned: outside of a rollout
  type: list
  elements: dict
  contains:
    node_id:
      description: The node.
      type: str
    status:
      description: V(succeeded), V(failed), V(unreachable), V(timed_out) or V(cancelled).
      type: str
    counts:
      description: The node's patch state, in SSM's counts.
      type: dict
    missing:
      description: Patches that are missing, after a scan.
      type: list
      elements: dict
    missing_after:
      description: Their ids.
      type: list
      elements: str
    failed:
      description: Ids of patches that failed to install.
      type: list
      elements: str
    pending_reboot:
      description: Whether patches wait for a reboot.
      type: bool
    evidence:
      description: Command id and place.
      type: dict
    error:
      description: Why the node did not succeed.
      type: dict
  sample:
    - node_id: i-0123456789abcdef0
      status: succeeded
      counts: {missing_count: 1, failed_count: 0, installed_pending_reboot_count: 0}
      missing: [{id: "kernel.x86_64:6.1.140", title: kernel, classification: Security, severity: Important}]
      missing_after: ["kernel.x86_64:6.1.140"]
      failed: []
      pending_reboot: false
      evidence: {command_id: 86889800-2224-4c24-ab55-9b224530fd38, place: 111111111111/eu-central-1}
failed_places:
  description: Account-Regions where no command could be sent, each with the reason.
  returned: outside of a rollout
  type: list
  elements: dict
open_nodes:
  description: Ids of nodes where patches are missing or a reboot is pending.
  returned: outside of a rollout
  type: list
  elements: str
due:
  description: Ids of the nodes it would work on.
  returned: in check mode
  type: list
  elements: str
"""
