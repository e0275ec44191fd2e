#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_command_info
short_description: Gather information about AWS Systems Manager commands
version_added: 0.1.0
description:
  - Returns commands of the last 30 days, newest first, and, on request, the result on each node.
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
    description: Return only this command.
    type: str
  instance_id:
    description: Return only commands that were sent to this node.
    type: str
  comment:
    description: Return only commands with this comment.
    type: str
  filters:
    description:
      - Filters of C(ListCommands), such as V(DocumentName), V(Status), V(ExecutionStage), V(InvokedAfter),
        V(InvokedBefore).
    type: dict
  invocations:
    description: Whether to return the result on each node. Costs at least one API call per command.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: List the commands that are running
  patchtide.hybrid.ssm_command_info:
    filters:
      ExecutionStage: Executing
  register: running

- name: List the results of the scans of a node
  patchtide.hybrid.ssm_command_info:
    instance_id: mi-0123456789abcdef0
    filters:
      DocumentName: AWS-RunPatchBaseline
    invocations: true
  register: scans
"""

RETURN = r"""
commands:
  description: Commands as returned by M(patchtide.hybrid.ssm_command).
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
        parts = [port.detailed(state.command_id) for state in found]
        return [
            {**state.members, "invocations": rows, "outcome": to_outcome(rows)}
            for state, rows in zip(found, parts, strict=True)
        ]

    run_info(module, "commands", read)


if __name__ == "__main__":
    main()
