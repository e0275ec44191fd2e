#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_guard
short_description: Hold waves and nodes of a rollout back for freezes and exceptions
version_added: 0.1.0
description:
  - Reads calendars, exception ledger and tags again, since what was approved or revoked after planning counts.
  - Before a wave starts it fails while a freeze is closed. Before the install it gives every node that is due for it
    and has an exception in force, or whose work would reach into a freeze, the outcome C(skipped) with the code
    C(exception) or C(freeze). One task serves the whole wave, its direct hosts included.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
  - In an account-Region whose tags can't be read the tags of the inventory count; a ledger or calendar that can't be
    read fails the task, before anything is installed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
attributes:
  check_mode:
    description: Says which nodes would be held back; writes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: Nodes that were held back or patched are not looked at again.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and C(journal.jsonl).
    type: path
    required: true
  wave:
    description: Name of the wave in the plan.
    type: str
    required: true
  step:
    description: V(start) before the wave begins, V(install) before its nodes are patched.
    type: str
    required: true
    choices: [start, install]
  exceptions:
    description: The policy's C(exceptions), with C(ledger), C(tag) and C(timezone).
    type: dict
    default: {}
  freeze:
    description: The policy's C(freeze), with C(ics) and C(change_calendars).
    type: dict
    default: {}
  application_tag:
    description: Key of the tag that names a node's application, for exceptions that select by application.
    type: str
    default: Application
  accounts:
    description:
      - How accounts are reached. A node of an account that is not named is reached with the credentials as they are.
    type: list
    elements: dict
    suboptions:
      role_arn:
        description: Role to assume, such as V(arn:aws:iam::111122223333:role/patchtide).
        type: str
        required: true
      external_id:
        description: External id that the role's trust policy asks for.
        type: str
      id:
        description: Number of the account; the role's if not given.
        type: str
      name:
        description: Name of the account.
        type: str
"""

EXAMPLES = r"""
- name: Hold back nodes with an exception, and all during a freeze
  patchtide.hybrid.rollout_guard:
    dir: /var/lib/patchtide/2026-06
    wave: canary
    step: install
    exceptions: {ledger: exceptions.json, tag: PatchException, timezone: UTC}
    freeze: {ics: [freeze.ics]}
"""

RETURN = r"""
held:
  description: Nodes that are held back, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      status: skipped
      error: {code: exception, text: "exception CHG0040011 until 2026-11-30, approved by robin: Year-end audit"}
"""
