# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of the actions that run a stage, by Run Command or on the host of the play."""

    DOCUMENTATION = r"""
options:
  dir:
    description:
      - Directory of a rollout, with C(plan.json) and C(journal.jsonl).
      - If set, the task runs a stage of the rollout on the nodes of O(wave) that are due for it. Intents and outcomes
        are recorded in the journal, and work that an earlier run started is resumed instead of repeated.
    type: path
  wave:
    description: Name of the wave in the plan. Required with O(dir).
    type: str
  nodes:
    description: Nodes to process outside of a rollout.
    type: list
    elements: dict
    suboptions:
      node_id:
        description: Id of the managed node, C(i-…) or C(mi-…).
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
      - Inventory hosts to process outside of a rollout. Their C(patchtide_*) variables locate the nodes.
      - Hosts of executors other than C(ssm), and nodes whose agent is not online, are ignored.
    type: list
    elements: str
  wait:
    description:
      - Whether to wait for the commands. If V(false), they are only sent, and the same task with V(true) waits for them
        later.
      - V(false) requires O(dir).
    type: bool
    default: true
  poll_interval:
    description: Seconds between two polls of the commands.
    type: int
    default: 15
  delivery_timeout:
    description: Seconds within which a node must start the command, 30 to 2592000. A node that does not is
      C(unreachable).
    type: int
    default: 600
  execution_timeout:
    description: Seconds after which a command that started on a node is considered timed out. The outcome then follows
      from the node's state.
    type: int
    default: 7200
  max_concurrency:
    description: Number or percentage of a command's nodes that run it at the same time.
    type: str
    default: 100%
"""

    DIRECT = r"""
options:
  dir:
    description:
      - Directory of a rollout, with C(plan.json) and C(journal.jsonl).
      - If set, the task runs a stage of the rollout, if O(node) is due for it, and records it in the journal.
    type: path
  wave:
    description: Name of the wave in the plan. Required with O(dir).
    type: str
  node:
    description: Node id of the host in the plan. Required with O(dir).
    type: str
"""
