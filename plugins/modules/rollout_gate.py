#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_gate
short_description: Evaluate a wave and decide whether the rollout continues
version_added: 0.1.0
description:
  - Counts the outcomes of a wave's nodes and compares them with the thresholds in the plan. The verdict is to promote
    the wave, to pause the rollout for a decision if the numbers are inconclusive, or to abort it.
  - After the soak time, the health checks of the gate run concurrently on the controller. A failed health check aborts
    the rollout. An inconclusive one, such as a request without an answer, pauses it. No health check runs if the
    rollout must be aborted anyway.
  - The rollout also pauses if nodes did not return to service, such as targets that stay unhealthy, and if the plan
    contains no node for the wave.
  - The verdict is recorded in the journal with its numbers. A wave that was promoted is not evaluated again, and the
    task returns the recorded verdict. A wave that was paused is evaluated again.
  - A wave of a child plan of M(patchtide.hybrid.rollout_split) is evaluated once for all child plans, when each of them
    has reported its nodes. Until then the task waits, and returns V(wait) if no controller runs a child plan that
    is missing.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play. Progress lines are displayed while it
    runs.
  - A header of an HTTP health check can contain C(${NAME}), the value of an environment variable on the controller.
    Headers and bodies are neither displayed nor recorded. Redirects are not followed.
  - Health checks that read CloudWatch alarms need the permission C(cloudwatch:DescribeAlarms).
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
attributes:
  check_mode:
    description:
      - Shows what would be evaluated and returns V(wait), or the verdict of a wave that was promoted. It runs no health
        check, does not wait and writes nothing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: A wave that was promoted is not evaluated again.
    support: full
options:
  dir:
    description: Directory of the rollout.
    type: path
    required: true
  wave:
    description: Name of the wave.
    type: str
    required: true
  partial:
    description:
      - Evaluates a wave whose turns are not all finished, by the nodes that have an outcome. Only an abort is recorded.
        Otherwise the verdict is V(promote), and the wave continues with its next turn.
    type: bool
    default: false
  soak_wait_minutes:
    description:
      - Minutes to wait for the end of the soak time. If it ends later, nothing is judged or recorded, and the verdict
        is V(wait). By default, the module waits as long as it takes.
    type: int
  window_wait_minutes:
    description:
      - Minutes that the run may wait for the window of what follows, the next wave or with O(partial) the next night of
        this one. If it opens later, RV(next_waits) is V(true).
    type: int
"""

EXAMPLES = r"""
- name: Evaluate the canary wave
  patchtide.hybrid.rollout_gate:
    dir: /var/lib/patchtide/2026-06
    wave: canary
  register: gate

- name: Show the results of the health checks
  ansible.builtin.debug:
    var: gate.health_checks
"""

RETURN = r"""
verdict:
  description: V(promote), V(pause) or V(abort); in check mode, V(wait) for a wave that is not promoted yet.
  returned: always
  type: str
  sample: promote
numbers:
  description: The numbers that the verdict is based on.
  returned: always
  type: dict
reasons:
  description: The reasons for the verdict, the deciding ones first.
  returned: always
  type: list
  elements: str
health_checks:
  description: Results of the health checks. C(health) is V(ok), V(inconclusive) or V(failed).
  returned: always
  type: list
  elements: dict
  sample: [{name: checkout, health: failed, text: "GET https://shop.example.com/health answered 503, not 200"}]
next_waits:
  description: Whether the verdict is to promote, and what follows begins later than O(window_wait_minutes) from now.
  returned: always
  type: bool
"""
