#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patch_window_sync
short_description: Create maintenance windows and targets from the tags of nodes
version_added: 0.1.0
description:
  - Reads the maintenance window tag of all nodes in the inventory and creates, in every account-Region with nodes, one
    maintenance window for each schedule in use, with the nodes as its targets. Equal schedules share a window.
  - A tag states the name of a window of the policy, or a cron expression such as C(cron(30 23 ? * TUE#1 *)).
  - Windows that the module created have the tags C(ManagedBy=patchtide), C(Source=tags) and C(Policy). They are
    updated, and deleted when no node uses them. Other windows with C(ManagedBy=patchtide), such as those of the role
    apply_policy, only get the targets. All other windows are not changed, but count towards the quota of 50.
  - Nodes outside AWS can state their patch group and window as the custom inventory C(Custom:PatchInformation). Missing
    tags are created from it.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.patch_window_choice
    description: Owners choose the windows of their nodes.
  - module: patchtide.hybrid.rollout_plan
    description: With C(window=tag), a wave patches each node in the window that its tag states.
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - Account-Regions without nodes in the inventory are not changed, so that an incomplete inventory deletes nothing.
attributes:
  check_mode:
    description: Predicts the changes without making them.
    support: full
  diff_mode:
    description: Shows the windows and targets of each account-Region.
    support: full
  idempotent:
    description: Changes only what differs.
    support: full
options:
  custom_inventory:
    description: Whether to create the tags of hybrid nodes from their inventory C(Custom:PatchInformation).
    type: bool
    default: true
  restored:
    description:
      - Windows by inventory name that M(patchtide.hybrid.patch_window_choice) has just restored, its return value
        C(windows). The inventory was read before and still has the tags that they replace.
    type: dict
    default: {}
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.policy
"""

EXAMPLES = r"""
- name: Check the policy file
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Create windows from tags
  patchtide.hybrid.patch_window_sync:
    policy: "{{ policy.policy }}"
"""

RETURN = r"""
places:
  description: The account-Regions with nodes.
  returned: always
  type: list
  elements: dict
  contains:
    place:
      description: Account-Region.
      type: str
      returned: always
      sample: 111122223333/eu-central-1
    changed:
      description: Whether anything was changed there.
      type: bool
      returned: always
      sample: true
    windows:
      description: Windows in use, with C(name), C(schedule), C(timezone) and C(values), the tag values of their nodes.
      type: list
      elements: dict
      returned: always
      sample: [{name: prod-sat, schedule: "cron(0 22 ? * SAT#3 *)", timezone: Europe/Berlin, values: [prod-sat]}]
    patch_groups:
      description: Patch groups in use.
      type: list
      elements: str
      returned: always
      sample: [WEB]
    tags:
      description: Tags that were created from custom inventory, by node.
      type: dict
      returned: always
      sample: {}
remarks:
  description: Nodes whose tags are missing or cannot be read, with their owners, and inventories that differ from tags.
  returned: always
  type: list
  elements: str
  sample: []
failed_places:
  description: Account-Regions that failed, with C(place) and C(error).
  returned: always
  type: list
  elements: dict
  sample: []
"""
