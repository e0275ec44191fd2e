# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the controllers of a split plan share: who runs each child plan, the budgets that it uses, how its waves stand,
and what the gates decided. Pure.

It is one value that conditional writes replace as a whole (``SharedStore``): of two changes at the same time, one is
made after the other. A controller writes with a token, the epoch of its child's journal. Whoever takes a child over has
a higher one, so that a controller that was stopped meanwhile can change nothing when it wakes up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..errors import Conflict, PatchtideError, TakenOver
from ..stamp import from_time, to_time
from .claims import SKEW

#: How long a controller's claim on its child plan lasts. It renews the claim while it works.
LEASE = timedelta(minutes=15)
#: Attempts before a conflict with other controllers is reported.
TRIES = 50
PROMOTE, PAUSE, ABORT = "promote", "pause", "abort"


class ChildIsRun(PatchtideError):
    """Another controller runs the child plan."""

    code = "ChildIsRun"


@dataclass(frozen=True, slots=True)
class Writer:
    """The controller of a child plan. ``token``: the epoch of the child's journal."""

    part: str
    token: int
    holder: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveReport:
    """How a wave of one child stands. ``complete``: each of its nodes has a final record.

    ``tally``: numbers of nodes, the members of ``WaveTally``. ``problems`` and ``differences``: for the gate.
    """

    complete: bool
    tally: Mapping[str, int]
    worked_at: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)
    differences: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PartState:
    """A child plan. ``used``: by budget, its nodes out of service, and how many of them failed."""

    token: int = 0
    holder: str = ""
    until: str = ""
    aborted: str = ""
    used: Mapping[str, Sequence[int]] = field(default_factory=dict)
    waves: Mapping[str, WaveReport] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The last decision on a wave of all children. ``number`` counts the decisions on it; ``by``: a person, or ""."""

    number: int
    verdict: str
    by: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    reasons: Sequence[str] = field(default_factory=list)
    health_checks: Sequence[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """The whole value: children by name, and decisions by wave."""

    parts: Mapping[str, PartState] = field(default_factory=dict)
    gates: Mapping[str, Judgement] = field(default_factory=dict)

    def to_data(self) -> dict[str, Any]:
        """Return plain JSON data."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Shared:
        """The reverse of ``to_data``."""
        parts = {
            name: PartState(**{**row, "waves": {wave: WaveReport(**item) for wave, item in row["waves"].items()}})
            for name, row in data["parts"].items()
        }
        return cls(parts=parts, gates={wave: Judgement(**item) for wave, item in data["gates"].items()})

    @property
    def aborted(self) -> str:
        """Return why no child may begin further work; empty if they may."""
        for name, part in self.parts.items():
            if part.aborted:
                return f"child plan {name} was aborted: {part.aborted}"
        for wave, found in self.gates.items():
            if found.verdict == ABORT:
                return f"the gate of wave {wave} aborted all child plans: {' '.join(found.reasons)}"
        return ""

    def is_promoted(self, wave: str) -> bool:
        """Return whether the wave of all children was promoted."""
        return wave in self.gates and self.gates[wave].verdict == PROMOTE

    def is_alive(self, part: str, now: datetime) -> bool:
        """Return whether a controller holds the child's claim, by every clock."""
        found = self.parts.get(part)
        return found is not None and bool(found.until) and now < from_time(found.until) + SKEW


class SharedStore(Protocol):
    """Keeps the shared value of one split plan for all controllers."""

    def read(self) -> tuple[int, Shared]:
        """Return the version and the value; version 0 and an empty value before the first write."""

    def write(self, shared: Shared, version: int) -> bool:
        """Replace the value if it still has this version; return whether it had."""


def update(store: SharedStore, change: Callable[[Shared], Shared]) -> Shared:
    """Change the value and return it; ``change`` is called again if another controller was first.

    A repeated change must have the effect of one, because the answer to a write can get lost.

    :raises Conflict: others were first too often.
    """
    for _try in range(TRIES):
        version, before = store.read()
        after = change(before)
        if after == before or store.write(after, version):
            return after
    raise Conflict(f"Other controllers changed the state of the split plan {TRIES} times in a row. Run it again.")


def check_free(shared: Shared, part: str, holder: str, now: datetime) -> None:
    """:raises ChildIsRun: another controller's claim on the child has not certainly expired."""
    found = shared.parts.get(part)
    if found and found.holder != holder and shared.is_alive(part, now):
        raise ChildIsRun(
            f"Child plan {part} is run by {found.holder}, whose claim lasts until {found.until}. Wait for its end; if "
            f"that controller is gone, run it again after {to_time(from_time(found.until) + SKEW)}."
        )


def entered(shared: Shared, me: Writer, until: datetime) -> Shared:
    """Return the value with the claim of this controller on its child, taken or renewed.

    :raises TakenOver: another controller has taken the child over.
    """
    found = shared.parts.get(me.part, PartState())
    if (found.token, found.holder) != (me.token, me.holder) and found.token >= me.token:
        raise TakenOver(
            f"Child plan {me.part} is run by {found.holder} now, which continued it while this controller was stopped. "
            "Nothing more is done from here."
        )
    return _with(shared, me.part, replace(found, token=me.token, holder=me.holder, until=to_time(until)))


def left(shared: Shared, me: Writer) -> Shared:
    """Return the value without the controller's claim; what it used and reported remains."""
    found = shared.parts.get(me.part)
    if found is None or (found.token, found.holder) != (me.token, me.holder):
        return shared
    return _with(shared, me.part, replace(found, until=""))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Nodes that a child wants to take down, in order, each with the budgets that it uses.

    :param used: what the child uses without them, see ``PartState``. :param limits: the budgets of the whole plan.
    """

    wanted: Mapping[str, Sequence[str]]
    used: Mapping[str, Sequence[int]]
    limits: Mapping[str, int]


@dataclass(slots=True)
class Answer:
    """Nodes that may be taken down now, and why others must wait for others or never may."""

    granted: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)


def reserved(shared: Shared, me: Writer, ask: Request, now: datetime) -> tuple[Shared, Answer]:
    """Return the value in which the child uses what it asks for, as far as the budgets have room, and the answer.

    A node is refused if only failed nodes and nodes of children without a controller are in its way: nobody is there to
    return them to service. A child that died goes on using its budgets, because nobody knows the state of its nodes.
    """
    others = {name: part for name, part in shared.parts.items() if name != me.part}
    mine = {scope: list(numbers) for scope, numbers in ask.used.items()}
    answer = Answer()
    for node, scopes in ask.wanted.items():
        full = [scope for scope in scopes if scope in ask.limits and _total(others, mine, scope) >= ask.limits[scope]]
        if not full:
            answer.granted.append(node)
            for scope in scopes:
                if scope in ask.limits:
                    mine.setdefault(scope, [0, 0])[0] += 1
        else:
            scope = full[0]
            used, limit = _total(others, mine, scope), ask.limits[scope]
            why = f"{scope}: {used} nodes of all child plans are out of service, the limit is {limit}"
            hopeless = any(_stuck(shared, others, mine, scope, now) >= ask.limits[scope] for scope in full)
            (answer.refused if hopeless else answer.waiting)[node] = why
    found = shared.parts[me.part]
    return _with(shared, me.part, replace(found, used={key: mine[key] for key in sorted(mine)})), answer


def _total(others: Mapping[str, PartState], mine: Mapping[str, Sequence[int]], scope: str) -> int:
    return mine.get(scope, (0, 0))[0] + sum(part.used.get(scope, (0, 0))[0] for part in others.values())


def _stuck(
    shared: Shared, others: Mapping[str, PartState], mine: Mapping[str, Sequence[int]], scope: str, now: datetime
) -> int:
    """Return how many nodes of a budget nobody returns to service: failed ones, and all of children that died."""
    return mine.get(scope, (0, 0))[1] + sum(
        part.used.get(scope, (0, 0))[1 if shared.is_alive(name, now) else 0] for name, part in others.items()
    )


def reported(shared: Shared, me: Writer, wave: str, report: WaveReport) -> Shared:
    """Return the value with how a wave of the child stands."""
    found = shared.parts[me.part]
    return _with(shared, me.part, replace(found, waves={**found.waves, wave: report}))


def lacking(shared: Shared, wave: str, sizes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """Return the children with nodes in a wave that have not reported all of them. A child that died is one of them.

    :param sizes: the number of nodes by child and wave, from the plan.
    """
    return [name for name, counts in sizes.items() if counts.get(wave) and not _is_complete(shared, name, wave, counts)]


def _is_complete(shared: Shared, part: str, wave: str, counts: Mapping[str, int]) -> bool:
    found = shared.parts.get(part, PartState()).waves.get(wave)
    return found is not None and found.complete and found.tally.get("total") == counts[wave]


def judged(shared: Shared, wave: str, found: Judgement) -> Shared:
    """Return the value with a decision on a wave, unless another controller decided since (its ``number`` is taken).

    A promotion or an abort is never replaced.
    """
    before = shared.gates.get(wave)
    if before and (before.verdict != PAUSE or found.number != before.number + 1):
        return shared
    return replace(shared, gates={**shared.gates, wave: found})


def aborting(shared: Shared, part: str, why: str) -> Shared:
    """Return the value in which a child is aborted, which aborts all."""
    found = shared.parts.get(part, PartState())
    return shared if found.aborted else _with(shared, part, replace(found, aborted=why))


def without_controller(shared: Shared, names: Iterable[str], now: datetime) -> list[str]:
    """Return the children among these that no controller runs."""
    return [name for name in names if not shared.is_alive(name, now)]


def _with(shared: Shared, name: str, part: PartState) -> Shared:
    return replace(shared, parts={**shared.parts, name: part})
