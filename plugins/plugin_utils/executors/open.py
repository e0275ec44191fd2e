# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the executors that a wave's nodes need. A further executor is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ...module_utils._aws.run_command import SsmFleet
from ...module_utils._aws.session import Sessions
from ...module_utils._core.errors import BadInput
from ...module_utils._core.executors import LINUX, SSM, unserved
from ..aws_options import node_places
from ..controller_action import ControllerAction
from ..rollout.folder import RolloutDir
from .base import ExecutorPort
from .linux import open_linux
from .rules import WaveRules
from .ssm import SsmExecutor

#: What opening an executor takes: the task, the rollout, its options and rules, AWS sessions, the task's variables.
Opener = Callable[
    [ControllerAction, RolloutDir, Mapping[str, Any], WaveRules, Sessions, Mapping[str, Any]], ExecutorPort
]


def open_executors(
    action: ControllerAction,
    rollout: RolloutDir,
    options: Mapping[str, Any],
    rules: WaveRules,
    sessions: Sessions,
    task_vars: Mapping[str, Any],
) -> dict[str, ExecutorPort]:
    """Return the executors of the wave's nodes by name. :raises BadInput: one is not served by this version."""
    names = sorted({str(rollout.nodes[node]["executor"]) for node in rollout.state_of_wave(options["wave"]).nodes})
    for name in names:
        if why := unserved(name):
            raise BadInput("plan.json: executor", name, f"one that is served: {why}")
    return {name: OPENERS[name](action, rollout, options, rules, sessions, task_vars) for name in names}


def open_ssm(
    action: ControllerAction,
    rollout: RolloutDir,
    options: Mapping[str, Any],
    rules: WaveRules,
    sessions: Sessions,
    task_vars: Mapping[str, Any],
) -> SsmExecutor:
    """Open Systems Manager at the places of the plan's nodes; a place is asked when it is first needed."""
    pairs = [(node["account"], node["region"]) for node in rollout.nodes.values() if node["executor"] == SSM.name]
    places = {place.label: place for place in node_places(pairs, options["accounts"] or [])}

    @cache
    def port(label: str) -> SsmFleet:
        return SsmFleet(places[label], sessions)

    return SsmExecutor(
        rollout=rollout,
        wave=options["wave"],
        rules=rules,
        clock=rollout.clock,
        ports=port,
        poll_seconds=float(options["poll_interval"]),
    )


OPENERS: Mapping[str, Opener] = {SSM.name: open_ssm, LINUX.name: open_linux}
