#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_plan
short_description: Freeze a patch rollout into a plan
version_added: 0.1.0
description:
  - Puts policy, inventory and scan together into C(plan.json) and C(plan.html). It says which node is patched in which
    wave and window, with which patches, whether it will reboot, and who is left out and why.
  - Nodes with an exception in force in their wave's window are left out with the code C(exception), by the ledger that
    the policy names and by the tags of the inventory. A wave whose window is frozen as a whole loses its nodes with
    the code C(freeze); in part, it gets a note.
  - The plan is known by its digest. The same policy, inventory and scan give the same plan, so a second run changes
    nothing.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
  - The AWS connection serves a ledger in DynamoDB and change calendars of Systems Manager; without them none is needed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Shows the plan, but writes nothing.
    support: full
  diff_mode:
    description: Shows what it changes, or would change in check mode.
    support: full
  idempotent:
    description: Reports no change when the plan would be the same.
    support: full
options:
  dir:
    description: Directory of the rollout. C(scan.json) is read there, C(plan.json) and C(plan.html) are written.
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
  catch_up:
    description:
      - List of the nodes that an earlier rollout missed, which it wrote as C(catch_up.json). Waves that select
        C(missed) take nodes from it. By default the one in O(dir), if there is one.
    type: path
  at:
    description: Time for which to plan, such as V(2026-12-01T22:00:00Z). Windows are those open then or next. Now by
      default.
    type: str
"""

EXAMPLES = r"""
- name: Read the policy
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Plan
  patchtide.hybrid.rollout_plan:
    dir: /var/lib/patchtide/2026-06
    policy: "{{ policy.policy }}"
    policy_digest: "{{ policy.digest }}"
"""

RETURN = r"""
rollout:
  description: Name of the rollout, the first twelve characters of the digest.
  returned: always
  type: str
  sample: 9edb2bfb93c0
digest:
  description: SHA-256 of the plan. This is what gets approved.
  returned: always
  type: str
totals:
  description: Nodes, patches, forecast reboots and nodes left out.
  returned: always
  type: dict
  sample: {nodes: 59, patches: 228, reboots: 41, excluded: 4}
warnings:
  description: What does not fit a window or a quota, and waves that lost all their nodes, in sentences.
  returned: always
  type: list
  elements: str
  sample: []
waves:
  description: Name and number of nodes of each wave.
  returned: always
  type: list
  elements: dict
  sample: [{name: canary, nodes: 12}]
"""
