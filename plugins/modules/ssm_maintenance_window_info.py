#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_info
short_description: Read maintenance windows of AWS Systems Manager
version_added: 0.1.0
description:
  - Returns maintenance windows, when they open next, and where asked for their targets and tasks.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes.info
options:
  names:
    description: Windows by name or id. All where it is not given.
    type: list
    elements: str
  enabled:
    description: Only windows that are enabled, or only those that are not.
    type: bool
  instance_id:
    description: Only windows that have this node among their targets.
    type: str
  targets:
    description: Whether targets are returned.
    type: bool
    default: false
  tasks:
    description: Whether tasks are returned.
    type: bool
    default: false
  occurrences:
    description: How many of the next openings are returned.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: All windows with everything in them and their next three openings
  patchtide.hybrid.ssm_maintenance_window_info:
    targets: true
    tasks: true
    occurrences: 3
  register: windows

- name: When is it this node's turn
  patchtide.hybrid.ssm_maintenance_window_info:
    instance_id: mi-0123456789abcdef0
  register: windows
"""

RETURN = r"""
maintenance_windows:
  description: The windows as M(patchtide.hybrid.ssm_maintenance_window) returns them, and more.
  returned: always
  type: list
  elements: dict
  contains:
    next_execution_time:
      description: When the window opens next, as the service says it; empty if it does not.
      type: str
      sample: "2026-12-08T02:00+01:00[Europe/Berlin]"
    targets:
      description: As M(patchtide.hybrid.ssm_maintenance_window_target) returns them.
      returned: if O(targets=true)
      type: list
      elements: dict
    tasks:
      description: As M(patchtide.hybrid.ssm_maintenance_window_task) returns them.
      returned: if O(tasks=true)
      type: list
      elements: dict
    occurrences:
      description: The next openings.
      returned: if O(occurrences) is more than 0
      type: list
      elements: str
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_info
from ..module_utils._aws.windows_info import WindowReader

FLAG = {"type": "bool", "default": False}
SPEC = {
    "names": {"type": "list", "elements": "str"},
    "enabled": {"type": "bool"},
    "instance_id": {"type": "str"},
    "targets": FLAG,
    "tasks": FLAG,
    "occurrences": {"type": "int", "default": 0},
}


def main() -> None:
    module = aws_module(SPEC)

    def read(sessions, place):
        return WindowReader(sessions.client("ssm", place)).read(module.params)

    run_info(module, "maintenance_windows", read)


if __name__ == "__main__":
    main()
