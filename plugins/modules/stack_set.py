#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: stack_set
short_description: Manage AWS CloudFormation stack sets and their stacks
version_added: 0.1.0
description:
  - Creates, updates and deletes a stack set and its stacks in many accounts and Regions, with the permissions of AWS
    Organizations (V(SERVICE_MANAGED)) or with roles of your own (V(SELF_MANAGED)).
  - Reads before it writes. Check mode makes no call that writes, and a second run with the same options changes
    nothing.
  - An operation that fails in some accounts leaves the others deployed. RV(places[].failed_instances) has the
    stacks that are not as declared, each with its reason. The next run tries them again.
  - Stacks that are not declared are listed in RV(places[].undeclared) and kept, unless O(purge_targets=true).
notes:
  - A stack set carries out one operation at a time. The module waits for the end of another operation before it begins
    its own.
  - To remove everything, run the module with O(state=absent), which deletes all stacks and then the stack set.
    Resources with a deletion policy of V(Retain) stay. With O(retain_stacks=true), all resources stay, and the stacks
    can be adopted only by importing them into a new stack set.
  - StackSets does not deploy to the management account of an organization with V(SERVICE_MANAGED). Use
    M(amazon.aws.cloudformation) there.
  - The values of C(NoEcho) parameters cannot be read. They are sent with every other change, and alone cause none.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  name:
    description: Name of the stack set.
    type: str
    required: true
  state:
    description: V(present) creates or updates the stack set and its stacks, V(absent) deletes all of them.
    type: str
    choices: [present, absent]
    default: present
  template_body:
    description: Text of the template, at most 51,200 bytes. Required for O(state=present).
    type: str
  description:
    description: Description of the stack set.
    type: str
  parameters:
    description:
      - Parameters of the template. Lists are joined with commas.
      - A parameter that is not given keeps its value, or gets the default of the template.
    type: dict
  capabilities:
    description: Capabilities that the template needs, such as V(CAPABILITY_NAMED_IAM).
    type: list
    elements: str
    choices: [CAPABILITY_IAM, CAPABILITY_NAMED_IAM, CAPABILITY_AUTO_EXPAND]
  tags:
    description: Tags of the stack set and of all resources of its stacks.
    type: dict
    aliases: [resource_tags]
  purge_tags:
    description: Whether to remove tags that are not in O(tags).
    type: bool
    default: true
  permission_model:
    description: Who creates the roles that deploy the stacks. It cannot be changed. Defaults to V(SELF_MANAGED).
    type: str
    choices: [SELF_MANAGED, SERVICE_MANAGED]
  administration_role_arn:
    description: Role of this account that assumes O(execution_role_name), with V(SELF_MANAGED).
    type: str
  execution_role_name:
    description: Name of the role in each account that deploys the stacks, with V(SELF_MANAGED).
    type: str
  call_as:
    description: V(DELEGATED_ADMIN) if the account is a delegated administrator of the organization for StackSets.
    type: str
    choices: [SELF, DELEGATED_ADMIN]
    default: SELF
  auto_deployment:
    description:
      - Whether accounts that join a unit get stacks and accounts that leave it lose them. V(SERVICE_MANAGED) only.
    type: bool
  retain_stacks_on_account_removal:
    description: Whether accounts that leave a unit keep the resources of their stacks.
    type: bool
  managed_execution:
    description: Whether StackSets queues operations and runs those that do not conflict at the same time.
    type: bool
  target_regions:
    description: Regions to deploy stacks in. Without it, stacks are neither created nor deleted.
    type: list
    elements: str
  target_accounts:
    description: Accounts to deploy stacks in. With V(SERVICE_MANAGED), O(account_filter) says what they mean.
    type: list
    elements: str
  organizational_units:
    description: Units or the root of the organization to deploy stacks in. V(SERVICE_MANAGED) only.
    type: list
    elements: str
  account_filter:
    description:
      - V(INTERSECTION) deploys to O(target_accounts) that are in the units, V(DIFFERENCE) to all others in the units,
        V(UNION) to all in the units and to O(target_accounts).
    type: str
    choices: [NONE, INTERSECTION, DIFFERENCE, UNION]
    default: NONE
  purge_targets:
    description: Whether to delete stacks that the targets do not declare.
    type: bool
    default: false
  retain_stacks:
    description: Whether stacks that are removed from the set keep their resources.
    type: bool
    default: false
  operation_preferences:
    description: How StackSets deploys.
    type: dict
    suboptions:
      region_order:
        description:
          - Order of the Regions with V(SEQUENTIAL). Roles are global, so name the Region first that creates them.
        type: list
        elements: str
      region_concurrency_type:
        description: Whether Regions are deployed at the same time.
        type: str
        choices: [SEQUENTIAL, PARALLEL]
      failure_tolerance_count:
        description: Number of accounts in a Region that may fail before the operation stops there and in later Regions.
        type: int
      failure_tolerance_percentage:
        description: The same as a percentage.
        type: int
      max_concurrent_count:
        description: Number of accounts at the same time. With strict concurrency, at most the tolerance plus one.
        type: int
      max_concurrent_percentage:
        description: The same as a percentage.
        type: int
      concurrency_mode:
        description: V(SOFT_FAILURE_TOLERANCE) keeps the number of concurrent accounts when accounts fail.
        type: str
        choices: [STRICT_FAILURE_TOLERANCE, SOFT_FAILURE_TOLERANCE]
  detect_drift:
    description:
      - Whether to have CloudFormation compare the resources of all stacks with their templates. The result is in
        RV(places[].instances). Drift is no change, and nothing corrects it. Check mode only shows the last comparison.
    type: bool
    default: false
  on_instance_error:
    description:
      - V(fail) fails the task if a stack is not as declared, V(report) lists it in RV(places[].failed_instances).
    type: str
    choices: [fail, report]
    default: fail
  wait_timeout:
    description: Seconds to wait for all operations. After that the task fails, but the operation continues.
    type: int
    default: 3600
"""

EXAMPLES = r"""
- name: Deploy the spokes to two units, new accounts included
  patchtide.hybrid.stack_set:
    name: patchtide-spoke
    template_body: "{{ lookup('ansible.builtin.file', 'spoke.template') }}"
    capabilities: [CAPABILITY_NAMED_IAM]
    permission_model: SERVICE_MANAGED
    call_as: DELEGATED_ADMIN
    auto_deployment: true
    organizational_units: [ou-ab12-workload, ou-ab12-platform]
    target_regions: [eu-central-1, us-east-1]
    parameters:
      HomeRegion: eu-central-1
      ControllerArns: ["arn:aws:iam::111111111111:role/patch-controller"]
      ExternalId: contoso-patching
    operation_preferences:
      region_order: [eu-central-1, us-east-1]
      failure_tolerance_percentage: 10
    on_instance_error: report
  register: spokes

- name: Delete all stacks and the stack set
  patchtide.hybrid.stack_set:
    name: patchtide-spoke
    call_as: DELEGATED_ADMIN
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions of stack sets that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    stack_set:
      description: Definition after the run and its stacks, predicted in check mode; empty if it is absent.
      returned: always
      type: dict
      sample:
        name: patchtide-spoke
        permission_model: SELF_MANAGED
        parameters: {HomeRegion: eu-central-1}
        stacks: [222222222222/eu-central-1]
    instances:
      description: Stacks as the service lists them, C(drift) included.
      returned: always
      type: list
      elements: dict
      sample: [{account: "222222222222", region: eu-central-1, status: CURRENT, detail: SUCCEEDED, drift: NOT_CHECKED}]
    failed_instances:
      description:
        - Stacks that are not as declared, each with C(account), C(region), C(status) and C(reason). In check mode, as
          they are before the run.
      returned: always
      type: list
      elements: dict
    undeclared:
      description: Stacks that the targets do not declare, as C(account/region).
      returned: always
      type: list
      elements: str
    operations:
      description: Operations of this run, each with C(what), C(operation_id), C(status), C(reason) and C(results).
      returned: always
      type: list
      elements: dict
failed_places:
  description:
    - Account-Regions that failed, each with its error. If stacks failed, C(error) also has C(failed_instances) and
      C(operations).
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.run import aws_module, run_places
from ..module_utils._ansible.spec import STATE, TAGS
from ..module_utils._ansible.stack_sets import run_stack_set
from ..module_utils._aws.stack_sets import CfnStackSets

TEXT = {"type": "str"}
STRINGS = {"type": "list", "elements": "str"}
FLAG = {"type": "bool"}
INT = {"type": "int"}
NO = {"type": "bool", "default": False}
PREFERENCES = {
    "region_order": STRINGS,
    "region_concurrency_type": {**TEXT, "choices": ["SEQUENTIAL", "PARALLEL"]},
    **dict.fromkeys(("failure_tolerance_count", "failure_tolerance_percentage"), INT),
    **dict.fromkeys(("max_concurrent_count", "max_concurrent_percentage"), INT),
    "concurrency_mode": {**TEXT, "choices": ["STRICT_FAILURE_TOLERANCE", "SOFT_FAILURE_TOLERANCE"]},
}
EITHER = [
    ("failure_tolerance_count", "failure_tolerance_percentage"),
    ("max_concurrent_count", "max_concurrent_percentage"),
]
SPEC = {
    **STATE,
    **TAGS,
    "name": {**TEXT, "required": True},
    "parameters": {"type": "dict"},
    "capabilities": {**STRINGS, "choices": ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]},
    "permission_model": {**TEXT, "choices": ["SELF_MANAGED", "SERVICE_MANAGED"]},
    **dict.fromkeys(("template_body", "description", "administration_role_arn", "execution_role_name"), TEXT),
    "call_as": {**TEXT, "choices": ["SELF", "DELEGATED_ADMIN"], "default": "SELF"},
    **dict.fromkeys(("auto_deployment", "retain_stacks_on_account_removal", "managed_execution"), FLAG),
    **dict.fromkeys(("target_regions", "target_accounts", "organizational_units"), STRINGS),
    "account_filter": {**TEXT, "choices": ["NONE", "INTERSECTION", "DIFFERENCE", "UNION"], "default": "NONE"},
    **dict.fromkeys(("purge_targets", "retain_stacks", "detect_drift"), NO),
    "operation_preferences": {"type": "dict", "options": PREFERENCES, "mutually_exclusive": EITHER},
    "on_instance_error": {**TEXT, "choices": ["fail", "report"], "default": "fail"},
    "wait_timeout": {"type": "int", "default": 3600},
}


def main() -> None:
    module = aws_module(SPEC, required_if=[("state", "present", ["template_body"])])

    def work(sessions, place):
        port = CfnStackSets(sessions.client("cloudformation", place), module.params["call_as"])
        header = f"stack set {module.params['name']} in {place.label}" if module._diff else ""
        return run_stack_set(port, module.params, find_clock(), check=module.check_mode, header=header)

    run_places(module, work)


if __name__ == "__main__":
    main()
