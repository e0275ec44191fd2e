#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linux_probe
short_description: Collect the state of a host before and after patching
version_added: 0.1.0
description:
  - Runs the host probe of M(patchtide.hybrid.ssm_probe) on the host of the play, over its own connection. The host
    needs only a POSIX shell.
  - In a rollout, stores the list of running services on the host and compares it after the work, like
    M(patchtide.hybrid.ssm_probe).
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.stage.direct
attributes:
  check_mode:
    description: Runs the host probe without writing to the journal or to the host.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: Only reads from the host, except for the list of services that it stores there.
    support: full
options:
  purpose:
    description:
      - V(look) only collects the state. V(precheck) and V(verify) are stages of a rollout and require O(dir).
    type: str
    choices: [look, precheck, verify]
    default: look
  thresholds:
    description: The C(prechecks) of the policy. Missing keys have the same defaults as in the policy.
    type: dict
    default: {}
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
  returned: unless the purpose is verify
  type: str
  sample: pass
findings:
  description: Results of the checks. The host is skipped if V(ok=false).
  returned: unless the purpose is verify
  type: list
  elements: dict
  sample: [{check: disk, ok: true, text: "/ has 4096 MB free"}]
facts:
  description: Facts such as kernel, boot id and operating system.
  returned: unless the purpose is verify
  type: dict
  sample: {kernel: 6.1.0-50-amd64, boot_id: 1c9d}
record:
  description: The node's final record.
  returned: when the purpose is verify
  type: dict
standing:
  description: The node's stage in the rollout and its results so far.
  returned: in a rollout
  type: dict
"""
