# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    """Options of the actions that carry out a stage: by Run Command, or on the play's own host."""

    DOCUMENTATION = r"""
options:
  dir:
    description:
      - Directory of a rollout, with C(plan.json) and C(journal.jsonl).
      - With it the work is a stage of the rollout. It is done on those nodes of O(wave) that are due for it, intents
        and outcomes are written to the journal, and what an earlier run began is taken up instead of being done again.
    type: path
  wave:
    description: Name of the wave in the plan. Required with O(dir).
    type: str
  nodes:
    description: Nodes to work on outside of a rollout.
    type: list
    elements: dict
    suboptions:
      node_id:
        description: Id of the managed node, C(i-…) or C(mi-…).
        type: str
        required: true
      account:
        description: Number of its account.
        type: str
        required: true
      region:
        description: Its Region.
        type: str
        required: true
      platform:
        description: Its platform.
        type: str
        required: true
        choices: [linux, windows, macos]
  hosts:
    description:
      - Inventory hosts to work on outside of a rollout. Their C(patchtide_*) variables say where they are.
      - Hosts of other executors than C(ssm), and nodes whose agent is not online, are passed over.
    type: list
    elements: str
  wait:
    description:
      - V(false) only sends the commands. The same task with V(true) awaits them later; in between other work can be
        done.
      - Only with O(dir).
    type: bool
    default: true
  poll_interval:
    description: Seconds between two looks at the commands.
    type: int
    default: 15
  delivery_timeout:
    description: Seconds within which a node must have begun, 30 to 2592000. A node that has not is C(unreachable).
    type: int
    default: 600
  execution_timeout:
    description: Seconds after which a node that has begun is given up and its state is looked at instead.
    type: int
    default: 7200
  max_concurrency:
    description: How many nodes of one command may work at the same time, as a number or a percentage.
    type: str
    default: 100%
"""

    DIRECT = r"""
options:
  dir:
    description:
      - Directory of a rollout, with C(plan.json) and C(journal.jsonl).
      - With it the work is a stage of the rollout. It is done if O(node) is due for it, and written to the journal.
    type: path
  wave:
    description: Name of the wave in the plan. Required with O(dir).
    type: str
  node:
    description: The play host's node id in the plan. Required with O(dir).
    type: str
"""
