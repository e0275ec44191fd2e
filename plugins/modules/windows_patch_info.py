#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: windows_patch_info
short_description: Search for missing updates of Windows hosts
version_added: 0.1.0
description:
  - Searches on each host with C(ansible.windows.win_updates), 32 hosts at a time, from the controller's own process.
  - Drivers, definition updates, optional updates and updates without a KB number are not listed, feature updates and
    service packs only with O(further).
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play, and connects to the hosts with their own
    variables. Their connection plugin must be P(ansible.builtin.psrp#connection).
requirements:
  - pypsrp
  - the collection ansible.windows
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
attributes:
  check_mode:
    description: Connects to no host and returns the hosts in RV(due).
    support: full
options:
  hosts:
    description: Inventory hosts to search on. Their executor must be C(windows).
    type: list
    elements: str
    required: true
  security_only:
    description: Whether to list only security and critical updates.
    type: bool
    default: false
  exclude:
    description: KBs to leave out, as shell patterns.
    type: list
    elements: str
    default: []
  server:
    description: Update server. V(default) is what the host is configured for, V(managed_server) the WSUS server of its
      policy, V(windows_update) Microsoft's servers.
    type: str
    choices: [default, managed_server, windows_update]
    default: default
  categories:
    description: Classifications or products, as shell patterns, of which an update must have one. By default all.
    type: list
    elements: str
    default: []
  exclude_categories:
    description: Classifications or products whose updates are left out, as shell patterns such as V(*SQL Server*).
    type: list
    elements: str
    default: []
  further:
    description: Categories that are left out unless they are named here.
    type: list
    elements: str
    choices: [Upgrades, Service Packs, Feature Packs]
    default: []
"""

EXAMPLES = r"""
- name: Search on all Windows hosts
  patchtide.hybrid.windows_patch_info:
    hosts: "{{ groups['windows_servers'] }}"
    security_only: true
  register: searched
"""

RETURN = r"""
results:
  description: One record per host.
  returned: always
  type: list
  elements: dict
  contains:
    node_id:
      description: ID of the node in the inventory, by default the host's name.
      returned: always
      type: str
    status:
      description: V(succeeded), V(failed) or V(unreachable).
      returned: always
      type: str
    missing:
      description: Missing updates with C(id), the KB, C(title) and C(classification).
      returned: if the search succeeded
      type: list
      elements: dict
    pending_reboot:
      description: Whether Windows Update or servicing asks for a reboot.
      returned: if the search succeeded
      type: bool
    reboot_reasons:
      description: What asks for it.
      returned: if the search succeeded
      type: list
      elements: str
    error:
      description: C(code) and C(text) of what went wrong.
      returned: if the search failed
      type: dict
due:
  description: IDs of the nodes on which it would search.
  returned: in check mode
  type: list
  elements: str
"""
