# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of what works on the exception ledger."""

    DOCUMENTATION = r"""
options:
  ledger:
    description:
      - Where exceptions are kept; the policy's C(exceptions.ledger).
      - The path of a JSON file on the controller, relative to the directory in which Ansible runs. It is locked while
        it changes and replaced as a whole.
      - Or V(dynamodb:) and the name or ARN of a DynamoDB table whose partition key is the string C(exception_id). Every
        write depends on what was read, so that nobody overwrites what another wrote meanwhile.
    type: str
    required: true
  timezone:
    description: Time zone whose days an exception's days are, such as V(Europe/Berlin).
    type: str
    default: UTC
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter.
"""

    TAGS = r"""
options:
  tag:
    description:
      - Key of the tag that shows an exception's days on the node, C(2026-11-01/2026-11-30). Keys with a space can't be
        used where instances allow tags in their metadata.
    type: str
    default: PatchException
  application_tag:
    description: Key of the tag that names a node's application, for exceptions that select by application.
    type: str
    default: Application
  expiring_days:
    description: Days before its last one from which an exception raises the alarm V(expiring).
    type: int
    default: 7
"""
