#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_journal_info
short_description: Verify and summarize a rollout's journal
version_added: 0.1.0
description:
  - Verifies the numbering, the hash of every record and the hash chain. If C(plan.json) is in the same directory, it
    also verifies that the plan allows every event. It needs neither network access nor credentials.
  - Anyone who can write the file can also create a new chain. To detect this, store RV(head) elsewhere, such as in
    the change ticket, and pass it as O(head) later.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
seealso:
  - module: patchtide.hybrid.rollout_journal
options:
  dir:
    description: Directory of the rollout, with C(journal.jsonl) and, optionally, C(plan.json).
    type: path
    required: true
  head:
    description:
      - Hash of a record of this journal that was stored earlier. It must still be in the chain, which proves that no
        record up to it was removed or rewritten.
    type: str
  strict:
    description: Whether a damaged journal fails the task. If V(false), check RV(valid).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Verify the journal offline
  patchtide.hybrid.rollout_journal_info:
    dir: /var/lib/patchtide/2026-06
  register: journal

- name: Verify the journal against the hash in the change ticket
  patchtide.hybrid.rollout_journal_info:
    dir: /var/lib/patchtide/2026-06
    head: 4c3e1d0b7f5a2968c1b0e7d6a5f4938271605f4e3d2c1b0a9f8e7d6c5b4a3928
"""

RETURN = r"""
valid:
  description: Whether every record is unchanged, in order, and allowed by the plan.
  returned: always
  type: bool
  sample: true
first_damaged:
  description: Number of the first record that cannot be trusted, and the reason.
  returned: always
  type: dict
  sample: {seq: 7, reason: record 7 was changed after it was written}
head:
  description: Hash of the last complete record. It covers all records before it.
  returned: always
  type: str
torn:
  description: Whether an incomplete line follows, left by a process that was killed. It is ignored.
  returned: always
  type: bool
  sample: false
records:
  description: Number of complete records before the first damage.
  returned: always
  type: int
  sample: 42
events:
  description: Number of records of each kind.
  returned: always
  type: dict
  sample: {gate: 3, intent: 15, outcome: 18, sent: 15}
started_at:
  description: Time of the first record.
  returned: always
  type: str
  sample: "2026-06-01T20:00:00.120Z"
last_at:
  description: Time of the last complete record.
  returned: always
  type: str
  sample: "2026-06-01T23:41:07.003Z"
operators:
  description: Users who ran or resumed the rollout, or recorded a decision.
  returned: always
  type: list
  elements: str
  sample: [anna]
decisions:
  description: Decisions that people made, with their reasons.
  returned: always
  type: list
  elements: dict
gates:
  description: Verdicts of the gates, with their reasons.
  returned: always
  type: list
  elements: dict
  sample: [{at: "2026-06-01T21:12:00.000Z", wave: canary, verdict: promote, reasons: []}]
rollout:
  description: Name of the rollout.
  returned: with C(plan.json)
  type: str
  sample: 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84
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
  description: Whether the rollout is finished.
  returned: with C(plan.json)
  type: bool
  sample: true
waves:
  description: Waves with their status, number of nodes, and number of nodes with a final record.
  returned: with C(plan.json)
  type: list
  elements: dict
  sample: [{name: canary, status: finished, nodes: 12, finished_nodes: 12}]
open_intents:
  description: Work that was started and has no recorded outcome.
  returned: with C(plan.json)
  type: list
  elements: str
  sample: []
"""
