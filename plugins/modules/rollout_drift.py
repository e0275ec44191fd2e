#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_drift
short_description: Compare a plan with the current inventory and scan
version_added: 0.1.0
description:
  - Compares a plan that is about to start with the current inventory. A node differs if it no longer exists, if its
    executor, platform, account, Region or patch group changed, or if it could no longer be planned, for example because
    it is stopped or its agent is offline.
  - Compares the planned patches with the newest scan in the rollout's directory. Patches that are no longer missing and
    new patches count as differences. Nodes that the scan could not read are not compared.
  - Fails if the differences exceed the policy's C(drift), or if the policy was changed after the plan was created. If
    C(drift.nodes) is null, the inventory is not compared.
  - Nodes that were added after the plan was created are only counted. The plan does not include them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.policy
  - patchtide.hybrid.policy.digest
  - patchtide.hybrid.attributes.info
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - A rollout that has already started is not compared. It continues as planned.
seealso:
  - module: patchtide.hybrid.rollout_plan
  - module: patchtide.hybrid.rollout_plan_diff
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and, optionally, a newer C(scan.json).
    type: path
    required: true
  allow_changed_policy:
    description: Whether to accept a plan that was created with a different policy.
    type: bool
    default: false
  journal:
    description:
      - Journal store of the rollout, as for M(patchtide.hybrid.rollout_journal). Needed only if the directory does not
        record it yet.
    type: str
"""

EXAMPLES = r"""
- name: Read the policy
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Compare the plan with the estate
  patchtide.hybrid.rollout_drift:
    dir: /var/lib/patchtide/2026-06
    policy: "{{ policy.policy }}"
    policy_digest: "{{ policy.digest }}"
"""

RETURN = r"""
checked:
  description: Whether the plan was compared. It is not compared once the rollout has started.
  returned: success
  type: bool
nodes:
  description: Planned nodes that differ, with the difference.
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
  description: Nodes whose patches differ, with the difference.
  returned: success
  type: list
  elements: dict
  sample: [{node_id: i-0123456789abcdef0, name: web-1, text: "2 new, 1 no longer missing patches"}]
patches:
  description: Number of patches that are new or no longer missing.
  returned: success
  type: int
  sample: 3
planned_patches:
  description: Number of patches in the plan.
  returned: success
  type: int
  sample: 228
withdrawn:
  description:
    - Planned patches that a scan newer than the plan no longer lists as missing, with what replaced them and the number
      of nodes. Those with a successor come first.
  returned: success
  type: list
  elements: dict
  sample: [{id: curl.amd64, title: "curl.amd64:7.88.1-10", text: "replaced by curl.amd64:7.88.1-11", nodes: 12}]
new:
  description: Number of nodes that were added after the plan was created.
  returned: success
  type: int
  sample: 0
"""
