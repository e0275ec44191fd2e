#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_due
short_description: Find the rollouts of a directory that are due
version_added: 0.1.0
description:
  - Reads all plans and journals in a directory, for example those of several tenants, and returns what each rollout
    needs now. It plans nothing; the nights come from the plans.
  - Chooses the most urgent rollout that is due, so that the playbook can continue it. Work that an earlier run left
    unfinished comes first, then the night that ends first.
  - Concurrent runs choose different rollouts.
  - On a controller with a trust bundle, a rollout whose next wave people have not approved waits, and keeps no other
    one waiting. Without one, a new rollout whose policy requires an approval waits for C(approval.yml) beside its plan.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_plan
    description: Creates the plans.
  - module: patchtide.hybrid.rollout_journal
    description: Opens the journal of the chosen rollout.
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - For a chosen rollout, it writes the process ID of C(ansible-playbook) to C(controller.json) in its directory, as
    M(patchtide.hybrid.rollout_journal) does.
attributes:
  check_mode:
    description: Chooses a rollout without writing C(controller.json).
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Writes only C(controller.json).
    support: full
options:
  dir:
    description:
      - Directory above the directories of the rollouts, each of which contains C(plan.json).
      - Three levels are searched, so that tenants and years can have directories of their own.
    type: path
    required: true
  policy_file:
    description:
      - Policy file for rollouts that have no policy file of their own.
      - The policy of a rollout is the file C(policy.yml) in its directory, or in the nearest one above it up to O(dir).
    type: path
  ahead_minutes:
    description: Minutes before a night from which its rollout is due, so that stopped nodes can be started before the
      window opens.
    type: int
    default: 30
  takeover_minutes:
    description: Minutes without a journal record after which this machine takes over a rollout that another machine
      started. For controllers on this machine, it is known whether they run.
    type: int
    default: 30
"""

EXAMPLES = r"""
- name: Find what is due
  patchtide.hybrid.rollout_due:
    dir: /var/lib/patchtide
  register: due

- name: Show what waits
  ansible.builtin.debug:
    msg: "{{ item.dir }}: {{ item.text }}"
  loop: "{{ due.rollouts | rejectattr('need', 'equalto', 'finished') }}"
"""

RETURN = r"""
rollouts:
  description: All rollouts of the directory, sorted by their directories.
  returned: always
  type: list
  elements: dict
  contains:
    dir:
      description: Directory of the rollout.
      type: str
      returned: always
      sample: /var/lib/patchtide/contoso/2026-06
    rollout:
      description: Name of the rollout. Empty if the plan cannot be read.
      type: str
      returned: always
      sample: 9edb2bfb93c0
    policy_file:
      description: Its policy file. Empty if there is none.
      type: str
      returned: always
      sample: /var/lib/patchtide/contoso/policy.yml
    approval_file:
      description: The file C(approval.yml) in its directory. Empty if there is none.
      type: str
      returned: always
      sample: /var/lib/patchtide/contoso/2026-06/approval.yml
    need:
      description:
        - V(due) if it can be run now. V(settle) if it is paused and an earlier run left something prepared.
        - V(waiting) for a time or another controller, V(held) for a person, V(over) if its nights are past,
          V(finished), or V(broken) if its files cannot be read.
      type: str
      returned: always
      sample: waiting
    at:
      description: Time at which it becomes due. Empty if unknown.
      type: str
      returned: always
      sample: "2026-07-07T19:30:00.000Z"
    local:
      description: The night it waits for or works in, in the time zone of the window. Empty without a window.
      type: str
      returned: always
      sample: Tue 2026-07-07 22:00 CEST to Wed 2026-07-08 02:00 CEST
    text:
      description: Reason, as text.
      type: str
      returned: always
      sample: wave dev waits for window dev, which opens Tue 2026-07-07 22:00 CEST to Wed 2026-07-08 02:00 CEST
chosen:
  description: The rollout to continue, with the same members. Empty if none is due.
  returned: always
  type: dict
  sample: {}
broken:
  description: Directories whose plan, journal or policy cannot be read, with the reason.
  returned: always
  type: list
  elements: str
  sample: []
"""
