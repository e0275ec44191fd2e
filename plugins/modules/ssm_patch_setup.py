#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_patch_setup
short_description: Manage baselines, patch groups and maintenance windows of AWS Systems Manager in one task
version_added: 0.1.0
description:
  - Does in one task what one task for each object would do with M(patchtide.hybrid.ssm_patch_baseline),
    M(patchtide.hybrid.ssm_patch_group), M(patchtide.hybrid.ssm_maintenance_window),
    M(patchtide.hybrid.ssm_maintenance_window_target) and M(patchtide.hybrid.ssm_maintenance_window_task).
  - A task for each object starts a Python program and connects to each account-Region for each of them; this one does
    so once.
  - In each account-Region, the objects are applied one after another, in the order of the options. An object that
    fails does not keep the next one from being applied.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.info
  - patchtide.hybrid.attributes
options:
  baselines:
    description: Patch baselines, each with the options of M(patchtide.hybrid.ssm_patch_baseline).
    type: list
    elements: dict
    default: []
  patch_groups:
    description: Patch groups, each with the options of M(patchtide.hybrid.ssm_patch_group).
    type: list
    elements: dict
    default: []
  windows:
    description: Maintenance windows, each with the options of M(patchtide.hybrid.ssm_maintenance_window).
    type: list
    elements: dict
    default: []
  window_targets:
    description: Targets of maintenance windows, each with the options of
      M(patchtide.hybrid.ssm_maintenance_window_target).
    type: list
    elements: dict
    default: []
  window_tasks:
    description: Tasks of maintenance windows, each with the options of M(patchtide.hybrid.ssm_maintenance_window_task).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Create a baseline and register two patch groups with it
  patchtide.hybrid.ssm_patch_setup:
    baselines:
      - name: contoso-al2023
        operating_system: AMAZON_LINUX_2023
        rules: [{classification: [Security], approve_after_days: 7}]
    patch_groups:
      - {name: web-dev, baselines: [contoso-al2023]}
      - {name: web-prod, baselines: [contoso-al2023]}

- name: Scan these groups every night, and show what failed without stopping
  patchtide.hybrid.ssm_patch_setup:
    windows:
      - name: web-scan
        schedule: cron(0 4 ? * * *)
        timezone: Europe/Berlin
        duration_hours: 2
        cutoff_hours: 1
    window_targets:
      - {window: web-scan, name: web, instance_tags: {PatchGroup: [web-dev, web-prod]}}
    window_tasks:
      - window: web-scan
        name: scan
        task_arn: AWS-RunPatchBaseline
        window_targets: [web]
        max_concurrency: 50%
        max_errors: 50%
        run_command: {parameters: {Operation: [Scan]}}
    on_place_error: report
"""

RETURN = r"""
objects:
  description: Objects that succeeded, one row for each of them in each account-Region.
  returned: always
  type: list
  elements: dict
  contains:
    place:
      description: The account-Region, C(account/region).
      returned: always
      type: str
      sample: 111122223333/eu-central-1
    account:
      description: The account.
      returned: always
      type: str
      sample: "111122223333"
    region:
      description: The Region.
      returned: always
      type: str
      sample: eu-central-1
    kind:
      description: The option that lists the object.
      returned: always
      type: str
      sample: patch_groups
    name:
      description: The name of the object; empty if it was given by ID.
      returned: always
      type: str
      sample: web-prod
    changed:
      description: Whether the object was changed, or would be in check mode.
      returned: always
      type: bool
      sample: true
    created:
      description: Whether the object did not exist before.
      returned: always
      type: bool
      sample: true
    object:
      description: State of the object after the run, as its own module returns it.
      returned: always
      type: dict
      sample: {name: web-prod, baselines: []}
failed_objects:
  description: Objects that failed, with C(place), C(account), C(region), C(kind), C(name) and C(error), which has
    C(code) and C(message).
  returned: always
  type: list
  elements: dict
failed_places:
  description: Account-Regions in which an object failed, each with its first error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.patch_objects import KINDS
from ..module_utils._ansible.run import aws_module, run_objects

SPEC = {name: {"type": "list", "elements": "dict", "default": []} for name in KINDS}


def main() -> None:
    run_objects(aws_module(SPEC), KINDS)


if __name__ == "__main__":
    main()
