#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_maintenance_window
short_description: Manage maintenance windows in AWS Systems Manager
version_added: 0.1.0
description:
  - Creates, updates and deletes maintenance windows. Use M(patchtide.hybrid.ssm_maintenance_window_target) for their
    targets and M(patchtide.hybrid.ssm_maintenance_window_task) for their tasks.
  - A window is identified by O(name) or O(window_id). Options that are not set keep their current value; an empty
    string or V(0) clears an option.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.attributes
  - patchtide.hybrid.tags
options:
  name:
    description:
      - Name of the window, 3 to 128 letters, digits, underscores, hyphens and dots.
      - Together with O(window_id), the window is renamed.
    type: str
  window_id:
    description: ID of an existing window, such as V(mw-0123456789abcdef0).
    type: str
  state:
    description: V(present) creates or updates the window, V(absent) deletes it with its targets and tasks.
    type: str
    choices: [present, absent]
    default: present
  schedule:
    description:
      - Schedule as a C(cron), C(rate) or C(at) expression, such as V(cron(0 2 ? * TUE#2 *\)), V(rate(7 days\)) or
        V(at(2026-11-30T02:00:00\)).
      - Required for a new window.
    type: str
  timezone:
    description: IANA time zone of O(schedule), such as V(Europe/Berlin). Defaults to UTC.
    type: str
  offset_days:
    description: Days between the day of a cron schedule and the opening of the window, 1 to 6. V(0) for none.
    type: int
  start:
    description: Time in ISO 8601 format before which the window does not open. An empty string removes the limit.
    type: str
  end:
    description: Time in ISO 8601 format after which the window no longer opens. An empty string removes the limit.
    type: str
  duration_hours:
    description: Length of the window in hours, 1 to 24. Required for a new window.
    type: int
  cutoff_hours:
    description:
      - Hours before the end of the window from which no new tasks start, 0 to 23 and less than O(duration_hours).
        Required for a new window.
    type: int
  allow_unassociated_targets:
    description: Whether tasks can run on nodes that are not registered as targets of the window.
    type: bool
  enabled:
    description: Whether the window is enabled.
    type: bool
  description:
    description: Description of the window, at most 128 characters.
    type: str
"""

EXAMPLES = r"""
- name: Create a window four days after the second Tuesday of the month, in local time
  patchtide.hybrid.ssm_maintenance_window:
    name: contoso-prod
    description: Monthly patching of production
    schedule: cron(0 2 ? * TUE#2 *)
    timezone: Europe/Berlin
    offset_days: 4
    duration_hours: 4
    cutoff_hours: 1
    tags:
      ManagedBy: patchtide

- name: Disable the window
  patchtide.hybrid.ssm_maintenance_window:
    name: contoso-prod
    enabled: false

- name: Delete the window with its targets and tasks
  patchtide.hybrid.ssm_maintenance_window:
    name: contoso-prod
    state: absent
"""

RETURN = r"""
places:
  description: Account-Regions that succeeded, each with the result.
  returned: always
  type: list
  elements: dict
  contains:
    maintenance_window:
      description: State of the window after the run, predicted in check mode; empty if it is absent.
      returned: always
      type: dict
      sample:
        name: contoso-prod
        schedule: cron(0 2 ? * TUE#2 *)
        timezone: Europe/Berlin
        offset_days: 4
        start: ""
        end: ""
        duration_hours: 4
        cutoff_hours: 1
        allow_unassociated_targets: false
        enabled: true
        description: Monthly patching of production
        tags: {ManagedBy: patchtide}
        window_id: mw-0123456789abcdef0
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.patch_objects import WINDOW
from ..module_utils._ansible.run import aws_module, run_kind

SPEC = WINDOW.spec


def main() -> None:
    run_kind(aws_module(SPEC, **WINDOW.rules), WINDOW)


if __name__ == "__main__":
    main()
