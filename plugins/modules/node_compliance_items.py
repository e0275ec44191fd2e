#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: node_compliance_items
short_description: Show the state of nodes as custom compliance of AWS Systems Manager
version_added: 0.1.0
description:
  - Writes what the last scan, the exception ledger and the imported findings say of each node as items of a custom
    compliance type, so that the console and the resource data sync of Systems Manager show it. Hosts that are patched
    directly are shown too if they are managed nodes.
  - The item C(patches) has the missing patches, and is C(NON_COMPLIANT) if they are not known. The item C(exception)
    has the exception in force; it explains the missing patches and does not make the node compliant. The item
    C(findings) has the open findings, if they were imported into O(dir).
  - One call for 50 nodes reads what is there, and one call for each node whose items differ replaces them.
  - Other machines cannot have items, such as those in Azure. Items of nodes that are gone are removed with their node.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.policy
  - patchtide.hybrid.places.node_accounts
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
seealso:
  - module: patchtide.hybrid.ssm_compliance_items
    description: Manages items of your own.
attributes:
  check_mode:
    description: Predicts whose items would change, without writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Nothing is written to a node whose items are the same, whenever it was scanned.
    support: full
options:
  dir:
    description: Directory of a rollout with C(scan.json), and C(vulnerabilities.jsonl) if findings were imported.
    type: path
    required: true
  compliance_type:
    description: Custom compliance type. A node can have at most ten.
    type: str
    default: Custom:Patchtide
  on_place_error:
    description: With V(fail), the task fails if an account-Region fails. With V(report), RV(failed_places) lists it.
    type: str
    choices: [fail, report]
    default: fail
"""

EXAMPLES = r"""
- name: Read the policy
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Show the state of all nodes in Systems Manager
  patchtide.hybrid.node_compliance_items:
    dir: /var/lib/patchtide/2026-06
    policy: "{{ policy.policy }}"
    accounts: "{{ policy.policy.estate.accounts }}"
"""

RETURN = r"""
nodes:
  description: Nodes whose items were replaced, or would be in check mode.
  returned: success
  type: list
  elements: str
  sample: [i-0123456789abcdef0]
unchanged:
  description: Number of nodes whose items are the same.
  returned: success
  type: int
  sample: 41
refused:
  description: Nodes that Systems Manager does not know, with C(node_id) and C(text).
  returned: success
  type: list
  elements: dict
  sample: []
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: success
  type: list
  elements: dict
  sample: []
"""
