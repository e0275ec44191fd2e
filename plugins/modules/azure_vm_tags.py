#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_vm_tags
short_description: Check required tags of Azure virtual machines and Azure Arc servers
version_added: 0.1.0
description:
  - Lists the machines of many subscriptions with Azure Resource Graph and compares their tags with O(required_tags).
  - With O(mode=ensure), it sets the default values of missing tags. Other tags are kept, and values that are not valid
    are reported but never replaced, because they are somebody's decision.
  - Tag names are compared without regard to upper and lower case, as Azure does. A different spelling is reported,
    because services outside Azure, such as AWS Systems Manager, distinguish it.
  - Instances of scale sets are not checked, because they get the tags of their scale set.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.azure
  - patchtide.hybrid.attributes
options:
  required_tags:
    description:
      - Tags that every machine must have, by name. Each is a dictionary, which may be empty.
      - C(default) is the value to set if the tag is missing. Without it, a missing tag is only reported.
      - C(allowed) lists the valid values. C(pattern) is a regular expression that the whole value must match.
    type: dict
    required: true
  mode:
    description: V(audit) reports only. V(ensure) sets missing tags that have a default.
    type: str
    choices: [audit, ensure]
    default: audit
  respell:
    description: Whether O(mode=ensure) also corrects upper and lower case of tag names. It removes and sets the tag.
    type: bool
    default: false
  resource_groups:
    description: Resource groups to which to limit the check.
    type: list
    elements: str
    default: []
  include_arc:
    description: Whether to check servers of Azure Arc.
    type: bool
    default: true
  export_path:
    description: File to which to write RV(machines), C(.json) or C(.csv), with mode 0600. Not written in check mode.
    type: path
  fail_on_findings:
    description: Whether to fail if machines are not compliant after the run.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Report machines without the required tags
  patchtide.hybrid.azure_vm_tags:
    required_tags:
      Patch Group: {}
      Environment: {allowed: [dev, test, prod]}
      Owner: {pattern: '[a-z-]+'}
    export_path: tags.csv

- name: Add the missing tag in two subscriptions
  patchtide.hybrid.azure_vm_tags:
    subscriptions:
      - 00000000-0000-0000-0000-000000000001
      - 00000000-0000-0000-0000-000000000002
    required_tags:
      Patch Group: {default: unassigned}
    mode: ensure
"""

RETURN = r"""
machines:
  description: All machines that were checked.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Resource ID in lower case.
      returned: always
      type: str
    status:
      description: V(compliant), V(not_compliant), or V(failed) if the tags could not be written.
      returned: always
      type: str
    missing:
      description: Required tags that are missing after the run, as predicted in check mode.
      returned: always
      type: list
      elements: str
    invalid:
      description: What is wrong with the values of tags, by name.
      returned: always
      type: dict
    misspelt:
      description: Actual spelling of tags that differ in upper and lower case, by required name.
      returned: always
      type: dict
    tags:
      description: All tags after the run, as predicted in check mode.
      returned: always
      type: dict
    error:
      description: Why the tags could not be written.
      returned: always
      type: dict
summary:
  description: Number of machines by status, and how many were changed.
  returned: always
  type: dict
  sample: {compliant: 12, not_compliant: 3, failed: 0, changed: 2}
failed_subscriptions:
  description: Subscriptions that failed, each with C(subscription), C(name) and C(error).
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.azure import run_tag_audit
from ..module_utils._ansible.azure_spec import azure_module

SPEC = {
    "required_tags": {"type": "dict", "required": True},
    "mode": {"type": "str", "choices": ["audit", "ensure"], "default": "audit"},
    "respell": {"type": "bool", "default": False},
    "resource_groups": {"type": "list", "elements": "str", "default": []},
    "include_arc": {"type": "bool", "default": True},
    "export_path": {"type": "path"},
    "fail_on_findings": {"type": "bool", "default": False},
}


def main() -> None:
    run_tag_audit(azure_module(SPEC))


if __name__ == "__main__":
    main()
