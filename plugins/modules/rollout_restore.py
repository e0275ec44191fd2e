#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_restore
short_description: Restore a wave's nodes after patching
version_added: 0.1.0
description:
  - Undoes what M(patchtide.hybrid.rollout_prepare) prepared, for nodes that have finished, or for all nodes once the
    rollout is paused or aborted. Load balancer targets are restored first, then tags, then power.
  - A node that cannot be restored does not fail the task. It is reported and remains open in the journal, and the next
    run tries again. The rollout does not finish before everything is restored.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_prepare
notes:
  - An instance is stopped only if the rollout started it and it still has the tag C(PatchtideStarted).
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
  - patchtide.hybrid.rollout_step.preparation
attributes:
  check_mode:
    description: Returns whether there is something to restore, without writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Nodes that were restored are not restored again.
    support: full
options:
  wave:
    description: Name of the wave in the plan. Defaults to all waves.
    type: str
  hook:
    description:
      - Records that the closing task file of this hook of O(wave) was run. Without this option, hooks stay open and are
        listed in RV(hooks).
    type: str
    choices: [nodes_hook, wave_hook]
  at_once:
    description:
      - Whether to restore all nodes, including those that have not finished. Nodes with work in progress are excluded.
        Use it at the end of a run that did not complete; the next run prepares nodes again as needed.
    type: bool
    default: false
  last_patched:
    description:
      - Key of a tag with the date of the last successful patching, such as V(LastPatched). It is set on patched nodes
        of O(wave), or of all waves. If empty, no tag is set.
    type: str
    default: ""
  timeout_minutes:
    description: Minutes to wait until load balancers report the nodes as healthy. If they do not, the gate pauses the
      rollout.
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Restore all nodes at the end of a run
  patchtide.hybrid.rollout_restore:
    dir: /var/lib/patchtide/2026-06
    at_once: true
"""

RETURN = r"""
hooks:
  description: Hooks whose closing task file must be run next, with their nodes.
  returned: success
  type: list
  elements: dict
  sample: [{hook: nodes_hook, wave: canary, nodes: [{node_id: i-0123456789abcdef0, host: web-1, name: web-1}]}]
left:
  description: Nodes that could not be restored, by kind of preparation.
  returned: success
  type: dict
  sample: {drained: [i-0123456789abcdef0]}
"""
