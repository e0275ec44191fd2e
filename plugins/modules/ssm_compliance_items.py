#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_compliance_items
short_description: Manage custom compliance items in AWS Systems Manager
version_added: 0.1.0
description:
  - Reports custom compliance of nodes to Systems Manager Compliance, in a custom type such as C(Custom:Backup).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
options:
  compliance_type:
    description: Custom compliance type. Must begin with C(Custom:).
    type: str
    required: true
  instance_ids:
    description: IDs of the nodes.
    type: list
    elements: str
    required: true
  items:
    description:
      - Compliance items, at most 10,000. They replace the existing items of the type. Required for O(state=present).
    type: list
    elements: dict
    suboptions:
      id:
        description: ID of the item, unique on the node.
        type: str
        required: true
      status:
        description: Compliance status.
        type: str
        choices: [COMPLIANT, NON_COMPLIANT]
        required: true
      severity:
        description: Severity of the item.
        type: str
        choices: [CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL, UNSPECIFIED]
        default: UNSPECIFIED
      title:
        description: Title of the item, at most 500 characters.
        type: str
      details:
        description: Further details as key-value pairs.
        type: dict
  execution_type:
    description: Type of the check that produced the items.
    type: str
    default: Command
  execution_id:
    description: ID of the check that produced the items.
    type: str
  state:
    description: V(present) writes O(items), V(absent) removes all items of the type from the nodes.
    type: str
    choices: [present, absent]
    default: present
"""

EXAMPLES = r"""
- name: Report that the backup of a node is too old
  patchtide.hybrid.ssm_compliance_items:
    compliance_type: Custom:Backup
    instance_ids: [mi-0123456789abcdef0]
    items:
      - id: last-backup
        title: Backup of the last 24 hours
        status: NON_COMPLIANT
        severity: HIGH
        details: {Last: "2026-11-01"}

- name: Remove all backup items of the node
  patchtide.hybrid.ssm_compliance_items:
    compliance_type: Custom:Backup
    instance_ids: [mi-0123456789abcdef0]
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    compliance_items:
      description: Compliance items by node ID after the run, as predicted in check mode.
      returned: always
      type: dict
      sample:
        mi-0123456789abcdef0:
          - id: last-backup
            title: Backup of the last 24 hours
            status: NON_COMPLIANT
            severity: HIGH
            details: {Last: "2026-11-01"}
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE
from ..module_utils._aws.inventory import SsmComplianceItems
from ..module_utils._core.ssm.inventory import SEVERITIES, ComplianceItemsNoun

TEXT = {"type": "str"}
ITEM = {
    "id": {**TEXT, "required": True},
    "status": {**TEXT, "required": True, "choices": ["COMPLIANT", "NON_COMPLIANT"]},
    "severity": {**TEXT, "choices": list(SEVERITIES), "default": "UNSPECIFIED"},
    "title": TEXT,
    "details": {"type": "dict"},
}
SPEC = {
    **STATE,
    "compliance_type": {**TEXT, "required": True},
    "instance_ids": {"type": "list", "elements": "str", "required": True},
    "items": {"type": "list", "elements": "dict", "options": ITEM},
    "execution_type": {**TEXT, "default": "Command"},
    "execution_id": TEXT,
}


def main() -> None:
    module = aws_module(SPEC, required_if=[("state", "present", ["items"])])
    options = module.params

    def make(sessions, place):
        execution = {"ExecutionTime": find_clock().now().isoformat(), "ExecutionType": options["execution_type"]}
        if options["execution_id"]:
            execution["ExecutionId"] = options["execution_id"]
        port = SsmComplianceItems(sessions.client("ssm", place), options["compliance_type"], execution)
        return ComplianceItemsNoun(port, options)

    run_noun(module, "compliance_items", make, f"compliance {options['compliance_type']}")


if __name__ == "__main__":
    main()
