#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_gate
short_description: Judge a wave and decide whether the rollout goes on
version_added: 0.1.0
description:
  - Counts how the nodes of a wave ended and holds the numbers against the plan's thresholds. The wave is promoted, the
    rollout pauses for a person where the numbers are inconclusive, or it is aborted.
  - After the soak time the health checks of the plan's gate are asked from the controller, all at once. One that got
    a wrong answer aborts the rollout. One that got none pauses it, since nobody knows then. A rollout that must be
    aborted anyway asks none.
  - Nodes that were restored and did not come into service, such as targets that stay unhealthy, and a wave in which
    the plan left nobody, pause the rollout too.
  - The decision is journalled with the numbers it was made on. It is made once; running it again returns it. A wave
    that was paused is judged again.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
  - A header of an HTTP health check may hold C(${NAME}), an environment variable of the controller. What headers and
    bodies hold is neither shown nor journalled. Redirects are not followed.
  - Health checks of CloudWatch alarms need the permission C(cloudwatch:DescribeAlarms).
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
attributes:
  check_mode:
    description:
      - Says what would be judged and returns V(wait), for a wave that was judged before its verdict. It asks no health
        check, waits for nothing and writes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: A wave that was promoted is not judged again.
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
      - Judges a wave of which only some turns have been worked on, by the nodes that have ended. Only an abort is
        decided and journalled; otherwise the verdict is V(promote) and the wave goes on with its next turn.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Judge the canaries
  patchtide.hybrid.rollout_gate:
    dir: /var/lib/patchtide/2026-06
    wave: canary
  register: gate

- name: Show what the health checks said
  ansible.builtin.debug:
    var: gate.health_checks
"""

RETURN = r"""
verdict:
  description: V(promote), V(pause) or V(abort); in check mode V(wait) for a wave that was not promoted yet.
  returned: always
  type: str
  sample: promote
numbers:
  description: What decided.
  returned: always
  type: dict
reasons:
  description: The decision in sentences.
  returned: always
  type: list
  elements: str
health_checks:
  description: Health checks with what was measured. V(ok), V(inconclusive) or V(failed).
  returned: always
  type: list
  elements: dict
  sample: [{name: checkout, health: failed, text: "GET https://shop.example.com/health answered 503, not 200"}]
"""
