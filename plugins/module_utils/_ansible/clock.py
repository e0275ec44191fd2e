# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The system clock, and the rehearsal clock of the lab, where hours pass in seconds."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime, timedelta, timezone
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    OpenerDirector,
    Request,
)

from ansible.module_utils.urls import open_url

from .._core.clock import Clock
from .._core.stamp import from_time

#: URL of the lab's clock. If set, it is the only source of time; journals and reports are marked accordingly.
VARIABLE = "PATCHTIDE_CLOCK"
#: For how many seconds an answer of the lab's clock holds.
_FRESH_SECONDS = 0.05


class SystemClock:
    """Real time."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class RehearsalClock:
    """Virtual time of the lab: sleeping advances it immediately. Otherwise it passes like real time.

    The lab is asked again after a moment, because another process may have advanced its clock.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        #: The last answer, and when it came by the monotonic clock.
        self._answer: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        return self._known() or self._ask(None)

    def _known(self) -> datetime | None:
        """Return the time by the last answer, ``None`` if that is too old."""
        if self._answer is None:
            return None
        then, came = self._answer
        passed = time.monotonic() - came
        return then + timedelta(seconds=passed) if passed < _FRESH_SECONDS else None

    def sleep(self, seconds: float) -> None:
        self._ask({"advance": seconds})

    def _ask(self, body: dict[str, float] | None) -> datetime:
        data = json.dumps(body).encode() if body else None
        method = "POST" if data else "GET"
        headers = {"Content-Type": "application/json"}
        if self._url.startswith("http:"):
            request = Request(self._url, data=data, method=method, headers=headers)
            reply = _plain_opener().open(request, timeout=30)
        else:
            reply = open_url(self._url, data=data, method=method, headers=headers, timeout=30, use_proxy=False)
        with reply:
            found = from_time(json.load(reply)["now"])
        # An answer that another thread has overtaken is not kept.
        if found >= (self._known() or found):
            self._answer = found, time.monotonic()
        return found


def _plain_opener() -> OpenerDirector:
    """Return an opener without TLS: ``open_url`` loads the CA certificates for each request, which takes 0.1 s."""
    opener = OpenerDirector()
    for handler in (HTTPHandler(), HTTPErrorProcessor(), HTTPDefaultErrorHandler()):
        opener.add_handler(handler)
    return opener


def find_clock() -> Clock:
    """Return the rehearsal clock if it is set, otherwise the system clock."""
    url = os.environ.get(VARIABLE)
    return RehearsalClock(url) if url else SystemClock()


def is_rehearsal() -> bool:
    """Return whether the rehearsal clock is set."""
    return bool(os.environ.get(VARIABLE))
