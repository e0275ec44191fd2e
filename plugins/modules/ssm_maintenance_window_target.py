#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_target
short_description: Manage the targets of maintenance windows of AWS Systems Manager
version_added: 0.1.0
description:
  - Says which nodes a maintenance window works on.
  - A target is found by its name within its window. Options that are not given are left as they are.
  - The ways to name nodes belong together; if one of them is given, it replaces them all.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
  - patchtide.hybrid.targets
options:
  window:
    description:
      - Name or id of the maintenance window. A name is looked up in every account-Region apart.
      - In check mode a window that does not exist yet is taken as one that will.
    type: str
    required: true
  name:
    description: Name of the target, 3 to 128 letters, digits, underscores, hyphens and dots.
    type: str
    required: true
  state:
    description:
      - V(present) creates or updates, V(absent) deletes.
      - The service can't turn a target of nodes into one of a resource group, so that change deletes the target
        and creates
        it again under a new id; the diff says so.
    type: str
    choices: [present, absent]
    default: present
  owner_information:
    description: Text that is handed on in events of the window's tasks, at most 128 characters. Empty clears it.
    type: str
  description:
    description: What the target is, at most 128 characters. Empty clears it.
    type: str
  safe:
    description: Whether a target that a task still uses is kept, and the deletion fails.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: The window works on the patch group
  patchtide.hybrid.ssm_maintenance_window_target:
    window: contoso-prod
    name: web-prod
    instance_tags:
      Patch Group: [web-prod]
    description: Production web servers

- name: It works on a resource group
  patchtide.hybrid.ssm_maintenance_window_target:
    window: contoso-prod
    name: application-a
    resource_group: application-a

- name: Not any more
  patchtide.hybrid.ssm_maintenance_window_target:
    window: contoso-prod
    name: application-a
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    maintenance_window_target:
      description: The target as it is, or would be in check mode; empty when it is absent.
      returned: always
      type: dict
      sample:
        name: web-prod
        targets: {"tag:Patch Group": [web-prod]}
        owner_information: ""
        description: Production web servers
        window_id: mw-0123456789abcdef0
        target_id: 23639a0b-ddbc-4bca-9e72-78d96example
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE, TARGETS
from ..module_utils._aws.window_targets import SsmWindowTargets
from ..module_utils._core.ssm.window_targets import WindowTargetNoun

SPEC = {
    **STATE,
    **TARGETS,
    "window": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    "owner_information": {"type": "str"},
    "description": {"type": "str"},
    "safe": {"type": "bool", "default": True},
}


def main() -> None:
    module = aws_module(SPEC)

    def make(sessions, place):
        return WindowTargetNoun(SsmWindowTargets(sessions.client("ssm", place)), module.params)

    header = f"target {module.params['name']} of maintenance window {module.params['window']}"
    run_noun(module, "maintenance_window_target", make, header)


if __name__ == "__main__":
    main()
