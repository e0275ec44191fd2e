# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Roles through which an action reaches the accounts of its nodes."""

    DOCUMENTATION = r"""
options:
  accounts:
    description:
      - Accounts of the nodes, each reached through an IAM role. Other accounts are reached with the credentials
        themselves.
    type: list
    elements: dict
    suboptions:
      role_arn:
        description: ARN of the role to assume, such as V(arn:aws:iam::111122223333:role/patchtide).
        type: str
        required: true
      external_id:
        description: External ID, if the trust policy of the role requires one.
        type: str
      id:
        description: Account number, for the reader only. The account is taken from the role.
        type: str
      name:
        description: Account name, for the reader only.
        type: str
"""
