#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: trust_check
short_description: Check the approvals of a plan, or a person's responsibility
version_added: 0.1.0
description:
  - With O(dir), reads the approvals of a plan from all sources that the trust bundle accepts, and reports what each
    wave lacks. Approvals that do not count are listed with the reason. The result is also shown in C(plan.html).
  - With O(activity), checks that the person who runs the task has a role that is responsible or accountable for the
    activity.
  - Without a trust bundle, nothing is checked and RV(verified) is V(false).
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - The person who runs the task is identified by the account of its process and, in AWX jobs that a person launched,
    also by the AWX user. Shared accounts do not identify a person; a responsibility cannot be checked then, and
    RV(text) says so.
requirements:
  - ssh-keygen of OpenSSH 8.9 or later on the controller
seealso:
  - module: patchtide.hybrid.trust_info
  - module: patchtide.hybrid.trust_statement
attributes:
  check_mode:
    description: Performs all checks, but does not write C(plan.html).
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Reports a change only if C(plan.html) shows something new.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and the statements in C(approvals/).
    type: path
  activity:
    description: Activity in the bundle's C(responsibilities) to check.
    type: str
    choices: [apply_policy, plan_rollout, approve_plan, run_rollout, decide, request_exception, approve_exception]
  strict:
    description: Whether the task fails if a wave of the plan is not approved. With V(false), check RV(approved).
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Show who has approved the plan and what is missing
  patchtide.hybrid.trust_check:
    dir: /var/lib/patchtide/2026-06
    strict: false

- name: Make sure that the security team changes the baselines
  patchtide.hybrid.trust_check:
    activity: apply_policy
"""

RETURN = r"""
verified:
  description: Whether the result was verified, because this controller pins a trust bundle.
  returned: success
  type: bool
text:
  description: The result as text.
  returned: success
  type: str
digest:
  description: Digest of the plan.
  returned: with O(dir)
  type: str
next:
  description: What to do next, with the command.
  returned: with O(dir)
  type: str
  sample: "Next: ansible-playbook patchtide.hybrid.rollout_patches -i inventory -e patchtide_dir=2026-06"
approved:
  description: Whether every wave is approved.
  returned: with O(dir), when verified
  type: bool
bundle_version:
  description: Version of the trust bundle.
  returned: with O(dir), when verified
  type: int
missing:
  description: What is missing, by wave. Contains only waves that are not approved.
  returned: with O(dir), when verified
  type: dict
  sample: {production: ["production needs 1 person with the role app_owner, 1 missing"]}
counted:
  description: Approvals that count, with C(principal), C(roles), C(source), C(environments), C(waves), C(reason).
  returned: with O(dir), when verified
  type: list
  elements: dict
refused:
  description: Approvals that do not count, with C(name) and C(reason).
  returned: with O(dir), when verified
  type: list
  elements: dict
  sample:
    - {name: plan-ana.json, reason: "ana@example.com made the plan, so their approval does not count"}
"""
