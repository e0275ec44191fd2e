#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_vm_patch_info
short_description: Assess missing patches of Azure virtual machines and Azure Arc servers
version_added: 0.1.0
description:
  - Begins an assessment of each machine with Azure Update Manager, waits for all of them, and reads the results with
    Azure Resource Graph.
  - Of a deallocated machine, the last assessment is returned, which Azure Resource Graph keeps for 7 days.
  - Azure throttles assessments to 200 per minute in a subscription and Region, so large estates should use periodic
    assessment and O(max_age_hours).
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - The connection is configured by the environment, E(AZURE_CLIENT_ID), E(AZURE_SECRET), E(AZURE_TENANT),
    E(PATCHTIDE_AZURE_CLOUD), E(PATCHTIDE_AZURE_ENDPOINT), E(AZURE_AUTHORITY_HOST) and E(PATCHTIDE_AZURE_CA_BUNDLE), or
    by the file C(~/.azure/credentials).
requirements:
  - azure-core >= 1.31.0
  - azure-identity >= 1.19.0
  - tzlocal >= 4.0, for maintenance configurations
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
attributes:
  check_mode:
    description: Begins no assessment and returns the machines in RV(due).
    support: full
options:
  hosts:
    description: Inventory hosts to assess. Their executor must be C(azure).
    type: list
    elements: str
    required: true
  max_age_hours:
    description: Age up to which an existing assessment is used instead of a new one. V(0) always assesses.
    type: float
    default: 0
  security_only:
    description: Whether to list only security and critical updates.
    type: bool
    default: false
  exclude:
    description: Packages or KBs to leave out, as shell patterns.
    type: list
    elements: str
    default: []
  poll_interval:
    description: Seconds between two queries for the results.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Assess all machines of Azure, unless they were assessed in the last day
  patchtide.hybrid.azure_vm_patch_info:
    hosts: "{{ groups['executor_azure'] }}"
    max_age_hours: 24
  register: assessed
"""

RETURN = r"""
results:
  description: One record per machine.
  returned: always
  type: list
  elements: dict
  contains:
    node_id:
      description: Resource ID in lower case.
      returned: always
      type: str
    status:
      description: V(succeeded), V(failed), or V(unknown) if no result appeared.
      returned: always
      type: str
    missing:
      description: Missing patches with C(id), C(title) and C(classification).
      returned: if the machine was assessed
      type: list
      elements: dict
    assessed_at:
      description: Time of the assessment.
      returned: if the machine was assessed
      type: str
    maintenance:
      description:
        - Maintenance configurations that are assigned to the machine, each with C(name), C(start), C(duration),
          C(timezone), C(recur_every) and C(expires). V(null) if they could not be read.
      returned: always
      type: list
      elements: dict
    error:
      description: C(code) and C(text) of what went wrong.
      returned: if the machine was not assessed
      type: dict
due:
  description: Resource IDs of the machines that would be assessed.
  returned: in check mode
  type: list
  elements: str
"""
