# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report needs of a journal: folded record by record, so that a journal of any length fits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
from ..rollout.journal import Record, verify
from ..rollout.state import NOT_BEGUN, STAGES

FINAL_STAGE = "verify"
_STATE = ("status", "error", "failed", "missing_after", "pending_reboot", "counts")
"""Members in which a later stage's word replaces an earlier one's, even by "none"."""


#: What people do, or are asked to do.
_ACTS = (RolloutStarted, Resumed, Approved, Decision, GateJudged)


@dataclass(slots=True)
class WaveStory:
    """What the journal says about one wave. ``reopened``: it paused, and then the rollout was resumed."""

    started_at: str | None = None
    ended_at: str | None = None
    gates: list[dict[str, Any]] = field(default_factory=list)
    reopened: bool = False
    decisions: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class NodeStory:
    """What the journal says about one node.

    ``stage`` is the last one it was sent into, ``begun_at`` when patching it was first announced; ``evidence`` holds
    API ids by stage and name (its place is a member of the result already).
    """

    wave: str = ""
    stage: str = ""
    begun_at: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    decided: bool = False
    held: bool = False
    findings: list[str] = field(default_factory=list)
    evidence: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Story:
    """A whole rollout as its journal tells it. Feed it with ``add``, in order."""

    started: RolloutStarted | None = None
    started_at: str | None = None
    finished: RolloutFinished | None = None
    finished_at: str | None = None
    waves: dict[str, WaveStory] = field(default_factory=dict)
    nodes: dict[str, NodeStory] = field(default_factory=dict)
    decisions: list[dict[str, Any]] = field(default_factory=list)
    approvals: dict[str, tuple[str, Approved]] = field(default_factory=dict)
    prepared: set[tuple[str, str]] = field(default_factory=set)
    acts: list[tuple[str, Event]] = field(default_factory=list)
    resumed: int = 0
    records: int = 0
    head: str = ""
    last_at: str | None = None
    malformed: str = ""
    intern: dict[str, str] = field(default_factory=dict)

    def add(self, record: Record) -> None:
        """Take one record in. A malformed one is counted, and the first of them noted in ``malformed``.

        :raises OtherSchema: another version wrote the journal.
        """
        self.records += 1
        self.head, self.last_at = record.hash, record.at
        try:
            event = record.event()
        except JournalError as error:
            self.malformed = self.malformed or f"record {record.seq} is malformed: {error}"
            return
        if isinstance(event, _ACTS):
            self.acts.append((record.at, event))
        _HANDLERS[type(event)](self, record.at, event)

    def wave(self, name: str) -> WaveStory:
        return self.waves.setdefault(name, WaveStory())

    def node(self, node_id: str, wave: str) -> NodeStory:
        story = self.nodes.setdefault(node_id, NodeStory())
        story.wave = wave or story.wave
        return story

    def shared(self, texts: Iterable[object]) -> list[str]:
        """Return the texts with equal ones being one object: the same patches occur on thousands of nodes."""
        return [self.intern.setdefault(str(text), str(text)) for text in texts]


def _on_started(story: Story, at: str, event: RolloutStarted) -> None:
    story.started, story.started_at = event, at


def _on_approved(story: Story, at: str, event: Approved) -> None:
    story.approvals[event.wave] = (at, event)


def _on_resumed(story: Story, _at: str, _event: Resumed) -> None:
    story.resumed += 1
    for wave in story.waves.values():
        wave.reopened = True


def _on_wave_started(story: Story, at: str, event: WaveStarted) -> None:
    story.wave(event.wave).started_at = at


def _on_wave_finished(story: Story, at: str, event: WaveFinished) -> None:
    story.wave(event.wave).ended_at = at


def _on_claimed(story: Story, _at: str, event: Claimed) -> None:
    for node_id in event.nodes:
        story.node(node_id, event.wave)


def _on_intent(story: Story, at: str, event: Intent) -> None:
    for node_id in event.nodes:
        node = story.node(node_id, event.wave)
        node.stage, node.decided, node.held = event.stage, False, False
        if node.stage == "patch":
            node.begun_at = node.begun_at or at


def _on_sent(story: Story, _at: str, event: Sent) -> None:
    for node_id in event.nodes:
        node = story.node(node_id, event.wave)
        _collect(node.evidence.setdefault(event.stage, {}), {"command_id": event.command_id})


def _on_outcome(story: Story, _at: str, event: Outcome) -> None:
    for result in event.results:
        if result.get("status") == NOT_BEGUN:
            continue
        node = story.node(result["node_id"], event.wave)
        node.stage = event.stage
        if event.stage == "precheck":
            _take_precheck(node, result)
        else:
            _take_result(story, node, event.stage, result)


def _take_precheck(node: NodeStory, result: Mapping[str, Any]) -> None:
    node.held = result.get("outcome") == "skip"
    findings = result.get("findings") or ()
    node.findings = [str(item.get("text") or item.get("check") or "") for item in findings if not item.get("ok")]


def _take_result(story: Story, node: NodeStory, stage: str, result: Mapping[str, Any]) -> None:
    """Merge a stage's record into the node's: state is replaced, what happened (installed, kernels, …) is kept."""
    merged = node.result
    for name, value in result.items():
        if name in ("installed", "failed", "missing_after"):
            value = story.shared(value or ())
        if name == "evidence":
            _take_evidence(node, stage, value or {})
        elif name in _STATE:
            merged[name] = value
        elif name in ("started_at", "kernel_before", "boot_id_before"):
            merged[name] = merged.get(name) or value
        elif name == "rebooted":
            merged[name] = bool(value) or merged.get(name) if value is not None else merged.get(name)
        elif value not in (None, "", [], {}) or name not in merged:
            merged[name] = value
    if stage == "reboot" and result.get("rebooted"):
        merged["counts"], merged["pending_reboot"] = {}, None  # the install's; the scan says what is true now
    node.decided = stage == FINAL_STAGE
    node.held = node.held or result.get("status") == Status.SKIPPED.value


def _take_evidence(node: NodeStory, stage: str, evidence: Mapping[str, Any]) -> None:
    """File API ids under their stage; a final record brings those of all stages, by stage."""
    for name, value in evidence.items():
        if isinstance(value, Mapping) and name in STAGES:
            _collect(node.evidence.setdefault(str(name), {}), value)
        else:
            _collect(node.evidence.setdefault(stage, {}), {name: value})


def _collect(into: dict[str, Any], found: Mapping[str, Any]) -> None:
    """Add evidence: different values under one name become a list, none is lost."""
    for name, value in found.items():
        if value in (None, "", [], {}) or name == "place":
            continue
        have = into.get(str(name))
        known = have if isinstance(have, list) else [] if have is None else [have]
        new = [item for item in (value if isinstance(value, list) else [value]) if item not in known]
        both = [*known, *new]
        into[str(name)] = both[0] if len(both) == 1 else both


def _on_gate(story: Story, at: str, event: GateJudged) -> None:
    wave = story.wave(event.wave)
    gate = {"at": at, "verdict": event.verdict, "numbers": dict(event.numbers), "reasons": list(event.reasons)}
    wave.gates.append(gate)
    wave.reopened = False


def _on_taken_up(story: Story, _at: str, event: TakenUp) -> None:
    for node_id in event.nodes:
        story.nodes[node_id] = NodeStory(wave=event.wave, evidence=story.node(node_id, "").evidence)


def _on_decision(story: Story, at: str, event: Decision) -> None:
    decision = {"at": at, "by": event.by, "action": event.action, "wave": event.wave, "reason": event.reason}
    story.decisions.append(decision)
    if event.wave:
        story.wave(event.wave).decisions.append(decision)
    if event.action == "retry":
        for node_id in event.nodes:
            story.nodes[node_id] = NodeStory(wave=event.wave, evidence=story.node(node_id, "").evidence)
    if event.action == "write_off":
        story.prepared.difference_update((event.what, node) for node in event.nodes)


def _on_prepared(story: Story, _at: str, event: Prepared) -> None:
    story.prepared.update((event.what, node) for node in event.nodes)


def _on_restored(story: Story, _at: str, event: Restored) -> None:
    story.prepared.difference_update((event.what, node) for node in event.nodes)


def _on_finished(story: Story, at: str, event: RolloutFinished) -> None:
    story.finished, story.finished_at = event, at


_HANDLERS: Mapping[type[Event], Callable[[Story, str, Any], None]] = {
    RolloutStarted: _on_started,
    Resumed: _on_resumed,
    TakenUp: _on_taken_up,
    Approved: _on_approved,
    WaveStarted: _on_wave_started,
    WaveFinished: _on_wave_finished,
    Claimed: _on_claimed,
    Intent: _on_intent,
    Sent: _on_sent,
    Outcome: _on_outcome,
    Prepared: _on_prepared,
    Restored: _on_restored,
    GateJudged: _on_gate,
    Decision: _on_decision,
    RolloutFinished: _on_finished,
}


def read_story(records: Iterable[Record]) -> tuple[Story, str]:
    """Fold a journal and check its chain on the way.

    A broken chain or a malformed record does not end the fold: a report must be able to tell about it.

    :returns: the story, and what is wrong with the journal ("" if nothing is).
    :raises OtherSchema: another version wrote it.
    """
    story, source = Story(), iter(records)

    def told() -> Iterator[Record]:
        for record in source:
            story.add(record)
            yield record

    try:
        verify(told())
    except JournalError as error:
        for record in source:
            story.add(record)
        return story, str(error)
    return story, story.malformed
