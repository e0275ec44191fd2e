# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of the actions that run a stage on nodes by Run Command."""

    DOCUMENTATION = r"""
notes:
  - Runs on the controller as an action plugin, whatever the host of the play. Progress lines are displayed while it
    runs.
  - In a rollout, M(patchtide.hybrid.rollout_wave) does this work. This action writes to no journal.
options:
  nodes:
    description: Nodes to work on.
    type: list
    elements: dict
    suboptions:
      node_id:
        description: ID of the managed node, C(i-…) or C(mi-…).
        type: str
        required: true
      account:
        description: Account number of the node.
        type: str
        required: true
      region:
        description: Region of the node.
        type: str
        required: true
      platform:
        description: Platform of the node.
        type: str
        required: true
        choices: [linux, windows, macos]
  hosts:
    description:
      - Inventory hosts to work on. Their C(patchtide_*) variables locate the nodes.
      - Hosts of other executors than C(ssm) and nodes whose agent is not online are ignored.
    type: list
    elements: str
  poll_interval:
    description: Seconds between two requests for the status of the commands.
    type: int
    default: 15
  delivery_timeout:
    description:
      - Seconds within which a command must start on a node, 30 to 2592000. Otherwise the node is C(unreachable).
    type: int
    default: 600
  execution_timeout:
    description:
      - Seconds after which a command that has started on a node times out. The patch state of the node is then checked.
    type: int
    default: 7200
  max_concurrency:
    description: Maximum number of nodes of one command that work at the same time, as a number or a percentage.
    type: str
    default: 100%
"""
