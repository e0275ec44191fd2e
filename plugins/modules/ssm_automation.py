#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_automation
short_description: Run automation runbooks of AWS Systems Manager
version_added: 0.1.0
description:
  - Starts an execution of a runbook, waits for its end and returns what came of its steps. Stops executions as well.
  - A lost answer never starts a runbook twice.
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
    description: V(started) starts or follows an execution, V(stopped) ends O(execution_id).
    type: str
    choices: [started, stopped]
    default: started
  document:
    description: Name or ARN of the runbook. Required for O(state=started) unless O(execution_id) is given.
    type: str
  execution_id:
    description: Follow this execution instead of starting one, or stop it.
    type: str
  document_version:
    description: Version of the runbook, V($DEFAULT), V($LATEST) or a number.
    type: str
  parameters:
    description: Parameters of the runbook, a value or a list of values each.
    type: dict
  client_token:
    description: A UUID. The same token with the same options starts the runbook once only, for as long as the service
      remembers it.
    type: str
  target_parameter:
    description: Parameter of the runbook that gets each target. Needed with targets.
    type: str
  target_maps:
    description: Targets as dictionaries of parameters, instead of the other ways to name them.
    type: list
    elements: dict
  max_concurrency:
    description: How many targets are worked on at once, a count or a percentage.
    type: str
  max_errors:
    description: After how many errors it stops, a count or a percentage.
    type: str
  target_locations:
    description: Accounts and Regions in which the runbook runs, started and gathered by the service itself.
    type: list
    elements: dict
    suboptions:
      accounts:
        description: Accounts or organizational units.
        type: list
        elements: str
      regions:
        description: Regions.
        type: list
        elements: str
      max_concurrency:
        description: How many locations at once.
        type: str
      max_errors:
        description: After how many errors it stops.
        type: str
      execution_role_name:
        description: Role in each account.
        type: str
      include_child_units:
        description: Whether organizational units below are meant as well.
        type: bool
      exclude_accounts:
        description: Accounts or organizational units that are left out.
        type: list
        elements: str
  tags:
    description: Tags of the execution.
    type: dict
  alarm:
    description: Name of a CloudWatch alarm that stops the execution.
    type: str
  stop_type:
    description: V(Cancel) stops at once, V(Complete) lets the running step end.
    type: str
    choices: [Cancel, Complete]
    default: Cancel
  wait:
    description: Whether to wait for the end.
    type: bool
    default: true
  wait_timeout:
    description: Seconds to wait. The execution goes on after that, the task fails.
    type: int
    default: 3600
  fail_on_error:
    description: Whether an execution that did not end well fails the task.
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

- name: Start it, once, whatever happens
  patchtide.hybrid.ssm_automation:
    document: contoso-pause
    client_token: 6d1f5f0e-5b0f-4a55-9d57-0e6f4f1c2d3b
    wait: false
  register: started

- name: Stop it
  patchtide.hybrid.ssm_automation:
    execution_id: "{{ started.automation.automation_execution_id }}"
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
      description: The execution as the service shows it; empty in check mode if it would be started.
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
    "alarm": TEXT,
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
