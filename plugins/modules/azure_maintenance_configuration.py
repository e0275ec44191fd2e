#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_maintenance_configuration
short_description: Manage maintenance configurations of Azure Update Manager
version_added: 0.1.0
description:
  - Creates, changes and deletes maintenance configurations with the scope C(InGuestPatch), which patch the operating
    systems of the machines that they are assigned to. See M(patchtide.hybrid.azure_maintenance_assignment).
  - Time zones have IANA names and are converted to the names of Windows that Azure needs. The recurrence is given as
    Azure writes it, or as a cron expression of AWS, so that one schedule serves both clouds.
  - Machines that rollouts of this collection patch need no maintenance configuration. Plans warn of one in the same
    night.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Azure carries out changes less than 40 minutes before the next opening for the one after it.
  - A new configuration can't have the name of a deleted one for about 20 minutes.
extends_documentation_fragment:
  - patchtide.hybrid.azure.login
  - patchtide.hybrid.attributes
requirements:
  - tzlocal >= 4.0
options:
  subscription:
    description: ID of the subscription.
    type: str
    required: true
  resource_group:
    description: Resource group of the configuration. It must exist.
    type: str
    required: true
  name:
    description: Name of the configuration.
    type: str
    required: true
  state:
    description: V(present) creates or changes the configuration, V(absent) deletes it.
    type: str
    choices: [present, absent]
    default: present
  location:
    description: Region of the configuration. It can't be changed. Required for O(state=present).
    type: str
  start:
    description: First opening, a wall-clock time of O(timezone) such as V(2026-06-09 22:00). Required for
      O(state=present).
    type: str
  expires:
    description: Wall-clock time after which it no longer opens. Without it, never.
    type: str
  duration:
    description: Duration, V(01:30) to V(03:55). Use quotes, because YAML reads some values as numbers.
    type: str
    default: '03:00'
  timezone:
    description: IANA name of the time zone.
    type: str
    default: UTC
  recur_every:
    description:
      - Recurrence as Azure writes it, such as V(Day), V(3Days), V(Week Saturday,Sunday), V(Month day1,day15) or
        V(Month Second Tuesday Offset2). Without it and O(schedule), the configuration opens once.
    type: str
  schedule:
    description:
      - Recurrence as a cron expression of AWS with one time a day, such as V(cron(0 22 ? * TUE#2 *)). Its time must be
        that of O(start).
    type: str
  offset_days:
    description: Days after the day of O(schedule), 0 to 6. Only with a day such as C(TUE#2) or C(3L).
    type: int
    default: 0
  reboot:
    description: Whether machines are rebooted.
    type: str
    choices: [if_required, never, always]
    default: if_required
  linux:
    description: What to install on Linux.
    type: dict
    suboptions: &selection
      classifications:
        description: Classes of updates, such as V(Critical), V(Security) and V(Other), on Windows also V(UpdateRollUp).
        type: list
        elements: str
      include:
        description: Names of packages with wildcards, on Windows numbers of KBs, to install as well.
        type: list
        elements: str
      exclude:
        description: Names of packages with wildcards, on Windows numbers of KBs, not to install.
        type: list
        elements: str
  windows:
    description: What to install on Windows.
    type: dict
    suboptions: *selection
  tags:
    description: All tags of the configuration. Without it, tags are not changed.
    type: dict
"""

EXAMPLES = r"""
- name: Patch on the second Tuesday of the month
  patchtide.hybrid.azure_maintenance_configuration:
    subscription: 00000000-0000-0000-0000-000000000001
    resource_group: rg-patching
    name: second-tuesday
    location: westeurope
    start: 2026-06-09 22:00
    timezone: Europe/Berlin
    schedule: cron(0 22 ? * TUE#2 *)
    linux: {classifications: [Critical, Security]}
    windows: {classifications: [Critical, Security, UpdateRollUp]}

- name: Delete a configuration
  patchtide.hybrid.azure_maintenance_configuration:
    subscription: 00000000-0000-0000-0000-000000000001
    resource_group: rg-patching
    name: second-tuesday
    state: absent
"""

RETURN = r"""
maintenance_configuration:
  description: The configuration after the run, predicted in check mode; empty if it does not exist.
  returned: always
  type: dict
  sample:
    name: second-tuesday
    location: westeurope
    start: 2026-06-09 22:00
    duration: '03:00'
    timezone: W. Europe Standard Time
    recur_every: Month Second Tuesday
    expires: ''
    reboot: if_required
    linux: {classifications: [Critical, Security]}
    windows: {classifications: [Critical, Security, UpdateRollUp]}
    tags: {}
id:
  description: Resource ID of the configuration.
  returned: always
  type: str
schedule:
  description: The recurrence as a cron expression of AWS; V(null) if cron can't express it, as with C(3Days).
  returned: if the configuration exists
  type: str
offset_days:
  description: Days after the day of RV(schedule).
  returned: if RV(schedule) is set
  type: int
timezone:
  description: IANA name of the time zone.
  returned: if the configuration exists
  type: str
"""

from ..module_utils._ansible.azure_resources import run_configuration
from ..module_utils._ansible.azure_spec import STATE, TEXT, azure_login_module

SELECTION = {
    "type": "dict",
    "options": {name: {"type": "list", "elements": "str"} for name in ("classifications", "include", "exclude")},
}
SPEC = {
    "subscription": {"type": "str", "required": True},
    "resource_group": {"type": "str", "required": True},
    "name": {"type": "str", "required": True},
    **STATE,
    **dict.fromkeys(("location", "start", "expires", "recur_every", "schedule"), TEXT),
    "duration": {"type": "str", "default": "03:00"},
    "timezone": {"type": "str", "default": "UTC"},
    "offset_days": {"type": "int", "default": 0},
    "reboot": {"type": "str", "choices": ["if_required", "never", "always"], "default": "if_required"},
    "linux": SELECTION,
    "windows": SELECTION,
    "tags": {"type": "dict"},
}


def main() -> None:
    run_configuration(
        azure_login_module(
            SPEC,
            required_if=[("state", "present", ["location", "start"])],
            mutually_exclusive=[("recur_every", "schedule")],
        )
    )


if __name__ == "__main__":
    main()
