#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_split
short_description: Split a plan into child plans for several controllers
version_added: 0.1.0
description:
  - Divides the nodes of a plan by account-Region, account or site, and writes a child plan for each controller. Every
    node is in exactly one child plan.
  - Each child plan is a rollout of its own, run by M(patchtide.hybrid.rollout_journal) and the other steps. The child
    plans share budgets, gates and claims in a DynamoDB table.
  - People approve the plan that is split. A controller derives its child plan again from that plan before it begins.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - A plan that was split is no longer carried out itself, and not split in another way.
  - Plans with C(promote_from) are refused, because a child plan knows only what its own nodes have proven.
seealso:
  - module: patchtide.hybrid.rollout_plan
  - module: patchtide.hybrid.rollout_journal
attributes:
  check_mode:
    description: Writes no file.
    support: full
  diff_mode:
    description: Shows no differences.
    support: none
  idempotent:
    description: A plan is always split in the same way.
    support: full
options:
  dir:
    description: Directory of the plan. The child plans are written to its directory C(parts).
    type: path
    required: true
  by:
    description:
      - By what nodes are grouped. Nodes of a group are never divided.
      - V(account_region) groups nodes of Azure by subscription, and V(account) nodes by account or subscription.
      - V(site) groups by the tag C(Site); nodes without it as V(account_region).
    type: str
    choices: [account_region, account, site]
    default: account_region
  at_most:
    description: Number of child plans; small groups share one. With V(0), each group has its own.
    type: int
    default: 0
  claims:
    description: DynamoDB table with claims and shared state, as C(dynamodb:TABLE) or C(dynamodb:REGION/TABLE).
    type: str
    required: true
  journal:
    description:
      - Where the journals of the child plans are kept, as in M(patchtide.hybrid.rollout_journal).
      - With a DynamoDB table, any controller can continue a child plan; with files, those that share the directory.
    type: str
"""

EXAMPLES = r"""
- name: Let four controllers carry out the plan
  patchtide.hybrid.rollout_split:
    dir: /var/lib/patchtide/2026-06
    at_most: 4
    claims: dynamodb:eu-central-1/patchtide-claims
    journal: dynamodb:eu-central-1/patchtide-journals
  register: split
"""

RETURN = r"""
digest:
  description: Digest of the plan that was split, which people approve.
  returned: success
  type: str
  sample: 9f2c4a6be1d0835c7a9b1e4f60d2c8a7b5e3914f0c6d8a2b7e5f3c1d9a0b4e68
children:
  description: The child plans.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the child plan and of its directory.
      type: str
      sample: 01-111122223333-eu-central-1
    dir:
      description: Directory of the child plan.
      type: str
      sample: /var/lib/patchtide/2026-06/parts/01-111122223333-eu-central-1
    rollout:
      description: ID of the rollout of the child plan.
      type: str
      sample: 5eed5eed5eed5eed5eed5eed5eed5eed
    digest:
      description: Digest of the child plan.
      type: str
      sample: 1b4f0e9851971998e732078544c96b36c3d01cedf7caa332359d6f1d83567014
    nodes:
      description: Number of its nodes.
      type: int
      sample: 412
"""
