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
  - Reboots nodes with a script that requests the reboot from the agent, so that the agent reports back after startup.
    A reboot is verified by a changed boot ID, not by the status of the command.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
  - patchtide.hybrid.stage
attributes:
  check_mode:
    description: Reboots no nodes and reports a change.
    support: full
  diff_mode:
    description: Not applicable.
    support: none
  idempotent:
    description: Every run reboots the nodes.
    support: none
"""

EXAMPLES = r"""
- name: Reboot one node
  patchtide.hybrid.ssm_reboot:
    nodes:
      - {node_id: i-0123456789abcdef0, account: "111111111111", region: eu-central-1, platform: linux}
"""

RETURN = r"""
counts:
  description: Number of nodes by status.
  returned: always
  type: dict
  sample: {succeeded: 12, timed_out: 1}
results:
  description: One record per node, with boot IDs.
  returned: always
  type: list
  elements: dict
  sample: [{node_id: i-0123456789abcdef0, status: succeeded, rebooted: true, boot_id_before: 1c9d, boot_id_after: 77e0}]
failed_places:
  description: Account-Regions in which no command could be sent, with C(place), C(account), C(region) and C(error).
  returned: always
  type: list
  elements: dict
due:
  description: IDs of the nodes that the task would work on, in check mode. Otherwise empty.
  returned: always
  type: list
  elements: str
"""
