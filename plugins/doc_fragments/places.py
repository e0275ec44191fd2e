# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of modules that act on many account-Regions."""

    DOCUMENTATION = r"""
options:
  regions:
    description:
      - Regions to act on, concurrently. Defaults to O(region).
    type: list
    elements: str
  accounts:
    description:
      - Accounts to act on, each through an IAM role, in every Region.
      - Defaults to the account of the credentials.
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
  on_place_error:
    description:
      - How to handle an account-Region that fails. The others are processed in any case.
      - V(fail) fails the task afterwards, V(report) warns and lists the account-Region in RV(failed_places).
      - The task fails in any case if no account-Region succeeded.
    type: str
    choices: [fail, report]
    default: fail
"""
