#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patch_exception
short_description: Request, approve, reject and revoke exceptions from patching
version_added: 0.1.0
description:
  - An exception is an approved reason not to patch nodes during a period. One person requests it, another approves or
    rejects it, and it can be revoked. From its first to its last day, inclusive, plans exclude its nodes, and rollouts
    skip them.
  - M(patchtide.hybrid.patch_exception_sync) sets tags with the dates of approved exceptions on the nodes.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Without a trust bundle, names are not verified. To control who can request and approve, use the
    permissions of AWX job templates, of the file or of the table.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.exceptions
attributes:
  check_mode:
    description: Predicts the change without writing.
    support: full
  diff_mode:
    description: Shows the changes to the record.
    support: full
  idempotent:
    description: Running it again with the same options changes nothing.
    support: full
options:
  state:
    description:
      - V(requested) adds a request to the ledger, or updates a request that has not been decided. A decided request
        is not changed.
      - V(approved), V(rejected) and V(revoked) record a decision. If O(exception_id) is not in the ledger, the request
        is created from the other options, including O(requested_by).
      - V(absent) deletes the record. An approved exception that has not ended must be revoked first, so that its tag is
        removed and its alarm raised.
    type: str
    choices: [requested, approved, rejected, revoked, absent]
    default: requested
  exception_id:
    description: ID of the exception, such as a ticket number. Defaults to an ID derived from the nodes and days.
    type: str
  node:
    description: ID or inventory name of the node.
    type: str
  select:
    description:
      - Nodes to select, as in the waves of a policy, with at least one of the keys C(patch_groups), C(tags),
        C(executors), C(platforms), C(accounts), C(regions), C(zones), C(applications), C(groups) and C(nodes).
      - Accounts are selected by number.
    type: dict
  from:
    description: First day, such as V(2026-11-01).
    type: str
  to:
    description: Last day, inclusive. It must not be in the past, nor later than the policy allows.
    type: str
  reason:
    description: Reason why the nodes must not be patched. Required for a request.
    type: str
  requested_by:
    description: Name of the requester. Defaults to the AWX user or the user on the controller who runs the task.
    type: str
  decided_by:
    description: Name of the person who approves, rejects or revokes. Defaults to the user who runs the task.
    type: str
    aliases: [approver]
  note:
    description: Comment on the decision.
    type: str
    default: ""
  policy_file:
    description:
      - Policy file whose C(exceptions.max_days) and C(exceptions.four_eyes) apply. Without it, an exception lasts at
        most 90 days, and requesters cannot approve their own requests. No option loosens these rules.
      - A trust bundle of the controller (M(patchtide.hybrid.trust_info)) can require more, such as signatures.
    type: path
  scan_file:
    description:
      - A C(scan.json) of the last seven days. Where the trust bundle limits the number of days by severity, the
        severities of the patches that this scan found missing on the nodes decide.
      - If a severity is unknown, the strictest limit of the bundle applies. It is unknown without this option, if the
        scan has no result of a node, nothing is missing, a patch has no severity, or O(select) selects by tags, zones,
        applications or groups.
    type: path
  statements:
    description:
      - Directory for the statements that the trust bundle requires. The task writes a statement, shows the command with
        which O(decided_by) (or O(requested_by)) signs it, and fails. Run it again once the statement is signed.
    type: path
    default: exceptions
  own_nodes:
    description:
      - Whether this is the request of an owner, for their own nodes alone, as the policy's C(owners) say by account,
        inventory group or node. Requires O(policy_file), the inventory, and O(node), or O(select) with C(nodes) alone.
      - The requester is who runs this. Jobs of AWX that no person launched are refused.
    type: bool
    default: false
  create_table:
    description: Whether to create a DynamoDB table that does not exist, with on-demand capacity.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Request an exception for the year-end audit
  patchtide.hybrid.patch_exception:
    ledger: exceptions.json
    exception_id: CHG0040011
    select: {applications: [ledger]}
    from: "2026-11-01"
    to: "2026-11-30"
    reason: Year-end audit
    requested_by: dana

- name: Approve the exception
  patchtide.hybrid.patch_exception:
    ledger: exceptions.json
    exception_id: CHG0040011
    state: approved
    approver: robin

- name: Revoke the exception
  patchtide.hybrid.patch_exception:
    ledger: exceptions.json
    exception_id: CHG0040011
    state: revoked
    decided_by: robin
    note: The audit was moved to spring
"""

RETURN = r"""
patch_exception:
  description: The record, or the predicted record in check mode. Empty if it is absent.
  returned: success
  type: dict
  sample:
    exception_id: CHG0040011
    select: {applications: [ledger]}
    from: "2026-11-01"
    to: "2026-11-30"
    reason: Year-end audit
    requested_by: dana
    status: approved
    decided_by: robin
    decided_at: "2026-10-20T09:00:00Z"
    note: ""
    tagged: {i-0123456789abcdef0: 2026-11-01/2026-11-30}
"""
