#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_guard
short_description: Skip nodes of a rollout because of freezes, exceptions or budgets
version_added: 0.1.0
description:
  - Re-reads calendars, the exception ledger and tags from their sources, so that approvals and revocations made after
    planning take effect.
  - Before a wave starts, the task fails if a calendar does not allow changes. Before the install, nodes with an
    exception in force and nodes whose work would extend into a freeze are skipped, with the code C(exception) or
    C(freeze). One task handles all nodes of the wave, including direct hosts.
  - Nodes that would exceed a budget of the plan are skipped with the code C(missed_budget). A node counts against a
    budget while it is worked on or drained, and continues to count if it failed.
  - Before the reboot, these nodes are not rebooted. They are recorded as failed, with a pending reboot.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play. Progress lines are displayed while it
    runs.
  - If the tags of an account-Region cannot be read, the tags in the inventory apply. If a ledger or calendar cannot be
    read, the task fails before anything is installed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
attributes:
  check_mode:
    description: Returns the nodes that would be skipped, without writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Nodes that were skipped or patched are not checked again.
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
      - V(start) runs before the wave begins, V(install) before its nodes are patched, V(reboot) before they are
        rebooted.
    type: str
    required: true
    choices: [start, install, reboot]
  exceptions:
    description: The policy's C(exceptions), with C(ledger), C(tag) and C(timezone).
    type: dict
    default: {}
  freeze:
    description: The policy's C(freeze), with C(ics) and C(change_calendars).
    type: dict
    default: {}
  quorum:
    description:
      - The policy's C(budgets.quorum), health checks that run before members of a cluster are taken out of service. If
        one does not pass, the members are skipped with the code C(missed_quorum).
    type: list
    elements: dict
    default: []
  application_tag:
    description: Key of the application tag, for exceptions that select by application.
    type: str
    default: Application
"""

EXAMPLES = r"""
- name: Skip nodes with an exception, and all nodes during a freeze
  patchtide.hybrid.rollout_guard:
    dir: /var/lib/patchtide/2026-06
    wave: canary
    step: install
    exceptions: {ledger: exceptions.json, tag: PatchException, timezone: UTC}
    freeze: {ics: [freeze.ics]}
"""

RETURN = r"""
held:
  description: Nodes that are skipped, and why.
  returned: success
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      status: skipped
      error: {code: exception, text: "exception CHG0040011 until 2026-11-30, approved by robin: Year-end audit"}
"""
