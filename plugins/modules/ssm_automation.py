#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_automation
short_description: Run Automation runbooks in AWS Systems Manager
version_added: 0.1.0
description:
  - Starts an execution of a runbook, waits for it to end and returns the results of its steps. Also stops executions.
  - If the response to the start request is lost, the runbook is not started a second time.
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
    description: V(started) starts or follows an execution, V(stopped) stops O(execution_id).
    type: str
    choices: [started, stopped]
    default: started
  document:
    description: Name or ARN of the runbook. Required for O(state=started) unless O(execution_id) is set.
    type: str
  execution_id:
    description: ID of an execution to follow or stop.
    type: str
  document_version:
    description: Version of the runbook, V($DEFAULT), V($LATEST) or a number.
    type: str
  parameters:
    description: Parameters of the runbook, each with one value or a list of values.
    type: dict
  client_token:
    description:
      - UUID that makes the start idempotent. The same token with the same options starts the runbook only once, as
        long as the service remembers the token.
    type: str
  target_parameter:
    description: Parameter of the runbook that receives the target. Required with targets.
    type: str
  target_maps:
    description: Targets as a list of parameter-to-target mappings. Mutually exclusive with the other targets.
    type: list
    elements: dict
  max_concurrency:
    description: Maximum number of targets at the same time, as a number or a percentage.
    type: str
  max_errors:
    description: Number of errors, as a number or a percentage, after which no further targets are started.
    type: str
  target_locations:
    description: Accounts and Regions in which the service itself runs the runbook.
    type: list
    elements: dict
    suboptions:
      accounts:
        description: Accounts or organizational units.
        type: list
        elements: str
      regions:
        description: Regions to run in.
        type: list
        elements: str
      max_concurrency:
        description: Maximum number of locations at the same time.
        type: str
      max_errors:
        description: Number of errors after which no further locations are started.
        type: str
      execution_role_name:
        description: Name of the role to assume in each account.
        type: str
      include_child_units:
        description: Whether to include child organizational units.
        type: bool
      exclude_accounts:
        description: Accounts or organizational units to exclude.
        type: list
        elements: str
      targets:
        description: Values by key of the resources in these accounts and Regions.
          A key is C(tag:KEY) or C(ParameterValues).
        type: dict
      targets_max_concurrency:
        description: Number or percentage of resources at the same time in each account and Region.
        type: str
      targets_max_errors:
        description: Number or percentage of errors in an account and Region after which no more resources begin.
        type: str
      alarm:
        description: Name of a CloudWatch alarm that stops the execution in these accounts and Regions.
        type: str
      ignore_alarm_failure:
        description: Whether to continue if the state of the alarm cannot be read.
        type: bool
        default: false
  target_locations_url:
    description: HTTPS URL of an object in S3 with the target locations, for more than O(target_locations) can hold.
    type: str
  tags:
    description: Tags of the execution.
    type: dict
  alarm:
    description: Name of a CloudWatch alarm that stops the execution.
    type: str
  ignore_alarm_failure:
    description: Whether to continue if the state of the alarm cannot be read.
    type: bool
    default: false
  mode:
    description: V(Interactive) pauses before every step until a person continues. The service's default is V(Auto).
    type: str
    choices: [Auto, Interactive]
  stop_type:
    description: V(Cancel) stops immediately, V(Complete) after the current step.
    type: str
    choices: [Cancel, Complete]
    default: Cancel
  wait:
    description: Whether to wait for the execution to end.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait. After that the task fails, but the execution continues.
    type: int
    default: 3600
  fail_on_error:
    description: Whether the task fails if the execution does not succeed.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Run a runbook and wait for it
  patchtide.hybrid.ssm_automation:
    document: contoso-pause
    parameters:
      Reason: a test
  register: pause

- name: Start it without waiting, at most once
  patchtide.hybrid.ssm_automation:
    document: contoso-pause
    client_token: 6d1f5f0e-5b0f-4a55-9d57-0e6f4f1c2d3b
    wait: false
  register: started

- name: Stop the execution
  patchtide.hybrid.ssm_automation:
    execution_id: "{{ started.places[0].automation.automation_execution_id }}"
    state: stopped
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    automation:
      description: Execution as described by the service. Empty in check mode if it would be started.
      returned: always
      type: dict
      sample:
        automation_execution_id: 4105a4fc-f944-11e6-9d32-8fb2db27a909
        automation_execution_status: Success
        document_name: contoso-pause
        outputs: {}
        step_executions: [{step_name: pause, action: "aws:sleep", step_status: Success}]
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.automation import run_automation
from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.run import aws_module, run_places
from ..module_utils._ansible.spec import TARGETS
from ..module_utils._aws.automations import SsmAutomations

TEXT = {"type": "str"}
STRINGS = {"type": "list", "elements": "str"}
LOCATION = {
    "accounts": STRINGS,
    "regions": STRINGS,
    "max_concurrency": TEXT,
    "max_errors": TEXT,
    "execution_role_name": TEXT,
    "include_child_units": {"type": "bool"},
    "exclude_accounts": STRINGS,
    "targets": {"type": "dict"},
    "targets_max_concurrency": TEXT,
    "targets_max_errors": TEXT,
    "alarm": TEXT,
    "ignore_alarm_failure": {"type": "bool", "default": False},
}
SPEC = {
    **TARGETS,
    "state": {**TEXT, "choices": ["started", "stopped"], "default": "started"},
    "document": TEXT,
    "execution_id": TEXT,
    "document_version": TEXT,
    "parameters": {"type": "dict"},
    "client_token": {**TEXT, "no_log": False},
    "target_parameter": TEXT,
    "target_maps": {"type": "list", "elements": "dict"},
    "max_concurrency": TEXT,
    "max_errors": TEXT,
    "target_locations": {"type": "list", "elements": "dict", "options": LOCATION},
    "tags": {"type": "dict"},
    "target_locations_url": TEXT,
    "alarm": TEXT,
    "ignore_alarm_failure": {"type": "bool", "default": False},
    "mode": {**TEXT, "choices": ["Auto", "Interactive"]},
    "stop_type": {**TEXT, "choices": ["Cancel", "Complete"], "default": "Cancel"},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "fail_on_error": {"type": "bool", "default": True},
}


def main() -> None:
    rules = [("state", "started", ["document", "execution_id"], True), ("state", "stopped", ["execution_id"])]
    module = aws_module(SPEC, required_if=rules, mutually_exclusive=[("document", "execution_id")])

    def work(sessions, place):
        port = SsmAutomations(sessions.client("ssm", place))
        return run_automation(port, module.params, find_clock(), check=module.check_mode)

    run_places(module, work)


if __name__ == "__main__":
    main()
