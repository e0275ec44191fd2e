#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_scan_info
short_description: Find the hosts that a compliance scan covers
version_added: 0.1.0
description:
  - Returns which hosts of the inventory can be scanned now, how each is reached, and why the others can't be scanned.
    It connects to none of them.
  - A host belongs to the estate if the inventory gives it C(patchtide_executor) or C(patchtide_node_id). Other hosts
    are ignored. It is an error if no host has C(patchtide_executor).
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_scan
    description: Writes what the scan found.
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter.
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
options: {}
"""

EXAMPLES = r"""
- name: Find the hosts to scan
  patchtide.hybrid.rollout_scan_info:
  register: targets

- name: Scan the nodes of Systems Manager
  patchtide.hybrid.ssm_patch:
    operation: Scan
    hosts: "{{ targets.ssm_hosts }}"
"""

RETURN = r"""
direct_hosts:
  description: Inventory names of the hosts that are scanned over a connection of their own.
  returned: success
  type: list
  elements: str
  sample: [db-01.example.com]
ssm_hosts:
  description: Inventory names of the hosts that Systems Manager scans.
  returned: success
  type: list
  elements: str
  sample: [i-0123456789abcdef0]
unscanned:
  description: The hosts of the estate that can't be scanned now.
  returned: success
  type: list
  elements: dict
  contains:
    host:
      description: Inventory name of the host.
      type: str
      returned: success
    name:
      description: Name of the node, empty if it has none.
      type: str
      returned: success
    executor:
      description: How the host is patched, empty if nothing patches it.
      type: str
      returned: success
    reason:
      description: Why it can't be scanned.
      type: str
      returned: success
  sample: [{host: i-0aaaaaaaaaaaaaaaa, name: web-02, executor: ssm, reason: "its agent is not online (ConnectionLost)"}]
"""
