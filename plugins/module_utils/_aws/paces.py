# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paces the calls of botocore clients, retries included, separately for each operation of an account-Region."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from .._core.pacer import Pacer

THROTTLED = frozenset({"ThrottlingException", "Throttling", "TooManyRequestsException", "RequestLimitExceeded"})


class Paces:
    """The paces of one service in one account-Region, shared by its clients. Thread-safe."""

    def __init__(self, pause: Callable[[float], None] = time.sleep, now: Callable[[], float] = time.monotonic) -> None:
        self._pause = pause
        self._now = now
        self._lock = threading.Lock()
        self._pacers: dict[str, Pacer] = {}

    def watch(self, client: Any) -> Any:
        """Pace a client and return it. Idempotent."""
        service, events = client.meta.service_model.service_id.hyphenize(), client.meta.events
        events.register(f"before-send.{service}", self._before, unique_id="patchtide-pace-before")
        events.register(f"response-received.{service}", self._after, unique_id="patchtide-pace-after")
        return client

    def _before(self, event_name: str, **_unused: object) -> None:
        with self._lock:
            seconds = self._pacer(event_name).reserve(self._now())
        if seconds > 0:
            self._pause(seconds)

    def _after(self, event_name: str, parsed_response: Mapping[str, Any] | None = None, **_unused: object) -> None:
        code = str(((parsed_response or {}).get("Error") or {}).get("Code") or "")
        with self._lock:
            pacer = self._pacer(event_name)
            if code in THROTTLED:
                pacer.refused(self._now())
            elif parsed_response is not None:
                pacer.answered()

    def _pacer(self, event_name: str) -> Pacer:
        return self._pacers.setdefault(event_name.rpartition(".")[2], Pacer())
