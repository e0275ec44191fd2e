#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_journal_info
short_description: Prove the journal of a rollout and tell what it holds
version_added: 0.1.0
description:
  - Checks the numbering, the hash of every record and the chain between them, and, if C(plan.json) lies beside the
    journal, that the plan's state machine allows every event. It needs no network and no credentials.
  - Whoever can write the file can write a whole new chain. Against that, keep the RV(head) somewhere else, such as in
    the change ticket, and give it as O(head) later.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter.
seealso:
  - module: patchtide.hybrid.rollout_journal
attributes:
  check_mode:
    description: Only reads.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: Only reads.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(journal.jsonl) and, if it is at hand, C(plan.json).
    type: path
    required: true
  head:
    description:
      - Hash of a record of this journal that was noted earlier. It must still be in the chain, so that records can't
        have been cut off before it or written anew.
    type: str
  strict:
    description: Whether a damaged journal fails the task. If not, look at RV(valid).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Prove the journal, offline
  patchtide.hybrid.rollout_journal_info:
    dir: /var/lib/patchtide/2026-06
  register: journal

- name: Prove that it still holds what the change ticket says
  patchtide.hybrid.rollout_journal_info:
    dir: /var/lib/patchtide/2026-06
    head: 4c3e1d0b7f5a2968c1b0e7d6a5f4938271605f4e3d2c1b0a9f8e7d6c5b4a3928
"""

RETURN = r"""
valid:
  description: Whether every record is what was written, in its place, and allowed by the plan.
  returned: always
  type: bool
  sample: true
first_damaged:
  description: The first record that can't be trusted, with its number and what is wrong with it.
  returned: always
  type: dict
  sample: {seq: 7, reason: record 7 was changed after it was written}
head:
  description: Hash of the last whole record. It stands for all records before it.
  returned: always
  type: str
torn:
  description: Whether half a line follows, left by a writer that was killed. It never counted.
  returned: always
  type: bool
  sample: false
records:
  description: Number of whole records before the first damage.
  returned: always
  type: int
  sample: 42
events:
  description: How many records there are of each kind.
  returned: always
  type: dict
  sample: {gate: 3, intent: 15, outcome: 18, sent: 15}
started_at:
  description: Time of the first record.
  returned: always
  type: str
  sample: "2026-06-01T20:00:00.120Z"
last_at:
  description: Time of the last whole record.
  returned: always
  type: str
  sample: "2026-06-01T23:41:07.003Z"
operators:
  description: Who ran, resumed or decided.
  returned: always
  type: list
  elements: str
  sample: [anna]
decisions:
  description: What people decided, with their reasons.
  returned: always
  type: list
  elements: dict
gates:
  description: Every gate's verdict with its reasons.
  returned: always
  type: list
  elements: dict
  sample: [{at: "2026-06-01T21:12:00.000Z", wave: canary, verdict: promote, reasons: []}]
rollout:
  description: Name of the rollout.
  returned: with C(plan.json)
  type: str
  sample: 9edb2bfb93c0
digest:
  description: Digest of its plan.
  returned: with C(plan.json)
  type: str
status:
  description: V(new), V(running), V(paused), V(aborted) or V(completed).
  returned: with C(plan.json)
  type: str
  sample: completed
finished:
  description: Whether nothing can follow.
  returned: with C(plan.json)
  type: bool
  sample: true
waves:
  description: Each wave with its status, its nodes, and how many of them have a final record.
  returned: with C(plan.json)
  type: list
  elements: dict
  sample: [{name: canary, status: finished, nodes: 12, finished_nodes: 12}]
open_intents:
  description: Work that was begun and whose end is not recorded.
  returned: with C(plan.json)
  type: list
  elements: str
  sample: []
"""
