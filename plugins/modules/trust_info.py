#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: trust_info
short_description: Verify and show the trust bundle of this controller
version_added: 0.1.0
description:
  - Reads the trust bundle, checks that enough of the pinned root keys have signed it and that its version is not too
    low, and returns its people, keys, requirements, responsibilities and revocations. A bundle with a malformed line is
    refused.
  - Root keys and the lowest version are pinned in C(/etc/patchtide/trust.yml), which only root may write, or in the
    file that the environment variable E(PATCHTIDE_TRUST) names if there is no such file. No variable of a job can
    change them.
  - Without pins, RV(configured) is V(false), and approvals are not verified.
author:
  - The patchtide.hybrid contributors (@patchtide)
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - L(Trust and approvals,https://github.com/patchtide/hybrid/blob/main/docs/trust.md) describes the bundle and how it
    is signed.
requirements:
  - ssh-keygen of OpenSSH 8.9 or later on the controller
seealso:
  - module: patchtide.hybrid.trust_check
  - module: patchtide.hybrid.trust_statement
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
options: {}
"""

EXAMPLES = r"""
- name: Verify the trust bundle
  patchtide.hybrid.trust_info:
  register: trust

- name: Fail if a key expires within the next 30 days
  ansible.builtin.assert:
    that: item.0.principal and item.1.valid_until > now(utc=true, fmt='%Y-%m-%dT%H:%M:%SZ')
  loop: "{{ trust.people | subelements('keys') }}"
  loop_control:
    label: "{{ item.0.principal }}"
"""

RETURN = r"""
configured:
  description: Whether this controller pins a trust bundle.
  returned: always
  type: bool
text:
  description: The result in one sentence.
  returned: always
  type: str
  sample: Trust bundle 7 is signed as this controller demands.
pins:
  description: Path of the file with the pins.
  returned: when configured
  type: str
  sample: /etc/patchtide/trust.yml
bundle:
  description: Path of the bundle.
  returned: when configured
  type: str
  sample: /etc/patchtide/bundle.yml
version:
  description: Version of the bundle.
  returned: when configured
  type: int
lowest_version:
  description: The lowest version that this controller accepts.
  returned: when configured
  type: int
digest:
  description: SHA-256 of the bundle.
  returned: when configured
  type: str
people:
  description:
    - C(principal), C(name), C(roles), C(service) and C(keys) of each person. A key has C(fingerprint), C(type),
      C(valid_from), C(valid_until) and C(problem), the reason why it does not count now. C(problem) is empty for a
      valid key.
  returned: when configured
  type: list
  elements: dict
environments:
  description: Names of the environments.
  returned: when configured
  type: list
  elements: str
plans:
  description:
    - What plans require, with C(environments), C(waves), C(people) (C(roles) and C(count)), C(sources) and
      C(max_hours).
  returned: when configured
  type: list
  elements: dict
decisions:
  description: The C(roles) that may sign each decision, by decision.
  returned: when configured
  type: dict
exceptions:
  description: C(steps) of exceptions that must be signed, and C(max_days) by severity.
  returned: when configured
  type: dict
responsibilities:
  description: The RACI matrix, with C(activity), C(responsible), C(accountable), C(consulted), C(informed).
  returned: when configured
  type: list
  elements: dict
revocations:
  description: Revocations, with C(what) (C(key), C(person) or C(statement)), C(name), C(since) and C(reason).
  returned: when configured
  type: list
  elements: dict
"""
