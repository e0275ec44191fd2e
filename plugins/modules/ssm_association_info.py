#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_association_info
short_description: Read associations of AWS Systems Manager State Manager
version_added: 0.1.0
description:
  - Returns associations, how their last run ended, and where asked what ran and how it ended on each node.
  - With several filters an association must fit all of them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  name:
    description: Only associations of this name.
    type: str
  association_id:
    description: Only the association with this id.
    type: str
  document:
    description: Only associations with this document.
    type: str
  instance_id:
    description: Only associations that mean this node.
    type: str
  status:
    description: Only associations in this state.
    type: str
    choices: [Pending, Success, Failed]
  executions:
    description: How many of the last runs of each association to return, 0 to 50, at one more call per association.
    type: int
    default: 0
  targets:
    description: Whether each of these runs tells how it ended on each node, at one more call per run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Which associations failed, and on which nodes
  patchtide.hybrid.ssm_association_info:
    status: Failed
    executions: 1
    targets: true
  register: failed

- name: What State Manager does to one node
  patchtide.hybrid.ssm_association_info:
    instance_id: mi-0123456789abcdef0
  register: associations
"""

RETURN = r"""
associations:
  description: As M(patchtide.hybrid.ssm_association) returns them, with their state.
  returned: always
  type: list
  elements: dict
  contains:
    version:
      description: Version of the association, one more with each change.
      returned: always
      type: str
      sample: "3"
    status:
      description: How the last run ended, C(Pending) before the first one.
      returned: always
      type: str
      sample: Success
    detailed_status:
      description: The same in more detail.
      returned: always
      type: str
      sample: Success
    counts:
      description: Number of nodes by how the last run ended on them.
      returned: always
      type: dict
      sample: {Success: 12, Failed: 1}
    last_execution_at:
      description: When it ran last.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00Z"
    last_success_at:
      description: When the last run that succeeded started.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00Z"
    executions:
      description: The last runs, the newest first, as the service describes them.
      returned: with O(executions)
      type: list
      elements: dict
      sample:
        - execution_id: 0b4e6f38-4b5c-4c0e-9a0e-6f0b3c2d1a00
          status: Success
          created_time: "2026-11-21T03:00:00Z"
          resource_count_by_status: "{Success=12}"
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.associations_info import read_associations

TEXT = {"type": "str"}
SPEC = {
    **dict.fromkeys(("name", "association_id", "document", "instance_id"), TEXT),
    "status": {"type": "str", "choices": ["Pending", "Success", "Failed"]},
    "executions": {"type": "int", "default": 0},
    "targets": {"type": "bool", "default": False},
}


def main() -> None:
    module = aws_module(SPEC)
    run_info(
        module,
        "associations",
        lambda sessions, place: read_associations(sessions.client("ssm", place), module.params),
    )


if __name__ == "__main__":
    main()
