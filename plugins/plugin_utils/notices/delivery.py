# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Delivers messages at least once, within a time limit: routes beside one another, the messages of a route in order.

A message is noted in the ledger after it was accepted. A process that is killed in between sends it again, with the
same key. What is not delivered now remains due, because it is derived again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from ...module_utils._core.errors import PatchtideError
from .message import Message
from .sender import NotSent, Sender

#: Seconds before the second and the third attempt of a run for one message.
PAUSES = (1.0, 3.0)
#: Seconds for an answer of a receiver.
_ANSWER = 10.0
#: Messages of a route in one run; the next run sends the others.
BATCH = 50


class Notes(Protocol):
    def note(self, message: Message, at: datetime) -> None:
        """Record durably that a message was delivered."""


@dataclass(slots=True)
class Result:
    """``sent``: delivered and recorded. ``failed``: by route, why its next message was not. ``remarks``: by route."""

    sent: list[Message] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    remarks: dict[str, str] = field(default_factory=dict)


def deliver(
    messages: Mapping[str, Sequence[Message]],
    senders: Mapping[str, Sender],
    ledger: Notes,
    at: datetime,
    seconds: float,
) -> Result:
    """Deliver the messages of each route in order; return when all are done, or after so many seconds.

    :param senders: by route. :param at: the time that the ledger records.
    """
    work = _Work(ledger, at, time.monotonic() + seconds)
    threads = {
        route: threading.Thread(target=work.route, args=(senders[route], route, queue[:BATCH]), daemon=True)
        for route, queue in messages.items()
        if queue
    }
    for thread in threads.values():
        thread.start()
    for route, thread in threads.items():
        thread.join(max(0.0, work.until - time.monotonic()))
        if thread.is_alive():
            work.give_up(route, f"{senders[route].shown} did not answer within {seconds:g} seconds")
    return work.close()


class _Work:
    """What the threads share. After ``close`` a straggler may still deliver; it is recorded, but not in the result."""

    def __init__(self, ledger: Notes, at: datetime, until: float) -> None:
        self._ledger, self._at, self.until = ledger, at, until
        self._lock = threading.Lock()
        self._result = Result()

    def route(self, sender: Sender, route: str, queue: Sequence[Message]) -> None:
        """Deliver in order; the first message that is not accepted ends the route's turn."""
        try:
            for message in queue:
                remark = self._send(sender, message)
                self._ledger.note(message, self._at)
                with self._lock:
                    self._result.sent.append(message)
                    if remark:
                        self._result.remarks[route] = remark
        except PatchtideError as error:
            self.give_up(route, str(error))
        except Exception as error:  # a route never ends the run of the others
            self.give_up(route, f"{sender.shown}: {type(error).__name__}")

    def give_up(self, route: str, why: str) -> None:
        with self._lock:
            self._result.failed.setdefault(route, why)

    def close(self) -> Result:
        with self._lock:
            found, self._result = self._result, Result()
        return found

    def _send(self, sender: Sender, message: Message) -> str:
        pauses = iter(PAUSES)
        while True:
            left = self.until - time.monotonic()
            if left <= 0:
                raise NotSent(f"no time was left for {sender.shown}", again=True)
            try:
                return sender.send(message, min(_ANSWER, left))
            except NotSent as error:
                pause = next(pauses, None)
                if not error.again or pause is None:
                    raise
                pause = max(error.wait, pause)
                if pause >= self.until - time.monotonic():
                    raise
                time.sleep(pause)
