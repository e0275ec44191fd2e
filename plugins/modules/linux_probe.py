#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: linux_probe
short_description: Look at the play's host before and after patching
version_added: 0.1.0
description:
  - Runs the probe of M(patchtide.hybrid.ssm_probe) on the play's host over its own connection. The host needs no more
    than a POSIX shell.
  - In a rollout it keeps the list of running services on the host and compares it after the work, as that module does.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.stage.direct
attributes:
  check_mode:
    description: Looks, but writes nothing, neither to the journal nor on the host.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  idempotent:
    description: It only reads the host, apart from the list of services that it keeps there.
    support: full
options:
  purpose:
    description:
      - V(look) only looks, V(precheck) and V(verify) are stages of a rollout and need O(dir).
    type: str
    choices: [look, precheck, verify]
    default: look
  thresholds:
    description: The C(prechecks) of the policy. What is not given has the policy's defaults.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Look at this host
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
  description: What was looked at; V(ok=false) holds the host.
  returned: unless the purpose is verify
  type: list
  elements: dict
  sample: [{check: disk, ok: true, text: "/ has 4096 MB free"}]
facts:
  description: Kernel, boot id, operating system and the like.
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
