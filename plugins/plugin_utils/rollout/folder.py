# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout's directory: its plan, its journal, and the state that results from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import BadInput, JournalError, PatchtideError, TakenOver
from ...module_utils._core.events import Event, Intent, RolloutFinished, RolloutStarted
from ...module_utils._core.plan.capacity import StartGuard, may_start
from ...module_utils._core.plan.plan import check_plan
from ...module_utils._core.rollout.catch_up import catch_up
from ...module_utils._core.rollout.checkpoint import Checkpoint
from ...module_utils._core.rollout.journal import Record
from ...module_utils._core.rollout.journal_check import follow
from ...module_utils._core.rollout.journal_head import Head, against
from ...module_utils._core.rollout.machine import apply
from ...module_utils._core.rollout.nights import NightTime, next_night, night_time, number_of
from ...module_utils._core.rollout.promotion import Promotion
from ...module_utils._core.rollout.state import NodeState, Rollout, WaveState, initial
from ...module_utils._core.rollout.stores import JournalStore
from ...module_utils._core.stamp import to_time
from ...module_utils._core.times.schedule import Occurrence
from ..files import read_json, write_text
from ..large_json import collector_paused
from .journal_file import JournalFile
from .stores import JOURNAL, Stores, read_stores

CATCH_UP = "catch_up.json"
#: Directory of the override lists, as in the plan.
LISTS = "lists"
#: After these events the journal's head is noted beside the claims: announced work must not be lost.
_NOTED = frozenset({RolloutStarted.kind, Intent.kind, RolloutFinished.kind})
#: Pause between a failed attempt and the next one.
RETRY_SECONDS = 60


def read_plan(path: Path) -> dict[str, Any]:
    """Read a plan. :raises BadInput: it is missing or does not match its digest."""
    plan: dict[str, Any] = read_json(path, "dir")
    check_plan(plan, str(path))
    return plan


class RolloutDir:
    """``state`` is the fold of the journal; ``record`` adds an event only if the state allows it.

    ``events`` counts what was recorded, or would have been in check mode. ``origin`` is the hash of the first record,
    which distinguishes this run of the plan from one that another controller began elsewhere.
    """

    def __init__(self, path: str | Path, clock: Clock, stores: Stores | None = None) -> None:
        self.path = Path(path)
        self.stores = stores or read_stores(self.path)
        self.clock = clock
        self.plan: Mapping[str, Any] = read_plan(self.path / "plan.json")
        self._store: JournalStore = self.stores.open_journal(self.plan["rollout"])
        self.state: Rollout = initial(self.plan)
        self.events = 0
        self._opened: dict[tuple[str, int], Occurrence] = {}
        self._coming: dict[tuple[str, int], Occurrence] = {}
        self.origin = ""
        self._epoch = 0
        self._controller = ""
        self._head = self.stores.open_head(self.plan["rollout"])
        #: When the last record was written.
        self.last_at = ""
        self._promotions: dict[str, Promotion] = {}
        self._to_note: Head | None = None
        self._grouping = False
        #: Number and hash of the journal's last record.
        self.head: tuple[int, str] = (0, "")
        self._checkpoint = self.stores.open_checkpoint(self.plan["rollout"])
        with collector_paused():
            noted = self._head.read() if self._head else Head()
            self._resume(noted)
            self._follow(self._unless_cut(noted))

    def _resume(self, noted: Head) -> None:
        """Take the state from the checkpoint if there is one that the journal confirms."""
        found = self._checkpoint.read(self.plan) if self._checkpoint else None
        if not found or not isinstance(self._store, JournalFile):
            return
        if self._store.continue_from(found.head, found.digest, noted):
            self.state, self.origin, self.last_at = found.state, found.origin, found.last_at
            self.head = found.head.seq, found.head.hash

    def keep_checkpoint(self) -> None:
        """Keep the state for the tasks that follow, or forget it once the rollout is finished."""
        if self._checkpoint and self.state.finished:
            self._checkpoint.remove()
        elif self._checkpoint and isinstance(self._store, JournalFile) and self.origin:
            head, digest = self._store.position()
            self._checkpoint.write(
                Checkpoint(state=self.state, head=head, digest=digest, origin=self.origin, last_at=self.last_at)
            )

    def _unless_cut(self, noted: Head) -> Iterator[Record]:
        """Yield the journal's records. :raises JournalError: it lacks the record that is noted beside the claims."""
        try:
            yield from against(self._store.stream(), noted, Head(*self.head) if self.head[0] else None)
        except JournalError as error:
            if not noted.seq:
                raise
            began = f"rollout {self.plan['rollout']} has begun, as is noted beside the claims ({self.stores.claims})"
            raise JournalError(f"{began}, and its journal is not whole in {self.path}: {error}") from error

    @property
    def nodes(self) -> Mapping[str, Mapping[str, Any]]:
        """The plan's nodes by id."""
        return self.state.planned

    def wave(self, name: str) -> Mapping[str, Any]:
        """Return the plan's wave."""
        self.state_of_wave(name)
        return next(wave for wave in self.plan["waves"] if wave["name"] == name)

    def promotion(self, name: str) -> Promotion:
        """Return what nodes of a wave may install; not called before the preceding waves are finished."""
        return self._promotions.setdefault(name, Promotion(self.state, name))

    def state_of_wave(self, name: str) -> WaveState:
        """Return the state of a wave; ``BadInput`` if the plan has no such wave."""
        if name not in self.state.waves:
            raise BadInput("wave", name, f"a wave of the plan: {', '.join(self.state.waves)}")
        return self.state.waves[name]

    def next_night(self, wave: str, turn: int | None = None) -> NightTime | None:
        """Return a wave's earliest night that has work left; ``None`` without windows."""
        return next_night(self.state, wave, self.clock.now(), turn)

    def window(self, name: str) -> Occurrence | None:
        """Return the current or next occurrence of a wave's window."""
        night = self.next_night(name)
        return night.at_hand if night else None

    def window_of(self, node_id: str) -> Occurrence | None:
        """Return the occurrence that bounds the work on a node. Once it has opened in this run, it stays the same."""
        wave, number = self.state.nodes[node_id].wave, number_of(self.state, node_id)
        key, now = (wave, number), self.clock.now()
        if key in self._opened:
            return self._opened[key]
        if (coming := self._coming.get(key)) and now < coming.start:
            return coming
        night = night_time(self.state, wave, number, now)
        if night is not None and not night.is_over:
            (self._coming if now < night.at_hand.start else self._opened)[key] = night.at_hand
        return night.at_hand if night else None

    def may_start(self, node_id: str, minutes: float) -> StartGuard:
        """Return whether a step of this many minutes may start on a node now."""
        window = self.window_of(node_id)
        key = (self.state.nodes[node_id].wave, number_of(self.state, node_id))
        if window and key not in self._opened and self.clock.now() >= window.start:
            return StartGuard(ok=False, text="its night is past, and none is left before the plan ends")
        return may_start(self.clock.now(), minutes, window)

    def state_of_node(self, node_id: str) -> NodeState:
        """Return the state of a node; ``BadInput`` if it is not in the plan."""
        if node_id not in self.state.nodes:
            raise BadInput("node", node_id, "a node of the plan")
        return self.state.nodes[node_id]

    def write(self, event: Event, *, check_mode: bool, at_head: tuple[int, str] | None = None) -> None:
        """Record one event; in check mode only apply it to the state, which refuses invalid events there too."""
        if check_mode:
            apply(self.state, event, to_time(self.clock.now()))
            self.events += 1
        else:
            self.record(event, at_head)

    def record(self, event: Event, at_head: tuple[int, str] | None = None) -> Record:
        """Write one event, after what others wrote meanwhile; ``JournalError`` if it does not fit.

        :param at_head: refuse it if the journal has another head by then.
        """
        at: datetime = self.clock.now()
        asked = applied = False

        def guard(news: Sequence[Record]) -> None:
            nonlocal asked, applied
            if asked:  # another writer was first, and the state holds an event that was not written
                self._fold_again()
            else:
                self._follow(news)
            asked = True
            if at_head and at_head != self.head:
                raise JournalError("another record was written meanwhile; look at the rollout and decide again")
            self._check_epoch()
            apply(self.state, event, to_time(at))
            applied = True

        try:
            record = self._store.append(event.kind, event.to_data(), at, guard)
        except PatchtideError:
            if applied:  # the guard passed, but the record could not be stored
                self._fold_again()
            raise
        self.origin = self.origin or record.hash
        self.head, self.last_at = (record.seq, record.hash), record.at
        self.events += 1
        if event.kind in _NOTED:
            self._to_note = Head(record.seq, record.hash)
        if not self._grouping:
            self._note()
        return record

    def _note(self) -> None:
        """Note the journal's head beside the claims, once its records are durable."""
        if self._head and self._to_note:
            self._head.write(self._to_note)
        self._to_note = None

    def act_as(self, controller: str) -> None:
        """Write in the epoch of this controller, which opened the rollout, from now on.

        :raises TakenOver: another one opened it after that.
        """
        if self.state.controller != controller:
            raise TakenOver(_taken_over(self.state.controller or "nobody"))
        self._epoch, self._controller = self.state.epoch, controller

    @property
    def writer(self) -> tuple[int, str]:
        """The epoch in which this controller writes and its name, as of ``act_as``."""
        return self._epoch, self._controller

    def record_all(self, events: Sequence[Event]) -> list[BaseException | None]:
        """Write events that become durable together; return for each why it was refused, or ``None``.

        :raises PatchtideError: none of them is durable.
        """
        found: list[BaseException | None] = []
        self._grouping = True
        try:
            with self._store.grouped():
                for event in events:
                    try:
                        self.record(event)
                        found.append(None)
                    except PatchtideError as why:
                        found.append(why)
        except PatchtideError:
            self._to_note = None
            self._fold_again()
            raise
        finally:
            self._grouping = False
        self._note()
        return found

    def confirm(self) -> None:
        """Check, right before an action, that no other controller has continued the rollout.

        :raises TakenOver: one has, while this one was suspended or its machine was.
        """
        self._follow(self._store.stream())
        self._check_epoch()

    def _check_epoch(self) -> None:
        if self._epoch and self.state.epoch != self._epoch:
            raise TakenOver(_taken_over(self.state.controller))

    def _fold_again(self) -> None:
        self.state = initial(self.plan)
        self._follow(self.stores.open_journal(self.plan["rollout"]).stream())

    def copy_journal(self) -> bool:
        """Copy the journal into the directory if its store is elsewhere; return whether the file changed."""
        if not self.stores.is_remote:
            return False
        records = self.stores.open_journal(self.plan["rollout"]).stream()
        return write_text(self.path / JOURNAL, "".join(f"{record.to_line()}\n" for record in records))

    def write_catch_up(self) -> int:
        """Write the list of nodes missed so far, for the next plan; return their number."""
        found = catch_up(self.state, to_time(self.clock.now()))
        path = self.path / CATCH_UP
        if found["nodes"] or path.exists():
            write_text(path, json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n")
        return len(found["nodes"])

    def _follow(self, news: Iterable[Record]) -> None:
        for item in news:
            self.origin, self.last_at = self.origin or item.hash, item.at
            self.head = (item.seq, item.hash)
            follow(self.state, item)


def _taken_over(controller: str) -> str:
    return (
        f"The rollout is run by {controller} now, which continued it while this controller was stopped. "
        "Nothing more is done from here."
    )
