#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_patch_settings
short_description: Set how Azure patches and assesses machines by itself
version_added: 0.1.0
description:
  - Sets patch mode, periodic assessment, customer managed schedules and hotpatching of virtual machines and Azure Arc
    servers. Options that are not set keep their values.
  - Machines are updated independently. The task fails if one of them fails, after all others.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.azure.login
  - patchtide.hybrid.attributes
options:
  machines:
    description: Resource IDs of virtual machines and Azure Arc servers, also of several subscriptions.
    type: list
    elements: str
    required: true
  patch_mode:
    description:
      - V(AutomaticByPlatform) on both operating systems, V(ImageDefault) on Linux, V(AutomaticByOS) or V(Manual) on
        Windows.
      - With V(ImageDefault) and V(Manual), nobody but the rollout patches the machine.
    type: str
    choices: [AutomaticByOS, AutomaticByPlatform, ImageDefault, Manual]
  assessment_mode:
    description: V(AutomaticByPlatform) assesses the machine every 24 hours.
    type: str
    choices: [AutomaticByPlatform, ImageDefault]
  customer_schedules:
    description:
      - Whether under O(patch_mode=AutomaticByPlatform) only maintenance configurations patch the machine, and never the
        platform by itself (C(bypassPlatformSafetyChecksOnUserSchedule)). Not for Azure Arc servers.
    type: bool
  hotpatch:
    description: Whether Windows is patched without reboots, which excludes O(customer_schedules).
    type: bool
"""

EXAMPLES = r"""
- name: Leave patching to rollouts, and assess daily
  patchtide.hybrid.azure_patch_settings:
    machines: "{{ groups['platform_windows'] | map('extract', hostvars, 'patchtide_node_id') | list }}"
    patch_mode: AutomaticByPlatform
    customer_schedules: true
    assessment_mode: AutomaticByPlatform
"""

RETURN = r"""
machines:
  description: Settings of each machine after the run, as predicted in check mode.
  returned: always
  type: list
  elements: dict
  contains:
    id:
      description: Resource ID in lower case.
      returned: always
      type: str
    changed:
      description: Whether its settings were changed.
      returned: always
      type: bool
    settings:
      description: C(patch_mode), C(assessment_mode), C(customer_schedules) and C(hotpatch).
      returned: if the machine did not fail
      type: dict
    error:
      description: Why its settings could not be read or changed.
      returned: if the machine failed
      type: dict
"""

from ..module_utils._ansible.azure_resources import run_patch_settings
from ..module_utils._ansible.azure_spec import azure_login_module

SPEC = {
    "machines": {"type": "list", "elements": "str", "required": True},
    "patch_mode": {"type": "str", "choices": ["AutomaticByOS", "AutomaticByPlatform", "ImageDefault", "Manual"]},
    "assessment_mode": {"type": "str", "choices": ["AutomaticByPlatform", "ImageDefault"]},
    "customer_schedules": {"type": "bool"},
    "hotpatch": {"type": "bool"},
}


def main() -> None:
    run_patch_settings(azure_login_module(SPEC))


if __name__ == "__main__":
    main()
