#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: policy_draft
short_description: Discover an estate and draft its first inventory and policy
version_added: 0.1.0
description:
  - Reads the nodes, patch baselines, patch groups and maintenance windows of every account-Region in parallel, and the
    hosts of the inventory that are reached over SSH. It changes nothing there.
  - Shows what is missing before the estate can be patched, with the owners and the next step.
  - Writes C(inventory/aws.ssm_fleet.yml) and C(policy.yml). The policy selects only patch groups that were found.
    Baselines that all account-Regions agree on are taken over; others are drafted with a cautious rule.
  - A file that exists is never changed. If no node has a patch group, no policy is drafted.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.policy_info
    description: Validates the policy.
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - C(examples/iam/read-only.json) is an IAM policy with the permissions that it needs.
attributes:
  check_mode:
    description: Reads and shows everything, and writes nothing.
    support: full
  diff_mode:
    description: Shows the files that are or would be written.
    support: full
  idempotent:
    description: Files that exist are kept.
    support: full
options:
  dir:
    description: Directory for the files. It is created if it does not exist.
    type: path
    required: true
  name:
    description: Name of the policy, and prefix of the names of drafted baselines.
    type: str
    default: patching
  regions:
    description: Regions to query. Defaults to the Region of the options, the environment or the profile.
    type: list
    elements: str
    default: []
  accounts:
    description: Accounts to query, as in M(patchtide.hybrid.ssm_place_info). Default is that of the credentials.
    type: list
    elements: raw
    default: []
  tags:
    description: Keys of the tags that describe nodes, as C(tags) of the policy. V(patch_group), V(maintenance_window),
      V(application), V(owner) and V(environment) can be given.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
"""

EXAMPLES = r"""
- name: Show what is there and what is missing, and draft inventory and policy
  patchtide.hybrid.policy_draft:
    dir: patching
    regions: [eu-central-1, us-east-1]
    accounts:
      - {name: web, role_arn: "arn:aws:iam::111111111111:role/patchtide"}
  register: draft
"""

RETURN = r"""
nodes:
  description: Number of nodes that were found.
  returned: success
  type: int
  sample: 62
findings:
  description: What is missing, with C(code), C(nodes), C(owners), C(meaning) and C(next_step).
  returned: success
  type: list
  elements: dict
  sample:
    - {code: no_owner, nodes: [web-1], owners: {"": 1}, meaning: name no owner, next_step: Set the tag Owner}
written:
  description: Files that were written, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [patching/policy.yml]
kept:
  description: Files that exist with another content and were not changed.
  returned: success
  type: list
  elements: str
  sample: []
drafts:
  description: The drafts by file name.
  returned: success
  type: dict
  sample: {policy.yml: "version: 1"}
failed_places:
  description: Account-Regions that did not answer, each with its error.
  returned: success
  type: list
  elements: dict
  sample: []
"""
