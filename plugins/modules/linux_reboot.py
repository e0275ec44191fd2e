#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linux_reboot
short_description: Determine whether a host needs a reboot, and verify that it happened
version_added: 0.1.0
description:
  - Determines by rule and state whether a reboot is due and, after the reboot, verifies that the boot ID changed.
  - The reboot itself is done by M(ansible.builtin.reboot). See the role P(patchtide.hybrid.reboot#role).
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - In a rollout, M(patchtide.hybrid.rollout_wave) does this work. This action writes to no journal.
attributes:
  check_mode:
    description: Only reads the host. With O(state=proven), an unchanged boot ID is not an error.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Only reads the host.
    support: full
options:
  state:
    description: V(decided) determines whether a reboot is due, V(proven) verifies it afterwards.
    type: str
    choices: [decided, proven]
    required: true
  rule:
    description: When to reboot. V(if_required) reboots if the system or a package requires it.
    type: str
    choices: [never, if_required, always, if_patched]
    default: if_required
  patched:
    description: Whether an update was installed, for O(rule=if_patched).
    type: bool
    default: false
  boot_id_before:
    description: The boot ID that O(state=decided) returned. Required with O(state=proven).
    type: str
"""

EXAMPLES = r"""
- name: Determine whether a reboot is due
  patchtide.hybrid.linux_reboot:
    state: decided
    rule: if_required
  register: decision
"""

RETURN = r"""
due:
  description: Whether a reboot is due.
  returned: always
  type: bool
  sample: true
boot_id:
  description: Boot ID of the host.
  returned: always
  type: str
  sample: 1c9d4a4e-6f0e-4a3c-9b0b-2a0a3c1f5b7e
rebooted:
  description: Whether the host was rebooted.
  returned: when the state is proven
  type: bool
  sample: true
"""
