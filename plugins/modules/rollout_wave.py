# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: rollout_wave
short_description: Patch the nodes of one turn of a wave
version_added: 0.1.0
description:
  - Works on all nodes of a turn concurrently, with any executor - pre-check, drain and tag, install, reboot, scan,
    final record, restore. Each node continues with its next stage as soon as it can; no node waits for another.
  - Each step is recorded in the journal before it begins, and its outcome after it ended. If the task is repeated after
    a crash, a kill or the loss of the controller, it follows running work and continues.
  - Before a node is prepared, patched or rebooted, the task checks freezes, exceptions and the time left in the window,
    and before it is prepared or patched also quorum and budgets.
  - Runs on the controller as an action plugin. Hosts that are reached directly are not hosts of the play. The task
    connects to them with their own connection plugins, in threads.
options:
  dir:
    description: Directory of the rollout, with C(plan.json).
    type: path
    required: true
  wave:
    description: Name of the wave.
    type: str
    required: true
  turn:
    description: Turn of the wave, from 1. Budgets and dependencies split a wave into turns.
    type: int
    default: 1
  until:
    description:
      - How far to go. V(started) begins the wave, V(checked) also runs the pre-checks and removes the nodes that must
        not be patched now, V(worked) does everything. Each includes the ones before it.
    type: str
    choices: [started, checked, worked]
    default: worked
  policy:
    description: The complete policy, as M(patchtide.hybrid.policy_info) returns it.
    type: dict
    required: true
  window_wait_minutes:
    description: Minutes to wait for the wave's maintenance window. A window that opens later is an error.
    type: int
    default: 60
  poll_interval:
    description:
      - Seconds between two requests for the status of work that a service carries out. Work that takes long is looked
        at after half of the time that it has taken so far, at least every 30 seconds.
    type: int
    default: 15
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
attributes:
  check_mode:
    description: Reports which nodes are due and what would be done. Sends and writes nothing, and connects to no node.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Work with an outcome in the journal is not repeated.
    support: full
author:
  - The patchtide.hybrid contributors (@patchtide)
"""

EXAMPLES = r"""
- name: Patch, reboot and verify the nodes of the canary wave
  patchtide.hybrid.rollout_wave:
    dir: rollouts/2026-06
    wave: canary
    policy: "{{ policy.policy }}"
"""

RETURN = r"""
counts:
  description: Number of the turn's nodes by the status of their final record; V(open) have none yet.
  returned: always
  type: dict
  sample: {succeeded: 11, skipped: 1}
hosts:
  description: Outcome of each host that is reached directly. Empty in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: Name of the host in the inventory.
      type: str
    node_id:
      description: ID of the node in the plan.
      type: str
    status:
      description: Status of the final record, or V(open).
      type: str
    failed:
      description: Whether the status counts as a failure.
      type: bool
    reason:
      description: Reason, from the final record.
      type: str
"""
