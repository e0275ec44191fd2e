#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_scan
short_description: Write the results of a compliance scan to a file
version_added: 0.1.0
description:
  - Writes C(scan.json) with a record for each node that was to be scanned, even if it did not answer. A host whose
    executor is not served has a record with the error code V(not_served), unless the policy excludes it.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.rollout_step.scan_policy
seealso:
  - module: patchtide.hybrid.rollout_scan_info
    description: Finds the hosts to scan.
attributes:
  check_mode:
    description: Returns the counts without writing the file.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Always reports no change, because the file is evidence of a scan and not a state.
    support: full
options:
  dir:
    description: Directory of the rollout.
    type: path
    required: true
  results:
    description: Records of nodes, as RV(patchtide.hybrid.ssm_patch#module:results).
    type: list
    elements: dict
    default: []
  failed_places:
    description:
      - Account-Regions that could not be scanned, each with C(place) and C(error), as
        RV(patchtide.hybrid.ssm_patch#module:failed_places).
    type: list
    elements: dict
    default: []
  hosts:
    description:
      - Inventory names of the hosts that were scanned directly. Each has the result of M(patchtide.hybrid.linux_patch)
        in the variable C(patchtide_scan).
    type: list
    elements: str
    default: []
  needed_updates:
    description:
      - Updates that a WSUS server knows to be needed, each with C(kb), C(title), C(classification), C(severity) and the
        names of C(computers). Those that a Windows host is not offered yet are missing on it.
    type: list
    elements: dict
    default: []
  applicable_errata:
    description:
      - By C(host), the C(errata) that a Satellite has for it and its lifecycle environment does not. They are held.
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Write what the scan found
  patchtide.hybrid.rollout_scan:
    dir: /var/lib/patchtide/2026-06
    results: "{{ ssm_scan.results }}"
    failed_places: "{{ ssm_scan.failed_places }}"
    hosts: "{{ targets.direct_hosts }}"
    policy: "{{ policy_file.policy }}"
"""

RETURN = r"""
next:
  description: The next step, with its command.
  returned: success
  type: str
  sample: >-
    Next: ansible-playbook patchtide.hybrid.plan_rollout -e patchtide_policy_file=policy.yml -e patchtide_dir=2026-12
scanned:
  description: Number of nodes that were scanned.
  returned: success
  type: int
  sample: 59
compliant:
  description: Number of scanned nodes without missing patches and without a pending reboot.
  returned: success
  type: int
  sample: 3
unknown:
  description: Number of nodes that could not be scanned, including RV(not_served).
  returned: success
  type: int
  sample: 1
not_served:
  description: Number of nodes whose executor is not served and that the policy does not exclude.
  returned: success
  type: int
  sample: 0
failed_places:
  description: O(failed_places).
  returned: success
  type: list
  elements: dict
"""
