#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: policy_info
short_description: Read and validate a patch policy
version_added: 0.1.0
description:
  - Reads and validates a policy file and returns the policy with all defaults.
  - If the policy has mistakes, the task fails with one message that lists all of them, each with line, path, value and
    expected value.
  - The format is described in L(the policy reference,https://github.com/patchtide/hybrid/blob/main/docs/policy.md) and
    in the JSON Schema C(schemas/policy.schema.json) of this collection, which editors can use.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - patchtide.hybrid.attributes.info
  - ansible.builtin.action_common_attributes.flow
attributes:
  action:
    support: full
  async:
    support: none
  bypass_host_loop:
    support: none
notes:
  - Runs on the controller and requires the Python library C(jsonschema) there.
options:
  path:
    description: Policy file in YAML or JSON. Mutually exclusive with O(policy).
    type: path
  policy:
    description: The policy as a dictionary, instead of a file.
    type: dict
  without_places:
    description: Account-Regions to exclude from RV(targets), such as V(111122223333/eu-central-1).
    type: list
    elements: str
    default: []
"""

EXAMPLES = r"""
- name: Read the policy
  patchtide.hybrid.policy_info:
    path: policy.yml
  register: policy

- name: Show the waves
  ansible.builtin.debug:
    msg: "{{ policy.policy.waves | map(attribute='name') }}"
"""

RETURN = r"""
policy:
  description:
    - The policy with all members. The C(gate) of each wave is complete, account names in C(select) are
      replaced by numbers, shares such as V(5%) in C(gate) are fractions, and C(select.applications) is also contained
      in C(select.tags).
  returned: success
  type: dict
  sample: {version: 1, name: contoso, waves: []}
digest:
  description:
    - SHA-256 of RV(policy) as canonical JSON, with RV(files). Comments and the order of keys do not affect it.
  returned: success
  type: str
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
files:
  description: SHA-256 of the hooks and scripts that the policy names. An empty text stands for a missing file.
  returned: success
  type: dict
  sample: {"hooks.before_wave: silence.yml": 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae}
places:
  description: All account-Regions of the estate.
  returned: success
  type: list
  elements: dict
  sample:
    - {place: 111122223333/eu-central-1, account: "111122223333", account_name: web, region: eu-central-1}
targets:
  description: The account-Regions without O(without_places), as values for the options C(regions) and C(accounts) of
    modules.
  returned: success
  type: list
  elements: dict
  sample:
    - regions: [eu-central-1]
      accounts: [{role_arn: "arn:aws:iam::111122223333:role/patchtide", external_id: null}]
declared:
  description:
    - AWS resources that the policy declares, as options of the modules M(patchtide.hybrid.ssm_patch_baseline),
      M(patchtide.hybrid.ssm_patch_group), M(patchtide.hybrid.ssm_maintenance_window),
      M(patchtide.hybrid.ssm_maintenance_window_target) and M(patchtide.hybrid.ssm_maintenance_window_task).
  returned: success
  type: dict
  sample: {baselines: [], patch_groups: [], windows: [], window_targets: [], window_tasks: []}
error:
  description: The mistakes in the policy.
  returned: failure
  type: dict
  sample:
    code: PolicyError
    message: policy.yml has 1 mistake
    mistakes:
      - {path: "waves[1].size", value: ten, expected: a count such as 5 or a share such as 10%, line: 30}
"""
