#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch
short_description: Scan or patch managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Runs C(AWS-RunPatchBaseline) on nodes in many accounts and Regions, 50 nodes per command, and waits for all of
    them. The number of tasks and forks does not depend on the number of nodes.
  - An installation never reboots a node. Use M(patchtide.hybrid.ssm_reboot) after all patches are installed.
  - The outcome of a node is determined from its patch state, not from the status of the command. A command can report
    C(Success) although nodes were never reached, and C(Failed) although all patches were installed.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
  - patchtide.hybrid.stage
attributes:
  check_mode:
    description: Sends no commands. Reports a change for V(Install), never for V(Scan).
    support: full
  diff_mode:
    description: Not applicable.
    support: none
  idempotent:
    description: Every run sends commands. An install on a node without missing patches changes nothing on the node.
    support: partial
options:
  operation:
    description:
      - V(Scan) determines missing patches, V(Install) installs the patches that the baseline of the node approves.
    type: str
    choices: [Scan, Install]
    required: true
  snapshot_id:
    description:
      - GUID of a patch baseline snapshot, so that all nodes use the same patches. A snapshot is valid for three days.
    type: str
"""

EXAMPLES = r"""
- name: Scan all hosts of the inventory that Systems Manager manages
  patchtide.hybrid.ssm_patch:
    operation: Scan
    hosts: "{{ groups['all'] }}"
    accounts:
      - role_arn: arn:aws:iam::111111111111:role/patchtide
  register: scan

- name: Install patches on two nodes
  patchtide.hybrid.ssm_patch:
    operation: Install
    nodes:
      - {node_id: i-0123456789abcdef0, account: "111111111111", region: eu-central-1, platform: linux}
      - {node_id: mi-0123456789abcdef0, account: "111111111111", region: eu-central-1, platform: windows}
"""

RETURN = r"""
counts:
  description: Number of nodes by status.
  returned: always
  type: dict
  sample: {succeeded: 57, unreachable: 2}
results:
  description: One record per node.
  returned: always
  type: list
  elements: dict
  contains:
    node_id:
      description: ID of the node.
      type: str
    status:
      description: V(succeeded), V(failed), V(unreachable), V(timed_out) or V(cancelled).
      type: str
    counts:
      description: Patch counts of the node as reported by Systems Manager.
      type: dict
    missing:
      description: Patches that are missing after a scan.
      type: list
      elements: dict
    missing_after:
      description: IDs of patches that are missing.
      type: list
      elements: str
    failed:
      description: IDs of patches that failed to install.
      type: list
      elements: str
    pending_reboot:
      description: Whether installed patches need a reboot.
      type: bool
    evidence:
      description: Command ID and account-Region.
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
  description: Account-Regions in which no command could be sent, with C(place), C(account), C(region) and C(error).
  returned: always
  type: list
  elements: dict
open_nodes:
  description: IDs of nodes with missing patches or a pending reboot.
  returned: always
  type: list
  elements: str
due:
  description: IDs of the nodes that the task would work on, in check mode. Otherwise empty.
  returned: always
  type: list
  elements: str
"""
