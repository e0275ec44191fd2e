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
  - Lists the updates that the host's package manager (apt, dnf, yum or zypper) offers, and installs exactly these
    versions.
  - The install runs detached on the host, in up to eight steps; none begins after its limit. It continues if the
    connection breaks. An update counts as installed only if the package database says so afterwards.
  - The host's timers for automatic updates are paused during the install.
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
    description:
      - Patterns of package names to exclude, such as V(docker*). Their updates are listed in RV(held). An update that
        needs an excluded package is not installed.
    type: list
    elements: str
    default: []
  lock_timeout:
    description: Seconds to wait for a lock of the package manager.
    type: int
    default: 300
  timeout:
    description: Seconds after which the install is ended.
    type: int
    default: 7200
  allow_removals:
    description: Whether updates that remove other packages are installed. If not, they are listed in RV(held).
    type: bool
    default: false
  repair_database:
    description: Whether a broken package database is repaired before the install.
    type: bool
    default: false
  restart_services:
    description: Whether services that still use replaced libraries are restarted after the install.
    type: bool
    default: false
  security_sources:
    description: Patterns of repositories whose updates are all security updates.
    type: list
    elements: str
    default: []
  other_sources:
    description: Patterns of repositories that contain no security updates, although they do not say so.
    type: list
    elements: str
    default: []
  releasever:
    description: Value of dnf's C(--releasever) on Amazon Linux 2023, such as V(latest).
    type: str
    default: ""
requirements:
  - A POSIX shell on the host. Python is not required.
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
  description: V(succeeded), V(no_op), V(failed), V(timed_out) or V(unknown).
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
held:
  description: Updates that are available and will not be installed, with the reason.
  returned: when the state is listed
  type: list
  elements: dict
  sample: [{id: "nginx.amd64:1.26-1", title: nginx 1.26-1, classification: Security, why: hold,
    text: on hold (apt-mark hold)}]
failed_ids:
  description: IDs of packages that are not completely installed, or whose update failed.
  returned: when the state is listed, and after an install
  type: list
  elements: str
  sample: []
notes:
  description: Findings about the host's repositories and packages, each with C(code) and C(text).
  returned: when the state is listed
  type: list
  elements: dict
  sample: [{code: esm, text: 3 security fixes need Ubuntu Pro (esm-apps)}]
kernels:
  description: Newest installed and newest available kernel, where known.
  returned: when the state is listed
  type: dict
  sample: {installed: 6.1.0-30-amd64, available: 6.1.0-31-amd64}
changes:
  description: Packages that differ from before the install, up to 500, each with C(id), C(old) and C(new).
  returned: after an install
  type: list
  elements: dict
  sample: [{id: libssl3.amd64, old: 3.0.15-1, new: 3.0.17-1}]
changes_total:
  description: Number of packages that differ from before the install.
  returned: after an install
  type: int
  sample: 1
evidence:
  description:
    - Details of the install, with C(failed), C(held), C(not_begun), C(removed), C(unplanned), C(notes) and
      C(differences) of kernel, services, ports and mounts.
  returned: after an install
  type: dict
  sample: {unplanned: ["libnew.amd64:1.0"]}
reboot_reasons:
  description: What says that a reboot is pending.
  returned: when the state is listed
  type: list
  elements: str
  sample: ["reboot-required: linux-base"]
installed:
  description: IDs of the updates whose version is installed and configured.
  returned: when the state is installed
  type: list
  elements: str
  sample: ["libssl3.amd64:3.0.17-1"]
withdrawn:
  description: IDs of the updates that were not installed, because no repository offers their version any more.
  returned: after an install
  type: list
  elements: str
  sample: []
absent:
  description: IDs of the updates that were not installed, because their package is not installed any more.
  returned: after an install
  type: list
  elements: str
  sample: []
pending_reboot:
  description: Whether a reboot of the host is pending.
  returned: when it could be read
  type: bool
  sample: false
manager:
  description: Package manager of the host, V(apt), V(dnf), V(yum) or V(zypper).
  returned: when the state is listed
  type: str
  sample: apt
counts:
  description: Counts of updates, as in the plan and the report of a rollout.
  returned: when the state is listed
  type: dict
  sample: {missing_count: 1, failed_count: 0, held_count: 0}
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
