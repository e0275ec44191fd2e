# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout's claims on its nodes: taken before a wave begins, released when the rollout is finished."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from ...module_utils._core.model import Status
from ...module_utils._core.rollout.claims import Claim, refused
from ...module_utils._core.rollout.earlier import with_earlier
from ...module_utils._core.rollout.nights import night_time, open_nights
from ...module_utils._core.rollout.state import DONE, STAGES
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.final_record import lost_record
from .folder import RolloutDir

#: Duration of a claim on a node of a wave without a window.
WITHOUT_WINDOW = timedelta(hours=24)


def take(rollout: RolloutDir, wave: str) -> list[dict[str, Any]]:
    """Claim or renew the unfinished nodes of a wave; return final records for the nodes that others hold.

    A node with running work is not abandoned: the rollout waits for its outcome, even if another one claims it.
    """
    states = rollout.state.nodes
    return [_given_up(rollout, item) for item in _ask(rollout, wave) if not states[item.node_id].token]


def held_elsewhere(rollout: RolloutDir, wave: str) -> dict[str, str]:
    """Renew the claims on a wave's unfinished nodes; return the nodes that others hold by now, and who. Blocks."""
    return {item.node_id: _holder(item) for item in _ask(rollout, wave)}


def _ask(rollout: RolloutDir, wave: str) -> list[Claim]:
    """Claim the unfinished nodes; return the claims of others that prevent it."""
    store = rollout.stores.open_claims()
    if store is None:
        return []
    now, state = rollout.clock.now(), rollout.state
    nights = [time for number in open_nights(state, wave) if (time := night_time(state, wave, number, now))]
    end = max((time.at_hand.end for time in nights), default=now + WITHOUT_WINDOW)
    left = [node for node in state.waves[wave].nodes if state.nodes[node].stage != DONE]
    answer = store.claim(
        left,
        owner=owner(rollout),
        window=f"{nights[0].window} {to_time(nights[0].at_hand.start)}" if nights else "",
        until=max(end, now),
        now=now,
    )
    return refused(answer, owner(rollout))


def _holder(held: Claim) -> str:
    window = f" for {held.window}" if held.window else ""
    return f"{held.owner} holds it{window} until {to_time(held.until)}"


def _given_up(rollout: RolloutDir, held: Claim) -> dict[str, Any]:
    untouched = rollout.state.nodes[held.node_id].stage == STAGES[0]
    status = Status.SKIPPED if untouched else Status.FAILED
    at = to_time(rollout.clock.now())
    record = lost_record(rollout.nodes[held.node_id], status, "claimed_elsewhere", _holder(held), at).to_dict()
    return dict(with_earlier(rollout.state.nodes[held.node_id], record))


def give_up(rollout: RolloutDir) -> None:
    """Release all nodes of a rollout."""
    store = rollout.stores.open_claims()
    nodes: Sequence[str] = list(rollout.nodes)
    if store is not None:
        store.release(nodes, owner=owner(rollout))


def owner(rollout: RolloutDir) -> str:
    """Name the rollout as others see it in a claim: the plan, and which run of it."""
    return f"rollout {rollout.plan['rollout']}/{rollout.origin[:8]}"
