# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action plugin of the same name."""

DOCUMENTATION = r"""
module: rollout_wave
short_description: Work through one turn of a wave of a rollout
version_added: 0.1.0
description:
  - Drives all nodes of a turn at once, whichever executor patches them, from the pre-check to the final record and the
    restoring of what was prepared. Each node goes on to its next stage as soon as it can; no node waits for another.
  - Every step is in the journal before it begins and its outcome after it ended, so that the task can be repeated after
    a crash, a kill or a lost controller. It then takes up what is running and goes on.
  - Right before a node is prepared, patched or rebooted, freezes, exceptions, quorum, budgets and the time that is left
    in the window are checked.
  - Runs on the controller, as an action plugin. Hosts of executors that are reached directly are worked on over their
    own connections from here, in threads; they need not be hosts of the play.
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
  window_wait:
    description: Longest wait for the wave's maintenance window, in minutes. A window that opens later is an error.
    type: int
    default: 60
  poll_interval:
    description: Seconds between two looks at work that a service carries out.
    type: int
    default: 15
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
attributes:
  check_mode:
    description: Says which nodes are due and what would be done to them. Nothing is sent, asked or written.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: Work that the journal has an outcome for is not repeated.
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
  description: How each host that is reached directly ended. In check mode none.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: Its name in the inventory.
      type: str
    node_id:
      description: Its id in the plan.
      type: str
    status:
      description: Status of its final record, or V(open).
      type: str
    failed:
      description: Whether the status counts as a failure.
      type: bool
    reason:
      description: Why, in the words of its final record.
      type: str
"""
