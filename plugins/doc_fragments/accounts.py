# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """How an action that works for nodes of many accounts reaches them."""

    DOCUMENTATION = r"""
options:
  accounts:
    description:
      - How accounts are reached, each through an IAM role. Those of account numbers that are not named are reached with
        the credentials as they are.
    type: list
    elements: dict
    suboptions:
      role_arn:
        description: Role to assume, such as V(arn:aws:iam::111122223333:role/patchtide).
        type: str
        required: true
      external_id:
        description: External id that the role's trust policy asks for.
        type: str
      id:
        description: The account's number, for the reader; the role tells it anyway.
        type: str
      name:
        description: The account's name, for the reader.
        type: str
"""
