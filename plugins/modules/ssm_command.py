#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_command
short_description: Run commands on managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Sends a command, waits for it to end and returns the result on each node. Also cancels commands.
  - A command counts as successful only if it succeeds on every node. The service reports C(Success) even if nodes
    were never reached.
  - If the response to the send request is lost, the module finds the command by its comment and does not send it a
    second time.
  - To patch many nodes with progress reports, use M(patchtide.hybrid.ssm_patch).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes.command
  - patchtide.hybrid.targets
options:
  state:
    description:
      - V(sent) sends or follows a command, V(cancelled) requests the cancellation of O(command_id), which Systems
        Manager does not guarantee.
    type: str
    choices: [sent, cancelled]
    default: sent
  document:
    description: Name or ARN of the document. Required for O(state=sent) unless O(command_id) is set.
    type: str
  command_id:
    description: ID of a command to follow or cancel.
    type: str
  parameters:
    description: Parameters of the document, each with one value or a list of values.
    type: dict
  comment:
    description: Comment that identifies the command, at most 100 characters. Defaults to a unique text.
    type: str
  reattach_within:
    description:
      - If a command with the same O(document) and O(comment) was sent within this number of seconds, follow it
        instead of sending a new one. V(0) always sends.
    type: int
    default: 0
  document_version:
    description: Version of the document, V($DEFAULT), V($LATEST) or a number.
    type: str
  document_hash:
    description: Hash that the content of the document must match.
    type: str
  document_hash_type:
    description: Algorithm of O(document_hash).
    type: str
    choices: [Sha256, Sha1]
  delivery_timeout:
    description: Seconds within which the command must start on a node, 30 to 2592000.
    type: int
  max_concurrency:
    description:
      - Maximum number of nodes that run the command at the same time, as a number or a percentage. The service
        defaults to V(50).
    type: str
  max_errors:
    description:
      - Number of errors, as a number or a percentage, after which the command is not sent to further nodes. The
        service defaults to V(0).
    type: str
  notification_role_arn:
    description: ARN of the role that Systems Manager assumes to publish notifications.
    type: str
  output_s3_region:
    description: Region of O(output_s3_bucket).
    type: str
  output_s3_bucket:
    description: S3 bucket for the output.
    type: str
  output_s3_prefix:
    description: Key prefix in O(output_s3_bucket).
    type: str
  cloudwatch_log_group:
    description: CloudWatch Logs log group for the output.
    type: str
  notification_arn:
    description: ARN of the SNS topic for notifications.
    type: str
  notification_events:
    description: Events that cause a notification.
    type: list
    elements: str
    choices: [All, InProgress, Success, TimedOut, Cancelled, Failed]
    default: [All]
  notification_type:
    description: Whether to notify for each command or for each node.
    type: str
    choices: [Command, Invocation]
    default: Command
  alarm:
    description: Name of a CloudWatch alarm that stops the command.
    type: str
  ignore_alarm_failure:
    description: Whether to continue if the state of the alarm cannot be read.
    type: bool
    default: false
  wait:
    description: Whether to wait for the command to end on all nodes.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait. After that the task fails, but the command continues.
    type: int
    default: 3600
  fail_on_error:
    description: Whether the task fails if the command does not succeed on every node.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Scan a node for missing patches
  patchtide.hybrid.ssm_command:
    document: AWS-RunPatchBaseline
    instance_ids: [mi-0123456789abcdef0]
    parameters:
      Operation: Scan
    comment: scan of the first of the month
    reattach_within: 3600
  register: scan

- name: Scan a patch group without waiting
  patchtide.hybrid.ssm_command:
    document: AWS-RunPatchBaseline
    instance_tags:
      PatchGroup: [PLANT-PROD]
    parameters:
      Operation: Scan
    max_concurrency: 25%
    wait: false
  register: sent

- name: Cancel the command
  patchtide.hybrid.ssm_command:
    command_id: "{{ sent.places[0].command.command_id }}"
    state: cancelled
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    command:
      description: The command. Empty in check mode if it would be sent.
      returned: always
      type: dict
      contains:
        command_id:
          description: ID of the command.
          type: str
        status:
          description: Status of the command as a whole, as reported by the service.
          type: str
        invocations:
          description:
            - Result on each node, with V(name), V(status), V(code), V(output) (the first 2,500 characters),
              V(started_at) and V(ended_at).
            - V(plugins) has the steps of the document, each with its name, status, code, output and times.
          returned: if O(wait=true)
          type: list
          elements: dict
        outcome:
          description: Node IDs by outcome.
          returned: if O(wait=true)
          type: dict
          sample:
            succeeded: [i-0123456789abcdef0]
            failed: [i-0123456789abcdef1]
            running: []
            statuses: {Success: [i-0123456789abcdef0], Undeliverable: [i-0123456789abcdef1]}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.command import run_command
from ..module_utils._ansible.run import aws_module, run_places
from ..module_utils._ansible.spec import TARGETS
from ..module_utils._aws.commands import SsmCommands

TEXT = {"type": "str"}
NUMBER = {"type": "int"}
EVENTS = ["All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"]
SPEC = {
    **TARGETS,
    "state": {"type": "str", "choices": ["sent", "cancelled"], "default": "sent"},
    "document": TEXT,
    "command_id": TEXT,
    "parameters": {"type": "dict"},
    "comment": TEXT,
    "reattach_within": {"type": "int", "default": 0},
    "document_version": TEXT,
    "document_hash": TEXT,
    "document_hash_type": {**TEXT, "choices": ["Sha256", "Sha1"]},
    "delivery_timeout": NUMBER,
    "max_concurrency": TEXT,
    "max_errors": TEXT,
    "notification_role_arn": TEXT,
    "output_s3_region": TEXT,
    "output_s3_bucket": TEXT,
    "output_s3_prefix": TEXT,
    "cloudwatch_log_group": TEXT,
    "notification_arn": TEXT,
    "notification_events": {"type": "list", "elements": "str", "choices": EVENTS, "default": ["All"]},
    "notification_type": {**TEXT, "choices": ["Command", "Invocation"], "default": "Command"},
    "alarm": TEXT,
    "ignore_alarm_failure": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "fail_on_error": {"type": "bool", "default": True},
}


def main() -> None:
    rules = [("state", "sent", ["document", "command_id"], True), ("state", "cancelled", ["command_id"])]
    module = aws_module(SPEC, required_if=rules, mutually_exclusive=[("document", "command_id")])

    def work(sessions, place):
        return run_command(SsmCommands(place, sessions), module.params, find_clock(), check=module.check_mode)

    run_places(module, work)


if __name__ == "__main__":
    main()
