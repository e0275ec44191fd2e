#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: own_nodes_info
short_description: Show owners the compliance, windows and exceptions of their own nodes
version_added: 0.1.0
description:
  - Returns the nodes that belong to the person who runs the task by C(owners) in the policy, and no others. In AWX,
    that is the person who launched the job; jobs launched by a schedule or a webhook are refused.
  - Compliance is that of a scan. A node that the scan does not have is V(unknown).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.attributes.info
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - The connection to AWS is only used for a ledger of exceptions in a DynamoDB table.
seealso:
  - module: patchtide.hybrid.patch_window_choice
  - module: patchtide.hybrid.patch_exception
options:
  policy_file:
    description: The policy.
    type: path
    required: true
  scan_file:
    description: The newest scan, C(scan.json).
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Show my nodes
  patchtide.hybrid.own_nodes_info:
    policy_file: policy.yml
    scan_file: /var/lib/patchtide/scan/scan.json
"""

RETURN = r"""
nodes:
  description: The nodes, those that need attention first. C(missing) is null if the scan could not find out.
  returned: success
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      name: web-01
      owner: web
      account: "111122223333"
      region: eu-central-1
      window: contoso-sun
      compliance: non_compliant
      missing: 4
      reason: 4 patches are missing
      exception: ""
summary:
  description: Number of nodes by compliance.
  returned: success
  type: dict
  sample: {compliant: 11, non_compliant: 1, unknown: 0}
scanned_at:
  description: Time of the scan.
  returned: success
  type: str
  sample: "2026-12-01T03:00:00Z"
"""
