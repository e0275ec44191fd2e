#!/usr/bin/python
# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
module: connectivity_nodes
short_description: Ask nodes whether they reach what patching needs
version_added: 0.1.0
description:
  - Lets managed nodes try C(ssm), C(ssmmessages) and a bucket of Patch Manager in their Region, O(endpoints), and the
    servers of their packages and updates, with their own name server, proxy and certificates.
  - Direct Linux hosts are asked by M(patchtide.hybrid.linux_probe) before; this module reads the result from their
    variable C(patchtide_way_probe).
  - Machines of Azure are asked by Run Command, with the login of the environment, and direct Windows hosts over their
    connections. Both try O(endpoints) and the servers of their packages and updates.
  - The answers are grouped by site. The site of a node is its tag C(Site); without it, its account-Region.
author:
  - The patchtide.hybrid contributors (@patchtide)
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - patchtide.hybrid.places.node_accounts
  - patchtide.hybrid.stage
options:
  endpoints:
    description:
      - Further C(https://) addresses, such as that of Satellite or WSUS. C({region}) is the Region of the node.
    type: list
    elements: str
    default: []
  internet:
    description: Whether nodes may reach the internet. If not, each node that does is C(wrong).
    type: bool
    default: true
attributes:
  check_mode:
    description: Sends no commands.
    support: full
  diff_mode:
    description: Not applicable.
    support: none
  idempotent:
    description: Only reads the nodes.
    support: full
"""

EXAMPLES = r"""
- name: Ask all nodes, which must not reach the internet
  patchtide.hybrid.connectivity_nodes:
    hosts: "{{ groups['all'] }}"
    endpoints: ["https://satellite.example.com/pub"]
    internet: false
  register: ways
"""

RETURN = r"""
checks:
  description: One answer per site and address, as of M(patchtide.hybrid.connectivity_info).
  returned: always
  type: list
  elements: dict
  sample:
    - where: hamburg
      check: from nodes
      status: wrong
      what: "aws-ssm-eu-central-1.s3.eu-central-1.amazonaws.com is not reached from db-01: Connection timed out"
      fix: Allow tcp 443 to aws-ssm-eu-central-1.s3.eu-central-1.amazonaws.com in firewall and proxy, or …
      nodes: 4
summary:
  description: Number of answers by status.
  returned: always
  type: dict
  sample: {ok: 11, wrong: 1, unknown: 0}
tables:
  description: The same as text, one table for each site, followed by the changes.
  returned: always
  type: list
  elements: dict
  sample: [{where: hamburg, lines: ["  wrong  from nodes  satellite.example.com is not reached from db-01"]}]
failed_places:
  description: Account-Regions in which no command could be sent, with C(place), C(account), C(region) and C(error).
  returned: always
  type: list
  elements: dict
"""
