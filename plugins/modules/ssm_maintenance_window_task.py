#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_task
short_description: Manage the tasks of maintenance windows of AWS Systems Manager
version_added: 0.1.0
description:
  - Says what a maintenance window does when it opens. It can run commands, automations, Lambda functions and
    Step Functions.
  - A task is found by its name within its window. Options that are not given are left as they are.
  - Of O(run_command), O(automation), O(lambda_function) and O(step_functions) give the one that fits O(task_type);
    members that are not given are left as they are, an empty value or V(0) clears one.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  window:
    description:
      - Name or id of the maintenance window. A name is looked up in every account-Region apart.
      - In check mode a window that does not exist yet is taken as one that will.
    type: str
    required: true
  name:
    description: Name of the task, 3 to 128 letters, digits, underscores, hyphens and dots.
    type: str
    required: true
  state:
    description: V(present) creates or updates, V(absent) deletes.
    type: str
    choices: [present, absent]
    default: present
  task_type:
    description:
      - What kind of task it is. Follows from the parameters given; V(RUN_COMMAND) for a new task without any.
      - The service can't change it, so a change deletes the task and creates it again under a new id; the diff
        says so.
    type: str
    choices: [RUN_COMMAND, AUTOMATION, LAMBDA, STEP_FUNCTIONS]
  task_arn:
    description:
      - Name or ARN of the document for commands and automations, ARN of the function or state machine else.
      - The name of a Lambda function must begin with C(SSM). Needed for a new task.
    type: str
  window_targets:
    description:
      - Targets of the window that the task works on, by name or id. Several are worked on one after the other.
      - An empty list makes it a task without targets, which Run Command does not allow.
    type: list
    elements: str
  instance_ids:
    description: Nodes that the task works on, instead of O(window_targets), at most 50.
    type: list
    elements: str
  service_role_arn:
    description: Role that SSM assumes to run the task; its service-linked role where there is none.
    type: str
  priority:
    description:
      - Tasks with a lower number run first, tasks with the same number at the same time. V(1) for a new task.
    type: int
  max_concurrency:
    description:
      - How many targets are worked on at once, a count or a percentage such as V(10%).
      - V(50) for a new task with targets, not allowed for one without.
    type: str
  max_errors:
    description:
      - After how many errors the task stops, a count or a percentage. V(0) for a new task with targets, not
        allowed for one without.
    type: str
  description:
    description: What the task is for, at most 128 characters. Empty clears it.
    type: str
  cutoff_behavior:
    description:
      - Whether a running task goes on after the window's cutoff or is cancelled, which SSM does not guarantee.
    type: str
    choices: [CONTINUE_TASK, CANCEL_TASK]
  alarm:
    description: Name of a CloudWatch alarm that stops the task. Empty for none.
    type: str
  ignore_alarm_failure:
    description: Whether the task goes on when the state of O(alarm) can't be read.
    type: bool
  run_command:
    description: Parameters of a task of type V(RUN_COMMAND).
    type: dict
    suboptions:
      parameters:
        description: Parameters of the document, a value or a list of values each. Replaced as a whole.
        type: dict
      comment:
        description: Comment of the command, at most 100 characters.
        type: str
      document_version:
        description: Version of the document, V($DEFAULT), V($LATEST) or a number.
        type: str
      document_hash:
        description: Hash of the document's content that must match.
        type: str
      document_hash_type:
        description: Kind of O(run_command.document_hash).
        type: str
        choices: [Sha256, Sha1]
      delivery_timeout:
        description: Seconds within which the command must have started on a node, 30 to 2592000.
        type: int
      notification_role_arn:
        description: Role that SSM uses to publish notifications.
        type: str
      output_s3_bucket:
        description: Bucket for the output.
        type: str
      output_s3_prefix:
        description: Prefix within O(run_command.output_s3_bucket).
        type: str
      cloudwatch_output:
        description: Whether the output goes to CloudWatch Logs.
        type: bool
      cloudwatch_log_group:
        description: Log group for the output.
        type: str
      notification_arn:
        description: SNS topic for notifications. Without one nothing is notified; empty clears all about them.
        type: str
      notification_events:
        description: Events to notify of.
        type: list
        elements: str
        choices: [All, InProgress, Success, TimedOut, Cancelled, Failed]
      notification_type:
        description: Notify per command or per node.
        type: str
        choices: [Command, Invocation]
  automation:
    description: Parameters of a task of type V(AUTOMATION).
    type: dict
    suboptions:
      parameters:
        description: Parameters of the runbook, a value or a list of values each. Replaced as a whole.
        type: dict
      document_version:
        description: Version of the runbook, V($DEFAULT), V($LATEST) or a number.
        type: str
  lambda_function:
    description: Parameters of a task of type V(LAMBDA).
    type: dict
    suboptions:
      payload:
        description: JSON text handed to the function, at most 4096 characters.
        type: str
      qualifier:
        description: Version or alias of the function.
        type: str
      client_context:
        description: Client context, Base64 text.
        type: str
  step_functions:
    description: Parameters of a task of type V(STEP_FUNCTIONS).
    type: dict
    suboptions:
      input:
        description: JSON text handed to the state machine, at most 4096 characters.
        type: str
      name:
        description: Name of the execution.
        type: str
"""

EXAMPLES = r"""
- name: The window installs patches on its targets, ten percent at a time
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

- name: Before that it runs a runbook
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

- name: Not any more
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
      description: The task as it is, or would be in check mode; empty when it is absent.
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
        window_id: mw-0123456789abcdef0
        task_id: 4f7ca192-7e9a-40fe-9192-5cb15example
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.window_tasks import SsmWindowTasks
from ..module_utils._core.ssm.window_tasks import TASK_TYPES, WindowTaskNoun

TEXT = {"type": "str"}
STRINGS = {"type": "list", "elements": "str"}
EVENTS = ["All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"]
RUN_COMMAND = {
    "parameters": {"type": "dict"},
    "comment": TEXT,
    "document_version": TEXT,
    "document_hash": TEXT,
    "document_hash_type": {**TEXT, "choices": ["Sha256", "Sha1"]},
    "delivery_timeout": {"type": "int"},
    "notification_role_arn": TEXT,
    "output_s3_bucket": TEXT,
    "output_s3_prefix": TEXT,
    "cloudwatch_output": {"type": "bool"},
    "cloudwatch_log_group": TEXT,
    "notification_arn": TEXT,
    "notification_events": {**STRINGS, "choices": EVENTS},
    "notification_type": {**TEXT, "choices": ["Command", "Invocation"]},
}
LAMBDA = {"payload": TEXT, "qualifier": TEXT, "client_context": TEXT}
SPEC = {
    **STATE,
    "window": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "task_type": {"type": "str", "choices": list(TASK_TYPES)},
    "task_arn": TEXT,
    "window_targets": STRINGS,
    "instance_ids": STRINGS,
    "service_role_arn": TEXT,
    "priority": {"type": "int"},
    "max_concurrency": TEXT,
    "max_errors": TEXT,
    "description": TEXT,
    "cutoff_behavior": {"type": "str", "choices": ["CONTINUE_TASK", "CANCEL_TASK"]},
    "alarm": TEXT,
    "ignore_alarm_failure": {"type": "bool"},
    "run_command": {"type": "dict", "options": RUN_COMMAND},
    "automation": {"type": "dict", "options": {"parameters": {"type": "dict"}, "document_version": TEXT}},
    "lambda_function": {"type": "dict", "options": LAMBDA},
    "step_functions": {"type": "dict", "options": {"input": TEXT, "name": TEXT}},
}


def main() -> None:
    module = aws_module(SPEC, mutually_exclusive=[("window_targets", "instance_ids")])

    def make(sessions, place):
        return WindowTaskNoun(SsmWindowTasks(sessions.client("ssm", place)), module.params)

    header = f"task {module.params['name']} of maintenance window {module.params['window']}"
    run_noun(module, "maintenance_window_task", make, header)


if __name__ == "__main__":
    main()
