#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: patch_exception_sync
short_description: Synchronize the tags of nodes with the exception ledger
version_added: 0.1.0
description:
  - Tags the nodes of each approved exception with its dates, C(2026-11-01/2026-11-30), and removes tags that have no
    exception in the ledger. The ledger is authoritative.
  - Raises alarms for exceptions that were revoked, expired, end soon, begin without an approval or match no node, and
    for tags that were edited or removed by hand.
  - EC2 instances (C(i-)) are tagged in EC2, hybrid nodes (C(mi-)) in Systems Manager. Other hosts are not tagged; for
    them only the ledger applies.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
  - patchtide.hybrid.exceptions
  - patchtide.hybrid.exceptions.node_tags
attributes:
  check_mode:
    description: Returns the tags that would change, without changing tags or ledger.
    support: full
  diff_mode:
    description: Shows the tags that change.
    support: full
  idempotent:
    description: Changes nothing if the tags match the ledger.
    support: full
options:
  on_place_error:
    description:
      - How to handle an account-Region that cannot be read or written. V(fail) fails the task after all others are
        done, V(report) only lists it in RV(failed_places). The tags of its nodes stay as they are.
    type: str
    choices: [fail, report]
    default: fail
"""

EXAMPLES = r"""
- name: Synchronize the tags with the ledger
  patchtide.hybrid.patch_exception_sync:
    ledger: exceptions.json
    accounts:
      - role_arn: arn:aws:iam::111122223333:role/patchtide
  register: sync

- name: Show tags that were edited by hand
  ansible.builtin.debug:
    msg: "{{ sync.alarms | selectattr('kind', 'equalto', 'hand_edited') | map(attribute='text') | list }}"
"""

RETURN = r"""
actions:
  description: Tags that were set (C(value)) or removed (C(value) is null), or would be in check mode, with the reason.
  returned: always
  type: list
  elements: dict
  sample:
    - node_id: i-0123456789abcdef0
      value: 2026-11-01/2026-11-30
      reason: exception CHG0040011 is approved
      exception_id: CHG0040011
alarms:
  description: Alarms as M(patchtide.hybrid.patch_exception_info) returns them, for the tags before this run.
  returned: always
  type: list
  elements: dict
failed_places:
  description: Account-Regions that failed, with C(place), C(account), C(region) and C(error).
  returned: always
  type: list
  elements: dict
"""
