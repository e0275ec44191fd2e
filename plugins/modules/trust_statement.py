#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: trust_statement
short_description: Write a statement for a person to sign
version_added: 0.1.0
description:
  - Writes a person's approval of a plan, or their decision about a rollout, as a statement in canonical form. Returns
    the command that signs it with the person's SSH key. The controller never needs the private key.
  - A statement about a plan contains its digest, the rollout, environments, waves, role, verdict and validity period. A
    decision also contains the head of the rollout's journal, so that it cannot be reused.
  - Fails if this controller pins no trust bundle, because nothing would verify the signature.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - Statements are written to C(approvals/) and C(decisions/) in O(dir). The signature belongs in the same directory,
    with the suffix C(.sig), where C(ssh-keygen) writes it. The file must not be changed, not even its line endings.
seealso:
  - module: patchtide.hybrid.trust_check
  - module: patchtide.hybrid.rollout_decision
attributes:
  check_mode:
    description: Shows the statement without writing it.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: An existing statement with the same content that is still valid is kept.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(plan.json).
    type: path
    required: true
  act:
    description: Subject of the statement.
    type: str
    choices: [plan, decision]
    default: plan
  verdict:
    description:
      - V(approve) approves. V(reject) and V(revoke) stop the plan, no matter who else approves it, and everyone in the
        bundle may sign them. Decisions only accept V(approve).
    type: str
    choices: [approve, reject, revoke]
    default: approve
  principal:
    description: Person who signs. Defaults to the person in the bundle whose account runs the task.
    type: str
  role:
    description: Role in which the person signs. Defaults to the person's only role that is required.
    type: str
  environments:
    description: Environments to which the statement applies. Defaults to all in which the plan has nodes.
    type: list
    elements: str
    default: []
  waves:
    description: Waves to which the statement applies. Defaults to all.
    type: list
    elements: str
    default: []
  valid_hours:
    description: Hours for which the statement is valid. The bundle limits them with C(max_hours).
    type: int
    default: 72
  reason:
    description: Reason of the person who signs. Must not be empty.
    type: str
    required: true
  decision:
    description: The decision, as in M(patchtide.hybrid.rollout_decision). Required with O(act=decision).
    type: str
    choices: [promote, retry, skip, write_off, accept_policy, run_now, abort]
  wave:
    description: Wave of the decision.
    type: str
  nodes:
    description: Nodes of the decision.
    type: list
    elements: str
    default: []
  what:
    description: Preparation to write off.
    type: str
    choices: [drained, nodes_hook, patch_now, wave_hook, promoted, started]
  policy_digest:
    description: Digest of the policy that V(accept_policy) accepts.
    type: str
  journal:
    description:
      - Journal store of the rollout, as for M(patchtide.hybrid.rollout_journal). Needed only if O(dir) is not the
        directory in which the rollout was opened.
    type: str
"""

EXAMPLES = r"""
- name: Write the approval of a plan
  patchtide.hybrid.trust_statement:
    dir: /var/lib/patchtide/2026-06
    principal: ana@example.com
    role: change_manager
    reason: Change board, CHG0040007
  register: approval

- name: Show how to sign it
  ansible.builtin.debug:
    msg: "{{ approval.command }}"

- name: Write a decision
  patchtide.hybrid.trust_statement:
    dir: /var/lib/patchtide/2026-06
    act: decision
    decision: promote
    wave: canary
    principal: dana@example.com
    reason: The failed node is a test machine, CHG0040007
"""

RETURN = r"""
path:
  description: Path of the statement.
  returned: success
  type: str
  sample: /var/lib/patchtide/2026-06/approvals/plan-ana_example.com-0f1e2d3c4b5a.json
command:
  description: Command that signs it. Replace the path of the key with that of the signer.
  returned: success
  type: str
  sample: ssh-keygen -Y sign -n plan@patchtide -f ~/.ssh/id_ed25519 /var/lib/patchtide/2026-06/approvals/plan-ana.json
signed:
  description: Whether a signature already exists. It is not verified here.
  returned: success
  type: bool
principal:
  description: Person who signs.
  returned: success
  type: str
role:
  description: Role in which the person signs.
  returned: success
  type: str
expires:
  description: Time at which the statement expires.
  returned: success
  type: str
  sample: "2026-12-04T22:00:00Z"
statement:
  description: Content of the statement.
  returned: success
  type: str
"""
