#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linux_patch
short_description: List or install the updates of a Linux host
version_added: 0.1.0
description:
  - Lists the updates that the host's package manager (apt, dnf or zypper) offers, and installs exactly these versions
    with Ansible's package modules.
  - Lists and installs all updates that O(security_only) and O(exclude) allow.
  - Refreshes the package lists, including in check mode, because outdated lists hide pending updates.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - In a rollout, M(patchtide.hybrid.rollout_wave) does this work. This action writes to no journal.
attributes:
  check_mode:
    description: Lists the updates that would be installed.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: A second run installs nothing.
    support: full
options:
  state:
    description: V(listed) lists the updates, V(installed) installs them.
    type: str
    choices: [listed, installed]
    default: listed
  security_only:
    description:
      - Whether to include only security updates. With apt, these are updates from a security archive; with dnf and
        zypper, updates that an advisory names.
      - A host whose repositories do not identify security updates fails with the code C(no_security_metadata) and is
        not reported as compliant.
    type: bool
    default: false
  exclude:
    description: Patterns of package names to exclude, such as V(docker*).
    type: list
    elements: str
    default: []
  lock_timeout:
    description: Seconds to wait for the package manager's lock.
    type: int
    default: 300
requirements:
  - The requirements of M(ansible.builtin.apt), M(ansible.builtin.dnf) or M(community.general.zypper) on the host.
"""

EXAMPLES = r"""
- name: List the missing security updates
  patchtide.hybrid.linux_patch:
    security_only: true
  register: updates

- name: Install all updates except the container runtime
  patchtide.hybrid.linux_patch:
    state: installed
    exclude: ["docker*", "containerd*"]
"""

RETURN = r"""
status:
  description: V(succeeded), V(no_op) or V(failed).
  returned: always
  type: str
  sample: succeeded
missing:
  description: Updates that are available for installation.
  returned: when the state is listed
  type: list
  elements: dict
  sample: [{id: "libssl3.amd64:3.0.17-1", title: libssl3 3.0.17-1, classification: Security, severity: "",
    state: Missing}]
missing_after:
  description: IDs of the missing updates.
  returned: when the state is listed
  type: list
  elements: str
  sample: ["libssl3.amd64:3.0.17-1"]
installed:
  description: IDs of the installed updates.
  returned: when the state is installed
  type: list
  elements: str
  sample: ["libssl3.amd64:3.0.17-1"]
pending_reboot:
  description: Whether a reboot of the host is pending.
  returned: when it could be read
  type: bool
  sample: false
manager:
  description: Package manager of the host, V(apt), V(dnf) or V(zypper).
  returned: when the state is listed
  type: str
  sample: apt
counts:
  description: Counts of updates, as in the plan and the report of a rollout.
  returned: when the state is listed
  type: dict
  sample: {missing_count: 1, failed_count: 0}
started_at:
  description: When the work began, in UTC.
  returned: always
  type: str
  sample: "2026-06-10T01:00:00Z"
ended_at:
  description: When the work ended, in UTC.
  returned: always
  type: str
  sample: "2026-06-10T01:04:00Z"
error:
  description: Reason of the failure.
  returned: on failure
  type: dict
"""
