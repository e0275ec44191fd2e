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
  - The decision is journalled with the numbers it was made on. It is made once; running it again returns it.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
attributes:
  check_mode:
    description: Judges, but writes nothing.
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
"""

EXAMPLES = r"""
- name: Judge the canaries
  patchtide.hybrid.rollout_gate:
    dir: /var/lib/patchtide/2026-06
    wave: canary
  register: gate
"""

RETURN = r"""
verdict:
  description: V(promote), V(pause) or V(abort).
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
"""
