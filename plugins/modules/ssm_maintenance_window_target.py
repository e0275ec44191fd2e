#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_target
short_description: Manage the targets of maintenance windows in AWS Systems Manager
version_added: 0.1.0
description:
  - Registers, updates and deregisters the targets of a maintenance window, which are the nodes on which its tasks
    run.
  - A target is identified by its ID if one is given, otherwise by its name within the window. Options that are not
    set keep their current value.
  - The options that select nodes form one unit. If one of them is set, it replaces all of them.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
  - patchtide.hybrid.window
  - patchtide.hybrid.targets
options:
  name:
    description:
      - Name of the target, 3 to 128 letters, digits, underscores, hyphens and dots. Required unless O(target_id) is
        set.
      - Together with O(target_id), the target is renamed.
    type: str
  target_id:
    description:
      - ID of an existing target, for a target without a name or with a name that several have.
    type: str
  state:
    description:
      - V(present) creates or updates the target, V(absent) deletes it.
      - The service cannot change a target from nodes to a resource group or back, so the module deletes and recreates
        the target with a new ID; the diff shows this.
    type: str
    choices: [present, absent]
    default: present
  owner_information:
    description:
      - Text that is included in events of the tasks of the window, at most 128 characters. An empty string clears it.
    type: str
  description:
    description: Description of the target, at most 128 characters. An empty string clears it.
    type: str
  safe:
    description: Whether to fail instead of deleting a target that a task uses.
    type: bool
    default: true
"""

EXAMPLES = r"""
- name: Target a patch group
  patchtide.hybrid.ssm_maintenance_window_target:
    window: contoso-prod
    name: web-prod
    instance_tags:
      Patch Group: [web-prod]
    description: Production web servers

- name: Target a resource group
  patchtide.hybrid.ssm_maintenance_window_target:
    window: contoso-prod
    name: application-a
    resource_group: application-a

- name: Delete a target
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
      description: State of the target after the run, predicted in check mode; empty if it is absent.
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

from ..module_utils._ansible.patch_objects import WINDOW_TARGET
from ..module_utils._ansible.run import aws_module, run_kind

SPEC = WINDOW_TARGET.spec


def main() -> None:
    run_kind(aws_module(SPEC, **WINDOW_TARGET.rules), WINDOW_TARGET)


if __name__ == "__main__":
    main()
