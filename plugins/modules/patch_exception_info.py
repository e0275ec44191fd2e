#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patch_exception_info
short_description: Read exceptions from patching, what is in force, and what is wrong
version_added: 0.1.0
description:
  - Returns the ledger's records, those in force on a day with the nodes they are for, and alarms by the ledger and by
    the tags that the inventory shows. M(patchtide.hybrid.patch_exception_sync) reads the tags anew and corrects them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.exceptions
  - patchtide.hybrid.exceptions.tags
attributes:
  check_mode:
    description: It only reads.
    support: full
  diff_mode:
    description: It changes nothing.
    support: none
  idempotent:
    description: It only reads.
    support: full
options:
  exception_id:
    description: Only this exception.
    type: str
  status:
    description: Only exceptions with one of these.
    type: list
    elements: str
    choices: [requested, approved, rejected, revoked]
  at:
    description: The day, such as V(2026-11-01). Today by default.
    type: str
"""

EXAMPLES = r"""
- name: Who is not patched in the first week of December
  patchtide.hybrid.patch_exception_info:
    ledger: exceptions.json
    at: "2026-12-01"
  register: exceptions
"""

RETURN = r"""
day:
  description: The day that was asked about.
  returned: success
  type: str
  sample: "2026-12-01"
exceptions:
  description: Records, as M(patchtide.hybrid.patch_exception) returns them.
  returned: success
  type: list
  elements: dict
in_force:
  description: Those that are approved and hold the day, each with C(node_ids), the inventory's nodes it is for.
  returned: success
  type: list
  elements: dict
alarms:
  description:
    - What somebody has to know, the weightiest first, with C(kind), C(text), C(node_id) and C(exception_id).
    - Kinds are C(revoked), C(hand_edited), C(missing_tag), C(not_in_ledger), C(not_approved), C(expired), C(expiring)
      and C(no_node). What an inventory would have to tell is missing where there is none.
  returned: success
  type: list
  elements: dict
  sample:
    - kind: expiring
      text: "Exception CHG0040011 ends on 2026-11-30: its nodes are patched from the next day on."
      node_id: ""
      exception_id: CHG0040011
"""
