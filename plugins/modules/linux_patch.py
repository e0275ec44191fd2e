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
  - Asks the host's package manager (apt, dnf or zypper) what it would install, and installs exactly those versions with
    Ansible's own package modules.
  - In a rollout only what is in the plan is installed. Outside of a rollout everything that O(security_only) and
    O(exclude) leave.
  - Refreshes the package lists, also in check mode, because a stale list hides pending updates.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.stage.direct
attributes:
  check_mode:
    description: Lists what would be installed.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: A second run finds nothing to install.
    support: full
options:
  state:
    description: V(listed) only lists, V(installed) installs.
    type: str
    choices: [listed, installed]
    default: listed
  security_only:
    description:
      - Only security updates. With apt those from a security archive, with dnf and zypper those that an advisory names.
      - A host whose repositories do not say which updates are security updates fails with the code
        C(no_security_metadata); it is not called compliant.
    type: bool
    default: false
  exclude:
    description: Patterns of package names that are left alone, such as V(docker*).
    type: list
    elements: str
    default: []
  lock_timeout:
    description: Seconds to wait for the package manager's lock.
    type: int
    default: 300
requirements:
  - What M(ansible.builtin.apt), M(ansible.builtin.dnf) or M(community.general.zypper) need on the host.
"""

EXAMPLES = r"""
- name: What is missing?
  patchtide.hybrid.linux_patch:
    security_only: true
  register: updates

- name: Install everything but the container runtime
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
  description: Updates that can be installed.
  returned: when the state is listed
  type: list
  elements: dict
  sample: [{id: "libssl3.amd64:3.0.17-1", title: libssl3 3.0.17-1, classification: Security, severity: "",
    state: Missing}]
missing_after:
  description: Their ids.
  returned: when the state is listed
  type: list
  elements: str
  sample: ["libssl3.amd64:3.0.17-1"]
installed:
  description: Ids of what was installed.
  returned: when the state is installed
  type: list
  elements: str
  sample: ["libssl3.amd64:3.0.17-1"]
pending_reboot:
  description: Whether the host waits for a reboot.
  returned: when it could be read
  type: bool
  sample: false
error:
  description: Why it failed.
  returned: on failure
  type: dict
"""
