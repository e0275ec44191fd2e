#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: playbook_variables
short_description: Check the variables of a playbook of this collection
version_added: 0.1.0
description:
  - Checks the variables of a playbook of this collection before it begins, and returns them in their types with their
    defaults. The first play of every playbook does so.
  - A variable that is blank, such as the unanswered question of an AWX survey, counts as unset.
  - Fails if an extra variable begins with C(patchtide_) and no playbook has it, if a required variable is missing, or
    if a value is invalid.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - L(Playbooks and their variables,https://github.com/patchtide/hybrid/blob/main/docs/playbooks.md) lists all
    variables.
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
options:
  playbook:
    description: Name of the playbook.
    type: str
    required: true
    choices:
      - apply_policy
      - approve_plan
      - bootstrap_estate
      - check_azure_tags
      - check_connectivity
      - choose_window
      - configure_awx
      - decide_exception
      - diff_plans
      - enroll_nodes
      - init_policy
      - plan_rollout
      - publish_history
      - publish_report
      - rehearsal_export
      - repair_repositories
      - report_compliance
      - report_history
      - report_own_nodes
      - request_exception
      - rollout_patches
      - run_due
      - scan_compliance
      - send_notices
      - split_plan
      - steer_rollout
      - sync_exceptions
      - sync_windows
      - tenants_overview
"""

EXAMPLES = r"""
- name: Check the variables of plan_rollout before a playbook of your own imports it
  patchtide.hybrid.playbook_variables:
    playbook: plan_rollout
  register: checked

- name: Show for when the plan is made
  ansible.builtin.debug:
    msg: "{{ checked.at | default('now') }}"
"""

RETURN = r"""
dir:
  description: An example. Each variable that is set or has a default is returned without its prefix C(patchtide_).
  returned: when set
  type: str
  sample: /var/lib/patchtide/contoso/2026-06
next:
  description:
    - What to do after the playbook, with the command. In check mode, it is the same command without check mode.
  returned: for playbooks that always have the same successor
  type: str
  sample: "Next: ansible-playbook patchtide.hybrid.scan_compliance -i inventory -e patchtide_dir=2026-06"
"""
