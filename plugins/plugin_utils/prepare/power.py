# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power: starts stopped instances for their wave, updates their agent, and stops only these again.

Virtual machines of Azure are instances as well: deallocated ones are started, and deallocated again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ...module_utils._core.executors import SSM
from ...module_utils._core.rollout.state import STAGES
from ..agent_update import AgentUpdate
from ..aws_options import accounts_of
from .places import PlacePorts, is_instance
from .preparation import Details, Preparer, Reasons, merged

#: Tag of an instance that runs only because a rollout started it. Its value is the rollout.
STARTED_TAG = "PatchtideStarted"
_OFF = ("stopped", "stopping")


class PowerPreparer(Preparer):
    """An instance that was already running is never prepared, hence never stopped; nor is one that lost its tag."""

    what = "started"
    missed = "not_started"

    def wanted(self) -> list[str]:
        """Return the wave's nodes that were stopped when the plan was made and are not prepared yet."""
        nodes, states = self.rollout.nodes, self.rollout.state.nodes
        return [
            node
            for node in self.rollout.state.waves[self.wave].nodes
            if nodes[node].get("start") and is_instance(nodes[node]) and states[node].stage == STAGES[0]
        ]

    def look(self, nodes: Sequence[str]) -> dict[str, Details]:
        answers, failed = self.at_places(nodes, lambda ports, ids: ports.power.states(ids))
        states = merged(answers)
        stopped = [node for node in nodes if states.get(node) in _OFF or node in failed]
        return {node: {"unknown": failed[node]} if node in failed else {} for node in stopped}

    def prepare(self, nodes: Mapping[str, Details]) -> Reasons:
        refused = {node: details["unknown"] for node, details in nodes.items() if details.get("unknown")}
        rest = [node for node in self.wanted() if node in nodes and node not in refused]
        refused |= self.on_each([node for node in rest if node not in self._taken_back(rest)], self._tag)
        rest = [node for node in rest if node not in refused]
        late = self.until(self._minutes, lambda: self._not_online(rest), "starting")
        refused |= late
        rest = [node for node in rest if node not in late]
        with_agent = [node for node in rest if self.rollout.nodes[node]["executor"] == SSM.name]
        if self.options["update_agent"] and with_agent:
            self._update_agents(with_agent)
            refused |= self.until(self._minutes, lambda: self._not_online(with_agent), "agent update")
        return refused

    def restore(self, nodes: Mapping[str, Details]) -> tuple[Reasons, Reasons]:
        """Stop the instances that still have the tag, then remove the tag."""
        return {}, self.on_each(nodes, self._stop)

    @property
    def _minutes(self) -> float:
        return float(self.options["timeout_minutes"])

    def _tag(self, ports: PlacePorts, ids: list[str]) -> Reasons:
        return ports.tags.put(ids, STARTED_TAG, str(self.rollout.plan["rollout"]))

    def _taken_back(self, nodes: Sequence[str]) -> set[str]:
        """Return nodes that an earlier run started and that run without our tag: a person has taken them over."""
        held = [node for node in nodes if node in self.held]

        def look(ports: PlacePorts, ids: list[str]) -> Reasons:
            tags, states = ports.tags.tags(ids, STARTED_TAG), ports.power.states(ids)
            return {node: "" for node in ids if node not in tags and states.get(node) not in _OFF}

        return set(self.on_each(held, look))

    def _not_online(self, nodes: Sequence[str]) -> Reasons:
        return self.on_each(nodes, _start_and_look)

    def _stop(self, ports: PlacePorts, ids: list[str]) -> Reasons:
        found = ports.tags.tags(ids, STARTED_TAG)
        ours = [node for node in ids if found.get(node) == self.rollout.plan["rollout"]]
        left = ports.power.stop(ours)
        return {**left, **ports.tags.drop([node for node in ours if node not in left], STARTED_TAG)}

    def _update_agents(self, nodes: Sequence[str]) -> None:
        """Run AWS-UpdateSSMAgent once, however often the rollout is resumed. An old agent can patch as well."""
        rollout = self.rollout
        planned = [rollout.nodes[node] for node in nodes]
        bad = AgentUpdate(
            sessions=self.clouds.sessions(),
            accounts=accounts_of(self.options),
            clock=rollout.clock,
            say=self.say,
            poll_seconds=float(self.options["poll_interval"]),
        ).run(planned, f"{rollout.plan['rollout']} {self.wave}/agent/1", f"{self.wave} agent update")
        if bad:
            self.say(f"{self.wave}: the agent of {len(bad)} nodes could not be updated; they go on with the old one")


def _start_and_look(ports: PlacePorts, ids: list[str]) -> Reasons:
    """Start the stopped instances, and return those not online yet. One that is still stopping is started later."""
    power = ports.power
    states = power.states(ids)
    refused = power.start([node for node in ids if states.get(node) in _OFF])
    ping = power.ping(ids)
    waiting = {
        node: f"it is {states.get(node)}, its agent {ping.get(node) or 'not registered'}"
        for node in ids
        if states.get(node) != "running" or ping.get(node) != "Online"
    }
    gone = {node: "the instance does not exist any more" for node in ids if node not in states}
    return {**waiting, **refused, **gone}
