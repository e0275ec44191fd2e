# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

_ROLES = r"""
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
_OPTIONS = (
    r"""
options:
  regions:
    description:
      - Regions to work in, in parallel. Without it, the module works in O(region) only.
    type: list
    elements: str
  role_cache:
    description:
      - Directory in which the credentials of assumed roles are kept until they expire, so that the tasks of a play
        assume each role once. It must exist with mode V(0700); delete it after the play. Only needed with O(accounts).
    type: path
  on_place_error:
    description:
      - What to do if an account-Region fails. The module works in all others in any case.
      - V(fail) fails the task at the end. V(report) warns and lists the account-Region in RV(failed_places).
      - The task always fails if no account-Region succeeds.
    type: str
    choices: [fail, report]
    default: fail
  accounts:
    description:
      - Accounts to work in, each through an IAM role and in each of the Regions.
      - Without it, the module works in the account of the credentials."""
    + _ROLES
)
_NOTES = "notes:"
_FAILED = r"""
  - RV(failed_places) holds one row for each account-Region that failed, with C(place) (C(account/region)), C(account),
    C(region) and C(error), which has C(code) and C(message). It is empty if all succeeded.
  - C(account) is V(null) if O(accounts) is not set and AWS STS cannot be reached.
"""
_OBJECTS = r"""
  - The result has the same shape for one account-Region and for many. RV(places) holds one row for each account-Region
    that succeeded, in the order of O(accounts) and, within an account, of O(regions). Each row has C(place)
    (C(account/region)), C(account), C(region), C(changed), and the object that the module manages. Read the result of
    a task that works in one account-Region from C(places[0]).
"""
_ROWS = r"""
  - The result has the same shape for one account-Region and for many, a flat list whose rows all have C(account) and
    C(region).
"""


class ModuleDocFragment:
    """Options of modules that work in many account-Regions, and the shape of their results."""

    DOCUMENTATION: str = _OPTIONS + _NOTES + _OBJECTS + _FAILED
    INFO: str = _OPTIONS + _NOTES + _ROWS + _FAILED
    # Not named after another fragment: Ansible would take that one.
    NODE_ACCOUNTS: str = (
        r"""
options:
  accounts:
    description:
      - Accounts of the nodes, each reached through an IAM role. Other accounts are reached with the credentials
        themselves."""
        + _ROLES
    )
