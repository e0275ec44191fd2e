#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_association_info
short_description: Gather information about AWS Systems Manager associations
version_added: 0.1.0
description:
  - Returns associations and the result of their last run and, on request, their last runs and the result on each
    node.
  - An association must match all filters that are set.
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
    description: Return only associations with this name.
    type: str
  association_id:
    description: Return only the association with this ID.
    type: str
  document:
    description: Return only associations that run this document.
    type: str
  instance_id:
    description: Return only associations that target this node.
    type: str
  status:
    description: Return only associations with this status.
    type: str
    choices: [Pending, Success, Failed]
  executions:
    description: Number of last runs to return for each association, 0 to 50. Costs one API call per association.
    type: int
    default: 0
  targets:
    description: Whether to return the result on each node for each of these runs. Costs one API call per run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: List failed associations and the nodes on which they failed
  patchtide.hybrid.ssm_association_info:
    status: Failed
    executions: 1
    targets: true
  register: failed

- name: List the associations of a node
  patchtide.hybrid.ssm_association_info:
    instance_id: mi-0123456789abcdef0
  register: associations
"""

RETURN = r"""
associations:
  description: Associations as returned by M(patchtide.hybrid.ssm_association), with their status.
  returned: always
  type: list
  elements: dict
  contains:
    version:
      description: Version of the association, incremented by each change.
      returned: always
      type: str
      sample: "3"
    status:
      description: Result of the last run, V(Pending) before the first run.
      returned: always
      type: str
      sample: Success
    detailed_status:
      description: Detailed result of the last run.
      returned: always
      type: str
      sample: Success
    counts:
      description: Number of nodes by result of the last run.
      returned: always
      type: dict
      sample: {Success: 12, Failed: 1}
    is_patch_policy:
      description:
        - Whether the association carries out a patch policy of Quick Setup. Patch policies ignore patch groups, and
          their scans replace the patch compliance of the same nodes.
      returned: always
      type: bool
      sample: false
    triggered_alarms:
      description: CloudWatch alarms that stopped the last run, each with C(name) and C(state).
      returned: always
      type: list
      elements: dict
    created_at:
      description: When the association was created.
      returned: always
      type: str
      sample: "2026-10-01T09:00:00Z"
    updated_at:
      description: When the association was last updated.
      returned: always
      type: str
      sample: "2026-10-01T09:00:00Z"
    last_execution_at:
      description: Time of the last run.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00Z"
    last_success_at:
      description: Start of the last successful run.
      returned: always
      type: str
      sample: "2026-11-21T03:00:00Z"
    executions:
      description: Last runs, newest first, as described by the service.
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
