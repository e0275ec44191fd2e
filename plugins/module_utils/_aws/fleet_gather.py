# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries many account-Regions concurrently with one bounded pool. Tags are read while pages still arrive."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from .._core.accounts import partition_of
from .._core.arns import name_of
from .._core.errors import PatchtideError
from .._core.fleet.windows import Window
from .._core.model import Place
from .fleet import ARNS_A_CALL, INVENTORY_A_CALL, STATES_A_CALL, FleetCalls, Rows, node_arn

R = TypeVar("R")


@dataclass(slots=True, kw_only=True)
class Wish:
    """The requested data. ``want_…`` requires extra calls, which can fail without failing the account-Region."""

    instances: bool = True
    tags: bool = True
    managed_filters: Sequence[Any] = ()
    instance_filters: Sequence[Any] = ()
    want_patch_states: bool = False
    want_missing: bool = False
    want_patch_information: bool = False
    want_windows: bool = False
    want_connectors: bool = False


@dataclass(slots=True, kw_only=True)
class Answer:
    """The answer of an account-Region: raw rows, and details by node ID; or the first error, which invalidates the
    rest.

    ``notes`` are errors of extra calls.
    """

    place: Place
    managed: Rows = field(default_factory=list)
    instances: Rows = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    patch_states: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    missing: dict[str, Rows] = field(default_factory=dict)
    patch_information: dict[str, dict[str, str]] = field(default_factory=dict)
    windows: list[Window] = field(default_factory=list)
    connectors: Rows = field(default_factory=list)
    error: PatchtideError | None = None
    notes: list[PatchtideError] = field(default_factory=list)


class Crew:
    """Runs jobs that can start further jobs. No job waits for another, so that any number of workers makes progress.

    :param finish: called with an answer when the last of its jobs has ended, while jobs of other answers continue.
    """

    def __init__(self, pool: ThreadPoolExecutor, finish: Callable[[Answer], None] | None = None) -> None:
        self._pool = pool
        self._finish = finish
        self._idle = threading.Condition()
        self._open: Counter[int] = Counter()
        self._bug: BaseException | None = None

    def start(self, answer: Answer, job: Callable[[], None]) -> None:
        """Queue a job for an account-Region. It is skipped if the account-Region has failed by then."""
        with self._idle:
            self._open[id(answer)] += 1
        self._pool.submit(self._run, answer, job)

    def wait(self) -> None:
        """Return when nothing is queued or running. Unexpected errors are bugs and are raised."""
        with self._idle:
            self._idle.wait_for(lambda: not self._open)
        if self._bug:
            raise self._bug

    def _run(self, answer: Answer, job: Callable[[], None]) -> None:
        try:
            if not answer.error and not self._bug:
                job()
        except PatchtideError as error:
            answer.error = answer.error or error
        except BaseException as bug:
            self._bug = self._bug or bug
        finally:
            self._end(answer)

    def _end(self, answer: Answer) -> None:
        with self._idle:
            self._open[id(answer)] -= 1
            if self._open[id(answer)]:
                return
        # Only a job of this answer could start another job, and this was the last one.
        try:
            if self._finish and not self._bug:
                self._finish(answer)
        except BaseException as bug:
            self._bug = self._bug or bug
        with self._idle:
            del self._open[id(answer)]
            self._idle.notify_all()


def gather(
    places: Sequence[Place],
    calls: Callable[[Place], FleetCalls],
    wish: Wish,
    finish: Callable[[Answer], R],
    workers: int = 32,
) -> list[R]:
    """Return the result of ``finish`` for each account-Region, in the given order.

    Each is finished as soon as it has answered, so that only rows of unfinished ones are kept in memory.
    """
    made: dict[Place, R] = {}

    def keep(answer: Answer) -> None:
        made[answer.place] = finish(answer)

    with ThreadPoolExecutor(max_workers=workers) as pool:
        crew = Crew(pool, keep)
        for place in places:
            answer = Answer(place=place)
            crew.start(answer, Errand(crew, answer, calls(place), wish).start)
        crew.wait()
    return [made[place] for place in places]


class Errand:
    """The jobs of one account-Region. Each page of nodes starts jobs for tags and states while the next page is
    fetched.
    """

    def __init__(self, crew: Crew, answer: Answer, calls: FleetCalls, wish: Wish) -> None:
        self._crew = crew
        self._answer = answer
        self._calls = calls
        self._wish = wish

    def start(self) -> None:
        self._crew.start(self._answer, self._managed)
        if self._wish.instances:
            self._crew.start(self._answer, self._instances)
        if self._wish.want_windows:
            self._crew.start(self._answer, self._extra(self._windows))
        if self._wish.want_connectors:
            self._crew.start(self._answer, self._extra(self._connectors))

    def _managed(self) -> None:
        for page in self._calls.managed(self._wish.managed_filters):
            self._answer.managed.extend(page)
            ids = [name for row in page if isinstance(name := row.get("InstanceId"), str) and name]
            hybrid = [node for node in ids if node.startswith("mi-")]
            if self._wish.tags:
                # EC2 returns tags with the instances, so only the tags of other nodes are read.
                self._each(hybrid if self._wish.instances else ids, ARNS_A_CALL, self._tags)
            if self._wish.want_patch_information:
                self._each(hybrid, INVENTORY_A_CALL, self._patch_information, extra=True)
            if self._wish.want_patch_states or self._wish.want_missing:
                self._each(ids, STATES_A_CALL, self._patch_states, extra=True)

    def _instances(self) -> None:
        for page in self._calls.instances(self._wish.instance_filters):
            self._answer.instances.extend(page)

    def _tags(self, ids: Sequence[str]) -> None:
        region, account = self._answer.place.region, self._answer.place.account or ""
        found = self._calls.tags([node_arn(node, partition_of(region), region, account) for node in ids])
        self._answer.tags.update({name_of(arn): tags for arn, tags in found.items()})

    def _patch_information(self, ids: Sequence[str]) -> None:
        self._answer.patch_information.update(self._calls.patch_information(ids))

    def _patch_states(self, ids: Sequence[str]) -> None:
        rows = {row["InstanceId"]: row for row in self._calls.patch_states(ids) if row.get("InstanceId")}
        self._answer.patch_states.update(rows)
        if self._wish.want_missing:
            self._each([node for node, row in rows.items() if row.get("MissingCount")], 1, self._missing, extra=True)

    def _missing(self, ids: Sequence[str]) -> None:
        self._answer.missing[ids[0]] = self._calls.missing(ids[0])

    def _windows(self) -> None:
        self._answer.windows.extend(self._calls.windows())

    def _connectors(self) -> None:
        self._answer.connectors.extend(self._calls.connectors())

    def _each(self, ids: Sequence[str], size: int, job: Callable[[Sequence[str]], None], extra: bool = False) -> None:
        for begin in range(0, len(ids), size):
            once = partial(job, ids[begin : begin + size])
            self._crew.start(self._answer, self._extra(once) if extra else once)

    def _extra(self, job: Callable[[], None]) -> Callable[[], None]:
        """Turn a failure into a note. The inventory is complete without the data and reports that it is missing."""

        def run() -> None:
            try:
                job()
            except PatchtideError as error:
                self._answer.notes.append(error)

        return run
