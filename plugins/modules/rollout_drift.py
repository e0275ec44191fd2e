#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_drift
short_description: Refuse a plan that does not fit the world any more
version_added: 0.1.0
description:
  - Compares a plan that is about to start with the inventory as it is now. A node differs if it is gone, is reached or
    patched another way (executor, platform, account, Region, patch group), or could not be planned any more, such as
    one that was stopped or whose agent is offline.
  - Compares its patches with the newest scan in the rollout's directory. Patches differ that are missing no longer, and
    patches that are new. Nodes without a good record in the scan are not compared.
  - Fails if more differs than the policy's C(drift) allows, or if the policy was changed after the plan was made.
    With C(drift.nodes) null the inventory is not looked at.
  - Nodes that are newer than the plan are counted, no more; the plan does not touch them.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter.
  - A rollout that has started is not checked; it goes on as it was planned.
seealso:
  - module: patchtide.hybrid.rollout_plan
  - module: patchtide.hybrid.rollout_plan_diff
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: Only reads.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and, if there is a newer scan, C(scan.json).
    type: path
    required: true
  policy:
    description: The policy, as M(patchtide.hybrid.policy_info) returns it.
    type: dict
    required: true
  policy_digest:
    description: Its digest, as M(patchtide.hybrid.policy_info) returns it.
    type: str
    required: true
  allow_changed_policy:
    description: Whether the plan may have been made with another policy than this one.
    type: bool
    default: false
  journal:
    description:
      - Where the rollout's journal is kept, as for M(patchtide.hybrid.rollout_journal). Needed only if the directory
        does not know it yet.
    type: str
"""

EXAMPLES = r"""
- name: Read the policy
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Compare the plan with the world
  patchtide.hybrid.rollout_drift:
    dir: /var/lib/patchtide/2026-06
    policy: "{{ policy.policy }}"
    policy_digest: "{{ policy.digest }}"
"""

RETURN = r"""
checked:
  description: Whether anything was compared. It is not once the rollout has started.
  returned: success
  type: bool
nodes:
  description: Planned nodes that differ, and how.
  returned: success
  type: list
  elements: dict
  sample: [{node_id: i-0123456789abcdef0, name: web-1, text: the instance is stopped}]
planned_nodes:
  description: Number of nodes in the plan.
  returned: success
  type: int
  sample: 59
patched:
  description: Nodes whose patches differ, and how.
  returned: success
  type: list
  elements: dict
  sample: [{node_id: i-0123456789abcdef0, name: web-1, text: "2 new, 1 no longer missing patches"}]
patches:
  description: Number of patches that are new or missing no longer.
  returned: success
  type: int
  sample: 3
planned_patches:
  description: Number of patches in the plan.
  returned: success
  type: int
  sample: 228
new:
  description: Number of nodes that are newer than the plan.
  returned: success
  type: int
  sample: 0
"""
