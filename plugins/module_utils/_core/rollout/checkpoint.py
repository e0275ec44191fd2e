# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A checkpoint: the state after the first records of a journal, so that a later task need not fold them again. Pure.

It is a cache. A reader uses it only with the same code and plan, and only if the journal still begins with exactly the
bytes that were folded; otherwise it folds the journal from its start.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..events import GateJudged
from .journal_head import Head
from .state import NodeState, OpenIntent, Rollout, WaveState, initial

SCHEMA = "patchtide/journal-checkpoint/1"
_PLAIN = ("announced", "status", "finished", "controller", "epoch", "bundle_version", "policy_digest")
_OF_WAVE = ("status", "worked_at", "problems", "promoted_by")
_OF_NODE = ("turn", "stage", "token", "attempts", "retried", "results", "earlier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A state and where it stands in the journal.

    :param head: the last folded record. :param digest: SHA-256 of the journal's bytes up to its end.
    :param origin: hash of the first record. :param last_at: time of the last record.
    """

    state: Rollout
    head: Head
    digest: str
    origin: str
    last_at: str


def to_text(found: Checkpoint, code: str) -> str:
    """Return two lines of JSON: what the state belongs to, and the state.

    :param code: identifies the code that folded it.
    """
    state = json.dumps(_state_to_data(found.state), separators=(",", ":"))
    about = {
        "schema": SCHEMA,
        "code": code,
        "plan": found.state.plan["digest"],
        "state": hashlib.sha256(state.encode()).hexdigest(),
        "head": asdict(found.head),
        "digest": found.digest,
        "origin": found.origin,
        "last_at": found.last_at,
    }
    return f"{json.dumps(about, sort_keys=True)}\n{state}\n"


def from_text(text: str, plan: Mapping[str, Any], code: str) -> Checkpoint | None:
    """The reverse of ``to_text``; ``None`` if it is damaged, or of another plan or code."""
    first, _newline, rest = text.partition("\n")
    try:
        about, state = json.loads(first), rest.removesuffix("\n")
        found = tuple(about[name] for name in ("schema", "code", "plan", "state"))
        if found != (SCHEMA, code, plan["digest"], hashlib.sha256(state.encode()).hexdigest()):
            return None
        return Checkpoint(
            state=_state_from_data(plan, json.loads(state)),
            head=Head(**about["head"]),
            digest=about["digest"],
            origin=about["origin"],
            last_at=about["last_at"],
        )
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


def _state_to_data(state: Rollout) -> dict[str, Any]:
    return {
        **{name: getattr(state, name) for name in _PLAIN},
        "approved": sorted(state.approved),
        "intents": [asdict(intent) for intent in state.intents.values()],
        "prepared": [[wave, what, nodes] for (wave, what), nodes in state.prepared.items()],
        "waves": {name: _wave_to_data(wave) for name, wave in state.waves.items()},
        "nodes": {key: [getattr(node, name) for name in _OF_NODE] for key, node in state.nodes.items()},
    }


def _wave_to_data(wave: WaveState) -> dict[str, Any]:
    gate = wave.gate.to_data() if wave.gate else None
    more = {"claimed": sorted(wave.claimed), "run_now": wave.run_now, "gate": gate}
    return {**{name: getattr(wave, name) for name in _OF_WAVE}, **more}


def _state_from_data(plan: Mapping[str, Any], data: Mapping[str, Any]) -> Rollout:
    state = initial(plan)
    for name in _PLAIN:
        setattr(state, name, data[name])
    state.approved = set(data["approved"])
    for item in data["intents"]:
        sent = tuple(item["sent"]) if item["sent"] else None
        state.intents[item["token"]] = OpenIntent(**{**item, "nodes": tuple(item["nodes"]), "sent": sent})
    state.prepared = {(wave, what): nodes for wave, what, nodes in data["prepared"]}
    for name, wave in state.waves.items():
        _fill_wave(wave, data["waves"][name])
    for key, node in state.nodes.items():
        state.nodes[key] = NodeState(node.wave, *data["nodes"][key])
    return state


def _fill_wave(wave: WaveState, data: Mapping[str, Any]) -> None:
    for name in _OF_WAVE:
        setattr(wave, name, data[name])
    wave.claimed = frozenset(data["claimed"])
    wave.run_now = (data["run_now"][0], data["run_now"][1]) if data["run_now"] else None
    wave.gate = GateJudged.from_data(data["gate"]) if data["gate"] else None
