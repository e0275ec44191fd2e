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
  - Reports how a later plan differs from an earlier one. It lists nodes that were added, removed or moved to another
    wave or turn, nodes with different patches, reboot or executor, and waves with different windows, gates or rules.
  - A difference is not a failure.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
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
    description: The earlier plan. Path of the file, or of the directory of a rollout that contains C(plan.json).
    type: path
    required: true
  after:
    description: The later plan, in the same form.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Show the changes since last month
  patchtide.hybrid.rollout_plan_diff:
    before: /var/lib/patchtide/2026-05
    after: /var/lib/patchtide/2026-06
  register: plans

- name: Fail if many nodes were added
  ansible.builtin.assert:
    that: plans.added | length < 10
"""

RETURN = r"""
same:
  description: Whether both plans have the same effect. Their digests can still differ, for example because of the order
    of accounts.
  returned: success
  type: bool
rollouts:
  description: Names of the two rollouts.
  returned: success
  type: dict
  sample: {before: 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84, after: 41c0e6b2a7d94b1f8e2d3c5a6b7f8091}
added:
  description: Nodes that are only in the later plan, and why the earlier plan left them out.
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
  description: Nodes that are only in the earlier plan, and why the later plan leaves them out.
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
  description: Nodes with other changes, such as different patches.
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
  description: Waves that were added or removed, or that have a different window, gate, soak time or reboot rule.
  returned: success
  type: list
  elements: dict
  sample:
    - wave: rest
      change: changed
      changes: [{member: gate.max_failure_rate, before: 0.1, after: 0.2}]
rules:
  description: Differences of the plan as a whole, such as its policy, budgets and retries.
  returned: success
  type: list
  elements: dict
  sample: [{member: rules.budgets.zone, before: null, after: 25%}]
text:
  description: The differences as a table.
  returned: success
  type: str
"""
