#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_prepare
short_description: Do to a wave's nodes what is undone after their patching
version_added: 0.1.0
description:
  - Starts stopped instances, takes nodes out of their load balancers, tags them as being patched, or remembers that a
    task file of yours was run. M(patchtide.hybrid.rollout_restore) undoes it.
  - The journal knows of it before it is done, and a rollout is not finished before everything is restored. So it is
    undone after a crash as well, by running the rollout again.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_restore
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
  - A started instance carries the tag C(PatchtideStarted) with the rollout's name as long as it runs on loan. Take the
    tag away from an instance that shall stay up.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
attributes:
  check_mode:
    description: Says for which nodes it would be done as far as that is known before the pre-checks; writes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: What a rollout has prepared is not prepared again. After a crash it is made sure of.
    support: partial
options:
  dir:
    description: Directory of the rollout, with C(plan.json) and C(journal.jsonl).
    type: path
    required: true
  wave:
    description: Name of the wave in the plan.
    type: str
    required: true
  what:
    description:
      - V(started) starts instances that the plan saw stopped and that still are, brings their agent up to date
        and waits until it is online. One that does not come gets the final record C(missed_not_started). An instance
        that runs already is not prepared, so it is never stopped.
      - V(drained) deregisters the nodes that are due for their install from the target groups of Elastic Load Balancing
        and waits until their last requests are done. One that is not drained in time gets C(missed_not_drained).
      - V(patch_now) gives nodes that are due for their install the tag O(tag), with the rollout's name.
      - V(nodes_hook) and V(wave_hook) only remember that a task file of yours begins, for the nodes that are due for
        their install or for the wave as a whole.
    type: str
    required: true
    choices: [drained, nodes_hook, patch_now, wave_hook, started]
  tag:
    description: Key of the tag with O(what=patch_now).
    type: str
    default: ""
  update_agent:
    description:
      - Whether C(AWS-UpdateSSMAgent) is run on instances that were started. A node whose agent can't be updated goes on
        with the old one.
    type: bool
    default: true
  timeout_minutes:
    description: Minutes to wait for agents with O(what=started), for the last requests with O(what=drained).
    type: int
    default: 15
  poll_interval:
    description: Seconds between two looks.
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Start the stopped nodes
  patchtide.hybrid.rollout_prepare:
    dir: /var/lib/patchtide/2026-06
    wave: canary
    what: started

- name: Tag the nodes that are patched now
  patchtide.hybrid.rollout_prepare:
    dir: /var/lib/patchtide/2026-06
    wave: canary
    what: patch_now
    tag: ssm-patch-now
"""

RETURN = r"""
nodes:
  description: Nodes for which it is done, with their C(node_id), C(host), C(name), C(tags) and where they are.
  returned: success
  type: list
  elements: dict
  sample:
    - {node_id: i-0123456789abcdef0, host: web-1, name: web-1, executor: ssm, platform: linux,
       os: Amazon Linux, account: "111122223333", region: eu-central-1, zone: eu-central-1a, state: running,
       patch_group: WEB, cluster: "", tags: {}}
"""
