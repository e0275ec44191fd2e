#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linux_probe
short_description: Run the host probe on a host
version_added: 0.1.0
description:
  - Runs the host probe of M(patchtide.hybrid.ssm_probe) on the host of the play, over its own connection. The host
    needs only a POSIX shell.
  - Checks the host against O(thresholds). The outcome is V(pass) or V(skip).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.rollout_step.thresholds
options:
  endpoints:
    description:
      - C(https://) addresses that are tried, at most 8. Any answer of HTTP counts, because an endpoint refuses what
        is not signed only after TLS.
    type: list
    elements: str
    default: []
notes:
  - In a rollout, M(patchtide.hybrid.rollout_wave) does this work. This action writes to no journal.
attributes:
  check_mode:
    description: Runs the host probe, which only reads.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Only reads the host.
    support: full
"""

EXAMPLES = r"""
- name: Collect the state of this host
  patchtide.hybrid.linux_probe:
    thresholds:
      disk: {"/": 2048}
  register: probe
"""

RETURN = r"""
outcome:
  description: V(pass) or V(skip).
  returned: always
  type: str
  sample: pass
findings:
  description: Results of the checks. The host is skipped if V(ok=false).
  returned: always
  type: list
  elements: dict
  sample: [{check: disk, ok: true, text: "/ has 4096 MB free"}]
ways:
  description: The tried endpoints. V(ok) is null if no tool could say whether TLS works.
  returned: if O(endpoints) is set
  type: list
  elements: dict
  sample: [{url: "https://ssm.eu-central-1.amazonaws.com", ok: true, text: ""}]
facts:
  description: Facts such as kernel, boot ID and operating system.
  returned: always
  type: dict
  sample: {kernel: 6.1.0-50-amd64, boot_id: 1c9d}
"""
