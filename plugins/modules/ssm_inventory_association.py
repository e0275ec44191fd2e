#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: ssm_inventory_association
short_description: Gather the inventory of all nodes with AWS Systems Manager
version_added: 0.1.0
description:
  - Creates, updates and deletes the association that runs C(AWS-GatherSoftwareInventory), on all managed nodes unless
    options select some.
  - Systems Manager accepts one such association for all nodes of an account and Region. If there is another one, such
    as that of the console, the module fails with its name.
  - With M(patchtide.hybrid.ssm_resource_data_sync), what is gathered is copied to a bucket.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places
  - patchtide.hybrid.tags
  - patchtide.hybrid.targets
  - patchtide.hybrid.attributes
options:
  name:
    description: Name of the association, 3 to 128 letters, digits, underscores, hyphens and dots.
    type: str
    default: patchtide-inventory
  state:
    description: Whether the association exists.
    type: str
    choices: [present, absent]
    default: present
  schedule:
    description:
      - V(rate(…\)) of at least 30 minutes, or V(cron(…\)) in UTC. It also runs when it is created or changed.
      - Defaults to V(rate(12 hours\)) for a new association.
    type: str
  "off":
    description: What is not gathered. V([]) gathers everything, as a new association does.
    type: list
    elements: str
    choices:
      - applications
      - aws_components
      - custom
      - instance_details
      - network
      - services
      - windows_roles
      - windows_updates
"""

EXAMPLES = r"""
- name: Gather the inventory of all nodes in two Regions
  patchtide.hybrid.ssm_inventory_association:
    regions: [eu-central-1, us-east-1]

- name: Gather it daily and without services
  patchtide.hybrid.ssm_inventory_association:
    schedule: rate(1 day)
    "off": [services]
"""

RETURN = r"""
places:
  description: Associations by account-Region, as returned by M(patchtide.hybrid.ssm_association).
  returned: always
  type: list
  elements: dict
  contains:
    association:
      description: The association. Empty if it does not exist.
      type: dict
  sample:
    - account: "111111111111"
      region: eu-central-1
      changed: true
      association:
        name: patchtide-inventory
        association_id: 8dfe3659-4309-493a-8755-0123456789ab
        document: AWS-GatherSoftwareInventory
        schedule: rate(12 hours)
failed_places:
  description: Account-Regions that failed, each with its error.
  returned: always
  type: list
  elements: dict
"""

from ..module_utils._ansible.run import aws_module, run_noun
from ..module_utils._ansible.spec import STATE, TAGS, TARGETS
from ..module_utils._aws.associations import SsmAssociations
from ..module_utils._core.ssm.inventory_associations import PARAMETERS, InventoryAssociationNoun

SPEC = {
    **STATE,
    **TAGS,
    **TARGETS,
    "name": {"type": "str", "default": "patchtide-inventory"},
    "schedule": {"type": "str"},
    "off": {"type": "list", "elements": "str", "choices": list(PARAMETERS)},
}


def main() -> None:
    module = aws_module(SPEC)

    def make(sessions, place):
        port = SsmAssociations(sessions.client("ssm", place), sessions.client("ssm", place, retry=False))
        return InventoryAssociationNoun(port, module.params)

    run_noun(module, "association", make, f"association {module.params['name']}")


if __name__ == "__main__":
    main()
