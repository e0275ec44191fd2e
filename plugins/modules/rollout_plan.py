#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_plan
short_description: Create the plan of a patch rollout
version_added: 0.1.0
description:
  - Creates C(plan.json) and C(plan.html) from the policy, the inventory and the scan. The plan assigns a wave, a
    window, the patches to install and the expected reboot to each node, and lists the nodes that are left out, with the
    reason.
  - Nodes with an exception in force in their wave's window are left out with the code C(exception). Exceptions are read
    from the ledger that the policy names and from the tags in the inventory. If a freeze covers an occurrence
    of a window, its nodes get the next one. If it covers all of them until the plan ends, the nodes are left out with
    the code C(freeze). If it covers a part of an occurrence, the plan contains a note.
  - The plan warns of what its approver should know, such as waves without nodes and nodes that no baseline of the
    policy covers. If the policy sets C(plan.strict), a plan with warnings is displayed and not written, and the task
    fails.
  - The digest identifies the plan, and an approval refers to it. The digest covers the plan's own random ID.
    If policy, inventory and scan are unchanged (the same RV(content_digest)), the plan in the directory is kept, so a
    second run changes nothing. A plan of the same estate in another directory needs its own approval.
  - With O(emergency) the plan has only what cannot wait. A finding of C(vulnerabilities.jsonl) is urgent if its first
    limit by the policy's C(emergency) passes before the next window of its node ends. That window is the node's night
    in the ordinary plan. Nodes without urgent findings are left out with the codes C(can_wait) and C(not_urgent), and
    nodes on which an install cannot be limited to the urgent patches with C(not_pinned). The policy's C(emergency) has
    the window, the approval and the freezes of such a plan.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play. Progress lines are displayed while it
    runs.
  - The AWS connection is used only for a ledger in DynamoDB and for change calendars of Systems Manager.
extends_documentation_fragment:
  - patchtide.hybrid.policy
  - patchtide.hybrid.policy.digest
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Shows the plan without writing it.
    support: full
  diff_mode:
    description: Shows what it changes, or would change in check mode.
    support: full
  idempotent:
    description: Reports no change if the plan is the same.
    support: full
options:
  dir:
    description: Directory of the rollout. C(scan.json) is read from it, C(plan.json) and C(plan.html) are written to
      it.
    type: path
    required: true
  catch_up:
    description:
      - The file C(catch_up.json) of an earlier rollout with the nodes that it missed, for waves that select C(missed).
        Defaults to the file in O(dir), if it exists.
    type: path
  emergency:
    description: Whether to plan only the patches of findings that cannot wait for the next window of their nodes. The
      findings must have been imported into O(dir) by M(patchtide.hybrid.vulnerability_import) after the scan.
    type: bool
    default: false
  at:
    description: Time from which to plan, such as V(2026-12-01T22:00:00Z). Each wave gets the occurrence of its window
      that is open at this time, or the next one. Defaults to the current time.
    type: str
"""

EXAMPLES = r"""
- name: Read the policy
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Create the plan
  patchtide.hybrid.rollout_plan:
    dir: /var/lib/patchtide/2026-06
    policy: "{{ policy.policy }}"
    policy_digest: "{{ policy.digest }}"

- name: Plan what cannot wait for the next window
  patchtide.hybrid.rollout_plan:
    dir: /var/lib/patchtide/2026-06-emergency
    policy: "{{ policy.policy }}"
    policy_digest: "{{ policy.digest }}"
    emergency: true
"""

RETURN = r"""
rollout:
  description: ID of the rollout, 128 random bits. No other plan has the same ID.
  returned: always
  type: str
  sample: 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84
digest:
  description: SHA-256 of the plan. An approval refers to it.
  returned: always
  type: str
content_digest:
  description: SHA-256 of the plan without its ID, time and planner. Two plans of an unchanged estate have the same.
  returned: always
  type: str
totals:
  description: Numbers of nodes, patches, expected reboots and nodes that are left out.
  returned: always
  type: dict
  sample: {nodes: 59, patches: 228, reboots: 41, excluded: 4}
warnings:
  description: Sentences that the approver of the plan should read, such as waves without nodes, waves that do not fit
    their window, and nodes that are left out because of trouble.
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
