# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The timeline of a plan: when each wave may begin, in which nights its nodes are patched, and when it ends. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..nodes import Candidate, matches
from ..policy.values import BY_TAG, Policy, Wave
from ..stamp import to_time
from ..times.calendars import Calendar, freeze_during
from ..times.occurrences import MaintenanceWindow, local_span, occurrence_data
from ..times.schedule import Occurrence, to_zone
from .capacity import at_once, plan_capacity, wave_capacity
from .nights import Moved, Night, Placement, SubWave, place
from .node_windows import NO_NIGHT, Choice, WindowChoice

Span = tuple[datetime, datetime]
#: Code of nodes whose windows are frozen until the plan ends.
FROZEN = "freeze"


@dataclass(slots=True, kw_only=True)
class WaveTime:
    """A wave's place in the timeline. ``nights`` is empty if the wave has no window."""

    order: int
    ready: datetime
    ends: datetime
    turns: Mapping[str, int]
    nights: Sequence[Night] = ()
    moved: Sequence[Moved] = ()
    lanes: int = 0
    needed: int = 0
    left_out: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    notes: Sequence[str] = ()


class Timeline:
    """Assigns times to the waves, one after the other.

    :param now: when the plan is made. :param calendars: freezes, known for all of ``spans``.
    """

    def __init__(self, policy: Policy, now: datetime, calendars: Sequence[Calendar] = ()) -> None:
        self._policy, self._now, self._calendars = policy, now, calendars
        self.until = valid_until(policy, now)
        self._choice = WindowChoice(policy)
        self._open: dict[str, list[Occurrence]] = {}
        self._used: dict[str, MaintenanceWindow] = {}
        self._ready, self._waits_for = now, ""

    def spans(self, nodes: Sequence[Candidate]) -> list[Span]:
        """Return the periods for which freezes must be known: every occurrence that a node could get."""
        found = set()
        for wave in self._policy.waves:
            if wave.window is None:
                found.add((self._now, self._now + timedelta(minutes=1)))
            for window in self._windows(wave, nodes):
                found |= {(item.start, item.end) for item in window.whole(self._now, self.until)}
        return sorted(found)

    def _windows(self, wave: Wave, nodes: Sequence[Candidate]) -> Iterator[MaintenanceWindow]:
        if wave.window not in (None, BY_TAG):
            yield self._choice.named(str(wave.window))
            return
        found = {
            choice.name: choice
            for node in nodes
            if isinstance(choice := self._choice.of(node, wave), MaintenanceWindow)
        }
        yield from found.values()

    def choice(self, node: Candidate, wave: Wave) -> Choice:
        """Return a node's window in a wave."""
        return self._choice.of(node, wave)

    def first_span(self, node: Candidate, wave: Wave) -> Span:
        """Return the period in which a node would be patched if its wave came next; this moment without a window."""
        choice = self._choice.of(node, wave)
        if isinstance(choice, MaintenanceWindow):
            for item in self._occurrences(choice):
                if item.cutoff_at > self._ready:
                    return item.start, item.end
        return self._ready, self._ready + timedelta(minutes=1)

    def place(
        self, order: int, wave: Wave, members: Sequence[Candidate], assign: Callable[..., dict[str, int]]
    ) -> WaveTime:
        """Assign a time to a wave; the next wave waits for its end.

        :param members: nodes whose window is readable or not needed.
        :param assign: ``Turns.assign``.
        """
        by_id = {node.node_id: node for node in members}
        minutes = {node.node_id: self._policy.patching.expected_minutes.of(node.platform) for node in members}
        windows = self._sort(wave, members)
        limit = self._policy.patching.max_concurrency

        def turns(nodes: Sequence[str]) -> dict[str, int]:
            return assign([by_id[node] for node in nodes], wave.order)

        def lanes(nodes: Sequence[str]) -> int | str | None:
            return at_once([by_id[node] for node in nodes], limit)

        if windows:
            parts = [self._part(window, nodes) for window, nodes in windows]
            found = place(
                parts,
                self._ready,
                minutes,
                turns,
                lanes,
                ranks=_ranks(members, wave),
                waits_for=self._waits_for,
            )
            time = self._wave_time(order, found)
            home = {node: part for part in parts for node in part.nodes}
            time.left_out = {node: self._why_left_out(why, home[node]) for node, why in found.left_out.items()}
            frozen = dict.fromkeys(why for code, why in time.left_out.values() if code == FROZEN)
            time.notes = [*frozen, *time.notes]
        else:
            time = self._without_window(order, list(by_id), minutes, turns, lanes)
        self._advance(wave, time)
        return time

    def _sort(self, wave: Wave, members: Sequence[Candidate]) -> list[tuple[MaintenanceWindow, list[str]]]:
        """Return the nodes of each window."""
        windows: dict[str, tuple[MaintenanceWindow, list[str]]] = {}
        for node in members:
            choice = self._choice.of(node, wave)
            if isinstance(choice, MaintenanceWindow):
                windows.setdefault(choice.name, (choice, []))[1].append(node.node_id)
        return [windows[name] for name in sorted(windows)]

    def _part(self, window: MaintenanceWindow, nodes: Sequence[str]) -> SubWave:
        return SubWave(
            window=window.name,
            nodes=tuple(nodes),
            occurrences=self._occurrences(window),
            natural=next(window.whole(self._now, self.until), None),
        )

    def _occurrences(self, window: MaintenanceWindow) -> list[Occurrence]:
        if window.name not in self._open:
            self._open[window.name] = window.occurrences(self._now, self.until, self._calendars)
        return self._open[window.name]

    def _why_left_out(self, why: str, part: SubWave) -> tuple[str, str]:
        if not part.occurrences and part.natural is not None:
            freeze = freeze_during(self._calendars, part.natural.start, part.natural.end)
            return FROZEN, f"completely frozen: {'; '.join(freeze.reasons)}"
        return NO_NIGHT, f"{why} on {self.until:%Y-%m-%d}" if why.endswith("plan's end") else why

    def _wave_time(self, order: int, found: Placement) -> WaveTime:
        turns = {node: turn for night in found.nights for node, turn in night.turns.items()}
        notes = dict.fromkeys(note for night in found.nights if (note := self._freeze_note(night)))
        self._used |= {night.window: self._choice.known(night.window) for night in found.nights}
        return WaveTime(
            order=order,
            ready=self._ready,
            ends=found.ends,
            turns=turns,
            nights=found.nights,
            moved=found.moved,
            lanes=found.lanes,
            needed=sum(night.minutes for night in found.nights),
            notes=list(notes),
        )

    def _freeze_note(self, night: Night) -> str:
        """Note that an occurrence is shorter than its window because of a freeze."""
        for whole in self._choice.known(night.window).whole(self._now, self.until):
            if whole.start <= night.occurrence.start < whole.end:
                freeze = freeze_during(self._calendars, whole.start, whole.end) if self._calendars else None
                return f"partly frozen: {'; '.join(freeze.reasons)}" if freeze and freeze.frozen else ""
        return ""

    def _without_window(
        self,
        order: int,
        nodes: Sequence[str],
        minutes: Mapping[str, int],
        turns: Callable[[Sequence[str]], dict[str, int]],
        lanes: Callable[[Sequence[str]], int | str | None],
    ) -> WaveTime:
        """Assign a wave without windows: its work begins as soon as the wave is ready."""
        given, needed, most = turns(nodes), 0, 0
        for turn in sorted(set(given.values())):
            members = [node for node in nodes if given[node] == turn]
            found = plan_capacity([(node, minutes[node]) for node in members], None, lanes(members))
            needed, most = needed + found.needed_minutes, max(most, found.concurrency)
        ends = self._ready + timedelta(minutes=needed)
        return WaveTime(order=order, ready=self._ready, ends=ends, turns=given, lanes=most, needed=needed)

    def _advance(self, wave: Wave, time: WaveTime) -> None:
        if time.turns:
            self._ready = time.ends + timedelta(minutes=wave.soak_minutes)
            soak = f" and soaks for {wave.soak_minutes} minutes" if wave.soak_minutes else ""
            self._waits_for = f"wave {wave.name} ends on {time.ends:%Y-%m-%d %H:%M} UTC{soak}"

    def windows_data(self) -> list[dict[str, Any]]:
        """Return the windows that nights use, with all their occurrences up to the plan's end."""
        return [
            {
                "name": window.name,
                "schedule": window.schedule.expression,
                "timezone": window.timezone,
                "occurrences": [occurrence_data(item) for item in self._occurrences(window)],
            }
            for _name, window in sorted(self._used.items())
        ]

    def _night_data(self, number: int, night: Night) -> dict[str, Any]:
        zone = to_zone(self._choice.known(night.window).timezone)
        return {
            "number": number,
            "window": night.window,
            **occurrence_data(night.occurrence),
            "timezone": self._choice.known(night.window).timezone,
            "local": local_span(night.occurrence.start, night.occurrence.end, zone),
            "begin": to_time(night.begin),
            "ends": to_time(night.ends),
            "turns": sorted(set(night.turns.values())),
            "nodes": len(night.turns),
        }

    def window_data(self, wave: Wave, time: WaveTime) -> dict[str, str] | None:
        """Return the first occurrence that a wave uses, or would use if it had nodes; ``None`` without a window."""
        if time.nights:
            return self._window_data(self._choice.known(time.nights[0].window), time.nights[0].occurrence)
        if wave.window in (None, BY_TAG):
            return None
        window = self._choice.named(str(wave.window))
        found = next(iter(self._occurrences(window)), None) or next(window.whole(self._now, self.until), None)
        return self._window_data(window, found) if found else None

    def _window_data(self, window: MaintenanceWindow, found: Occurrence) -> dict[str, str]:
        return {"name": window.name, "timezone": window.timezone, **occurrence_data(found)}

    def wave_data(self, time: WaveTime) -> dict[str, Any]:
        """Return a wave's timeline: ``nights`` in order of their beginning, and ``moved`` with from, to and reason."""
        nights = [self._night_data(number, night) for number, night in enumerate(time.nights, 1)]
        return {"nights": nights, "moved": [_moved_data(item) for item in time.moved]}

    def capacity_data(self, wave: Wave, time: WaveTime) -> dict[str, Any]:
        """Return how a wave fills its nights."""
        nights = [(_minutes_left(night), len(night.turns)) for night in time.nights]
        lost = sum(code == NO_NIGHT for code, _why in time.left_out.values())
        bounded = wave.window is not None
        return wave_capacity(len(time.turns), time.needed, time.lanes, nights if bounded else None, lost)


def _moved_data(item: Moved) -> dict[str, Any]:
    return {
        "window": item.window,
        "from": to_time(item.was.start),
        "to": to_time(item.to.start) if item.to else None,
        "why": item.why,
    }


def _minutes_left(night: Night) -> int:
    return int((night.occurrence.cutoff_at - night.begin) / timedelta(minutes=1))


def valid_until(policy: Policy, now: datetime) -> datetime:
    """Return when a plan ends: at midnight UTC after the policy's days, so that a repeated plan is the same."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return day + timedelta(days=policy.plan.valid_days)


def _ranks(members: Sequence[Candidate], wave: Wave) -> dict[str, int]:
    """Return each node's place in the wave's order; those that no selector matches come last."""
    if not wave.order:
        return {}
    last = len(wave.order)
    return {
        node.node_id: next((number for number, select in enumerate(wave.order) if matches(node, select)), last)
        for node in members
    }
