# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of the actions that carry out a stage, by Run Command or on the host of the play."""

    DOCUMENTATION = r"""
options:
  dir:
    description:
      - Directory of a rollout, with C(plan.json) and C(journal.jsonl).
      - With it, the work is a stage of the rollout. It runs on the nodes of O(wave) that are due. Intents and outcomes
        are written to the journal, and work that an earlier run started is resumed instead of repeated.
    type: path
  wave:
    description: Name of the wave in the plan. Required with O(dir).
    type: str
  nodes:
    description: Nodes to work on, outside of a rollout.
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
      - Inventory hosts to work on, outside of a rollout. Their C(patchtide_*) variables locate the nodes.
      - Hosts of other executors than C(ssm) and nodes whose agent is not online are ignored.
    type: list
    elements: str
  wait:
    description:
      - V(false) sends the commands without waiting. Run the same task with V(true) later to wait for them.
      - V(false) requires O(dir).
    type: bool
    default: true
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

    DIRECT = r"""
options:
  dir:
    description:
      - Directory of a rollout, with C(plan.json) and C(journal.jsonl).
      - With it, the work is a stage of the rollout. It runs if O(node) is due, and is written to the journal.
    type: path
  wave:
    description: Name of the wave in the plan. Required with O(dir).
    type: str
  node:
    description: ID in the plan of the node that is the host of the play. Required with O(dir).
    type: str
"""
