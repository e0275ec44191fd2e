# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of modules that use the exception ledger."""

    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - The ledger of exceptions. Use the policy's C(exceptions.ledger).
      - Path of a JSON file on the controller, relative to the directory in which Ansible runs. It is locked during
        changes and replaced atomically.
      - Alternatively, V(dynamodb:) and the name or ARN of a DynamoDB table whose partition key is the string
        C(exception_id). Writes are conditional, so that concurrent changes are not overwritten.
    type: str
    required: true
  timezone:
    description: Time zone of the days of exceptions, such as V(Europe/Berlin).
    type: str
    default: UTC
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
"""

    # Not named after another fragment: Ansible would take that one.
    NODE_TAGS = r"""
options:
  tag:
    description:
      - Key of the tag that shows the dates of an exception on the node, C(2026-11-01/2026-11-30). Keys with a space
        cannot be used on instances that allow tags in instance metadata.
    type: str
    default: PatchException
  application_tag:
    description: Key of the application tag, for exceptions that select by application.
    type: str
    default: Application
  expiring_days:
    description: Number of days before its last day at which an exception raises the alarm V(expiring).
    type: int
    default: 7
"""
