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
  - Runs C(AWS-RunPatchBaseline) on nodes of many accounts and Regions concurrently, with up to 50 nodes per command,
    and waits for all of them. The number of tasks and forks does not depend on the number of nodes.
  - An install does not reboot nodes. Reboots are a separate stage after the install, see
    M(patchtide.hybrid.ssm_reboot).
  - The outcome of a node follows from its patch state, never from the status of the command alone. A command can end as
    C(Success) although nodes were not reached, and as C(Failed) although everything was installed.
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
    description: Sends no command. An install is reported as a change, a scan is not.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: In a rollout, each node is installed once. Outside of a rollout, every run installs.
    support: partial
options:
  operation:
    description: V(Scan) lists missing patches, V(Install) installs the patches that the node's patch baseline approves.
    type: str
    choices: [Scan, Install]
    required: true
  snapshot_id:
    description: Id (a GUID) of a patch baseline snapshot that all nodes use. A snapshot is valid for three days.
    type: str
"""

EXAMPLES = r"""
- name: Scan all nodes of the inventory that Systems Manager manages
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
  description: Number of nodes by status.
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
      description: Id of the node.
      type: str
    status:
      description: V(succeeded), V(failed), V(unreachable), V(timed_out) or V(cancelled).
      type: str
    counts:
      description: Counts of the node's patch state in SSM.
      type: dict
    missing:
      description: Missing patches, after a scan.
      type: list
      elements: dict
    missing_after:
      description: Ids of the missing patches.
      type: list
      elements: str
    failed:
      description: Ids of patches that failed to install.
      type: list
      elements: str
    pending_reboot:
      description: Whether installed patches need a reboot.
      type: bool
    evidence:
      description: Command id and account-Region.
      type: dict
    error:
      description: Reason why the node did not succeed.
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
  description: Account-Regions where no command could be sent, with the reason.
  returned: outside of a rollout
  type: list
  elements: dict
open_nodes:
  description: Ids of nodes with missing patches or a pending reboot.
  returned: outside of a rollout
  type: list
  elements: str
due:
  description: Ids of the nodes that are due.
  returned: in check mode
  type: list
  elements: str
"""
