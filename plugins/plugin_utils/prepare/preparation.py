# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rollout prepares and restores nodes: recorded before it is done and after it is undone, despite crashes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, ClassVar, TypeVar

from ...module_utils._ansible.clock import is_rehearsal
from ...module_utils._aws.session import each_place
from ...module_utils._core.azure_ids import in_azure
from ...module_utils._core.events import Outcome, Prepared, Restored
from ...module_utils._core.model import Status, place_label
from ...module_utils._core.rollout.catch_up import PREFIX
from ...module_utils._core.rollout.earlier import with_earlier
from ...module_utils._core.rollout.state import DONE, WHOLE_WAVE, current_turn
from ...module_utils._core.stamp import to_time
from ...module_utils._core.text import plain
from ...module_utils._core.work.final_record import lost_record
from ..aws_options import accounts_of, node_places, to_sessions
from ..azure_login import env_tenants
from ..progress import LIFE_SECONDS
from ..rollout.folder import RolloutDir
from .places import Clouds, PlacePorts

LISTED = 8
K = TypeVar("K")
T = TypeVar("T")
Details = Mapping[str, Any]
#: node id to why something could not be done
Reasons = dict[str, str]


#: The steps of a preparation: yields blocking calls, receives their answers, returns its result.
Step = Generator[Callable[[], Any], Any, T]


class Preparer:
    """One kind of preparation and how to undo it. Every step must be repeatable: it is repeated after a crash."""

    what: ClassVar[str]
    #: code of the final record of a node that could not be prepared
    missed: ClassVar[str] = ""

    def __init__(
        self,
        rollout: RolloutDir,
        wave: str,
        options: Mapping[str, Any],
        say: Callable[[str], None],
        clouds: Clouds | None = None,
    ) -> None:
        self.rollout = rollout
        self.wave = wave
        self.options = options
        self.say = say
        self.clouds = clouds or open_clouds(options, rollout)
        #: Nodes that an earlier run announced and may have done.
        self.held: frozenset[str] = frozenset()
        #: Called with nodes that are ready while others are not.
        self.ready: Callable[[Iterable[str]], None] = lambda nodes: None

    def wanted(self) -> list[str]:
        """Return the nodes to prepare now."""
        raise NotImplementedError

    def look(self, nodes: Sequence[str]) -> dict[str, Details]:
        """Return the nodes that need it, with the data that restoring will need. Changes nothing."""
        return {node: {} for node in nodes}

    def prepare(self, nodes: Mapping[str, Details]) -> Reasons:
        """Prepare nodes; return why some could not be prepared."""
        return {}

    def restore(self, nodes: Mapping[str, Details]) -> tuple[Reasons, Reasons]:
        """Restore nodes; return (nodes that are restored but not in service, nodes that could not be restored)."""
        return {}, {}

    def at_places(self, nodes: Iterable[str], work: Callable[[PlacePorts, list[str]], T]) -> tuple[list[T], Reasons]:
        """Call every place with nodes concurrently; return the answers, and the consequences of a place's failure."""
        planned = [self.rollout.nodes[node_id] for node_id in sorted(nodes)]
        if not planned:
            return [], {}
        members: dict[str, list[str]] = {}
        for node in planned:
            members.setdefault(place_label(node["account"], node["region"]), []).append(node["node_id"])
        azure = {place_label(node["account"], node["region"]) for node in planned if in_azure(node["node_id"])}
        places = node_places([(node["account"], node["region"]) for node in planned], accounts_of(self.options))
        outcomes = each_place(
            places, lambda place: work(self.clouds.ports(place, azure=place.label in azure), members[place.label])
        )
        failed = {node: str(error) for place, _answer, error in outcomes if error for node in members[place.label]}
        return [answer for _place, answer, error in outcomes if not error and answer is not None], failed

    def on_each(self, nodes: Iterable[str], work: Callable[[PlacePorts, list[str]], Reasons]) -> Reasons:
        """Like ``at_places``, for work that itself returns reasons."""
        answers, failed = self.at_places(nodes, work)
        return {**failed, **merged(answers)}

    def until(
        self, minutes: float, missing: Callable[[], Mapping[str, str]], title: str, nodes: Iterable[str] = ()
    ) -> Reasons:
        """Ask repeatedly until nothing is missing or the time has passed; return what is still missing.

        :param nodes: those that are not missing are ready, and need not wait for the others.
        """
        clock = self.rollout.clock
        deadline = clock.now().timestamp() + minutes * 60
        while (left := dict(missing())) and clock.now().timestamp() < deadline:
            self.ready([node for node in nodes if node not in left])
            self.say(f"{self.wave} {title}: {len(left)} left")
            poll = float(self.options.get("poll_interval") or 15)
            clock.sleep(poll if is_rehearsal() else min(poll, LIFE_SECONDS))
        return left


def merged(parts: Iterable[Mapping[K, T]]) -> dict[K, T]:
    """Merge the answers of several places."""
    return {key: value for part in parts for key, value in part.items()}


def open_clouds(options: Mapping[str, Any], rollout: RolloutDir) -> Clouds:
    """Return the ports of the clouds by the options of the task, and by the environment for Azure."""
    return Clouds(cache(lambda: to_sessions(options, rollout.plan["rollout"])), cache(env_tenants))


def at_work(rollout: RolloutDir, wave: str) -> list[str]:
    """Return the nodes of the wave's current turn that passed the guards and have not finished their work."""
    turn, states = current_turn(rollout.state, wave), rollout.state.nodes
    return [
        node
        for node in rollout.state.waves[wave].nodes
        if states[node].turn == turn and states[node].stage in ("patch", "reboot", "scan")
    ]


def preparing(preparer: Preparer, nodes: Sequence[str]) -> Step[list[str]]:
    """Record the intent, prepare nodes, and give those that could not be prepared their final record.

    The calls it yields block and touch no state; everything else belongs in the thread that writes the journal. What
    an earlier run recorded and may not have done is done again. Returns the prepared nodes.
    """
    found = yield from announcing(preparer, nodes)
    refused = yield from carrying_out(preparer, found)
    return sorted({*found} - {*refused})


def announcing(preparer: Preparer, nodes: Sequence[str]) -> Step[dict[str, Details]]:
    """Record the intent; return the nodes that need it, with the data that restoring will need."""
    open_now = open_preparations(preparer)
    held = {node: details for node, details in open_now.items() if node in nodes}
    new = [node for node in nodes if node not in open_now]
    preparer.held = frozenset(held)
    fresh = dict((yield lambda: preparer.look(new))) if new else {}
    if fresh:
        preparer.rollout.record(
            Prepared(wave=preparer.wave, what=preparer.what, nodes=tuple(sorted(fresh)), details=fresh)
        )
    return {**held, **fresh}


def carrying_out(preparer: Preparer, nodes: Mapping[str, Details]) -> Step[Reasons]:
    """Prepare nodes, and give those that could not be prepared their final record; return these."""
    rollout, wave = preparer.rollout, preparer.wave
    rollout.confirm()
    refused: Reasons = (yield lambda: preparer.prepare(nodes)) if nodes else {}
    tell(preparer, refused, f"not {preparer.what}")
    if refused and preparer.missed:
        at = to_time(rollout.clock.now())
        code = f"{PREFIX}{preparer.missed}"
        results = tuple(
            with_earlier(
                rollout.state.nodes[node],
                lost_record(rollout.nodes[node], Status.SKIPPED, code, why, at).to_dict(),
            )
            for node, why in sorted(refused.items())
        )
        rollout.record(Outcome(wave=wave, stage="verify", results=results))
    return refused


def restoring(preparer: Preparer, nodes: Sequence[str]) -> Step[Reasons]:
    """Restore nodes, record it, and return those that failed; the calls it yields block, as in ``preparing``."""
    rollout = preparer.rollout
    rollout.confirm()
    known = rollout.state.prepared[preparer.wave, preparer.what]
    answer: tuple[Reasons, Reasons] = yield lambda: preparer.restore({node: known[node] for node in nodes})
    problems, left = answer
    restored = [node for node in nodes if node not in left]
    if restored:
        rollout.record(Restored(wave=preparer.wave, what=preparer.what, nodes=tuple(restored), problems=problems))
    tell(preparer, problems, "not in service")
    tell(preparer, left, f"still {preparer.what}")
    return left


def at_once(steps: Step[T]) -> T:
    """Carry out the steps of a preparation in this thread."""
    try:
        call = next(steps)
        while True:
            call = steps.send(call())
    except StopIteration as end:
        value: T = end.value
        return value


def open_preparations(preparer: Preparer) -> dict[str, Details]:
    """Return the preparations of nodes that have not finished yet."""
    rollout = preparer.rollout
    known = rollout.state.prepared.get((preparer.wave, preparer.what), {})
    return {
        node: details
        for node, details in known.items()
        if node == WHOLE_WAVE or rollout.state.nodes[node].stage != DONE
    }


def tell(preparer: Preparer, reasons: Mapping[str, str], word: str) -> None:
    """Name the first nodes and why."""
    for node, why in sorted(reasons.items())[:LISTED]:
        name = preparer.rollout.nodes[node]["name"] if node in preparer.rollout.nodes else ""
        preparer.say(f"  {plain(name or node)}: {word}: {plain(why)}")
    if len(reasons) > LISTED:
        preparer.say(f"  and {len(reasons) - LISTED} more; all are in the journal and in the report")
