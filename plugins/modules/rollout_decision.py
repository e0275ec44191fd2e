#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_decision
short_description: Record a person's decision about a rollout
version_added: 0.1.0
description:
  - Records in the rollout's journal that a person promotes a paused wave, retries or skips nodes, writes off what could
    not be restored, or aborts the rollout. The record holds the user, the time and the reason.
  - A decision that would have no effect fails and is not recorded, such as promoting a wave of an aborted rollout. So
    does a decision on nodes that holds for only some of the nodes it names.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_journal
  - module: patchtide.hybrid.rollout_gate
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter.
  - V(promote) and V(retry) take effect when the rollout is run again. A running rollout heeds V(abort) at its next
    step.
  - The user is that of AWX or automation controller (C(awx_user_name)), else the one who runs C(ansible-playbook).
attributes:
  check_mode:
    description: Predicts the change, and fails where the decision would fail. Records nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description:
      - V(promote), V(skip) and V(abort) report no change if an identical decision was made before.
      - V(retry) and V(write_off) fail the second time, because they find nothing left to act on.
    support: partial
options:
  dir:
    description: Directory of the rollout, with C(plan.json).
    type: path
    required: true
  decision:
    description:
      - V(promote) lets a paused O(wave) pass, so that the next run begins the next wave. All its nodes must have final
        records. It fails if the wave is not paused, or if its own gate has promoted it.
      - V(retry) makes the next run work again on nodes of O(wave) that failed or were missed. It fails if there are
        none, or if the wave is neither paused nor running.
      - V(skip) ends nodes of O(wave) as skipped without working on them. It fails if every node has a final record or
        is being worked on.
      - V(write_off) states that somebody has restored by hand what the rollout could not restore. It fails if
        nothing in O(wave) has to be restored. It is the only decision that an aborted rollout still takes.
      - V(abort) ends the rollout for good. Nothing more begins, running work is awaited, and everything prepared is
        restored. It fails if the rollout is completed or a gate has aborted it.
    type: str
    required: true
    choices: [promote, retry, skip, write_off, abort]
  wave:
    description:
      - Name of the wave. Required unless O(decision=abort).
      - With O(decision=abort) it only notes which wave was the cause.
    type: str
  nodes:
    description:
      - Ids of the nodes that the decision is about. Only for V(retry), V(skip) and V(write_off).
      - Without them, V(retry) takes all nodes of O(wave) that failed or were missed, V(skip) all that have no final
        record and are not being worked on, and V(write_off) all for which O(what) is not restored.
      - A node that was skipped is retried only if it is named.
    type: list
    elements: str
    default: []
  what:
    description: The preparation that is written off. Required with O(decision=write_off), refused with others.
    type: str
    choices: [drained, nodes_hook, patch_now, wave_hook, started]
  reason:
    description: Why, in the words of the person who decides. Must not be empty.
    type: str
    required: true
  journal:
    description:
      - Where the journal is kept, as in M(patchtide.hybrid.rollout_journal). Needed only where O(dir) is not the
        directory in which the rollout was opened, such as in a new container.
    type: str
"""

EXAMPLES = r"""
- name: Let a paused wave pass
  patchtide.hybrid.rollout_decision:
    dir: /var/lib/patchtide/2026-06
    decision: promote
    wave: canary
    reason: The failed node is a test machine, CHG0040007

- name: Retry the nodes of a paused wave that failed
  patchtide.hybrid.rollout_decision:
    dir: /var/lib/patchtide/2026-06
    decision: retry
    wave: canary
    reason: The mirror is back, INC0012345

- name: Skip a node
  patchtide.hybrid.rollout_decision:
    dir: /var/lib/patchtide/2026-06
    decision: skip
    wave: production
    nodes: [i-0123456789abcdef0]
    reason: It is being replaced, CHG0040008

- name: Write off instances that were stopped by hand after the rollout could not stop them
  patchtide.hybrid.rollout_decision:
    dir: /var/lib/patchtide/2026-06
    decision: write_off
    wave: production
    what: started
    reason: Stopped in the console, INC0012346

- name: Abort the rollout
  patchtide.hybrid.rollout_decision:
    dir: /var/lib/patchtide/2026-06
    decision: abort
    reason: The release was called off, CHG0040009
"""

RETURN = r"""
nodes:
  description: Ids of the nodes on which the decision takes effect. Empty with V(promote) and V(abort).
  returned: success
  type: list
  elements: str
  sample: [i-0123456789abcdef0]
rollout:
  description: Name of the rollout.
  returned: success
  type: str
  sample: 9edb2bfb93c0
digest:
  description: Digest of its plan.
  returned: success
  type: str
status:
  description: Status of the rollout after the decision. V(running), V(paused), V(aborted) or V(completed).
  returned: success
  type: str
  sample: paused
finished:
  description: Whether the rollout has ended for good.
  returned: success
  type: bool
  sample: false
waves:
  description: Each wave with its status, its number of nodes, and how many nodes are due for which stage.
  returned: success
  type: list
  elements: dict
  sample: [{name: canary, status: paused, nodes: 12, due: {precheck: 1}}]
play_hosts:
  description: Hosts of the rollout's play in order. A coordinator stands before the direct hosts of each wave.
  returned: success
  type: list
  elements: dict
serial:
  description: Size of each of its batches.
  returned: success
  type: list
  elements: int
error:
  description:
    - Why the decision was not recorded. Its C(code) is V(DecisionRefused) if the decision would have no effect, or
      V(BadInput) if the plan has no such wave or node.
  returned: failure
  type: dict
  contains:
    code:
      description: Kind of the error.
      type: str
      returned: failure
    message:
      description: The error as a sentence.
      type: str
      returned: failure
  sample: {code: DecisionRefused, message: "promote has no effect: wave canary is running, not paused."}
"""
