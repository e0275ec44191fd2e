# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout as a state machine: ``apply(state, event)`` advances it, ``due`` says what comes next. No clock, no I/O.

The journal is the list of events; the state is their fold over the plan, so resuming means folding again. Events that
the machine refuses (``JournalError``) can't be written, which guarantees exactly-once: a second patch intent for a
node, a wave before its predecessor's gate, work after an abort, an end before everything is restored.
docs/rollout.md has the diagram.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..errors import JournalError
from ..events import (
    Approved,
    Claimed,
    Decision,
    Event,
    GateJudged,
    Intent,
    Outcome,
    Prepared,
    Restored,
    Resumed,
    RolloutFinished,
    RolloutStarted,
    Sent,
    TakenUp,
    WaveFinished,
    WaveStarted,
)
from ..model import Status
from ..stamp import from_time
from .earlier import before_the_reboot, is_left_over, remembered
from .journal import Record
from .nights import time_to_run_now
from .state import (
    DONE,
    NOT_BEGUN,
    PREPARATIONS,
    STAGES,
    WHOLE_WAVE,
    NodeState,
    OpenIntent,
    Rollout,
    WaveState,
    current_turn,
    failure_class,
    initial,
    kept,
    next_stage,
)


def fold(plan: Mapping[str, Any], records: Iterable[Record]) -> Rollout:
    """Return the state after these records."""
    state = initial(plan)
    for record in records:
        apply(state, record.event(), record.at)
    return state


def apply(state: Rollout, event: Event, at: str) -> None:
    """Apply one event to ``state`` in place, for the holder of its only reference; a refused event changes nothing.

    :raises JournalError: the event does not fit the state.
    """
    if state.finished:
        raise JournalError(f"{event.kind}: the rollout is {state.status}; nothing can follow")
    if state.status == "new" and not isinstance(event, RolloutStarted):
        raise JournalError(f"{event.kind}: the rollout was not started")
    _HANDLERS[type(event)](state, event, at)


def _started(state: Rollout, event: RolloutStarted, _at: str) -> None:
    if state.status != "new":
        raise JournalError("rollout_started: it was started before")
    if event.plan_digest != state.plan["digest"]:
        raise JournalError(f"rollout_started: the journal is of plan {event.plan_digest}, not {state.plan['digest']}")
    state.status, state.controller, state.epoch = "running", event.controller, 1
    state.policy_digest = event.policy_digest


def _resumed(state: Rollout, event: Resumed, _at: str) -> None:
    """An aborted rollout stays aborted: this run only completes open work and restores nodes."""
    aborted = state.status == "aborted"
    if not aborted and event.policy_digest and event.policy_digest != state.policy_digest:
        raise JournalError(f"resumed: nobody accepted policy {event.policy_digest}; it uses {state.policy_digest}")
    state.controller, state.epoch = event.controller, state.epoch + 1
    if aborted:
        return
    state.status = "running"
    for wave in state.waves.values():
        if wave.status == "paused":
            wave.status = "running"


def _approved(state: Rollout, event: Approved, _at: str) -> None:
    _must_run(state, event)
    if event.bundle_version < state.bundle_version:
        raise JournalError(f"approved: by bundle {event.bundle_version}, which is older than {state.bundle_version}")
    state.bundle_version = event.bundle_version
    state.approved.add(_wave(state, event.wave).name)


def _wave_started(state: Rollout, event: WaveStarted, _at: str) -> None:
    _must_run(state, event)
    if state.bundle_version and event.wave not in state.approved:
        raise JournalError(f"wave_started: {event.wave} is not approved by the people of the trust bundle")
    for wave in state.waves.values():
        if wave.name == event.wave:
            break
        if wave.status != "finished":
            raise JournalError(f"wave_started: {event.wave} must wait for {wave.name}, which is {wave.status}")
    wave = _wave(state, event.wave)
    if wave.status != "waiting":
        raise JournalError(f"wave_started: {wave.name} is {wave.status}")
    wave.status = "running"


def _claimed(state: Rollout, event: Claimed, _at: str) -> None:
    _must_run(state, event)
    wave = _wave(state, event.wave)
    if strangers := set(event.nodes) - set(wave.nodes):
        raise JournalError(f"claimed: not in wave {wave.name}: {', '.join(sorted(strangers))}")
    wave.claimed |= set(event.nodes)


def _intent(state: Rollout, event: Intent, at: str) -> None:
    _must_run(state, event)
    wave, stage, token = _wave(state, event.wave), event.stage, event.token
    if wave.status != "running":
        raise JournalError(f"intent: wave {wave.name} is {wave.status}")
    if token in state.intents:
        raise JournalError(f"intent: {token} is open already")
    turn = current_turn(state, wave.name)
    for node_id in event.nodes:
        node = state.nodes.get(node_id)
        if node is None or node.wave != wave.name or node_id not in wave.claimed:
            raise JournalError(f"intent: {node_id} is not a claimed node of wave {wave.name}")
        if node.stage != stage or node.token or node.turn != turn:
            raise JournalError(f"intent: {node_id} is due for {node.stage}, not for {stage}" + _under_way(node))
    for node_id in event.nodes:
        node = state.nodes[node_id]
        node.token = token
        node.attempts = {**node.attempts, stage: event.attempt}
    key = f"{wave.name}/{stage}"
    state.announced[key] = state.announced.get(key, 0) + 1
    state.intents[token] = OpenIntent(
        wave.name, stage, event.attempt, token, event.nodes, at, snapshot_id=event.snapshot_id
    )


def _sent(state: Rollout, event: Sent, at: str) -> None:
    intent = state.intents.get(event.token)
    if intent is None:
        raise JournalError(f"sent: there is no open intent {event.token}")
    intent.sent = (event.place, event.command_id)
    intent.at, intent.sent_at = event.begun_at or intent.at, at


def _outcome(state: Rollout, event: Outcome, at: str) -> None:
    wave, stage = _wave(state, event.wave), event.stage
    for result in event.results:
        node = state.nodes.get(result["node_id"])
        if node is None or node.wave != wave.name:
            raise JournalError(f"outcome: {result['node_id']} is not in wave {wave.name}")
        if node.stage != stage and not (stage == "verify" and node.stage != DONE):
            raise JournalError(f"outcome: {result['node_id']} is at {node.stage}, not at {stage}")
    wave.worked_at = at
    _settle(state, [result["node_id"] for result in event.results])
    for result in event.results:
        node = state.nodes[result["node_id"]]
        if result.get("status") == NOT_BEGUN:
            continue
        node.results = {**node.results, stage: kept(result, ran_before=f"{stage}/execution" in node.retried)}
        failure = failure_class(stage, result)
        key = f"{stage}/{failure}"
        if node.retried.get(key, 0) < state.retries(failure):
            node.retried = {**node.retried, key: node.retried.get(key, 0) + 1}
        else:
            node.stage = next_stage(stage, result)
            if node.final:
                node.results = {stage: node.final}  # it contains all that the others contained


def _settle(state: Rollout, node_ids: Sequence[str]) -> None:
    """Take nodes out of their open intents; the last one of an intent closes it."""
    settled: dict[str, set[str]] = {}
    for node_id in node_ids:
        node = state.nodes[node_id]
        if node.token is not None:
            settled.setdefault(node.token, set()).add(node_id)
            node.token = None
    for token, gone in settled.items():
        intent = state.intents[token]
        intent.nodes = tuple(item for item in intent.nodes if item not in gone)
        if not intent.nodes:
            del state.intents[token]


def _prepared(state: Rollout, event: Prepared, _at: str) -> None:
    _must_run(state, event)
    wave, what, nodes = _wave(state, event.wave), event.what, event.nodes
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
    state.prepared[wave.name, what] = {**held, **{node: event.details.get(node, {}) for node in nodes}}


def _restored(state: Rollout, event: Restored, _at: str) -> None:
    wave = _wave(state, event.wave)
    _restore(state, wave, event.what, event.nodes)
    wave.problems = {**wave.problems, **event.problems}


def _restore(state: Rollout, wave: WaveState, what: str, nodes: Sequence[str]) -> None:
    held = state.prepared.get((wave.name, what), {})
    if strangers := set(nodes) - set(held):
        raise JournalError(f"restored: nothing is {what} of {', '.join(sorted(strangers))}")
    left = {node: details for node, details in held.items() if node not in nodes}
    if left:
        state.prepared[wave.name, what] = left
    else:
        state.prepared.pop((wave.name, what), None)


def _gate(state: Rollout, event: GateJudged, _at: str) -> None:
    wave = _wave(state, event.wave)
    if state.status == "aborted":
        raise JournalError("gate: the rollout is aborted, and that is final")
    if wave.status not in ("running", "paused"):
        raise JournalError(f"gate: wave {wave.name} is {wave.status}")
    waiting = [node for node in wave.nodes if state.nodes[node].stage != DONE]
    if waiting and event.verdict == "promote":
        raise JournalError(f"gate: {len(waiting)} nodes of wave {wave.name} have no final record yet")
    wave.gate = event
    wave.status = {"promote": "promoted", "pause": "paused", "abort": "aborted"}[event.verdict]
    state.status = {"promote": "running", "pause": "paused", "abort": "aborted"}[event.verdict]


def _decision(state: Rollout, event: Decision, at: str) -> None:
    """A person's decision: promote a paused wave, retry nodes that ended badly, skip nodes, write off, or abort.

    An aborted rollout still restores, so what can't be restored may be written off; otherwise it could never finish.
    """
    if state.status == "aborted" and event.action not in ("abort", "write_off"):
        raise JournalError(f"{event.action}: the rollout is aborted, and that is final")
    _DECISIONS[event.action](state, event, at)


def _abort(state: Rollout, _event: Decision, _at: str) -> None:
    state.status = "aborted"


def _promote(state: Rollout, event: Decision, at: str) -> None:
    _gate(state, GateJudged(wave=event.wave, verdict="promote"), at)
    _wave(state, event.wave).promoted_by = event.by


def _write_off(state: Rollout, event: Decision, _at: str) -> None:
    _restore(state, _wave(state, event.wave), event.what, event.nodes)


def _run_now(state: Rollout, event: Decision, at: str) -> None:
    """The wave may now run outside its windows, for the length of its longest night, while the plan is valid."""
    _must_run(state, event)
    span = time_to_run_now(state, event.wave, from_time(at))
    if span is None:
        raise JournalError(f"run_now: the plan ended on {state.plan.get('valid_until')}; plan and approve again")
    _wave(state, event.wave).run_now = span


def _retry(state: Rollout, event: Decision, _at: str) -> None:
    wave = _wave(state, event.wave)
    if wave.status not in ("running", "paused"):
        raise JournalError(f"retry: wave {wave.name} is {wave.status}; plan what is left again")
    for node_id in event.nodes:
        node = _member(state, wave, node_id, "retry")
        if node.final is None or Status(node.final["status"]).is_good:
            raise JournalError(f"retry: {node_id} did not end badly: {node.final['status'] if node.final else 'open'}")
    for node_id in event.nodes:
        node = state.nodes[node_id]
        node.earlier = remembered(node)
        node.stage, node.results, node.retried = STAGES[0], {}, {}
    wave.problems = {node: text for node, text in wave.problems.items() if node not in event.nodes}


def _taken_up(state: Rollout, event: TakenUp, _at: str) -> None:
    """A node with a postponed reboot continues with the reboot; other left-over nodes continue with the pre-check."""
    _must_run(state, event)
    wave = _wave(state, event.wave)
    if wave.status != "running":
        raise JournalError(f"taken_up: wave {wave.name} is {wave.status}")
    for node_id in event.nodes:
        if not is_left_over(_member(state, wave, node_id, "taken_up")):
            raise JournalError(f"taken_up: {node_id} was not left over")
    for node_id in event.nodes:
        node = state.nodes[node_id]
        final, node.earlier = node.final or {}, remembered(node)
        again = final["status"] == Status.REBOOT_PENDING.value and not state.planned[node_id].get("start")
        node.stage, node.retried = ("reboot" if again else STAGES[0]), {}
        node.results = before_the_reboot(final) if again else {}


def _accept_policy(state: Rollout, event: Decision, _at: str) -> None:
    state.policy_digest = event.what


def _skip(state: Rollout, event: Decision, _at: str) -> None:
    """Check only that the decision is allowed; the nodes' final records follow as an outcome."""
    wave = _wave(state, event.wave)
    for node_id in event.nodes:
        node = _member(state, wave, node_id, "skip")
        if node.stage == DONE or node.token:
            raise JournalError(f"skip: {node_id} is {'done' if node.stage == DONE else 'being worked on'}")


def _member(state: Rollout, wave: WaveState, node_id: str, what: str) -> NodeState:
    node = state.nodes.get(node_id)
    if node is None or node.wave != wave.name:
        raise JournalError(f"{what}: {node_id} is not in wave {wave.name}")
    return node


def _wave_finished(state: Rollout, event: WaveFinished, _at: str) -> None:
    wave = _wave(state, event.wave)
    if wave.status != "promoted":
        raise JournalError(f"wave_finished: {wave.name} is {wave.status}")
    wave.status = "finished"


def _finished(state: Rollout, event: RolloutFinished, _at: str) -> None:
    status = event.status
    if state.status == "aborted" and status != "aborted":
        raise JournalError(f"rollout_finished: the rollout is aborted, so it can't be {status}")
    if status == "completed" and any(wave.status != "finished" for wave in state.waves.values()):
        raise JournalError("rollout_finished: not every wave is finished")
    if status == "aborted" and state.intents:
        raise JournalError(f"rollout_finished: outcomes are still open: {', '.join(sorted(state.intents))}")
    if state.prepared:
        kept = sorted(f"{node} ({what})" for (_wave, what), nodes in state.prepared.items() for node in nodes)
        raise JournalError(f"rollout_finished: not restored yet: {', '.join(kept[:5])}")
    state.status, state.finished = status, True


def _must_run(state: Rollout, event: Event) -> None:
    if state.status != "running":
        raise JournalError(f"{event.kind}: the rollout is {state.status}")


def _wave(state: Rollout, name: str) -> WaveState:
    wave = state.waves.get(name)
    if wave is None:
        raise JournalError(f"there is no wave {name!r} in the plan")
    return wave


def _under_way(node: NodeState) -> str:
    return f" ({node.token} is open)" if node.token else f" in turn {node.turn}"


_DECISIONS: Mapping[str, Callable[[Rollout, Decision, str], None]] = {
    "promote": _promote,
    "retry": _retry,
    "skip": _skip,
    "write_off": _write_off,
    "run_now": _run_now,
    "accept_policy": _accept_policy,
    "abort": _abort,
}
_HANDLERS: Mapping[type[Event], Callable[[Rollout, Any, str], None]] = {
    RolloutStarted: _started,
    Resumed: _resumed,
    TakenUp: _taken_up,
    Approved: _approved,
    WaveStarted: _wave_started,
    Claimed: _claimed,
    Intent: _intent,
    Sent: _sent,
    Outcome: _outcome,
    Prepared: _prepared,
    Restored: _restored,
    GateJudged: _gate,
    Decision: _decision,
    WaveFinished: _wave_finished,
    RolloutFinished: _finished,
}
