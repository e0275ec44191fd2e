# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nodes of one place in memory: power, agents, tags and the load balancer targets that depend on them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.prepare.ports import Target

#: Seconds until a started instance runs, its agent answers, its application serves; until a stopped one is stopped.
RUNS, ANSWERS, SERVES, STOPS = 20.0, 130.0, 150.0, 30.0


@dataclass
class FakeNode:
    """One machine. ``since`` is when its power was switched last."""

    node_id: str
    power: str = "running"
    since: float = -1e9
    address: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    #: why it can't be started, or stopped
    no_start: str = ""
    no_stop: str = ""


class FakeNodes:
    """What the three fakes share, with a clock. ``denied`` is why every write is refused."""

    def __init__(self, nodes: Iterable[FakeNode]) -> None:
        self.nodes = {node.node_id: node for node in nodes}
        self.now = 0.0
        self.denied = ""

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def state(self, node: FakeNode) -> str:
        """Return the state at this moment."""
        passed = self.now - node.since
        if node.power == "running" and node.node_id.startswith("i-"):
            return "running" if passed >= RUNS else "pending"
        return "stopped" if node.power == "stopped" and passed >= STOPS else node.power.replace("stopped", "stopping")

    def found(self, ids: Sequence[str]) -> list[FakeNode]:
        return [self.nodes[item] for item in dict.fromkeys(ids) if item in self.nodes]


class FakePower:
    """A ``PowerPort``."""

    def __init__(self, world: FakeNodes) -> None:
        self.world = world

    def states(self, ids: Sequence[str]) -> dict[str, str]:
        nodes = [node for node in self.world.found(ids) if node.node_id.startswith("i-")]
        return {node.node_id: self.world.state(node) for node in nodes}

    def start(self, ids: Sequence[str]) -> dict[str, str]:
        if self.world.denied:
            return dict.fromkeys(ids, self.world.denied)
        states, problems = self.states(ids), {}
        for item in ids:
            if item not in states:
                problems[item] = "InvalidInstanceID.NotFound: there is no such EC2 instance"
            elif states[item] == "stopping":
                problems[item] = "IncorrectInstanceState: it is stopping"
            elif states[item] == "stopped" and self.world.nodes[item].no_start:
                problems[item] = self.world.nodes[item].no_start
            elif states[item] == "stopped":
                self.world.nodes[item].power, self.world.nodes[item].since = "running", self.world.now
        return problems

    def stop(self, ids: Sequence[str]) -> dict[str, str]:
        if self.world.denied:
            return dict.fromkeys(ids, self.world.denied)
        problems = {}
        for item, state in self.states(ids).items():
            node = self.world.nodes[item]
            if state == "pending":
                problems[item] = "IncorrectInstanceState: it has never reached the 'running' state"
            elif state == "running" and node.no_stop:
                problems[item] = node.no_stop
            elif state == "running":
                node.power, node.since = "stopped", self.world.now
        return problems

    def ping(self, ids: Sequence[str]) -> dict[str, str]:
        return {node.node_id: self._ping(node) for node in self.world.found(ids)}

    def _ping(self, node: FakeNode) -> str:
        passed = self.world.now - node.since
        answers = node.power == "running" and passed >= ANSWERS
        return "Online" if answers or (node.power == "stopped" and passed < 300) else "ConnectionLost"


class FakeNodeTags:
    """A ``TagPort``."""

    def __init__(self, world: FakeNodes) -> None:
        self.world = world

    def tags(self, ids: Sequence[str], key: str) -> dict[str, str]:
        return {node.node_id: node.tags[key] for node in self.world.found(ids) if key in node.tags}

    def put(self, ids: Sequence[str], key: str, value: str) -> dict[str, str]:
        if self.world.denied:
            return dict.fromkeys(ids, self.world.denied)
        for node in self.world.found(ids):
            node.tags[key] = value
        return {item: "InvalidInstanceID.NotFound: it is gone" for item in ids if item not in self.world.nodes}

    def drop(self, ids: Sequence[str], key: str) -> dict[str, str]:
        if self.world.denied:
            return dict.fromkeys(ids, self.world.denied)
        for node in self.world.found(ids):
            node.tags.pop(key, None)
        return {}


class FakeDrain:
    """A ``DrainPort``. A registered target is healthy 10 s later if its node serves."""

    def __init__(self, world: FakeNodes, groups: dict[str, list[Target]], delay: float = 60.0) -> None:
        self.world, self.delay, self.serves = world, delay, True
        self.groups = {name: {self._key(target): -1e9 for target in targets} for name, targets in groups.items()}
        self.draining: dict[tuple[str, str, int | None], float] = {}
        self.known = {self._key(target): target for targets in groups.values() for target in targets}

    @staticmethod
    def _key(target: Target) -> tuple[str, str, int | None]:
        return target.group, target.target_id, target.port

    def targets(self, ids: Sequence[str]) -> dict[str, tuple[Target, ...]]:
        found: dict[str, list[Target]] = {}
        for members in self.groups.values():
            for target in (self.known[key] for key in members):
                if target.node_id in ids and target.node_id in self.world.nodes:
                    state = self.health([target])[target]
                    found.setdefault(target.node_id, []).append(Target(**{**target.to_dict(), "state": state}))
        return {item: tuple(targets) for item, targets in found.items()}

    def drain(self, targets: Sequence[Target]) -> dict[str, str]:
        if self.world.denied:
            return {target.node_id: self.world.denied for target in targets}
        for target in targets:
            if self.groups.get(target.group, {}).pop(self._key(target), None) is not None:
                self.draining[self._key(target)] = self.world.now + self.delay
        return {}

    def restore(self, targets: Sequence[Target]) -> dict[str, str]:
        if self.world.denied:
            return {target.node_id: self.world.denied for target in targets}
        problems = {}
        for target in targets:
            node = self.world.nodes.get(target.node_id)
            if node is None or target.group not in self.groups:
                continue
            if self.world.state(node) != "running" and target.target_type == "instance":
                problems[target.node_id] = "InvalidTarget: it is not in a running state and cannot be registered"
                continue
            self.draining.pop(self._key(target), None)
            self.groups[target.group].setdefault(self._key(target), self.world.now)
            self.known[self._key(target)] = target
        return problems

    def health(self, targets: Sequence[Target]) -> dict[Target, str]:
        return {target: self._health(target) for target in targets if target.group in self.groups}

    def _health(self, target: Target) -> str:
        key, node = self._key(target), self.world.nodes.get(target.node_id)
        if self.draining.get(key, -1e9) > self.world.now:
            return "draining"
        if key not in self.groups[target.group] or node is None or self.world.state(node) == "stopped":
            return "unused"
        if not self.serves or node.power != "running" or self.world.now - node.since < SERVES:
            return "unhealthy"
        return "healthy" if self.world.now - self.groups[target.group][key] >= 10 else "initial"
