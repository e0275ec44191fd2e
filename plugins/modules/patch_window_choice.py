#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patch_window_choice
short_description: Choose the maintenance window of one's own nodes
version_added: 0.1.0
description:
  - Owners choose a window of the policy for their own nodes, permanently or until a date. The choice is written to the
    maintenance window tag of EC2 instances, hybrid nodes, Azure virtual machines and Azure Arc servers, and to a file
    in C(host_vars) for other hosts. It applies to plans made from then on, never to existing ones.
  - The connection to Azure is taken from the environment, as in a rollout.
  - C(owners) in the policy defines which nodes the person who runs the task may choose for. In AWX, that is the person
    who launched the job; jobs launched by a schedule or a webhook are refused. Tags alone never make somebody an owner.
  - A ledger records who chose what, when and why.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.patch_window_sync
    description: Creates maintenance windows from tags.
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - If one of the nodes is unknown or belongs to somebody else, or its tag cannot be read, nothing is changed.
  - If the tags of some nodes cannot be written, those of the others are written, and the task fails with the reason for
    each node. Repeat it then.
attributes:
  check_mode:
    description: Checks the choice and predicts the changes, but writes nothing.
    support: full
  diff_mode:
    description: Shows the windows before and after.
    support: full
  idempotent:
    description: Repeating a choice changes nothing.
    support: full
options:
  ledger:
    description: JSON file with all choices.
    type: path
    required: true
  state:
    description:
      - V(chosen) records a choice.
      - V(expired) restores the earlier window where a choice has ended. A tag that was changed in the meantime is kept.
    type: str
    choices: [chosen, expired]
    default: chosen
  nodes:
    description: Nodes, by ID or inventory name.
    type: list
    elements: str
  window:
    description: Name of a window of the policy.
    type: str
  until:
    description: Last day of the choice, such as V(2026-12-31). By default, the choice is permanent.
    type: str
  reason:
    description: Reason for the choice.
    type: str
  form:
    description:
      - YAML or JSON file with C(nodes), C(window), C(until) and C(reason), instead of these options.
    type: path
  inventory_dir:
    description:
      - Directory of the inventory, for hosts in no cloud. Their window is written to
        C(host_vars/<host>/patchtide_window.yml).
    type: path
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.policy
"""

EXAMPLES = r"""
- name: Check the policy file
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Patch two web servers on Sundays until the end of the year
  patchtide.hybrid.patch_window_choice:
    policy: "{{ policy.policy }}"
    ledger: /var/lib/patchtide/window_choices.json
    nodes: [web-01, web-02]
    window: contoso-sun
    until: "2026-12-31"
    reason: Release freeze on Saturdays

- name: Restore the windows of choices that have ended
  patchtide.hybrid.patch_window_choice:
    policy: "{{ policy.policy }}"
    ledger: /var/lib/patchtide/window_choices.json
    state: expired
"""

RETURN = r"""
windows:
  description: Windows whose names were written as tags, by host. Empty if the tag was removed.
  returned: always
  type: dict
  sample: {web-01: contoso-sun}
failed_nodes:
  description: Reasons why tags could not be read or written, by node.
  returned: always
  type: dict
  sample: {}
"""
