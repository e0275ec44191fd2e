#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patch_exception_info
short_description: List exceptions from patching and their alarms
version_added: 0.1.0
description:
  - Returns the records in the ledger, the exceptions in force on a day with their nodes, and alarms that follow from
    the ledger and the tags in the inventory. M(patchtide.hybrid.patch_exception_sync) re-reads the tags from their
    sources and corrects them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.exceptions
  - patchtide.hybrid.exceptions.node_tags
  - patchtide.hybrid.attributes.info
options:
  exception_id:
    description: ID of the exception to return. Defaults to all.
    type: str
  status:
    description: Statuses of the exceptions to return. Defaults to all.
    type: list
    elements: str
    choices: [requested, approved, rejected, revoked]
  at:
    description: Day to check, such as V(2026-11-01). Defaults to today.
    type: str
"""

EXAMPLES = r"""
- name: List the exceptions in force on 1 December
  patchtide.hybrid.patch_exception_info:
    ledger: exceptions.json
    at: "2026-12-01"
  register: exceptions
"""

RETURN = r"""
day:
  description: The day that was checked.
  returned: success
  type: str
  sample: "2026-12-01"
exceptions:
  description: Records, as M(patchtide.hybrid.patch_exception) returns them.
  returned: success
  type: list
  elements: dict
in_force:
  description: Approved exceptions that include this day, each with C(node_ids), its nodes in the inventory.
  returned: success
  type: list
  elements: dict
alarms:
  description:
    - Problems that need attention, the most severe first, with C(kind), C(text), C(node_id) and C(exception_id).
    - Kinds are C(revoked), C(hand_edited), C(missing_tag), C(not_in_ledger), C(not_approved), C(expired), C(expiring)
      and C(no_node). Alarms that depend on the inventory are missing if there is no inventory.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: expiring
      text: "Exception CHG0040011 ends on 2026-11-30: its nodes are patched from the next day on."
      node_id: ""
      exception_id: CHG0040011
"""
