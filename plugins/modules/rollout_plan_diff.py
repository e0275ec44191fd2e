#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_plan_diff
short_description: Compare two plans
version_added: 0.1.0
description:
  - Tells what a later plan does otherwise than an earlier one. Nodes that were added, removed or moved to another wave
    or turn; nodes with other patches, another reboot or another executor; and waves with other windows, gates or rules.
  - It never fails because the plans differ.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter.
seealso:
  - module: patchtide.hybrid.rollout_plan
  - module: patchtide.hybrid.rollout_drift
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: Shows both plans as text.
    support: full
  idempotent:
    description: Only reads.
    support: full
options:
  before:
    description: The earlier plan, a file or the directory of a rollout with its C(plan.json).
    type: path
    required: true
  after:
    description: The later plan, likewise.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: See what has changed since last month
  patchtide.hybrid.rollout_plan_diff:
    before: /var/lib/patchtide/2026-05
    after: /var/lib/patchtide/2026-06
  register: plans

- name: Insist on a small change
  ansible.builtin.assert:
    that: plans.added | length < 10
"""

RETURN = r"""
same:
  description: Whether both plans do the same. Their digests may differ though, such as for another order of accounts.
  returned: success
  type: bool
rollouts:
  description: Names of the two rollouts.
  returned: success
  type: dict
  sample: {before: 9edb2bfb93c0, after: 41c0e6b2a7d9}
added:
  description: Nodes that only the later plan works on, and why the earlier one left them out.
  returned: success
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      host: web-1
      name: web-1
      wave: canary
      turn: 1
      reason: "stopped: the instance is stopped"
removed:
  description: Nodes that only the earlier plan works on, and why the later one leaves them out.
  returned: success
  type: list
  elements: dict
moved:
  description: Nodes that are in another wave or turn.
  returned: success
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      host: web-1
      name: web-1
      before: {wave: canary, turn: 1}
      after: {wave: rest, turn: 2}
altered:
  description: Nodes on which something else is done.
  returned: success
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      host: web-1
      name: web-1
      wave: canary
      patches_added: [openssl.x86_64:3.0.8]
      patches_removed: []
      changes: [{member: reboot, before: unknown, after: "yes"}]
waves:
  description: Waves that are new, gone, or have another window, gate, soak time or reboot rule.
  returned: success
  type: list
  elements: dict
  sample:
    - wave: rest
      change: changed
      changes: [{member: gate.max_failure_rate, before: 0.1, after: 0.2}]
rules:
  description: Changes of the plan as a whole, such as its policy, its budgets and its retries.
  returned: success
  type: list
  elements: dict
  sample: [{member: rules.budgets.zone, before: null, after: 25%}]
text:
  description: The differences as a table.
  returned: success
  type: str
"""
