#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_command_info
short_description: Read commands of AWS Systems Manager
version_added: 0.1.0
description:
  - Returns commands of the last 30 days, newest first, and where asked for every node's part of them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  command_id:
    description: Only this command.
    type: str
  instance_id:
    description: Only commands sent to this node.
    type: str
  comment:
    description: Only commands with this comment.
    type: str
  filters:
    description:
      - Filters of C(ListCommands), such as V(DocumentName), V(Status), V(ExecutionStage), V(InvokedAfter),
        V(InvokedBefore).
    type: dict
  invocations:
    description: Whether every node's part is read, at one call or more per command.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: What runs now
  patchtide.hybrid.ssm_command_info:
    filters:
      ExecutionStage: Executing
  register: running

- name: What came of the scans of a node
  patchtide.hybrid.ssm_command_info:
    instance_id: mi-0123456789abcdef0
    filters:
      DocumentName: AWS-RunPatchBaseline
    invocations: true
  register: scans
"""

RETURN = r"""
commands:
  description: The commands as M(patchtide.hybrid.ssm_command) returns them.
  returned: always
  type: list
  elements: dict
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.commands import SsmCommands, to_state
from ..module_utils._core.ssm.command_run import to_outcome

TEXT = {"type": "str"}
SPEC = {
    "command_id": TEXT,
    "instance_id": TEXT,
    "comment": TEXT,
    "filters": {"type": "dict"},
    "invocations": {"type": "bool", "default": False},
}


def main() -> None:
    module = aws_module(SPEC)
    options = module.params

    def read(sessions, place):
        port = SsmCommands(place, sessions)
        rows = port.read(options["command_id"], options["instance_id"], options["filters"])
        found = [to_state(row) for row in rows if options["comment"] in (None, row.get("Comment"))]
        if not options["invocations"]:
            return [state.members for state in found]
        parts = [port.invocations(state.command_id, True) for state in found]
        return [
            {**state.members, "invocations": rows, "outcome": to_outcome(rows)}
            for state, rows in zip(found, parts, strict=True)
        ]

    run_info(module, "commands", read)


if __name__ == "__main__":
    main()
