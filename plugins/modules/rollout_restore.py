#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_restore
short_description: Undo what a rollout did to nodes besides patching them
version_added: 0.1.0
description:
  - Gives back what M(patchtide.hybrid.rollout_prepare) took, from nodes that are through with their work, or from all
    once the rollout is paused or aborted. First load balancer targets, then tags, power last.
  - Nothing that can't be restored fails the task. It is told, stays in the journal, and the next run tries again; the
    rollout is not finished before that.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_prepare
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
  - An instance is stopped only if the rollout started it and it still carries the tag C(PatchtideStarted) that says so.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
attributes:
  check_mode:
    description: Says whether there is something to restore; writes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: What was restored is not restored again.
    support: full
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and C(journal.jsonl).
    type: path
    required: true
  wave:
    description: Name of the wave in the plan; all waves if not given.
    type: str
  hook:
    description:
      - Notes that the task file which undoes this hook of O(wave) was run. Without it hooks stay open and are listed
        in RV(hooks).
    type: str
    choices: [nodes_hook, wave_hook]
  at_once:
    description:
      - Whether everything is restored, whether its node is through with its work or not, but for nodes that something
        is under way on. For the end of a run that did not get through; the next run prepares again what it needs.
    type: bool
    default: false
  last_patched:
    description:
      - Key of a tag with the date of the last successful patching, such as V(LastPatched). It is given to the nodes of
        O(wave), or of all waves, that were patched. Not given means no such tag.
    type: str
    default: ""
  timeout_minutes:
    description: Minutes to wait until load balancers find nodes healthy. Those that are not hold the gate.
    type: int
    default: 15
  poll_interval:
    description: Seconds between two looks.
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Restore everything, whatever happened
  patchtide.hybrid.rollout_restore:
    dir: /var/lib/patchtide/2026-06
    at_once: true
"""

RETURN = r"""
hooks:
  description: Hooks whose closing task file is to be run now, with the nodes it is for.
  returned: success
  type: list
  elements: dict
  sample: [{hook: nodes_hook, wave: canary, nodes: [{node_id: i-0123456789abcdef0, host: web-1, name: web-1}]}]
left:
  description: What could not be restored, by kind.
  returned: success
  type: dict
  sample: {drained: [i-0123456789abcdef0]}
"""
