# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout as a state machine: ``step(state, kind, data) -> (state, effects)``. No clock, no I/O.

The journal is the list of events; a state is their fold over the plan, so resuming is folding again. What the
machine refuses (``JournalError``) can't be written, which is how exactly-once is kept: a second patch intent for a
node, a wave before its predecessor's gate, work after an abort.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from .errors import JournalError
from .journal import Record
from .model import Status

#: The way of a node through its wave. ``done`` is not a stage but the end of the way.
STAGES = ("precheck", "patch", "reboot", "scan", "verify")
DONE = "done"
#: After these a node can't be worked on any further, so its final record comes next.
_LOST = frozenset({Status.UNREACHABLE.value, Status.CANCELLED.value, Status.SKIPPED.value})


@dataclass(slots=True)
class NodeState:
    """Where one node stands. ``token`` names an intent whose outcome is not known yet."""

    wave: str
    stage: str = STAGES[0]
    token: str | None = None
    attempts: Mapping[str, int] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def final(self) -> Mapping[str, Any] | None:
        return self.results.get("verify") if self.stage == DONE else None


@dataclass(slots=True)
class WaveState:
    """``waiting``, ``running``, ``paused``, ``aborted``, ``promoted`` or ``finished``; and its last gate event.

    ``worked_at``: when its last outcome was recorded, from which the soak time counts.
    """

    name: str
    nodes: tuple[str, ...]
    status: str = "waiting"
    claimed: frozenset[str] = frozenset()
    gate: Mapping[str, Any] | None = None
    worked_at: str = ""


@dataclass(slots=True)
class Intent:
    """Something that was about to be done. ``sent``: place label and command id, once the service had it."""

    wave: str
    stage: str
    attempt: int
    token: str
    nodes: tuple[str, ...]
    at: str
    sent: tuple[str, str] | None = None


@dataclass(slots=True)
class Rollout:
    """The whole state. ``status``: ``new``, ``running``, ``paused``, ``aborted`` or ``completed``.

    ``announced`` counts the intents of each ``wave/stage``, so that a token is never used twice.
    """

    plan: Mapping[str, Any]
    waves: dict[str, WaveState]
    nodes: dict[str, NodeState]
    intents: dict[str, Intent] = field(default_factory=dict)
    announced: dict[str, int] = field(default_factory=dict)
    status: str = "new"
    finished: bool = False


@dataclass(frozen=True, slots=True)
class Effect:
    """What is due: ``start_wave``, ``claim``, ``run`` a stage, ``reconcile`` an intent, ``gate``, ``finish_wave``,
    ``finish``."""

    kind: str
    wave: str = ""
    stage: str = ""
    nodes: tuple[str, ...] = ()
    token: str = ""


def initial(plan: Mapping[str, Any]) -> Rollout:
    """Return the state before the first event."""
    waves = {
        wave["name"]: WaveState(wave["name"], tuple(node["node_id"] for node in wave["nodes"]))
        for wave in plan["waves"]
    }
    nodes = {node_id: NodeState(wave.name) for wave in waves.values() for node_id in wave.nodes}
    return Rollout(plan=plan, waves=waves, nodes=nodes)


def fold(plan: Mapping[str, Any], records: Iterable[Record]) -> Rollout:
    """Return the state after these records."""
    state = initial(plan)
    for record in records:
        apply(state, record.kind, record.data, record.at)
    return state


def step(state: Rollout, kind: str, data: Mapping[str, Any], at: str = "") -> tuple[Rollout, list[Effect]]:
    """Return the state after one event and what is due then; ``state`` itself is left as it is.

    :raises JournalError: the event does not fit the state, so it must not be written.
    """
    after = copy(state)
    after.waves = {name: copy(wave) for name, wave in state.waves.items()}
    after.nodes = {name: copy(node) for name, node in state.nodes.items()}
    after.intents = {name: copy(intent) for name, intent in state.intents.items()}
    after.announced = dict(state.announced)
    apply(after, kind, data, at)
    return after, due(after)


def due(state: Rollout) -> list[Effect]:
    """Return what is due in this state; nothing when it is finished, paused or was never started."""
    if state.finished or state.status in ("new", "paused"):
        return []
    open_intents = [
        Effect("reconcile", item.wave, item.stage, item.nodes, item.token) for item in state.intents.values()
    ]
    if state.status == "aborted":
        return open_intents or [Effect("finish")]
    for wave in state.waves.values():
        if wave.status == "waiting":
            return [Effect("start_wave", wave.name)]
        if wave.status == "running":
            return _due_in_wave(state, wave, open_intents)
        if wave.status == "promoted":
            return [Effect("finish_wave", wave.name)]
    return [Effect("finish")]


def _due_in_wave(state: Rollout, wave: WaveState, open_intents: list[Effect]) -> list[Effect]:
    unclaimed = tuple(node for node in wave.nodes if node not in wave.claimed and state.nodes[node].stage != DONE)
    if unclaimed:
        return [Effect("claim", wave.name, nodes=unclaimed)]
    work = [
        Effect("run", wave.name, stage, nodes)
        for stage in STAGES
        if (nodes := tuple(due_nodes(state, wave.name, stage)))
    ]
    return [*open_intents, *work] or [Effect("gate", wave.name)]


def due_nodes(state: Rollout, wave: str, stage: str) -> list[str]:
    """Return the nodes of a wave whose next step is ``stage`` and for which nothing is under way."""
    return [
        node for node in state.waves[wave].nodes if state.nodes[node].stage == stage and state.nodes[node].token is None
    ]


def apply(state: Rollout, kind: str, data: Mapping[str, Any], at: str) -> None:
    """Bring ``state`` itself past one event, for who holds the only reference; a refused event leaves it as it was.

    :raises JournalError: the event does not fit the state.
    """
    handler = _HANDLERS.get(kind)
    if handler is None:
        raise JournalError(f"unknown event {kind!r}")
    if state.finished:
        raise JournalError(f"{kind}: the rollout is {state.status}; nothing can follow")
    if state.status == "new" and kind != "rollout_started":
        raise JournalError(f"{kind}: the rollout was not started")
    handler(state, data, at)


def _started(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    if state.status != "new":
        raise JournalError("rollout_started: it was started before")
    if data["plan_digest"] != state.plan["digest"]:
        raise JournalError(f"rollout_started: the journal is of plan {data['plan_digest']}, not {state.plan['digest']}")
    state.status = "running"


def _resumed(state: Rollout, _data: Mapping[str, Any], _at: str) -> None:
    if state.status == "aborted":
        raise JournalError("resumed: an aborted rollout stays aborted; make a new plan")
    state.status = "running"
    for wave in state.waves.values():
        if wave.status == "paused":
            wave.status = "running"


def _wave_started(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    _must_run(state, "wave_started")
    for wave in state.waves.values():
        if wave.name == data["wave"]:
            break
        if wave.status != "finished":
            raise JournalError(f"wave_started: {data['wave']} must wait for {wave.name}, which is {wave.status}")
    wave = _wave(state, data)
    if wave.status != "waiting":
        raise JournalError(f"wave_started: {wave.name} is {wave.status}")
    wave.status = "running"


def _claimed(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    _must_run(state, "claimed")
    wave = _wave(state, data)
    if strangers := set(data["nodes"]) - set(wave.nodes):
        raise JournalError(f"claimed: not in wave {wave.name}: {', '.join(sorted(strangers))}")
    wave.claimed |= set(data["nodes"])


def _intent(state: Rollout, data: Mapping[str, Any], at: str) -> None:
    _must_run(state, "intent")
    wave, stage, token = _wave(state, data), data["stage"], data["token"]
    if wave.status != "running":
        raise JournalError(f"intent: wave {wave.name} is {wave.status}")
    if token in state.intents:
        raise JournalError(f"intent: {token} is open already")
    for node_id in data["nodes"]:
        node = state.nodes.get(node_id)
        if node is None or node.wave != wave.name or node_id not in wave.claimed:
            raise JournalError(f"intent: {node_id} is not a claimed node of wave {wave.name}")
        if node.stage != stage or node.token:
            raise JournalError(f"intent: {node_id} is due for {node.stage}, not for {stage}" + _under_way(node))
    for node_id in data["nodes"]:
        node = state.nodes[node_id]
        node.token = token
        node.attempts = {**node.attempts, stage: data["attempt"]}
    key = f"{wave.name}/{stage}"
    state.announced[key] = state.announced.get(key, 0) + 1
    state.intents[token] = Intent(wave.name, stage, data["attempt"], token, tuple(data["nodes"]), at)


def _sent(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    intent = state.intents.get(data["token"])
    if intent is None:
        raise JournalError(f"sent: there is no open intent {data['token']}")
    intent.sent = (data["place"], data["command_id"])


def _outcome(state: Rollout, data: Mapping[str, Any], at: str) -> None:
    wave, stage = _wave(state, data), data["stage"]
    for result in data["results"]:
        node = state.nodes.get(result["node_id"])
        if node is None or node.wave != wave.name:
            raise JournalError(f"outcome: {result['node_id']} is not in wave {wave.name}")
        if node.stage != stage and not (stage == "verify" and node.stage != DONE):
            raise JournalError(f"outcome: {result['node_id']} is at {node.stage}, not at {stage}")
    wave.worked_at = at
    for result in data["results"]:
        node = state.nodes[result["node_id"]]
        _settle(state, result["node_id"], node)
        node.results = {**node.results, stage: result}
        node.stage = next_stage(stage, result)


def _settle(state: Rollout, node_id: str, node: NodeState) -> None:
    """Take the node out of its open intent; the last one closes it."""
    if node.token is None:
        return
    intent = state.intents[node.token]
    intent.nodes = tuple(item for item in intent.nodes if item != node_id)
    if not intent.nodes:
        del state.intents[node.token]
    node.token = None


def next_stage(stage: str, result: Mapping[str, Any]) -> str:
    """Return what follows a stage. A node that was held or lost gets its final record next."""
    if stage == "verify":
        return DONE
    if result.get("verdict") == "hold" or result.get("status") in _LOST:
        return "verify"
    if result.get("status") == Status.TIMED_OUT.value:
        return "scan" if stage in ("patch", "reboot") else "verify"
    return STAGES[STAGES.index(stage) + 1]


def _gate(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    wave = _wave(state, data)
    if state.status == "aborted":
        raise JournalError("gate: the rollout is aborted, and that is final")
    if wave.status not in ("running", "paused"):
        raise JournalError(f"gate: wave {wave.name} is {wave.status}")
    waiting = [node for node in wave.nodes if state.nodes[node].stage != DONE]
    if waiting and data["verdict"] == "promote":
        raise JournalError(f"gate: {len(waiting)} nodes of wave {wave.name} have no final record yet")
    wave.gate = data
    wave.status = {"promote": "promoted", "pause": "paused", "abort": "aborted"}[data["verdict"]]
    state.status = {"promote": "running", "pause": "paused", "abort": "aborted"}[data["verdict"]]


def _decision(state: Rollout, data: Mapping[str, Any], at: str) -> None:
    """A person's word: promote a paused wave, or abort everything."""
    if data["action"] == "abort":
        state.status = "aborted"
    elif data["action"] == "promote":
        _gate(state, {**data, "verdict": "promote"}, at)
    else:
        raise JournalError(f"decision: unknown action {data['action']!r}, expected promote or abort")


def _wave_finished(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    wave = _wave(state, data)
    if wave.status != "promoted":
        raise JournalError(f"wave_finished: {wave.name} is {wave.status}")
    wave.status = "finished"


def _finished(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    verdict = data["verdict"]
    if state.status == "aborted" and verdict != "aborted":
        raise JournalError(f"rollout_finished: the rollout is aborted, so it can't be {verdict}")
    if verdict == "completed" and any(wave.status != "finished" for wave in state.waves.values()):
        raise JournalError("rollout_finished: not every wave is finished")
    if verdict == "aborted" and state.intents:
        raise JournalError(f"rollout_finished: outcomes are still open: {', '.join(sorted(state.intents))}")
    state.status = verdict
    state.finished = verdict in ("completed", "aborted")


def _must_run(state: Rollout, kind: str) -> None:
    if state.status != "running":
        raise JournalError(f"{kind}: the rollout is {state.status}")


def _wave(state: Rollout, data: Mapping[str, Any]) -> WaveState:
    wave = state.waves.get(data["wave"])
    if wave is None:
        raise JournalError(f"there is no wave {data['wave']!r} in the plan")
    return wave


def _under_way(node: NodeState) -> str:
    return f" ({node.token} is under way)" if node.token else ""


_HANDLERS = {
    "rollout_started": _started,
    "resumed": _resumed,
    "wave_started": _wave_started,
    "claimed": _claimed,
    "intent": _intent,
    "sent": _sent,
    "outcome": _outcome,
    "gate": _gate,
    "decision": _decision,
    "wave_finished": _wave_finished,
    "rollout_finished": _finished,
}


def final_results(state: Rollout, waves: Sequence[str] | None = None) -> list[Mapping[str, Any]]:
    """Return the final records of all nodes, or of some waves, that have one."""
    return [
        node.final for node in state.nodes.values() if node.final is not None and (waves is None or node.wave in waves)
    ]
