#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_prepare
short_description: Prepare a wave's nodes for patching (start, drain, tag)
version_added: 0.1.0
description:
  - Starts stopped instances, deregisters nodes from their load balancers, tags nodes while they are patched, or records
    that a hook was started. M(patchtide.hybrid.rollout_restore) restores the nodes.
  - Each preparation is recorded in the journal before it is made, and a rollout does not finish until everything is
    restored. After a crash, run the rollout again to restore the nodes.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_restore
notes:
  - An instance that a rollout started has the tag C(PatchtideStarted), with the rollout's name, until the rollout stops
    it. To keep an instance running, remove the tag.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
  - patchtide.hybrid.rollout_step.preparation
attributes:
  check_mode:
    description: Returns the nodes that would be prepared, as far as that is known before the pre-checks, without
      writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Nodes that are already prepared are not prepared again. After a crash, the preparation is verified and
      completed.
    support: partial
options:
  wave:
    description: Name of the wave in the plan.
    type: str
    required: true
  what:
    description:
      - V(started) starts instances that were stopped at planning time and still are, updates their agent, and waits
        until it is online. An instance whose agent does not come online gets the final record C(missed_not_started). An
        instance that is already running is not prepared, so it is never stopped.
      - V(drained) deregisters nodes that are due for their install from their Elastic Load Balancing target groups and
        waits until their last requests have finished. A node that is not drained in time gets C(missed_not_drained).
      - V(patch_now) sets the tag O(tag) to the rollout's name on nodes that are due for their install.
      - V(nodes_hook) and V(wave_hook) only record that a hook starts, for the nodes that are due for their install or
        for the whole wave.
      - V(promoted) only records what the patch servers of O(policy) give to the wave. The roles C(repository_wsus) and
        C(repository_satellite) do it.
    type: str
    required: true
    choices: [drained, nodes_hook, patch_now, wave_hook, promoted, started]
  policy:
    description: The policy. Required with O(what=promoted).
    type: dict
  tag:
    description: Key of the tag to set with O(what=patch_now).
    type: str
    default: ""
  update_agent:
    description:
      - Whether to run C(AWS-UpdateSSMAgent) on instances that were started. A node whose agent cannot be updated
        continues with its current version.
    type: bool
    default: true
  timeout_minutes:
    description: Minutes to wait for agents (O(what=started)) or for the last requests (O(what=drained)).
    type: int
    default: 15
"""

EXAMPLES = r"""
- name: Start the stopped nodes
  patchtide.hybrid.rollout_prepare:
    dir: /var/lib/patchtide/2026-06
    wave: canary
    what: started

- name: Tag the nodes while they are patched
  patchtide.hybrid.rollout_prepare:
    dir: /var/lib/patchtide/2026-06
    wave: canary
    what: patch_now
    tag: ssm-patch-now
"""

RETURN = r"""
nodes:
  description: Nodes that are prepared, with C(node_id), C(host), C(name), C(tags) and location.
  returned: success
  type: list
  elements: dict
  sample:
    - {node_id: i-0123456789abcdef0, host: web-1, name: web-1, executor: ssm, platform: linux,
       os: Amazon Linux, account: "111122223333", region: eu-central-1, zone: eu-central-1a, state: running,
       patch_group: WEB, cluster: "", tags: {}}
servers:
  description: What patch servers give to the wave, with O(what=promoted). C(kbs) and C(not_proven), which no earlier
    wave has proven, are those of WSUS; C(organization), C(content_view) and C(version) are those of a Satellite.
  returned: success
  type: list
  elements: dict
  sample:
    - {kind: wsus, address: wsus-01, target: Dev, kbs: [KB5070884], not_proven: [], later: [Prod]}
"""
