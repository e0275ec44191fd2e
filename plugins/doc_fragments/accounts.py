# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """How an action reaches nodes in many accounts."""

    DOCUMENTATION = r"""
options:
  accounts:
    description:
      - Accounts and the IAM roles to assume in them. Accounts that are not listed are accessed with the given
        credentials.
    type: list
    elements: dict
    suboptions:
      role_arn:
        description: Role to assume, such as V(arn:aws:iam::111122223333:role/patchtide).
        type: str
        required: true
      external_id:
        description: External id that the trust policy of the role requires.
        type: str
      id:
        description: Account number, for documentation only. The account is determined by the role.
        type: str
      name:
        description: Account name, for documentation only.
        type: str
"""
