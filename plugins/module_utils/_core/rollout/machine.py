# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout as a state machine: ``step(state, kind, data) -> (state, effects)``. No clock, no I/O.

The journal is the list of events; a state is their fold over the plan, so resuming is folding again. What the
machine refuses (``JournalError``) can't be written, which is how exactly-once is kept: a second patch intent for a
node, a wave before its predecessor's gate, work after an abort, an end before everything prepared is restored.
docs/rollout.md has the diagram.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any

from ..errors import JournalError
from ..model import Status
from .journal import Record
from .state import (
    DONE,
    PREPARATIONS,
    STAGES,
    WHOLE_WAVE,
    Effect,
    Intent,
    NodeState,
    Rollout,
    WaveState,
    current_turn,
    due_nodes,
    failure_class,
    initial,
    kept,
    next_stage,
)


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
    after.prepared = {key: dict(nodes) for key, nodes in state.prepared.items()}
    apply(after, kind, data, at)
    return after, due(after)


def due(state: Rollout) -> list[Effect]:
    """Return what is due in this state; nothing when it is finished or was never started."""
    if state.finished or state.status == "new":
        return []
    open_intents = [
        Effect("reconcile", item.wave, item.stage, item.nodes, item.token) for item in state.intents.values()
    ]
    if state.status == "aborted":
        return [*open_intents, *_due_restores(state)] or [Effect("finish")]
    if state.status == "paused":
        return _due_restores(state)
    for wave in state.waves.values():
        if wave.status == "waiting":
            return [*_due_restores(state), Effect("start_wave", wave.name)]
        if wave.status == "running":
            return _due_in_wave(state, wave, open_intents)
        if wave.status == "promoted":
            return [Effect("finish_wave", wave.name)]
    return _due_restores(state) or [Effect("finish")]


def _due_in_wave(state: Rollout, wave: WaveState, open_intents: list[Effect]) -> list[Effect]:
    unclaimed = tuple(node for node in wave.nodes if node not in wave.claimed and state.nodes[node].stage != DONE)
    if unclaimed:
        return [Effect("claim", wave.name, nodes=unclaimed)]
    work = [
        Effect("run", wave.name, stage, nodes)
        for stage in STAGES
        if (nodes := tuple(due_nodes(state, wave.name, stage)))
    ]
    returns = [item for item in _due_restores(state) if item.wave == wave.name]
    return [*open_intents, *returns, *work] or [Effect("gate", wave.name)]


def _due_restores(state: Rollout) -> list[Effect]:
    """What can be restored: to nodes for which nothing more comes, and to waves that are worked through."""
    found = []
    for what in PREPARATIONS:
        for (wave, kind), nodes in state.prepared.items():
            idle = tuple(node for node in nodes if _is_idle(state, wave, node))
            if kind == what and idle:
                found.append(Effect("return", wave, what, idle))
    return found


def _is_idle(state: Rollout, wave: str, node_id: str) -> bool:
    if node_id == WHOLE_WAVE:
        return state.status != "running" or all(state.nodes[item].stage == DONE for item in state.waves[wave].nodes)
    node = state.nodes[node_id]
    return node.stage == DONE or (state.status != "running" and node.token is None)


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
    turn = current_turn(state, wave.name)
    for node_id in data["nodes"]:
        node = state.nodes.get(node_id)
        if node is None or node.wave != wave.name or node_id not in wave.claimed:
            raise JournalError(f"intent: {node_id} is not a claimed node of wave {wave.name}")
        if node.stage != stage or node.token or node.turn != turn:
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
        node.results = {**node.results, stage: kept(result)}
        failure = failure_class(stage, result)
        key = f"{stage}/{failure}"
        if node.retried.get(key, 0) < state.retries(failure):
            node.retried = {**node.retried, key: node.retried.get(key, 0) + 1}
        else:
            node.stage = next_stage(stage, result)
            if node.final:
                node.results = {stage: node.final}  # it tells all that the others told


def _settle(state: Rollout, node_id: str, node: NodeState) -> None:
    """Take the node out of its open intent; the last one closes it."""
    if node.token is None:
        return
    intent = state.intents[node.token]
    intent.nodes = tuple(item for item in intent.nodes if item != node_id)
    if not intent.nodes:
        del state.intents[node.token]
    node.token = None


def _prepared(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    _must_run(state, "prepared")
    wave, what, nodes = _wave(state, data), data["what"], data["nodes"]
    if what not in PREPARATIONS:
        raise JournalError(f"prepared: unknown {what!r}, expected one of {', '.join(PREPARATIONS)}")
    if wave.status not in ("waiting", "running"):
        raise JournalError(f"prepared: wave {wave.name} is {wave.status}")
    held = state.prepared.get((wave.name, what), {})
    for node in nodes:
        if node != WHOLE_WAVE and node not in wave.claimed:
            raise JournalError(f"prepared: {node} is not a claimed node of wave {wave.name}")
        if node in held:
            raise JournalError(f"prepared: {node} is {what} already")
    details = data.get("details") or {}
    state.prepared[wave.name, what] = {**held, **{node: details.get(node, {}) for node in nodes}}


def _restored(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    wave = _wave(state, data)
    _restore(state, wave, data)
    wave.problems = {**wave.problems, **(data.get("problems") or {})}


def _restore(state: Rollout, wave: WaveState, data: Mapping[str, Any]) -> None:
    held = state.prepared.get((wave.name, data["what"]), {})
    if strangers := set(data["nodes"]) - set(held):
        raise JournalError(f"returned: nothing is {data['what']} of {', '.join(sorted(strangers))}")
    left = {node: details for node, details in held.items() if node not in data["nodes"]}
    if left:
        state.prepared[wave.name, data["what"]] = left
    else:
        state.prepared.pop((wave.name, data["what"]), None)


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
    """A person's word: promote a paused wave, retry nodes that ended badly, skip nodes, write off, abort everything.

    An aborted rollout still restores, so what it can't restore may be written off; else it could never be finished.
    """
    action = data["action"]
    if action == "abort":
        state.status = "aborted"
    elif action == "write_off":
        _restore(state, _wave(state, data), data)
    elif state.status == "aborted":
        raise JournalError(f"{action}: the rollout is aborted, and that is final")
    elif action == "promote":
        _gate(state, {**data, "verdict": "promote"}, at)
    elif action == "retry":
        _retry(state, data)
    elif action == "skip":
        _skip(state, data)
    else:
        known = "promote, retry, skip, write_off or abort"
        raise JournalError(f"decision: unknown action {action!r}, expected {known}")


def _retry(state: Rollout, data: Mapping[str, Any]) -> None:
    wave = _wave(state, data)
    if wave.status not in ("running", "paused"):
        raise JournalError(f"retry: wave {wave.name} is {wave.status}; plan what is left again")
    for node_id in data["nodes"]:
        node = _member(state, wave, node_id, "retry")
        if node.final is None or Status(node.final["status"]).is_good:
            raise JournalError(f"retry: {node_id} did not end badly: {node.final['status'] if node.final else 'open'}")
    for node_id in data["nodes"]:
        node = state.nodes[node_id]
        node.stage, node.results, node.retried = STAGES[0], {}, {}
    wave.problems = {node: text for node, text in wave.problems.items() if node not in data["nodes"]}


def _skip(state: Rollout, data: Mapping[str, Any]) -> None:
    """Only that it may be said; the nodes' final records follow as an outcome."""
    wave = _wave(state, data)
    for node_id in data["nodes"]:
        node = _member(state, wave, node_id, "skip")
        if node.stage == DONE or node.token:
            raise JournalError(f"skip: {node_id} is {'done' if node.stage == DONE else 'being worked on'}")


def _member(state: Rollout, wave: WaveState, node_id: str, what: str) -> NodeState:
    node = state.nodes.get(node_id)
    if node is None or node.wave != wave.name:
        raise JournalError(f"{what}: {node_id} is not in wave {wave.name}")
    return node


def _wave_finished(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    wave = _wave(state, data)
    if wave.status != "promoted":
        raise JournalError(f"wave_finished: {wave.name} is {wave.status}")
    wave.status = "finished"


def _finished(state: Rollout, data: Mapping[str, Any], _at: str) -> None:
    status = data["status"]
    if state.status == "aborted" and status != "aborted":
        raise JournalError(f"rollout_finished: the rollout is aborted, so it can't be {status}")
    if status == "completed" and any(wave.status != "finished" for wave in state.waves.values()):
        raise JournalError("rollout_finished: not every wave is finished")
    if status == "aborted" and state.intents:
        raise JournalError(f"rollout_finished: outcomes are still open: {', '.join(sorted(state.intents))}")
    if status != "paused" and state.prepared:
        kept = sorted(f"{node} ({what})" for (_wave, what), nodes in state.prepared.items() for node in nodes)
        raise JournalError(f"rollout_finished: not restored yet: {', '.join(kept[:5])}")
    state.status = status
    state.finished = status in ("completed", "aborted")


def _must_run(state: Rollout, kind: str) -> None:
    if state.status != "running":
        raise JournalError(f"{kind}: the rollout is {state.status}")


def _wave(state: Rollout, data: Mapping[str, Any]) -> WaveState:
    wave = state.waves.get(data["wave"])
    if wave is None:
        raise JournalError(f"there is no wave {data['wave']!r} in the plan")
    return wave


def _under_way(node: NodeState) -> str:
    return f" ({node.token} is under way)" if node.token else f" in turn {node.turn}"


_HANDLERS = {
    "rollout_started": _started,
    "resumed": _resumed,
    "wave_started": _wave_started,
    "claimed": _claimed,
    "intent": _intent,
    "sent": _sent,
    "outcome": _outcome,
    "prepared": _prepared,
    "restored": _restored,
    "gate": _gate,
    "decision": _decision,
    "wave_finished": _wave_finished,
    "rollout_finished": _finished,
}
