# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opens the executors that a wave's nodes need. A further executor is one more entry here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ...module_utils._ansible.clock import is_rehearsal
from ...module_utils._aws.run_command import SsmFleet
from ...module_utils._aws.session import Sessions
from ...module_utils._core.errors import BadInput
from ...module_utils._core.executors import AZURE, LINUX, SSM, WINDOWS
from ...module_utils._core.nodes import Candidate
from ...module_utils._core.work.repositories.expected import ExpectedRepository
from ..aws_options import accounts_of, node_places
from ..controller_action import ControllerAction
from ..inventory.nodes import candidate_of, planned_candidate
from ..rollout.folder import RolloutDir
from .base import ExecutorPort
from .connection_errors import HostError
from .connections import Answer, Connections
from .linux import LinuxExecutor
from .rules import WaveRules
from .served import why_unserved
from .ssm import SsmExecutor
from .windows import WindowsExecutor

if TYPE_CHECKING:
    from ...module_utils._azure.patching import Machines


@dataclass(frozen=True, slots=True)
class WaveContext:
    """What executors are opened with. ``options`` and ``task_vars``: of the task that drives the wave."""

    action: ControllerAction
    rollout: RolloutDir
    options: Mapping[str, Any]
    rules: WaveRules
    sessions: Sessions
    task_vars: Mapping[str, Any]

    @property
    def nodes(self) -> list[Mapping[str, Any]]:
        """The planned nodes of the wave."""
        return [self.rollout.nodes[node_id] for node_id in self.rollout.state_of_wave(self.wave).nodes]

    @property
    def wave(self) -> str:
        return str(self.options["wave"])

    @property
    def poll_seconds(self) -> float:
        return float(self.options["poll_interval"])

    def candidate(self, node_id: str) -> Candidate:
        """Return a node as selectors of the policy see it."""
        planned = self.rollout.nodes[node_id]
        return candidate_of(self.task_vars, planned, "") or planned_candidate(planned, "")


def open_executors(context: WaveContext) -> dict[str, ExecutorPort]:
    """Return the executors of the wave's nodes by name. :raises BadInput: one is not served here."""
    names = sorted({str(node["executor"]) for node in context.nodes})
    for name in names:
        if why := why_unserved(name):
            raise BadInput("plan.json: executor", name, f"one that is served: {why}")
    return {name: OPENERS[name](context) for name in names}


def open_ssm(context: WaveContext) -> ExecutorPort:
    """Open Systems Manager at the places of the plan's nodes; a place is contacted when it is first needed."""
    planned = context.rollout.nodes.values()
    pairs = [(node["account"], node["region"]) for node in planned if node["executor"] == SSM.name]
    places = {place.label: place for place in node_places(pairs, accounts_of(context.options))}

    @cache
    def port(label: str) -> SsmFleet:
        return SsmFleet(places[label], context.sessions)

    return SsmExecutor(
        rollout=context.rollout,
        wave=context.wave,
        rules=context.rules,
        clock=context.rollout.clock,
        ports=port,
        poll_seconds=context.poll_seconds,
    )


def open_linux(context: WaveContext) -> ExecutorPort:
    """Open the connections of the wave's hosts; one that can't be opened is a failure of that host only."""
    connections = Connections(context.action, context.task_vars)
    broken: dict[str, HostError] = {}
    for host in (str(node["host"]) for node in context.nodes if node["executor"] == LINUX.name):
        try:
            connections.open(host)
        except HostError as why:
            broken[host] = why

    def expected(node_id: str) -> Sequence[ExpectedRepository]:
        return context.rules.repositories.of(context.candidate(node_id), context.wave)

    return LinuxExecutor(
        rollout=context.rollout,
        wave=context.wave,
        rules=context.rules,
        clock=context.rollout.clock,
        shell=Shells(connections, broken),
        poll_seconds=min(context.poll_seconds, 5.0),
        expected=expected,
        is_real_time=not is_rehearsal(),
    )


def open_azure(context: WaveContext) -> ExecutorPort:
    """Open Azure with the login of the environment when the first machine needs it: a wave goes on without it.

    Its SDK takes half a second of CPU and 10 MB to load, so waves without its machines do not load it.
    """
    from ...module_utils._azure.patching import Machines
    from ..azure_login import env_tenants
    from .azure import AzureExecutor

    tenants = cache(env_tenants)

    @cache
    def machines(subscription: str) -> Machines:
        return Machines(tenants().of(subscription))

    return AzureExecutor(
        rollout=context.rollout,
        wave=context.wave,
        rules=context.rules,
        clock=context.rollout.clock,
        ports=machines,
        poll_seconds=max(context.poll_seconds, 15.0),
    )


def open_windows(context: WaveContext) -> ExecutorPort:
    """Open the connections of the wave's hosts; one that can't be opened is a failure of that host only.

    The plugins of PowerShell Remoting are loaded for waves that have such hosts.
    """
    from .windows_hosts import WindowsHosts

    hosts = WindowsHosts(context.action, context.task_vars)
    for host in (str(node["host"]) for node in context.nodes if node["executor"] == WINDOWS.name):
        hosts.try_to_open(host)

    def group(node_id: str) -> str:
        return context.rules.repositories.group_of(context.candidate(node_id), context.wave)

    return WindowsExecutor(
        rollout=context.rollout,
        wave=context.wave,
        rules=context.rules,
        clock=context.rollout.clock,
        hosts=hosts,
        poll_seconds=min(context.poll_seconds, 15.0),
        is_real_time=not is_rehearsal(),
        group=group,
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


OPENERS: Mapping[str, Callable[[WaveContext], ExecutorPort]] = {
    SSM.name: open_ssm,
    LINUX.name: open_linux,
    AZURE.name: open_azure,
    WINDOWS.name: open_windows,
}
