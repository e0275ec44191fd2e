# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator sees while an action works: lines that come at once, with news or a sign of life, twice a minute."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from types import TracebackType

#: An action shows its own line at the latest after so many seconds: half a minute is promised, machines are busy.
LIFE_SECONDS = 25.0
#: So much later the sign of life speaks, where the action showed no line of its own.
GRACE_SECONDS = 2.0


def show_lines_at_once() -> None:
    """Make the standard output line-buffered. Ansible leaves it as Python opens it: in a pipe, lines come 8 kB late."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if reconfigure and not getattr(sys.stdout, "line_buffering", True):
        reconfigure(line_buffering=True)


class Throttle:
    """Shows a line when it says something new or the last one is old, by the wall's clock.

    The last line of a stage, with nothing running any more, is always shown, once.
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
    """While it is entered, a thread says that the work goes on whenever nothing else was said for a while.

    :param title: what is at work: the wave or the host, and the step.
    """

    def __init__(self, show: Callable[[str], None], title: str, now: Callable[[], float] = time.monotonic) -> None:
        self._show = show
        self._title = title
        self._now = now
        self._began = self._at = now()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sign-of-life", daemon=True)

    def said(self) -> None:
        """Take note that a line was shown."""
        self._at = self._now()

    def beat(self) -> float:
        """Show a line if it is time for one; return the seconds until the next may be due."""
        now = self._now()
        if now - self._at >= LIFE_SECONDS + GRACE_SECONDS:
            self._at = now
            self._show(f"{self._title}: at work for {now - self._began:.0f} seconds")
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
