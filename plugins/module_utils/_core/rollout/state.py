# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a rollout: values only, made from a plan and changed only by ``machine.apply``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from ..events import GateJudged
from ..model import Status
from ..plan.rules import PlanRules

#: Stages that a node passes through in its wave, in order. ``done`` is not a stage but the end.
STAGES = ("precheck", "patch", "reboot", "scan", "verify")
DONE = "done"
#: Preparations in the order in which they are restored: service to users first, power last.
PREPARATIONS = ("drained", "nodes_hook", "patch_now", "wave_hook", "promoted", "started")
#: Represents the wave itself among prepared nodes.
WHOLE_WAVE = "*"
#: Status of an intent that certainly never began: the node is still due for the stage.
NOT_BEGUN = "not_begun"
#: After these statuses no further stage can run on a node, so its final record comes next.
LOST = frozenset({Status.UNREACHABLE.value, Status.CANCELLED.value, Status.SKIPPED.value})
#: Members of results that are lists of rows, which many nodes have in common.
_ROWS = ("arrived", "changes", "differences")


@dataclass(slots=True)
class NodeState:
    """The state of one node. ``token`` names an intent whose outcome is not known yet.

    ``retried`` counts further attempts by ``stage/class of failure``. ``earlier``: ``status``, ``code`` and ``text`` of
    the final record that it had before it was taken up again, if work may have run on it then.
    """

    wave: str
    turn: int = 1
    stage: str = STAGES[0]
    token: str | None = None
    attempts: Mapping[str, int] = field(default_factory=dict)
    retried: Mapping[str, int] = field(default_factory=dict)
    results: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    earlier: Mapping[str, str] = field(default_factory=dict)

    @property
    def final(self) -> Mapping[str, Any] | None:
        """Its final record, once it has one."""
        return self.results.get("verify") if self.stage == DONE else None


@dataclass(slots=True)
class WaveState:
    """``waiting``, ``running``, ``paused``, ``aborted``, ``promoted`` or ``finished``; and its last gate.

    ``worked_at``: when its last outcome was recorded, which starts the soak time. ``problems``: nodes that were
    restored but did not return to service, with their state. ``promoted_by``: the person who promoted it.
    ``run_now``: the period in which it may run outside its windows, by a person's decision.
    """

    name: str
    nodes: tuple[str, ...]
    status: str = "waiting"
    claimed: frozenset[str] = frozenset()
    gate: GateJudged | None = None
    worked_at: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    turns: int = 1
    promoted_by: str = ""
    run_now: tuple[str, str] | None = None


@dataclass(slots=True)
class OpenIntent:
    """An intent whose outcomes are not all recorded; ``nodes`` are those that lack one.

    ``at``: its work did not begin before this time. ``sent``: place label and command ID, once it was accepted, and
    ``sent_at``: when this became known.
    """

    wave: str
    stage: str
    attempt: int
    token: str
    nodes: tuple[str, ...]
    at: str
    sent: tuple[str, str] | None = None
    sent_at: str = ""
    snapshot_id: str = ""


@dataclass(slots=True)
class Rollout:
    """The whole state. ``status``: ``new``, ``running``, ``paused``, ``aborted`` or ``completed``.

    ``announced`` counts the intents of each ``wave/stage``, so that a token is never reused. ``prepared``: by wave and
    kind, the nodes to restore, with the data that this needs. ``planned``: the plan's nodes by ID; ``rules``: the
    rules that the plan has frozen besides its waves.
    """

    plan: Mapping[str, Any]
    waves: dict[str, WaveState]
    nodes: dict[str, NodeState]
    planned: Mapping[str, Mapping[str, Any]]
    rules: PlanRules
    intents: dict[str, OpenIntent] = field(default_factory=dict)
    announced: dict[str, int] = field(default_factory=dict)
    prepared: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = field(default_factory=dict)
    status: str = "new"
    finished: bool = False
    #: Who runs it, by the last start or resume, and the number of runs. A controller that finds a later epoch than
    #: its own has been replaced and must not do anything more.
    controller: str = ""
    epoch: int = 0
    #: The newest trust bundle by which it was approved; 0 if approvals are not verified.
    bundle_version: int = 0
    #: Waves that this bundle's people approve of.
    approved: set[str] = field(default_factory=set)
    #: Digest of the policy that runs use: the one of the start, or one that a person accepted later.
    policy_digest: str = ""

    def wave_of(self, node_id: str) -> Mapping[str, Any]:
        """Return the plan's wave of a node."""
        name = self.nodes[node_id].wave
        return next(wave for wave in self.plan["waves"] if wave["name"] == name)

    def retries(self, failure: str) -> int:
        """Return how many more attempts the plan allows a node for a class of failure."""
        return int(getattr(self.rules.retries, failure, 0))


def initial(plan: Mapping[str, Any]) -> Rollout:
    """Return the state before the first event."""
    waves = {
        wave["name"]: WaveState(
            wave["name"], tuple(node["node_id"] for node in wave["nodes"]), turns=wave.get("turns", 1)
        )
        for wave in plan["waves"]
    }
    nodes = {
        node["node_id"]: NodeState(wave["name"], turn=node.get("turn", 1))
        for wave in plan["waves"]
        for node in wave["nodes"]
    }
    planned = {node["node_id"]: node for wave in plan["waves"] for node in wave["nodes"]}
    return Rollout(plan=plan, waves=waves, nodes=nodes, planned=planned, rules=PlanRules.of(plan))


def current_turn(state: Rollout, wave: str) -> int:
    """Return the first turn of a wave that has nodes without a final record; after all of them, the last one."""
    found = state.waves[wave]
    if found.turns == 1:
        return 1
    open_nodes = (node for node_id in found.nodes if (node := state.nodes[node_id]).stage != DONE)
    return min((node.turn for node in open_nodes), default=found.turns)


def due_nodes(state: Rollout, wave: str, stage: str) -> list[str]:
    """Return the nodes of a wave's current turn whose next step is ``stage`` and which have no open intent."""
    turn = current_turn(state, wave)
    return [
        node_id
        for node_id in state.waves[wave].nodes
        if (node := state.nodes[node_id]).stage == stage and node.token is None and node.turn == turn
    ]


def final_results(state: Rollout, waves: Sequence[str] | None = None) -> list[Mapping[str, Any]]:
    """Return the final records of all nodes, or of some waves, that have one."""
    return [
        node.final for node in state.nodes.values() if node.final is not None and (waves is None or node.wave in waves)
    ]


def next_stage(stage: str, result: Mapping[str, Any]) -> str:
    """Return what follows a stage. A node that was skipped or lost gets its final record next; ``next_round`` of a
    scan names what can be installed only now, after the reboot."""
    if stage == "verify":
        return DONE
    if result.get("outcome") == "skip" or result.get("status") in LOST:
        return "verify"
    if result.get("status") in (Status.TIMED_OUT.value, Status.UNKNOWN.value):
        return "scan" if stage in ("patch", "reboot") else "verify"
    if stage == "scan" and result.get("next_round"):
        return "patch"
    return STAGES[STAGES.index(stage) + 1]


def failure_class(stage: str, result: Mapping[str, Any]) -> str:
    """Return why another attempt could help: ``delivery`` (the node was not reached, nothing ran), ``execution`` (the
    install ran and failed), or ``none``. A hang is neither: the scan shows what it left behind."""
    if stage == "verify" or result.get("no_retry"):
        return "none"
    if result.get("status") == Status.UNREACHABLE.value:
        return "delivery"
    return "execution" if stage == "patch" and result.get("status") == Status.FAILED.value else "none"


def kept(result: Mapping[str, Any], *, ran_before: bool = False) -> Mapping[str, Any]:
    """Return what the state keeps of a stage's result: passed checks of a pre-check stay in the journal only, and equal
    rows are one object, because thousands of nodes install the same packages in a night.

    :param ran_before: an earlier attempt of the stage ran on the node, even if nothing ran in this one.
    """
    found = {**result, "ran_before": True} if ran_before else dict(result)
    if result.get("outcome") == "pass" and not ran_before:
        found.pop("findings", None)
    for name in _ROWS:
        if isinstance(rows := found.get(name), list):
            found[name] = [_shared(row) for row in rows]
    return found


def _shared(row: Any) -> Any:
    is_of_text = isinstance(row, dict) and all(isinstance(value, str) for value in row.values())
    return _of_members(tuple(row.items())) if is_of_text else row


@lru_cache(maxsize=10_000)
def _of_members(members: tuple[tuple[str, str], ...]) -> Mapping[str, str]:
    return dict(members)
