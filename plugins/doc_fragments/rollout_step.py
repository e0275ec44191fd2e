# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of the actions that carry out one step of a rollout."""

    # Not named after another fragment: Ansible would take that one.
    PREPARATION = r"""
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and C(journal.jsonl).
    type: path
    required: true
  poll_interval:
    description: Seconds between two polls.
    type: int
    default: 15
notes:
  - Runs on the controller as an action plugin, whatever the host of the play. Progress lines are displayed while it
    runs.
"""
    SCAN_POLICY = r"""
options:
  policy:
    description:
      - The policy, as RV(patchtide.hybrid.policy_info#module:policy). Its C(exclude) selects hosts that need no
        executor. Without a policy, every host needs one.
    type: dict
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
"""
    THRESHOLDS = r"""
options:
  thresholds:
    description: Checks as in C(prechecks) of the policy. Members that are not set have the defaults of the policy.
    type: dict
    default: {}
"""
