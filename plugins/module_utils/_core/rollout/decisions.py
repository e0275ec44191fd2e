# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may decide about a rollout, which nodes it affects, and which decisions are refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import BadInput, PatchtideError
from ..model import Status
from ..text import LISTED
from .catch_up import is_missed
from .nights import has_windows
from .state import DONE, NodeState, Rollout, WaveState

#: Decisions about the whole rollout.
WHOLE = ("abort", "accept_policy")
#: Code of the final record of a node that a person skipped.
SKIPPED = "skipped_by_decision"


class DecisionRefused(PatchtideError):
    """The decision would have no effect in the rollout's present state, or must not have it."""

    code = "DecisionRefused"


@dataclass(frozen=True, slots=True)
class Choice:
    """A decision. ``nodes``: the nodes it names, none for all that it can affect; ``what``: a preparation."""

    action: str
    wave: str = ""
    nodes: tuple[str, ...] = ()
    what: str = ""


#: IDs of the nodes that a choice names or implies; none where it is about a whole wave or rollout.
Nodes = tuple[str, ...]


def affected_by(state: Rollout, choice: Choice) -> Nodes:
    """Return the nodes that a choice affects.

    An identical decision has no effect the second time and is refused as well, before anybody signs it again.

    :raises BadInput: the plan has no such wave, or a named node is not in it.
    :raises DecisionRefused: it would have no effect.
    """
    if choice.wave or choice.action not in WHOLE:
        _check_members(state, choice)
    if state.status == "new":
        raise _refused(choice, "the rollout has not started")
    if choice.action != "abort":
        _check_status(state, choice)
    return _RULES[choice.action](state, choice)


def _check_members(state: Rollout, choice: Choice) -> None:
    if choice.wave not in state.waves:
        raise BadInput("wave", choice.wave, f"a wave of the plan: {', '.join(state.waves)}")
    members = frozenset(state.waves[choice.wave].nodes)
    for node in choice.nodes:
        if node not in members and choice.action != "write_off":  # which also allows the wave's own "*"
            raise BadInput("nodes", node, f"ids of nodes of wave {choice.wave}")


def _check_status(state: Rollout, choice: Choice) -> None:
    """A finished rollout does not change; an aborted one only continues to restore."""
    if state.status == "aborted" and (state.finished or choice.action != "write_off"):
        raise _refused(choice, "the rollout is aborted, and that is final. Make a new plan")
    if state.finished and choice.action in ("retry", "write_off", "accept_policy", "run_now"):
        raise _refused(choice, f"the rollout is {state.status}. Make a new plan")


def _abort(state: Rollout, choice: Choice) -> Nodes:
    if state.status == "aborted":
        if wave := next((item for item in state.waves.values() if _verdict(item) == "abort"), None):
            raise _refused(choice, f"the gate of wave {wave.name} has aborted the rollout")
        raise _refused(choice, "the rollout is aborted already")
    if state.finished:
        raise _refused(choice, f"the rollout is {state.status}")
    return ()


def _promote(state: Rollout, choice: Choice) -> Nodes:
    wave = state.waves[choice.wave]
    if wave.status in ("promoted", "finished"):
        by = wave.promoted_by or f"the gate of wave {wave.name}"
        raise _refused(choice, f"{by} has promoted it already")
    if wave.status != "paused":
        raise _refused(choice, f"wave {wave.name} is {wave.status}, not paused")
    if left := [node for node in wave.nodes if state.nodes[node].stage != DONE]:
        raise _refused(choice, f"wave {wave.name} has nodes without a final record: {_few(left)}. Skip them first")
    return ()


def _retry(state: Rollout, choice: Choice) -> Nodes:
    wave = state.waves[choice.wave]
    if wave.status not in ("running", "paused"):
        raise _refused(choice, f"wave {wave.name} is {wave.status}")
    if choice.nodes:
        _refuse_any(choice, {node: _why_not_retry(state.nodes[node]) for node in choice.nodes})
        return choice.nodes
    found = tuple(node for node in wave.nodes if _ended_badly(state.nodes[node]))
    if not found:
        raise _refused(choice, f"no node of wave {wave.name} has failed or was missed")
    return found


def _skip(state: Rollout, choice: Choice) -> Nodes:
    """Named nodes that are skipped already are left out: a controller may have died while it recorded them."""
    wave = state.waves[choice.wave]
    left = tuple(node for node in choice.nodes or wave.nodes if not _is_skipped(state.nodes[node]))
    if choice.nodes:
        _refuse_any(choice, {node: _why_not_skip(state.nodes[node]) for node in left})
        if not left:
            raise _refused(choice, f"already skipped: {_few(choice.nodes)}")
        return left
    found = tuple(node for node in left if not _why_not_skip(state.nodes[node]))
    if not found:
        busy = any(state.nodes[node].token for node in left)
        why = "what is left of it is being worked on" if busy else "all its nodes have final records"
        raise _refused(choice, f"wave {wave.name} has no node to skip; {why}")
    return found


def _write_off(state: Rollout, choice: Choice) -> Nodes:
    held = state.prepared.get((choice.wave, choice.what), {})
    if not held:
        raise _refused(choice, f"wave {choice.wave} has nothing {choice.what} that must be restored")
    _refuse_any(choice, {node: "" if node in held else f"is not {choice.what}" for node in choice.nodes})
    return choice.nodes or tuple(sorted(held))


def _run_now(state: Rollout, choice: Choice) -> Nodes:
    """Outside its windows, a wave still waits for the gates of earlier ones; freezes and exceptions still apply."""
    wave = state.waves[choice.wave]
    if not has_windows(state, wave.name):
        raise _refused(choice, f"wave {wave.name} has no window and may run at any time")
    if wave.status not in ("waiting", "running"):
        raise _refused(choice, f"wave {wave.name} is {wave.status}")
    for earlier in state.waves.values():
        if earlier.name == wave.name:
            break
        if earlier.status != "finished":
            raise _refused(choice, f"wave {earlier.name} comes first, and it is {earlier.status}")
    return ()


def _accept_policy(state: Rollout, choice: Choice) -> Nodes:
    if choice.what == state.policy_digest:
        raise _refused(choice, "the rollout already runs with this policy")
    if not re.fullmatch("[0-9a-f]{64}", choice.what):
        raise BadInput("policy_digest", choice.what, "the digest of a policy, as policy_info returns it")
    return ()


_RULES: Mapping[str, Callable[[Rollout, Choice], Nodes]] = {
    "promote": _promote,
    "retry": _retry,
    "skip": _skip,
    "write_off": _write_off,
    "accept_policy": _accept_policy,
    "run_now": _run_now,
    "abort": _abort,
}


def _verdict(wave: WaveState) -> str:
    return wave.gate.verdict if wave.gate else ""


def _ended_badly(node: NodeState) -> bool:
    if node.final is None:
        return False
    status = Status(node.final["status"])
    return status.is_failure or status is Status.UNKNOWN or is_missed(node.final)


def _is_skipped(node: NodeState) -> bool:
    return node.final is not None and (node.final.get("error") or {}).get("code") == SKIPPED


def _why_not_retry(node: NodeState) -> str:
    """A named node may also have been skipped."""
    if node.final is None:
        return "has no final record, so the next run works on it anyway"
    return f"has {node.final['status']}" if Status(node.final["status"]).is_good else ""


def _why_not_skip(node: NodeState) -> str:
    if node.final is not None:
        return f"has its final record: {node.final['status']}"
    return "is being worked on" if node.token else ""


def _refuse_any(choice: Choice, whys: Mapping[str, str]) -> None:
    """A decision is carried out exactly as made, or refused."""
    if wrong := [f"{node} {why}" for node, why in whys.items() if why]:
        raise _refused(choice, _few(wrong))


def _few(items: Sequence[str]) -> str:
    more = f" and {len(items) - LISTED} more" if len(items) > LISTED else ""
    return ", ".join(items[:LISTED]) + more


def _refused(choice: Choice, why: str) -> DecisionRefused:
    return DecisionRefused(f"{choice.action} has no effect: {why}.")
