#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window_info
short_description: Gather information about AWS Systems Manager maintenance windows
version_added: 0.1.0
description:
  - Returns maintenance windows with their next opening and, on request, their targets, tasks and further openings.
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
    description: Names or IDs of the windows. Without it, all windows.
    type: list
    elements: str
  enabled:
    description: V(true) returns only windows that are enabled, V(false) only those that are not.
    type: bool
  instance_id:
    description: Return only windows that target this node.
    type: str
  targets:
    description: Whether to return the targets.
    type: bool
    default: false
  tasks:
    description: Whether to return the tasks.
    type: bool
    default: false
  occurrences:
    description: Number of future openings to return.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: List all windows with their targets, tasks and next three openings
  patchtide.hybrid.ssm_maintenance_window_info:
    targets: true
    tasks: true
    occurrences: 3
  register: windows

- name: List the windows that target a node
  patchtide.hybrid.ssm_maintenance_window_info:
    instance_id: mi-0123456789abcdef0
  register: windows
"""

RETURN = r"""
maintenance_windows:
  description: Windows as returned by M(patchtide.hybrid.ssm_maintenance_window), with the following members.
  returned: always
  type: list
  elements: dict
  contains:
    next_execution_time:
      description: Next opening as reported by the service. Empty if there is none.
      type: str
      sample: "2026-12-08T02:00+01:00[Europe/Berlin]"
    created_at:
      description: When the window was created.
      type: str
      sample: "2026-11-01T09:00:00Z"
    modified_at:
      description: When the window was last modified.
      type: str
      sample: "2026-11-02T09:00:00Z"
    targets:
      description: Targets as returned by M(patchtide.hybrid.ssm_maintenance_window_target), with
        C(resource_type).
      returned: if O(targets=true)
      type: list
      elements: dict
    tasks:
      description: Tasks as returned by M(patchtide.hybrid.ssm_maintenance_window_task).
      returned: if O(tasks=true)
      type: list
      elements: dict
    occurrences:
      description: Next openings of the window.
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
