#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linux_reboot
short_description: Decide on a reboot of the play's host, and prove it
version_added: 0.1.0
description:
  - Says whether a reboot is due by rule and state, and afterwards whether it happened. The boot id must have changed.
  - The reboot itself is M(ansible.builtin.reboot), see the role P(patchtide.hybrid.reboot#role).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.stage.direct
attributes:
  check_mode:
    description: Looks, but writes nothing to the journal.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: It only reads the host.
    support: full
options:
  state:
    description: V(decided) before the reboot, V(proven) after it.
    type: str
    choices: [decided, proven]
    required: true
  rule:
    description: When to reboot. In a rollout the plan's rule counts.
    type: str
    choices: [never, if_required, always, if_patched]
    default: if_required
  patched:
    description: Whether something was installed, for O(rule=if_patched). In a rollout the journal tells.
    type: bool
    default: false
  boot_id_before:
    description: The boot id that O(state=decided) returned. Required with O(state=proven).
    type: str
"""

EXAMPLES = r"""
- name: Is a reboot due?
  patchtide.hybrid.linux_reboot:
    state: decided
    rule: if_required
  register: decision
"""

RETURN = r"""
due:
  description: Whether to reboot now.
  returned: always
  type: bool
  sample: true
boot_id:
  description: The host's boot id.
  returned: always
  type: str
  sample: 1c9d4a4e-6f0e-4a3c-9b0b-2a0a3c1f5b7e
rebooted:
  description: Whether it was rebooted.
  returned: when the state is proven
  type: bool
  sample: true
"""
