#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_execution_info
short_description: Gather information about AWS Systems Manager maintenance window executions
version_added: 0.1.0
description:
  - Returns executions of a maintenance window and, on request, their tasks and the results on each target.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  window:
    description: Name or ID of the maintenance window. A name is looked up in each account-Region separately.
    type: str
    required: true
  after:
    description: Return only executions that started after this time, in ISO 8601 format.
    type: str
  before:
    description: Return only executions that started before this time, in ISO 8601 format.
    type: str
  status:
    description: Return only executions with this status.
    type: str
    choices: [PENDING, IN_PROGRESS, SUCCESS, FAILED, TIMED_OUT, CANCELLING, CANCELLED, SKIPPED_OVERLAPPING]
  limit:
    description: Maximum number of executions to return, newest first.
    type: int
    default: 50
  tasks:
    description: Whether to return the tasks of each execution.
    type: bool
    default: false
  invocations:
    description:
      - Whether to return the tasks and their results on each target. The execution ID of an invocation is the command
        ID.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Return the last execution with its tasks and their results
  patchtide.hybrid.ssm_maintenance_window_execution_info:
    window: contoso-prod
    limit: 1
    invocations: true
  register: last
"""

RETURN = r"""
executions:
  description: Executions, newest first.
  returned: always
  type: list
  elements: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      window_execution_id: 6027b513-64fe-4cf0-be7d-1191aexample
      status: SUCCESS
      start_time: "2026-11-10T02:00:00Z"
      end_time: "2026-11-10T02:21:00Z"
      tasks:
        - task_arn: AWS-RunPatchBaseline
          task_type: RUN_COMMAND
          status: SUCCESS
          invocations: [{execution_id: a1b2c3d4-0000-4000-8000-000000000000, status: SUCCESS}]
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.window_executions import WindowExecutions

TEXT = {"type": "str"}
FLAG = {"type": "bool", "default": False}
STATUSES = (
    "PENDING",
    "IN_PROGRESS",
    "SUCCESS",
    "FAILED",
    "TIMED_OUT",
    "CANCELLING",
    "CANCELLED",
    "SKIPPED_OVERLAPPING",
)
SPEC = {
    "window": {**TEXT, "required": True},
    "after": TEXT,
    "before": TEXT,
    "status": {**TEXT, "choices": list(STATUSES)},
    "limit": {"type": "int", "default": 50},
    "tasks": FLAG,
    "invocations": FLAG,
}


def main() -> None:
    module = aws_module(SPEC)

    def read(sessions, place):
        return WindowExecutions(sessions.client("ssm", place)).read(module.params)

    run_info(module, "executions", read)


if __name__ == "__main__":
    main()
