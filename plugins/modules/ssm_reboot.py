#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_reboot
short_description: Reboot managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Reboots nodes by a script that asks the agent for the reboot, so that the agent reports back when it has come up
    again. A node has rebooted when its boot id has changed, not when a command says so.
  - In a rollout only those nodes are rebooted whose rule asks for it, and only after their install has ended.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
  - patchtide.hybrid.stage
attributes:
  check_mode:
    description: Reboots nothing and reports a change.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: A rollout reboots a node once; outside of a rollout it reboots whenever it is asked to.
    support: partial
"""

EXAMPLES = r"""
- name: Reboot the nodes of a wave that need it
  patchtide.hybrid.ssm_reboot:
    dir: /var/lib/patchtide/2026-06
    wave: canary
    execution_timeout: 1800

- name: Reboot one node
  patchtide.hybrid.ssm_reboot:
    nodes:
      - {node_id: i-0123456789abcdef0, account: "111111111111", region: eu-central-1, platform: linux}
"""

RETURN = r"""
counts:
  description: How many nodes ended how, by status. V(no_op) nodes did not need a reboot.
  returned: always
  type: dict
  sample: {succeeded: 12, no_op: 3}
results:
  description: One record per node, with boot ids.
  returned: outside of a rollout
  type: list
  elements: dict
  sample: [{node_id: i-0123456789abcdef0, status: succeeded, rebooted: true, boot_id_before: 1c9d, boot_id_after: 77e0}]
"""
