#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_command
short_description: Run a command document on managed nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Sends a command, waits for its end and returns what came of it on every node. Cancels commands as well.
  - A command counts as done well only if it succeeded on every node; the service calls one a success whose
    nodes were never reached.
  - A lost answer never sends a command twice, it is looked for by its comment.
  - Patching many nodes with progress is the job of M(patchtide.hybrid.ssm_patch).
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
      - V(sent) sends or follows a command, V(cancelled) asks for the end of O(command_id), which SSM does not
        guarantee.
    type: str
    choices: [sent, cancelled]
    default: sent
  document:
    description: Name or ARN of the document. Required for O(state=sent) unless O(command_id) is given.
    type: str
  command_id:
    description: Follow this command instead of sending one, or cancel it.
    type: str
  parameters:
    description: Parameters of the document, a value or a list of values each.
    type: dict
  comment:
    description:
      - Comment of the command, at most 100 characters, by which it can be found. A unique one is made up
        without it.
    type: str
  reattach_within:
    description: Follow a command of the same O(document) and O(comment) if one was sent in the last so many seconds.
    type: int
    default: 0
  document_version:
    description: Version of the document, V($DEFAULT), V($LATEST) or a number.
    type: str
  document_hash:
    description: Hash of the document's content that must match.
    type: str
  document_hash_type:
    description: Kind of O(document_hash).
    type: str
    choices: [Sha256, Sha1]
  delivery_timeout:
    description: Seconds within which the command must have started on a node, 30 to 2592000.
    type: int
  max_concurrency:
    description: On how many nodes it runs at once, a count or a percentage. The service takes V(50) without it.
    type: str
  max_errors:
    description:
      - After how many errors it is not sent to further nodes, a count or a percentage. The service takes V(0)
        without it.
    type: str
  notification_role_arn:
    description: Role that SSM uses to publish notifications.
    type: str
  output_s3_region:
    description: Region of O(output_s3_bucket).
    type: str
  output_s3_bucket:
    description: Bucket for the output.
    type: str
  output_s3_prefix:
    description: Prefix within O(output_s3_bucket).
    type: str
  cloudwatch_log_group:
    description: Log group of CloudWatch Logs for the output.
    type: str
  notification_arn:
    description: SNS topic for notifications.
    type: str
  notification_events:
    description: Events to notify of.
    type: list
    elements: str
    choices: [All, InProgress, Success, TimedOut, Cancelled, Failed]
    default: [All]
  notification_type:
    description: Notify per command or per node.
    type: str
    choices: [Command, Invocation]
    default: Command
  alarm:
    description: Name of a CloudWatch alarm that stops the command.
    type: str
  wait:
    description: Whether to wait for the end on all nodes.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait. The command goes on after that, the task fails.
    type: int
    default: 3600
  fail_on_error:
    description: Whether a node on which the command did not succeed fails the task.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Is anything missing on these nodes
  patchtide.hybrid.ssm_command:
    document: AWS-RunPatchBaseline
    instance_ids: [mi-0123456789abcdef0]
    parameters:
      Operation: Scan
    comment: scan of the first of the month
    reattach_within: 3600
  register: scan

- name: Send it to a patch group and look later
  patchtide.hybrid.ssm_command:
    document: AWS-RunPatchBaseline
    instance_tags:
      PatchGroup: [PLANT-PROD]
    parameters:
      Operation: Scan
    max_concurrency: 25%
    wait: false
  register: sent

- name: Stop it
  patchtide.hybrid.ssm_command:
    command_id: "{{ sent.command.command_id }}"
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
      description: The command; empty in check mode if it would be sent.
      returned: always
      type: dict
      contains:
        command_id:
          description: Its id.
          type: str
        status:
          description: What the service calls it as a whole.
          type: str
        invocations:
          description:
            - Every node's part, with V(status), V(code), V(output) (the first 2,500 characters), V(started_at),
              V(ended_at).
          returned: if O(wait=true)
          type: list
          elements: dict
        outcome:
          description: Nodes by how it ended there.
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
