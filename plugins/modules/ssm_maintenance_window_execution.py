#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_execution
short_description: Cancel executions of maintenance windows in AWS Systems Manager
version_added: 0.1.0
description:
  - Requests the cancellation of an execution of a maintenance window. Tasks that have not started are skipped. For
    running commands, the service sends a cancellation request, which Systems Manager does not guarantee.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes.command
options:
  execution_id:
    description: ID of the execution, as returned by M(patchtide.hybrid.ssm_maintenance_window_execution_info).
    type: str
    required: true
  state:
    description: Desired state of the execution.
    type: str
    choices: [cancelled]
    default: cancelled
"""

EXAMPLES = r"""
- name: List the executions that are in progress
  patchtide.hybrid.ssm_maintenance_window_execution_info:
    window: contoso-prod
    status: IN_PROGRESS
  register: running

- name: Cancel them
  patchtide.hybrid.ssm_maintenance_window_execution:
    execution_id: "{{ item.window_execution_id }}"
  loop: "{{ running.executions }}"
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    execution:
      description: Execution as described by the service.
      returned: always
      type: dict
      sample: {window_execution_id: 6027b513-64fe-4cf0-be7d-1191aexample, status: CANCELLING}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_places
from ..module_utils._aws.window_executions import WindowExecutions, ensure_cancelled

SPEC = {
    "execution_id": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["cancelled"], "default": "cancelled"},
}


def main() -> None:
    module = aws_module(SPEC)

    def work(sessions, place):
        port = WindowExecutions(sessions.client("ssm", place))
        return ensure_cancelled(port, module.params["execution_id"], check=module.check_mode)

    run_places(module, work)


if __name__ == "__main__":
    main()
