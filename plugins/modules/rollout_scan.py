#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: rollout_scan
short_description: Gather the results of a scan into one file
version_added: 0.1.0
description:
  - Writes C(scan.json), the state of every node before anything is planned. Every node that should have been scanned
    has a record, also where nothing could be read.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller, as an action plugin; the play's host does not matter. Its progress lines appear at once.
attributes:
  check_mode:
    description: Writes nothing.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: Always reports no change; the file is evidence of a scan, not a state.
    support: full
options:
  dir:
    description: Directory of the rollout.
    type: path
    required: true
  state:
    description: V(targets) only returns the hosts that are scanned directly, V(written) writes the file.
    type: str
    choices: [targets, written]
    default: written
  results:
    description: What M(patchtide.hybrid.ssm_patch) returned.
    type: list
    elements: dict
    default: []
  failed_places:
    description: What M(patchtide.hybrid.ssm_patch) returned.
    type: list
    elements: dict
    default: []
  hosts:
    description: Hosts that were scanned directly. Each has the result of M(patchtide.hybrid.linux_patch) in
      C(patchtide_scan).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Write down what was found
  patchtide.hybrid.rollout_scan:
    dir: /var/lib/patchtide/2026-06
    hosts: "{{ groups['onprem'] | default([]) }}"
"""

RETURN = r"""
scanned:
  description: Nodes that were scanned.
  returned: when written
  type: int
  sample: 59
compliant:
  description: Nodes of them with nothing missing and no reboot pending.
  returned: when written
  type: int
  sample: 3
unknown:
  description: Nodes that could not be scanned.
  returned: when written
  type: int
  sample: 1
direct_hosts:
  description: Hosts that are scanned directly.
  returned: when the state is targets
  type: list
  elements: str
managed_nodes:
  description: How many nodes Systems Manager reaches.
  returned: when the state is targets
  type: int
  sample: 12
"""
