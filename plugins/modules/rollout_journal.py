#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_journal
short_description: Open, continue and close the journal of a rollout
version_added: 0.1.0
description:
  - The journal is an append-only, hash-chained file of all decisions, work and outcomes of a rollout. After a pause, a
    kill or a crash, the rollout continues from it.
  - The state machine of the rollout checks every event. An event that it refuses is not written, such as work after an
    abort, a wave before the gate of the previous one, or a second install on a node.
  - If the controller pins a trust bundle (M(patchtide.hybrid.trust_info)), a rollout starts only if the people whom the
    bundle requires have approved its first wave. O(approved_digest) and O(approval_file) do not count then. Every
    further wave is checked before it begins. Without a bundle, approvals are not verified.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_decision
    description: Decisions on a rollout.
  - module: patchtide.hybrid.rollout_wave
    description: Claims, starts and patches the nodes of a wave, and writes their events.
notes:
  - Runs on the controller as an action plugin, whatever the host of the play. Progress lines are displayed while it
    runs.
  - With O(state=opened), it writes the process ID of C(ansible-playbook) to C(controller.json) in O(dir). While that
    process runs, a second one on the same machine is refused. Tasks that outlive their playbook are waited for.
  - Processes on other machines are not detected this way. The controller that opened a rollout last continues it. An
    earlier one stops before it sends or records anything else. O(claims) protects the nodes from other rollouts.
attributes:
  check_mode:
    description: Checks whether the event is allowed, but writes nothing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: An event that is in the journal is not written again.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(plan.json). C(journal.jsonl) is written there.
    type: path
    required: true
  state:
    description:
      - V(opened) starts the rollout or continues it.
      - V(closed) finishes it if every wave was promoted, or if it was aborted and all outcomes are known. Otherwise the
        rollout stays open for the next run. Writes C(catch_up.json) if nodes were missed.
    type: str
    required: true
    choices: [opened, closed]
  reason:
    description: With O(state=closed), the reason why an aborted rollout ends. Defaults to the gate that aborted it.
    type: str
    default: ""
  approved_digest:
    description: Digest of the approved plan, all 64 characters. Another plan is refused.
    type: str
  approval_required:
    description:
      - Whether the rollout starts only with an approval of its plan in O(approved_digest) or O(approval_file), even if
        C(approval.required) was not set in the policy when the plan was made.
      - A rollout that was started continues without them, because its journal contains the approval.
    type: bool
    default: false
  approval_file:
    description:
      - YAML or JSON file with the approval. C(digest) is the digest of the plan, and C(by) is the
        approver. C(at) and C(reason) are optional. An approval of another plan is refused.
      - The journal contains the approver. With O(approved_digest) alone, that is the operator who starts the rollout.
    type: path
  policy_digest:
    description:
      - Digest of the policy that this run uses, as M(patchtide.hybrid.policy_info) returns it. A rollout continues only
        with the policy with which it began, or one that a decision V(accept_policy) of
        M(patchtide.hybrid.rollout_decision) accepted since. Without it, nothing is compared.
    type: str
  journal:
    description:
      - Store of the journal. V(file) is C(journal.jsonl) in O(dir) and the default. Other values are
        C(dynamodb:<table>) and C(dynamodb:<Region>/<table>), for controllers in short-lived containers. The partition
        key of the table is C(rollout) (text), its sort key is C(seq) (number).
      - Set it with O(state=opened). It is stored in C(stores.json) in O(dir), where all later steps find it. The store
        of a rollout cannot be changed. O(state=closed) copies the journal to C(journal.jsonl).
      - DynamoDB is accessed with the default credentials and the default Region of AWS tools.
    type: str
  claims:
    description:
      - Store in which controllers claim nodes, so that two rollouts never work on the same node.
        C(file:) and an absolute path on a shared file system that supports C(flock), or C(dynamodb:<table>) or
        C(dynamodb:<Region>/<table>) with the partition key C(node_id) (text). V(none) turns claims off.
      - Defaults to the file C(patchtide/claims.json) in C(XDG_STATE_HOME), or in C(~/.local/state), which protects
        nodes from other rollouts of the same user on the same machine.
      - M(patchtide.hybrid.rollout_wave) claims the nodes of a wave until its window ends, or for a day without a
        window. A node that another rollout claimed gets a final record with the name of that rollout and the status
        V(skipped), or V(failed) if work on it had begun. Claims are released when the rollout is finished.
      - Other rollouts respect a claim until five minutes after its end, because clocks differ.
      - A child plan of M(patchtide.hybrid.rollout_split) needs a DynamoDB table, in which the child plans share budgets
        and gates.
      - Set it with O(state=opened). It is stored like O(journal).
    type: str
  window_wait_minutes:
    description:
      - How long this run waits for a window, as in M(patchtide.hybrid.rollout_wave). Nodes that the end of a window
        left over are due again if their next window is open, or opens within this time.
    type: int
    default: 0
  scheduled:
    description: Whether a schedule began this run, and no person. The report counts the steps that people took.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Start or continue
  patchtide.hybrid.rollout_journal:
    dir: /var/lib/patchtide/2026-06
    state: opened
    approved_digest: 9edb2bfb93c0f0a57c0f6a0b7f65a4bb1d0a1e6c2b9d8e7f60514233a4b5c6d7
  register: rollout

- name: Start only a plan that the change board has approved
  patchtide.hybrid.rollout_journal:
    dir: /var/lib/patchtide/2026-06
    state: opened
    approval_required: true
    approval_file: /var/lib/patchtide/2026-06/approval.yml

- name: Start in a short-lived container, with claims against other rollouts
  patchtide.hybrid.rollout_journal:
    dir: /var/lib/patchtide/2026-06
    state: opened
    journal: dynamodb:eu-central-1/patchtide-journal
    claims: dynamodb:eu-central-1/patchtide-claims
"""

RETURN = r"""
rollout:
  description: Name of the rollout.
  returned: always
  type: str
  sample: 5b0c7d2e9f4a41d8b3c6e0a7f1d29c84
digest:
  description: Digest of its plan.
  returned: always
  type: str
status:
  description: V(new), V(running), V(paused), V(aborted) or V(completed).
  returned: always
  type: str
  sample: running
finished:
  description: Whether the rollout is completed, or aborted and settled.
  returned: always
  type: bool
  sample: false
refused_places:
  description:
    - Account-Regions, such as V(111122223333/eu-central-1), that refused work.
    - Their nodes were missed and are in C(catch_up.json).
  returned: always
  type: list
  elements: str
  sample: []
need:
  description:
    - What the rollout needs next. V(due), V(settle), V(waiting), V(held), V(over) or V(finished), as
      M(patchtide.hybrid.rollout_due) describes them.
  returned: always
  type: str
  sample: waiting
next:
  description: What to do next, with the command.
  returned: always
  type: str
  sample: >-
    Wave prod waits for window prod, which opens Tue 2026-07-14 22:00 CEST to Wed 2026-07-15 02:00 CEST. run_due does
    this by itself. Next at 2026-07-14 20:00 UTC: ansible-playbook patchtide.hybrid.rollout_patches
    -e patchtide_policy_file=policy.yml -e patchtide_dir=2026-07
waves:
  description: Each wave with its status, its number of nodes, and how many are due for which stage.
  returned: always
  type: list
  elements: dict
  sample: [{name: canary, status: running, nodes: 12, due: {patch: 11}}]
play_hosts:
  description: Coordinators of the rollout's play in order, one for each turn of each wave that is not finished.
  returned: always
  type: list
  elements: dict
  contains:
    host:
      description: Name of the coordinator in the play. It runs on the controller.
      type: str
    wave:
      description: Name of the wave.
      type: str
    turn:
      description: Turn of the wave, from 1.
      type: int
    first_turn:
      description: Whether it is the first turn of the wave.
      type: bool
    last_turn:
      description: Whether it is the last turn of the wave, after which the gate decides about the whole wave.
      type: bool
  sample:
    - {host: wave_1_canary, wave: canary, turn: 1, first_turn: true, last_turn: true}
serial:
  description: Batch sizes of the play, V([1]), because each turn is a batch of its own.
  returned: always
  type: list
  elements: int
  sample: [1]
"""
