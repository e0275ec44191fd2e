# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of modules that work in many account-Regions at once."""

    DOCUMENTATION = r"""
options:
  regions:
    description:
      - Regions to work in, all at once. Without it the module works in O(region) alone.
    type: list
    elements: str
  accounts:
    description:
      - Accounts to work in, each through an IAM role, in every one of the Regions.
      - Without it the module works in the account of the credentials.
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
  on_place_error:
    description:
      - What a failing account-Region means. All others are worked on in both cases.
      - V(fail) ends the task with an error after that, V(report) with a warning and the place in RV(failed_places).
      - The task fails in any case if no account-Region succeeded.
    type: str
    choices: [fail, report]
    default: fail
"""
