# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress lines of an action: shown immediately, on changes and at least twice a minute."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

#: Longest silence of an action in seconds. The documentation promises half a minute; this leaves a margin.
LIFE_SECONDS = 25.0
#: Delay in seconds after which a sign of life is shown if the action shows no line.
GRACE_SECONDS = 2.0


def show_lines_at_once() -> None:
    """Make the standard output line-buffered. In a pipe, Ansible's lines would otherwise be delayed by 8 kB."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure and not getattr(sys.stdout, "line_buffering", True):
        reconfigure(line_buffering=True)


class Throttle:
    """Shows a line if it differs from the last one or if the last one is old (real time).

    The last line of a stage, when nothing is running, is always shown once.
    """

    def __init__(self, show: Callable[[str], None], now: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._now = now
        self._line = ""
        self._at = float("-inf")

    def __call__(self, line: str) -> None:
        now = self._now()
        is_new, is_last = line != self._line, " 0 running, 0 left" in line
        if (is_new and (is_last or now - self._at >= 1)) or now - self._at >= LIFE_SECONDS:
            self._show(line)
            self._line, self._at = line, now


class SignOfLife:
    """Context manager in which a thread shows that the work continues if no other line was shown for a while.

    :param title: the wave or host, and the step.
    """

    def __init__(self, show: Callable[[str], None], title: str, now: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._title = title
        self._now = now
        self._began = self._at = now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sign-of-life", daemon=True)

    def said(self) -> None:
        """Record that a line was shown."""
        self._at = self._now()

    def beat(self) -> float:
        """Show a line if it is due; return the seconds until the next one can be due."""
        now = self._now()
        if now - self._at >= LIFE_SECONDS + GRACE_SECONDS:
            self._at = now
            self._show(f"{self._title}: still working after {now - self._began:.0f} seconds")
        return max(0.1, self._at + LIFE_SECONDS + GRACE_SECONDS - now)

    def _watch(self) -> None:
        while not self._over.wait(self.beat()):
            pass

    def __enter__(self) -> SignOfLife:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
