#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: node_enrollment
short_description: Enroll the nodes of the estate
version_added: 0.1.0
description:
  - Reads EC2, Systems Manager and IAM in every account-Region of the policy and of the inventory, and the hosts of the
    inventory in Azure and elsewhere, and finds what would keep a node out of the next plan or its rollout.
  - Repairs what C(enrollment) of the policy allows. It attaches an instance profile or a policy to its role, sets tags
    that are missing, and updates old agents.
  - Everything else is a finding of its node and owner, with the configuration that fixes it.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.ssm_instance_role
    description: Attaches instance profiles and policies to chosen instances.
  - module: patchtide.hybrid.policy_draft
    description: Shows what an estate lacks before it has a policy.
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - Nodes that the policy excludes are neither repaired nor reported.
attributes:
  check_mode:
    description: Predicts the repairs without making them. Findings are the same.
    support: full
  diff_mode:
    description: Shows the repairs of each node.
    support: full
  idempotent:
    description: A repair is made once. Findings are reported until they are fixed.
    support: full
options:
  nodes:
    description: Only these nodes, by ID or name. Without it, the whole estate.
    type: list
    elements: str
    default: []
  poll_interval:
    description: Seconds between two looks at running agent updates.
    type: int
    default: 15
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.policy
"""

EXAMPLES = r"""
- name: Check the policy file
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Find and repair what keeps nodes out of the next plan
  patchtide.hybrid.node_enrollment:
    policy: "{{ policy.policy }}"
  register: enrollment
"""

RETURN = r"""
summary:
  description:
    - Number of nodes by state. C(enrolled) nodes have nothing to repair, C(registering) ones were launched a short time
      ago, C(repairable) ones were repaired or would be in check mode, C(open) ones have findings, C(excluded) ones are
      excluded by the policy.
  returned: success
  type: dict
  sample: {enrolled: 61, registering: 0, repairable: 1, open: 2, excluded: 0}
nodes:
  description: Every node with a repair or a finding, or that is registering.
  returned: success
  type: list
  elements: dict
  contains:
    repairs:
      description: What was repaired, or would be in check mode.
      returned: always
      type: list
      elements: str
    findings:
      description: What is left, with C(code), C(what) and C(fix).
      returned: always
      type: list
      elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      name: web-9
      account: "111111111111"
      region: eu-central-1
      owner: web-team
      state: open
      waiting: ""
      repairs: []
      findings:
        - {code: no_tag, what: has no tag Environment, fix: "Set the tag Environment, or a default in the policy."}
findings:
  description: Number of findings of all nodes.
  returned: success
  type: int
  sample: 1
onboarding:
  description:
    - What C(enrollment.onboarding) of the policy registers with Systems Manager. The module does not do so. The
      playbook runs the role P(patchtide.hybrid.onboard_node#role) on these hosts.
  returned: success
  type: dict
  sample:
    region: eu-central-1
    iam_role: service-role/PatchtideHybridNode
    accounts: [{role_arn: "arn:aws:iam::111111111111:role/patchtide"}]
    hosts: [{host: plant-07, tags: {Patch Group: PLANT}}]
failed_places:
  description: Account-Regions that did not answer, each with its error. Nothing is known of their nodes.
  returned: success
  type: list
  elements: dict
  sample: []
"""
