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
  - Records a person's decision in the rollout's journal. It promotes a paused wave, retries or skips nodes, writes off
    a preparation that cannot be restored, accepts a changed policy, or aborts the rollout. The record contains the
    user, the time and the reason.
  - If the controller pins a trust bundle, decisions that the bundle assigns to a role need a signed statement
    (O(statement)), and those that it assigns to no role are refused. V(abort) needs one only if the bundle names it.
  - A decision without effect fails and is not recorded, such as promoting a wave of an aborted rollout. A decision on
    nodes also fails if it has no effect on one of them.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_journal
  - module: patchtide.hybrid.rollout_gate
  - module: patchtide.hybrid.trust_statement
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - V(promote), V(retry) and V(run_now) take effect when the rollout is run again. A running rollout applies V(abort) at
    its next step.
  - In an AWX or automation controller job that a person launched, the user is that person. Otherwise, it is the
    account that runs C(ansible-playbook). Extra variables and C(LOGNAME) are ignored.
attributes:
  check_mode:
    description: Predicts the change, and fails if the decision would fail. Records nothing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description:
      - An identical decision fails the second time, because it would have no effect.
      - Only V(run_now) can be repeated. It restarts the time.
    support: none
options:
  dir:
    description: Directory of the rollout, with C(plan.json).
    type: path
    required: true
  decision:
    description:
      - V(promote) promotes a paused O(wave), so that the next run begins the next wave. All its nodes must have final
        records. It fails if the wave is not paused, or if its own gate has promoted it.
      - V(retry) makes the next run work again on nodes of O(wave) that failed or were missed. It fails if there are
        none, or if the wave is neither paused nor running.
      - V(skip) skips nodes of O(wave). It fails if every node has a final record or is being worked on. A node whose
        install has run ends unknown, because nobody checks it.
      - V(write_off) records that a preparation was restored by hand. It fails if nothing in O(wave) must be restored.
        It is the only decision that is possible on an aborted rollout.
      - V(run_now) lets O(wave) run outside its maintenance windows, for as long as its longest night and not after the
        end of the plan. Gates of earlier waves, freezes and exceptions hold. It fails if the wave has no window, has
        ended, or is not the next one.
      - V(accept_policy) lets the next run use a policy that was changed after the rollout began.
      - V(abort) ends the rollout permanently. No further work begins, running work is awaited, and all preparations are
        restored. It fails if the rollout is completed or a gate has aborted it.
    type: str
    required: true
    choices: [promote, retry, skip, write_off, accept_policy, run_now, abort]
  wave:
    description:
      - Name of the wave. Required unless O(decision=abort) or O(decision=accept_policy).
      - With these two, it only documents the wave that was the cause.
    type: str
  nodes:
    description:
      - IDs of the nodes to which the decision applies. Only for V(retry), V(skip) and V(write_off).
      - By default, V(retry) applies to all nodes of O(wave) that failed or were missed, V(skip) to all that have no
        final record and are not being worked on, and V(write_off) to all for which O(what) is not restored.
      - A skipped node is retried only if it is in this list.
    type: list
    elements: str
    default: []
  what:
    description: Preparation to write off. Required with O(decision=write_off), not allowed with other decisions.
    type: str
    choices: [drained, nodes_hook, patch_now, wave_hook, promoted, started]
  policy_digest:
    description:
      - Digest of the policy that is accepted, as M(patchtide.hybrid.policy_info) returns it. Required with
        O(decision=accept_policy), refused with others.
    type: str
  statement:
    description:
      - File that M(patchtide.hybrid.trust_statement) wrote for this decision. Its signature is in the same directory,
        with the suffix C(.sig). The journal must have no new records since.
    type: path
  reason:
    description: Reason for the decision. Must not be empty.
    type: str
    required: true
  journal:
    description:
      - Journal store of the rollout, as for M(patchtide.hybrid.rollout_journal). Needed only if O(dir) is not the
        directory in which the rollout was opened, for example in a new container.
    type: str
"""

EXAMPLES = r"""
- name: Promote a paused wave
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
  description: IDs of the nodes to which the decision applies. Empty with V(promote) and V(abort).
  returned: success
  type: list
  elements: str
  sample: [i-0123456789abcdef0]
rollout:
  description: Name of the rollout.
  returned: success
  type: str
  sample: 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84
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
  description: Whether the rollout is completed, or aborted and settled.
  returned: success
  type: bool
  sample: false
need:
  description: What the rollout needs next, as in M(patchtide.hybrid.rollout_journal).
  returned: success
  type: str
  sample: due
next:
  description: What to do next, with the command.
  returned: success
  type: str
  sample: >-
    The gate of wave canary is due. run_due does this by itself. Next: ansible-playbook patchtide.hybrid.rollout_patches
    -e patchtide_policy_file=policy.yml -e patchtide_dir=2026-07
waves:
  description: Each wave with its status, its number of nodes, and how many nodes are due for which stage.
  returned: success
  type: list
  elements: dict
  sample: [{name: canary, status: paused, nodes: 12, due: {precheck: 1}}]
play_hosts:
  description:
    - Coordinators of the rollout's play in order, as M(patchtide.hybrid.rollout_journal) returns them. One driver on
      the controller works on all nodes of a turn, including hosts that are reached directly.
  returned: success
  type: list
  elements: dict
serial:
  description: Batch sizes of the play, V([1]), because each turn is a batch of its own.
  returned: success
  type: list
  elements: int
error:
  description:
    - Reason why the decision was not recorded. Its C(code) is V(DecisionRefused) if the decision would have no effect,
      or V(BadInput) if the plan has no such wave or node.
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
