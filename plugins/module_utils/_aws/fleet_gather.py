# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks many places at once with one bounded pool: chains of pages, and tags while the pages still arrive."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from .._core.errors import PatchtideError
from .._core.fleet_accounts import partition_of
from .._core.model import Place
from .fleet import ARNS_A_CALL, FleetCalls, Rows, id_of, node_arn


@dataclass(slots=True, kw_only=True)
class Wish:
    """What to ask every place for."""

    instances: bool = True
    tags: bool = True
    managed_filters: Sequence[Any] = ()
    instance_filters: Sequence[Any] = ()


@dataclass(slots=True, kw_only=True)
class Answer:
    """What a place said: raw rows, tags by node id; or the first error, which makes the rest worthless."""

    place: Place
    managed: Rows = field(default_factory=list)
    instances: Rows = field(default_factory=list)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    error: PatchtideError | None = None


class Crew:
    """Runs jobs that may start further jobs. No job waits for another, so any number of workers makes progress."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._idle = threading.Condition()
        self._open = 0
        self._bug: BaseException | None = None

    def start(self, answer: Answer, job: Callable[[], None]) -> None:
        """Queue a job for a place; it is left out if the place has failed by then."""
        with self._idle:
            self._open += 1
        self._pool.submit(self._run, answer, job)

    def wait(self) -> None:
        """Return when nothing is queued or running. An error that is not ours is a bug and is raised."""
        with self._idle:
            self._idle.wait_for(lambda: self._open == 0)
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
            with self._idle:
                self._open -= 1
                self._idle.notify_all()


def gather(
    places: Sequence[Place], calls: Callable[[Place], FleetCalls], wish: Wish, workers: int = 32
) -> list[Answer]:
    """Return one answer per place, in the order given, whatever order the services answer in."""
    answers = [Answer(place=place) for place in places]
    with ThreadPoolExecutor(max_workers=workers) as pool:
        crew = Crew(pool)
        for answer in answers:
            _start(crew, answer, calls(answer.place), wish)
        crew.wait()
    return answers


def _start(crew: Crew, answer: Answer, calls: FleetCalls, wish: Wish) -> None:
    def managed() -> None:
        for page in calls.managed(wish.managed_filters):
            answer.managed.extend(page)
            if wish.tags:
                tag_page([row["InstanceId"] for row in page if row.get("InstanceId")])

    def instances() -> None:
        for page in calls.instances(wish.instance_filters):
            answer.instances.extend(page)

    def tag_page(ids: list[str]) -> None:
        # EC2 tells its tags with the instances, so only nodes that EC2 does not list are asked for.
        ids = [node for node in ids if node.startswith("mi-") or not wish.instances]
        region = answer.place.region
        where = (partition_of(region), region, answer.place.account or "")
        for begin in range(0, len(ids), ARNS_A_CALL):
            arns = [node_arn(node, *where) for node in ids[begin : begin + ARNS_A_CALL]]
            crew.start(answer, lambda arns=arns: tag(arns))  # type: ignore[misc]

    def tag(arns: list[str]) -> None:
        found = calls.tags(arns)
        answer.tags.update({id_of(arn): tags for arn, tags in found.items()})

    crew.start(answer, managed)
    if wish.instances:
        crew.start(answer, instances)
