#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_task
short_description: Manage the tasks of maintenance windows in AWS Systems Manager
version_added: 0.1.0
description:
  - Registers, updates and deregisters the tasks of a maintenance window. A task runs a command, a runbook, a Lambda
    function or a Step Functions state machine.
  - A task is identified by its ID if one is given, otherwise by its name within the window. Options that are not set
    keep their current value.
  - An existing task may have the deprecated members C(TaskParameters) and C(LoggingInfo) of the API. They are kept
    and shown.
  - Of O(run_command), O(automation), O(lambda_function) and O(step_functions), set the one that matches O(task_type).
    Its suboptions that are not set keep their current value; an empty value or V(0) clears a suboption.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
  - patchtide.hybrid.window
options:
  name:
    description:
      - Name of the task, 3 to 128 letters, digits, underscores, hyphens and dots. Required unless O(task_id) is set.
      - Together with O(task_id), the task is renamed.
    type: str
  task_id:
    description:
      - ID of an existing task, for a task without a name or with a name that several have.
    type: str
  state:
    description: V(present) creates or updates the task, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  task_type:
    description:
      - Type of the task. Defaults to the type of the parameters that are set, and to V(RUN_COMMAND) for a new task
        without parameters.
      - The service cannot change the type, so the module deletes and recreates the task with a new ID; the diff shows
        this.
    type: str
    choices: [RUN_COMMAND, AUTOMATION, LAMBDA, STEP_FUNCTIONS]
  task_arn:
    description:
      - Name or ARN of the document or runbook, or ARN of the Lambda function or state machine. Required for a new
        task.
      - The name of a Lambda function must begin with C(SSM).
    type: str
  window_targets:
    description:
      - Names or IDs of the window targets on which the task runs. Several targets are processed one after another.
      - An empty list creates a task without targets, which Run Command does not support.
    type: list
    elements: str
  instance_ids:
    description: IDs of the nodes on which the task runs, at most 50. Mutually exclusive with O(window_targets).
    type: list
    elements: str
  service_role_arn:
    description: ARN of the role that Systems Manager assumes to run the task. Defaults to the service-linked role.
    type: str
  priority:
    description:
      - Priority of the task. Tasks with a lower number run first, tasks with the same number run in parallel.
        Defaults to V(1) for a new task.
    type: int
  max_concurrency:
    description:
      - Maximum number of targets at the same time, as a number or a percentage such as V(10%).
      - Defaults to V(50) for a new task with targets. Not supported for a task without targets.
    type: str
  max_errors:
    description:
      - Number of errors, as a number or a percentage, after which the task stops.
      - Defaults to V(0) for a new task with targets. Not supported for a task without targets.
    type: str
  description:
    description: Description of the task, at most 128 characters. An empty string clears it.
    type: str
  cutoff_behavior:
    description:
      - Whether a running task continues after the cutoff of the window or is cancelled, which Systems Manager does
        not guarantee.
    type: str
    choices: [CONTINUE_TASK, CANCEL_TASK]
  alarm:
    description: Name of a CloudWatch alarm that stops the task. An empty string removes the alarm.
    type: str
  ignore_alarm_failure:
    description: Whether to continue if the state of O(alarm) cannot be read.
    type: bool
  run_command:
    description: Parameters of a task of type V(RUN_COMMAND).
    type: dict
    suboptions:
      parameters:
        description: Parameters of the document, each with one value or a list of values. Replaced as a whole.
        type: dict
      comment:
        description: Comment of the command, at most 100 characters.
        type: str
      document_version:
        description: Version of the document, V($DEFAULT), V($LATEST) or a number.
        type: str
      document_hash:
        description: Hash that the content of the document must match.
        type: str
      document_hash_type:
        description: Algorithm of O(run_command.document_hash).
        type: str
        choices: [Sha256, Sha1]
      delivery_timeout:
        description: Seconds within which the command must start on a node, 30 to 2592000.
        type: int
      notification_role_arn:
        description: ARN of the role that Systems Manager assumes to publish notifications.
        type: str
      output_s3_bucket:
        description: S3 bucket for the output.
        type: str
      output_s3_prefix:
        description: Key prefix in O(run_command.output_s3_bucket).
        type: str
      cloudwatch_output:
        description: Whether to send the output to CloudWatch Logs.
        type: bool
      cloudwatch_log_group:
        description: CloudWatch Logs log group for the output.
        type: str
      notification_arn:
        description: ARN of the SNS topic for notifications. An empty string removes the notifications.
        type: str
      notification_events:
        description: Events that cause a notification.
        type: list
        elements: str
        choices: [All, InProgress, Success, TimedOut, Cancelled, Failed]
      notification_type:
        description: Whether to notify for each command or for each node.
        type: str
        choices: [Command, Invocation]
  automation:
    description: Parameters of a task of type V(AUTOMATION).
    type: dict
    suboptions:
      parameters:
        description: Parameters of the runbook, each with one value or a list of values. Replaced as a whole.
        type: dict
      document_version:
        description: Version of the runbook, V($DEFAULT), V($LATEST) or a number.
        type: str
  lambda_function:
    description: Parameters of a task of type V(LAMBDA).
    type: dict
    suboptions:
      payload:
        description: Input of the function as JSON text, at most 4096 characters.
        type: str
      qualifier:
        description: Version or alias of the function.
        type: str
      client_context:
        description: Client context as Base64 text.
        type: str
  step_functions:
    description: Parameters of a task of type V(STEP_FUNCTIONS).
    type: dict
    suboptions:
      input:
        description: Input of the state machine as JSON text, at most 4096 characters.
        type: str
      name:
        description: Name of the execution.
        type: str
"""

EXAMPLES = r"""
- name: Install patches on ten percent of the targets at a time
  patchtide.hybrid.ssm_maintenance_window_task:
    window: contoso-prod
    name: install-patches
    task_arn: AWS-RunPatchBaseline
    window_targets: [web-prod]
    priority: 2
    max_concurrency: 10%
    max_errors: "2"
    cutoff_behavior: CANCEL_TASK
    run_command:
      parameters:
        Operation: Install
        RebootOption: RebootIfNeeded
      delivery_timeout: 600

- name: Run a runbook before the installation
  patchtide.hybrid.ssm_maintenance_window_task:
    window: contoso-prod
    name: update-agents
    task_type: AUTOMATION
    task_arn: AWS-UpdateSSMAgent
    window_targets: [web-prod]
    automation:
      document_version: $DEFAULT
      parameters:
        InstanceId: ["{{ '{{' }}RESOURCE_ID{{ '}}' }}"]

- name: Delete a task
  patchtide.hybrid.ssm_maintenance_window_task:
    window: contoso-prod
    name: update-agents
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    maintenance_window_task:
      description: State of the task after the run, predicted in check mode; empty if it is absent.
      returned: always
      type: dict
      sample:
        name: install-patches
        task_type: RUN_COMMAND
        task_arn: AWS-RunPatchBaseline
        targets: {WindowTargetIds: [23639a0b-ddbc-4bca-9e72-78d96example]}
        service_role_arn: ""
        priority: 2
        max_concurrency: 10%
        max_errors: "2"
        description: ""
        cutoff_behavior: CANCEL_TASK
        alarm: ""
        ignore_alarm_failure: false
        invocation:
          parameters: {Operation: [Install], RebootOption: [RebootIfNeeded]}
          delivery_timeout: 600
        task_parameters: {}
        logging_info: {}
        window_id: mw-0123456789abcdef0
        task_id: 4f7ca192-7e9a-40fe-9192-5cb15example
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.patch_objects import WINDOW_TASK
from ..module_utils._ansible.run import aws_module, run_kind

SPEC = WINDOW_TASK.spec


def main() -> None:
    run_kind(aws_module(SPEC, **WINDOW_TASK.rules), WINDOW_TASK)


if __name__ == "__main__":
    main()
