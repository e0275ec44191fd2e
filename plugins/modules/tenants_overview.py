#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: tenants_overview
short_description: Show all tenants of a provider, and whether they are separate
version_added: 0.1.0
description:
  - Reads a directory with C(patchtide_tenants.yml) and a directory for each tenant, and returns of each one compliance,
    the last and the next rollout, open decisions, late nodes, expiring exceptions, and what is not known.
  - Compares what the tenants have. Accounts, groups, histories, ledgers, claims, receivers of notices, owners and
    approvers are of one tenant, unless C(patchtide_tenants.yml) says that they are shared.
  - With O(dest), writes C(index.html), C(tenants.json) and C(tenants.csv). They have rows of every tenant, so they are
    for the provider.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
notes:
  - Runs on the controller as an action plugin, whatever the host of the play.
  - Needs the Python library duckdb on the controller to read histories. Without it, compliance and late nodes are not
    known.
seealso:
  - module: patchtide.hybrid.history_dashboard
    description: Shows one tenant in detail.
attributes:
  check_mode:
    description: Predicts whether files would change, without writing.
    support: full
  diff_mode:
    description: This action has no diff output.
    support: none
  idempotent:
    description: At the same time, the same files of the tenants give the same overview.
    support: full
options:
  dir:
    description: Directory with C(patchtide_tenants.yml).
    type: path
    required: true
  dest:
    description: Directory for the page and the files beside it. Without it, nothing is written.
    type: path
"""

EXAMPLES = r"""
- name: Show all tenants
  patchtide.hybrid.tenants_overview:
    dir: /var/lib/patchtide
    dest: /srv/reports/tenants
  register: tenants

- name: Fail if they are not separate
  ansible.builtin.assert:
    that: tenants.problems | length == 0
    fail_msg: "{{ tenants.problems | join('; ') }}"
"""

RETURN = r"""
at:
  description: Time of the overview.
  returned: success
  type: str
  sample: "2026-12-03T06:00:00.000Z"
problems:
  description: What tenants have in common although nobody has said so, and policies that cannot be read.
  returned: success
  type: list
  elements: str
  sample: ["contoso and fabrikam both have account 111122223333 (patchtide_tenants.yml)"]
totals:
  description: Sums over all tenants; C(compliance_not_known), C(late_not_known) and C(exceptions_not_known) count
    tenants that the sums do not have.
  returned: success
  type: dict
  sample: {tenants: 2, nodes: 40, compliant: 36}
tenants:
  description: Each tenant.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the tenant and of its directory.
      type: str
      returned: always
      sample: contoso
    title:
      description: Its title, or its name.
      type: str
      returned: always
      sample: Contoso GmbH
    policy:
      description: Name of its policy. Empty if the policy cannot be read.
      type: str
      returned: always
      sample: contoso
    compliance:
      description: Numbers of C(nodes) that are C(compliant), C(non_compliant) and C(unknown), and the newest moment of
        the history, C(as_of). None if not known.
      type: dict
      returned: always
      sample: {nodes: 20, compliant: 18, non_compliant: 1, unknown: 1, as_of: "2026-12-02T06:00:00.000Z"}
    last:
      description: The rollout that wrote the last record, with its conclusion. None if no rollout has begun.
      type: dict
      returned: always
      sample: {dir: 2026-11, title: Completed}
    next:
      description: The rollout that becomes due first. None if none does by itself.
      type: dict
      returned: always
      sample: {dir: 2026-12, at: "2026-12-08T21:00:00.000Z"}
    open_decisions:
      description: What waits for a person, and why.
      type: list
      elements: dict
      returned: always
      sample: [{about: 2026-12, text: the plan is not approved}]
    late:
      description: Nodes that lack patches for longer than the limits of the history allow. None if not known.
      type: dict
      returned: always
      sample: {nodes: 2, patches: 5, oldest_days: 41}
    exceptions:
      description: How many are in force, and which of them end soon. None if not known.
      type: dict
      returned: always
      sample: {in_force: 1, expiring: []}
    unknown:
      description: What is not known, and why.
      type: list
      elements: str
      returned: always
      sample: []
"""
