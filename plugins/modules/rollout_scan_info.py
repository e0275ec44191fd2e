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
  - Returns the hosts of the inventory that can be scanned now, by the way in which they are reached, and the reasons
    why the others cannot be scanned. It does not connect to any host.
  - A host belongs to the estate if it has the variable C(patchtide_executor) or C(patchtide_node_id). Other hosts are
    ignored. It is an error if no host has C(patchtide_executor).
  - Hosts whose executor this version or this controller does not serve, for example because it is misspelled, are in
    RV(not_served). Fail the play if there are any.
author:
  - The patchtide.hybrid contributors (@patchtide)
seealso:
  - module: patchtide.hybrid.rollout_scan
    description: Writes the results of the scan.
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
  - patchtide.hybrid.rollout_step.scan_policy
"""

EXAMPLES = r"""
- name: Find the hosts to scan
  patchtide.hybrid.rollout_scan_info:
    policy: "{{ policy_file.policy }}"
  register: targets

- name: Scan the nodes of Systems Manager
  patchtide.hybrid.ssm_patch:
    operation: Scan
    hosts: "{{ targets.ssm_hosts }}"

- name: Fail if a host has an executor that nobody serves
  ansible.builtin.fail:
    msg: "{{ targets.not_served_message }}"
  when: targets.not_served | length > 0
"""

RETURN = r"""
direct_hosts:
  description: Inventory names of the hosts that are scanned over SSH.
  returned: success
  type: list
  elements: str
  sample: [db-01.example.com]
direct_waves:
  description: By host of RV(direct_hosts), the first wave that selects it; empty if none does.
  returned: success
  type: dict
  sample: {dc1-web-01: canary}
windows_hosts:
  description: Inventory names of the hosts on which M(patchtide.hybrid.windows_patch_info) searches.
  returned: success
  type: list
  elements: str
  sample: [win-01.example.com]
ssm_hosts:
  description: Inventory names of the hosts that Systems Manager scans.
  returned: success
  type: list
  elements: str
  sample: [i-0123456789abcdef0]
azure_hosts:
  description: Inventory names of the hosts that Azure Update Manager assesses.
  returned: success
  type: list
  elements: str
  sample: [az-web-01]
unscanned:
  description: Hosts of the estate that cannot be scanned now.
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
      description: Executor of the host, empty if it has none.
      type: str
      returned: success
    reason:
      description: Reason why it cannot be scanned.
      type: str
      returned: success
  sample: [{host: i-0aaaaaaaaaaaaaaaa, name: web-02, executor: ssm, reason: "its agent is not online (ConnectionLost)"}]
not_served:
  description: Hosts of the estate whose executor is not served and that the policy does not exclude.
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
      description: Executor in the host's variables.
      type: str
      returned: success
    code:
      description: V(not_served), as in C(scan.json) and among the plan's exclusions.
      type: str
      returned: success
    reason:
      description: Reason why the executor is not served, and what to install if that is sufficient.
      type: str
      returned: success
  sample:
    - host: web-03
      name: ""
      executor: sms
      code: not_served
      reason: "executor 'sms' is not served by this version, which serves azure, linux, ssm, windows"
not_served_message:
  description: One message about RV(not_served) with executors, counts and the first hosts; empty if there are none.
  returned: success
  type: str
  sample: ""
"""
