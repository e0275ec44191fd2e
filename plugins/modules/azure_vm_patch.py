#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: azure_vm_patch
short_description: Install updates on Azure virtual machines and Azure Arc servers
version_added: 0.1.0
description:
  - Assesses machines with Azure Update Manager, chooses missing updates by class, package or KB, and installs exactly
    these versions or KBs, each machine with one request that is sent at most once.
  - For single machines and emergencies. It knows no waves, windows, exceptions or claims, and relies on what Azure says
    of the result. Rollouts prove it on the machine.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - The connection is configured by the environment, E(AZURE_CLIENT_ID), E(AZURE_SECRET), E(AZURE_TENANT),
    E(PATCHTIDE_AZURE_CLOUD), E(PATCHTIDE_AZURE_ENDPOINT), E(AZURE_AUTHORITY_HOST) and E(PATCHTIDE_AZURE_CA_BUNDLE), or
    by the file C(~/.azure/credentials).
  - An installation can't be cancelled. It ends with O(maximum_duration).
requirements:
  - azure-core >= 1.31.0
  - azure-identity >= 1.19.0
extends_documentation_fragment:
  - patchtide.hybrid.attributes
attributes:
  check_mode:
    description: Assesses the machines, which changes nothing on them, and returns what would be installed.
    support: full
  idempotent:
    description: A second run finds nothing missing that is chosen, and sends no installation.
    support: full
options:
  machines:
    description: Resource IDs of virtual machines and Azure Arc servers, also of several subscriptions.
    type: list
    elements: str
    required: true
  classifications:
    description:
      - Classes of updates to install, V(Critical), V(Security) and V(Other) on Linux, on Windows also V(UpdateRollUp),
        V(FeaturePack), V(ServicePack), V(Definition), V(Tools) and V(Updates).
    type: list
    elements: str
    default: []
  include:
    description: Packages or KBs, such as V(KB5034439), to install whatever their class, as shell patterns.
    type: list
    elements: str
    default: []
  exclude:
    description: Packages or KBs not to install, as shell patterns.
    type: list
    elements: str
    default: []
  reboot:
    description: Whether Azure reboots the machines after the installation.
    type: str
    choices: [never, if_required, always]
    default: never
  maximum_duration:
    description: Minutes after which an installation ends, 30 to 240.
    type: int
    default: 120
  max_age_hours:
    description: Age up to which an existing assessment is used instead of a new one. V(0) always assesses.
    type: float
    default: 0
  poll_interval:
    description: Seconds between two queries for results.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Install one package now
  patchtide.hybrid.azure_vm_patch:
    machines: ["{{ hostvars['web-01'].patchtide_node_id }}"]
    include: [openssl]
"""

RETURN = r"""
machines:
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
      description:
        - V(succeeded), V(failed), V(no_op) if nothing that is chosen is missing, or V(unknown) if nobody knows how the
          installation ended.
      returned: always
      type: str
    changed:
      description: Whether something was installed, or would be in check mode.
      returned: always
      type: bool
    missing:
      description: Missing updates before the run, each with C(id), C(title) and C(classification).
      returned: always
      type: list
      elements: dict
    selected:
      description: Those of them that were chosen.
      returned: always
      type: list
      elements: dict
    counts:
      description: Numbers of updates by what became of them, as Azure says.
      returned: if an installation ended
      type: dict
    pending_reboot:
      description: Whether a reboot is pending; V(null) if Azure does not say.
      returned: if an installation ended
      type: bool
    error:
      description: C(code) and C(text) of what went wrong.
      returned: if the machine failed
      type: dict
"""
