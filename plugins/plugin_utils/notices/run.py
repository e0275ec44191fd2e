# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run: which messages each route is due, and how they are delivered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.notice.due import Due, due
from ...module_utils._core.notice.model import Notice
from ...module_utils._core.policy.notice_rules import NoticeRules, Route
from .delivery import Result, deliver
from .event import EventSender
from .ledger import NAME, Known, NoticeLedger
from .mail import MailSender
from .message import Message, Texts
from .sender import Sender
from .topic import TopicSender
from .webhook import WebhookSender


@dataclass(slots=True)
class NoticeRun:
    """:param folder: the directory of the policy file. :param options: the AWS connection, for topics."""

    rules: NoticeRules
    folder: Path
    clock: Clock
    options: Mapping[str, Any] = field(default_factory=dict)
    #: By route, what it is due.
    queues: dict[str, list[Message]] = field(default_factory=dict)
    #: Number of notices that wait for a digest, for the end of quiet hours, or as part of a rehearsal.
    later: int = 0
    _senders: dict[str, Sender] = field(default_factory=dict)
    _broken: dict[str, str] = field(default_factory=dict)

    @property
    def ledger(self) -> NoticeLedger:
        return NoticeLedger(self.folder / (self.rules.ledger or NAME))

    def needed(self, notices: Iterable[Notice], known: Known, *, rehearsal: bool) -> list[Notice]:
        """Return those of the notices that a route is due now."""
        real = [item for item in self._real(notices, rehearsal) if item.key not in known.settled]
        found: set[str] = set()
        for route in self.rules.routes:
            mine = self._due(route, real, known)
            found |= {item.key for item in (*mine.single, *mine.digest)}
        return [item for item in real if item.key in found]

    def collect(
        self, notices: Iterable[Notice], known: Known, *, rehearsal: bool, waiting: Iterable[Notice] = ()
    ) -> list[str]:
        """Find out what each route is due, and open its medium; return problems with templates.

        :param rehearsal: whether this is a rehearsal; a plan can be one as well.
        :param waiting: notices that nobody is due now; they are only counted.
        """
        texts = Texts(self.folder / self.rules.templates if self.rules.templates else None)
        found = list(notices)
        real, rest = list(self._real(found, rehearsal)), list(waiting)
        still = list(self._real(rest, rehearsal))
        self.later = len(found) + len(rest) - len(real) - len(still)
        for route in self.rules.routes:
            self._collect(route, real, known, texts)
            self.later += self._due(route, still, known).later
        return texts.problems

    def _real(self, notices: Iterable[Notice], rehearsal: bool) -> Iterator[Notice]:
        """Yield the notices without those of rehearsals, if these are not sent."""
        return (item for item in notices if self.rules.rehearsals or not (rehearsal or item.rehearsal))

    def _due(self, route: Route, notices: Iterable[Notice], known: Known) -> Due:
        nothing: frozenset[str] = frozenset()
        sent, digests = (found.get(route.name, nothing) for found in (known.sent, known.digests))
        return due(route, notices, sent, digests, self.clock.now())

    def _collect(self, route: Route, notices: Sequence[Notice], known: Known, texts: Texts) -> None:
        mine = self._due(route, notices, known)
        self.later += mine.later
        queue = [texts.single(route.name, notice) for notice in mine.single]
        if mine.digest:
            queue.append(texts.digest(route.name, mine.digest_at, mine.digest))
        if queue:
            self.queues[route.name] = queue
            try:
                self._senders[route.name] = self._open(route)
            except PatchtideError as error:
                self._broken[route.name] = str(error)

    def _open(self, route: Route) -> Sender:
        """Return the medium of a route. :raises BadInput: a variable of the environment is missing."""
        if route.mail:
            return MailSender(route.mail, self.clock.now)
        if route.webhook:
            return WebhookSender(route.webhook)
        if route.servicenow:
            return EventSender(route.servicenow)
        if route.sns:
            return TopicSender(route.sns, self.options)
        raise PatchtideError(f"route {route.name} has no receiver")  # the policy's checks refuse it

    def rows(self, messages: Iterable[Message]) -> list[dict[str, str]]:
        """Return what goes to whom, without secrets."""
        return [
            {
                "route": item.route,
                "receiver": self._senders[item.route].shown if item.route in self._senders else "",
                "kind": item.kind,
                "severity": item.severity,
                "subject": item.subject,
                "key": item.key,
            }
            for item in messages
        ]

    def due_rows(self) -> list[dict[str, str]]:
        return self.rows(item for queue in self.queues.values() for item in queue)

    def send(self, at: datetime, seconds: float) -> Result:
        """Deliver what is due, within so many seconds."""
        ready = {route: queue for route, queue in self.queues.items() if route in self._senders}
        done = deliver(ready, self._senders, self.ledger, at, seconds)
        done.failed |= self._broken
        return done

    @property
    def broken(self) -> Mapping[str, str]:
        """By route, why its medium can't be used."""
        return self._broken
