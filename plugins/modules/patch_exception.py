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
  - An exception is an approved, dated reason not to patch some nodes. It is requested, approved or rejected by somebody
    else, and may be revoked. From its first to its last day, both included, its nodes are left out of plans and held
    back in rollouts.
  - M(patchtide.hybrid.patch_exception_sync) writes approved exceptions to the nodes as dated tags.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Names are taken as they are given. Who may request and who may approve is for the permissions of AWX job templates,
    of the file or of the table to say.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.exceptions
attributes:
  check_mode:
    description: Says what would change; writes nothing.
    support: full
  diff_mode:
    description: Shows what changes in the record.
    support: full
  idempotent:
    description: Declaring the same again changes nothing.
    support: full
options:
  state:
    description:
      - V(requested) puts a request into the ledger, or corrects one that nobody has decided yet. One that was decided
        stays as it is.
      - V(approved), V(rejected) and V(revoked) decide. If O(exception_id) is not in the ledger yet, the request is made
        from the other options, with O(requested_by).
      - V(absent) deletes the record. An approved one that is not over must be revoked first, so that its tag and its
        alarm are not forgotten.
    type: str
    choices: [requested, approved, rejected, revoked, absent]
    default: requested
  exception_id:
    description: Id of the exception, such as a ticket's number. By default it follows from nodes and days.
    type: str
  node:
    description: The node, by its id or inventory name.
    type: str
  select:
    description:
      - Which nodes, as in the waves of a policy, with the keys C(patch_groups), C(tags), C(executors), C(platforms),
        C(accounts), C(regions), C(zones), C(applications), C(groups) and C(nodes). At least one.
      - Accounts are given by number.
    type: dict
  from:
    description: First day, such as V(2026-11-01).
    type: str
  to:
    description: Last day. It is not over yet, and at most O(max_days) lie between first and last day, both included.
    type: str
  reason:
    description: Why the nodes must not be patched. Required for a request.
    type: str
  requested_by:
    description: Who asks. By default who runs this, by the AWX user or the user of the controller.
    type: str
  decided_by:
    description: Who approves, rejects or revokes. By default who runs this.
    type: str
    aliases: [approver]
  note:
    description: What the decision says.
    type: str
    default: ""
  max_days:
    description: How long an exception may last; the policy's C(exceptions.max_days).
    type: int
    default: 90
  four_eyes:
    description: Whether nobody may approve what they requested themselves; the policy's C(exceptions.four_eyes).
    type: bool
    default: true
  create_table:
    description: Whether a DynamoDB table that does not exist is created, paid per request.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: The audit asks for a pause
  patchtide.hybrid.patch_exception:
    ledger: exceptions.json
    exception_id: CHG0040011
    select: {applications: [ledger]}
    from: "2026-11-01"
    to: "2026-11-30"
    reason: Year-end audit
    requested_by: dana

- name: The business agrees
  patchtide.hybrid.patch_exception:
    ledger: exceptions.json
    exception_id: CHG0040011
    state: approved
    approver: robin

- name: It is called off
  patchtide.hybrid.patch_exception:
    ledger: exceptions.json
    exception_id: CHG0040011
    state: revoked
    decided_by: robin
    note: The audit was moved to spring
"""

RETURN = r"""
patch_exception:
  description: The record as it is or would be in check mode; empty if it is absent.
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
