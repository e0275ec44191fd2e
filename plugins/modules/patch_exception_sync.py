#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patch_exception_sync
short_description: Bring the exception ledger and the dated tags of nodes together
version_added: 0.1.0
description:
  - Writes the days of each approved exception to its nodes as a tag, C(2026-11-01/2026-11-30), and takes off tags that
    the ledger does not know, or knows no more. The ledger is the truth.
  - Says what somebody has to know as alarms. An exception was revoked, expired, ends soon, begins and is not approved,
    is for no node, or its tag was edited or removed by hand.
  - Nodes on EC2 (C(i-)) carry the tag in EC2, other managed nodes (C(mi-)) in SSM. Other hosts of the inventory carry
    none; the ledger alone counts for them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.accounts
  - patchtide.hybrid.exceptions
  - patchtide.hybrid.exceptions.tags
attributes:
  check_mode:
    description: Says which tags would change; changes neither tags nor ledger.
    support: full
  diff_mode:
    description: Shows the tags that change.
    support: full
  idempotent:
    description: Changes nothing where tags show what the ledger says.
    support: full
options:
  on_place_error:
    description:
      - What an account-Region that can't be read or written means. V(fail) fails the task once all others are done,
        V(report) only names it in RV(failed_places). Its nodes' tags stay as they are.
    type: str
    choices: [fail, report]
    default: fail
"""

EXAMPLES = r"""
- name: Tags show what the ledger says
  patchtide.hybrid.patch_exception_sync:
    ledger: exceptions.json
    accounts:
      - role_arn: arn:aws:iam::111122223333:role/patchtide
  register: sync

- name: Somebody edited a tag
  ansible.builtin.debug:
    msg: "{{ sync.alarms | selectattr('kind', 'equalto', 'hand_edited') | map(attribute='text') | list }}"
"""

RETURN = r"""
actions:
  description: Tags that were set (C(value)) or taken off (C(value) is null), or would be in check mode, and why.
  returned: always
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      value: 2026-11-01/2026-11-30
      reason: exception CHG0040011 is approved
      exception_id: CHG0040011
alarms:
  description: As M(patchtide.hybrid.patch_exception_info) returns them, by the tags as they were before.
  returned: always
  type: list
  elements: dict
failed_places:
  description: Account-Regions that failed, and why.
  returned: always
  type: list
  elements: dict
"""
