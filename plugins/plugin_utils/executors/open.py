# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the executors that a wave's nodes need. A further executor is one more entry here."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from ...module_utils._ansible.clock import is_rehearsal
from ...module_utils._aws.run_command import SsmFleet
from ...module_utils._aws.session import Sessions
from ...module_utils._azure.arm import Arm
from ...module_utils._azure.credentials import Credentials, login_of
from ...module_utils._azure.patching import Machines
from ...module_utils._core.errors import BadInput
from ...module_utils._core.executors import AZURE, LINUX, SSM
from ...module_utils._core.work.repositories.expected import ExpectedRepository
from ..aws_options import accounts_of, node_places
from ..controller_action import ControllerAction
from ..inventory.nodes import candidate_of, planned_candidate
from ..rollout.folder import RolloutDir
from .azure import AzureExecutor
from .base import ExecutorPort
from .connection_errors import HostError
from .connections import Answer, Connections
from .linux import LinuxExecutor
from .rules import WaveRules
from .served import why_unserved
from .ssm import SsmExecutor

#: Arguments that open an executor: the task, the rollout, its options and rules, AWS sessions, the task's variables.
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
    """Return the executors of the wave's nodes by name. :raises BadInput: one is not served here."""
    names = sorted({str(rollout.nodes[node]["executor"]) for node in rollout.state_of_wave(options["wave"]).nodes})
    for name in names:
        if why := why_unserved(name):
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
    """Open Systems Manager at the places of the plan's nodes; a place is contacted when it is first needed."""
    pairs = [(node["account"], node["region"]) for node in rollout.nodes.values() if node["executor"] == SSM.name]
    places = {place.label: place for place in node_places(pairs, accounts_of(options))}

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


def open_linux(
    action: ControllerAction,
    rollout: RolloutDir,
    options: Mapping[str, Any],
    rules: WaveRules,
    sessions: Sessions,
    task_vars: Mapping[str, Any],
) -> LinuxExecutor:
    """Open the connections of the wave's hosts; one that can't be opened is a failure of that host only."""
    connections = Connections(action, task_vars)
    broken: dict[str, HostError] = {}
    for node_id in rollout.state_of_wave(options["wave"]).nodes:
        node = rollout.nodes[node_id]
        if node["executor"] == LINUX.name:
            try:
                connections.open(str(node["host"]))
            except HostError as why:
                broken[str(node["host"])] = why

    def expected(node_id: str) -> Sequence[ExpectedRepository]:
        planned = rollout.nodes[node_id]
        return rules.repositories.of(candidate_of(task_vars, planned, "") or planned_candidate(planned, ""))

    return LinuxExecutor(
        rollout=rollout,
        wave=options["wave"],
        rules=rules,
        clock=rollout.clock,
        shell=Shells(connections, broken),
        poll_seconds=min(float(options["poll_interval"]), 5.0),
        expected=expected,
        is_real_time=not is_rehearsal(),
    )


def open_azure(
    action: ControllerAction,
    rollout: RolloutDir,
    options: Mapping[str, Any],
    rules: WaveRules,
    sessions: Sessions,
    task_vars: Mapping[str, Any],
) -> AzureExecutor:
    """Open Azure with the login of the environment when the first machine needs it: a wave goes on without it."""

    @cache
    def machines() -> Machines:
        login = login_of(os.environ)
        return Machines(Arm(login, Credentials(login).of()))

    return AzureExecutor(
        rollout=rollout,
        wave=options["wave"],
        rules=rules,
        clock=rollout.clock,
        ports=lambda _subscription: machines(),
        poll_seconds=max(float(options["poll_interval"]), 15.0),
    )


@dataclass(frozen=True, slots=True)
class Shells:
    """Connections, and the errors of those that could not be opened."""

    connections: Connections
    broken: Mapping[str, HostError]

    def run(self, host: str, script: str, *, timeout: float) -> Answer:
        """Run a script on a host. :raises HostError: it gave no answer."""
        if host in self.broken:
            raise self.broken[host]
        return self.connections.run(host, script, timeout=timeout)


OPENERS: Mapping[str, Opener] = {SSM.name: open_ssm, LINUX.name: open_linux, AZURE.name: open_azure}
