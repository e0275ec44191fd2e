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
  - Nodes are held back too for which the plan's budgets leave no room (C(missed_budget)). A node uses a budget while it
    is worked on or drained, and goes on using it if it failed.
  - Before the reboot it holds the reboot back, so that the node ends as failed with its reboot pending.
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
  - patchtide.hybrid.accounts
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
    description:
      - V(start) before the wave begins, V(install) before its nodes are patched, V(reboot) before they are rebooted.
    type: str
    required: true
    choices: [start, install, reboot]
  exceptions:
    description: The policy's C(exceptions), with C(ledger), C(tag) and C(timezone), and the policy's defaults for them.
    type: dict
    default: {}
  freeze:
    description: The policy's C(freeze), with C(ics) and C(change_calendars).
    type: dict
    default: {}
  quorum:
    description:
      - The policy's C(budgets.quorum), health checks that are asked before members of a cluster are taken down. While
        one is not fine, the members are skipped with the code C(missed_quorum).
    type: list
    elements: dict
    default: []
  application_tag:
    description: Key of the tag that names a node's application, for exceptions that select by application.
    type: str
    default: Application
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
