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
  - The journal is an append-only, hash-chained file of everything that was decided, begun and found. A rollout is
    continued from it after a pause, a kill or a crash.
  - Every event goes through the rollout's state machine. What does not fit is refused and not written, such as work
    after an abort, a wave before its predecessor's gate, or a second install on a node.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_decision
    description: What a person decides about the rollout.
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
  - With O(state=opened) it notes the process of C(ansible-playbook) in C(controller.json) in O(dir). As long as that
    process runs, another one on the same machine is refused; of other machines nothing is known.
attributes:
  check_mode:
    description: Checks whether the event fits, but writes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: An event that was recorded before is not recorded again.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(plan.json). C(journal.jsonl) is written there.
    type: path
    required: true
  state:
    description:
      - V(opened) starts the rollout or continues it, V(closed) ends it if every wave was promoted or it was aborted.
      - V(wave_claimed) claims the nodes of O(wave), before its window opens if there are stopped ones to start.
        V(wave_started) begins the wave, in its window.
      - V(intended) and V(recorded) note that a stage of one node is about to begin, and how it ended. V(failed) notes
        that the work on a node broke off.
    type: str
    required: true
    choices:
      - opened
      - wave_claimed
      - wave_started
      - intended
      - recorded
      - failed
      - closed
  wave:
    description: Name of the wave.
    type: str
  stage:
    description: Stage of the node.
    type: str
    choices: [precheck, patch, reboot, scan, verify]
  node:
    description: Id of the node.
    type: str
  result:
    description: How the stage ended.
    type: dict
  reason:
    description: With O(state=failed), what broke off; with O(state=closed), why an aborted rollout ends.
    type: str
    default: ""
  window_wait:
    description:
      - With O(state=wave_claimed) and O(state=wave_started), how many minutes to wait for the wave's window to open. If
        it opens later than that, or is over, the task fails and says when it is.
    type: int
    default: 60
  ahead_minutes:
    description: With O(state=wave_claimed), how long before the window stopped nodes are started.
    type: int
    default: 15
  approved_digest:
    description: Digest of the plan that was approved, at least its first twelve characters. Another plan is refused.
    type: str
  approval_required:
    description:
      - Whether a rollout is refused unless O(approved_digest) or O(approval_file) says that its plan was approved; the
        policy's C(approval.required).
      - A rollout that was started goes on without, since its journal holds the approval.
    type: bool
    default: false
  approval_file:
    description:
      - YAML or JSON file with the approval. C(digest) is that of the plan, at least its first twelve characters, C(by)
        who approved it; C(at) and C(reason) are optional. An approval of another plan is refused.
      - Who approved stands in the journal. With O(approved_digest) alone that is who starts the rollout.
    type: path
  journal:
    description:
      - Where the journal is kept. V(file) is C(journal.jsonl) in O(dir), which is the default. Other values are
        C(dynamodb:<table>) and C(dynamodb:<Region>/<table>), for controllers that run in throw-away containers; the
        table's partition key is C(rollout) (text), its sort key C(seq) (number).
      - Give it with O(state=opened). It is noted in C(stores.json) in O(dir), where all later steps find it. A rollout
        stays in the store in which it began. O(state=closed) copies the journal to C(journal.jsonl).
      - DynamoDB is reached with the credentials and the Region that AWS tools find by default.
    type: str
  claims:
    description:
      - Where controllers note which rollout owns which node, so that no two ever work on the same one. C(file:) and an
        absolute path, on a file system that all of them share and that honours C(flock), or C(dynamodb:<table>) or
        C(dynamodb:<Region>/<table>) with the partition key C(node_id) (text).
      - O(state=wave_started) claims the nodes of O(wave) until the end of its window, or for a day without one. A node
        that another rollout holds gets a final record that names the holder, with the status V(skipped), or V(failed)
        if work on it had begun before. They are released when the rollout is finished. Not given means that nothing
        is claimed.
      - A claim that is past its time counts for five minutes more, because clocks differ.
      - Give it with O(state=opened); it is noted like O(journal).
    type: str
"""

EXAMPLES = r"""
- name: Start or continue
  patchtide.hybrid.rollout_journal:
    dir: /var/lib/patchtide/2026-06
    state: opened
    approved_digest: 9edb2bfb93c0
  register: rollout

- name: Start only what the change board has approved
  patchtide.hybrid.rollout_journal:
    dir: /var/lib/patchtide/2026-06
    state: opened
    approval_required: true
    approval_file: /var/lib/patchtide/2026-06/approval.yml

- name: Start where containers come and go, and others patch too
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
  sample: 9edb2bfb93c0
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
  description: Whether nothing can follow.
  returned: always
  type: bool
  sample: false
waves:
  description: Each wave with its status, its number of nodes, and how many are due for which stage.
  returned: always
  type: list
  elements: dict
  sample: [{name: canary, status: running, nodes: 12, due: {patch: 11}}]
play_hosts:
  description: Hosts of the rollout's play in order. A coordinator stands before the direct hosts of each wave.
  returned: always
  type: list
  elements: dict
serial:
  description: Size of each of its batches.
  returned: always
  type: list
  elements: int
"""
