# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an operator sees while an action works: lines that say something new, and a sign of life in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from ..module_utils._core.work.ssm.stagerun import PROGRESS_SECONDS

#: A little sooner than promised, so that a busy machine keeps the promise too.
LIFE_SECONDS = PROGRESS_SECONDS - 5


class Throttle:
    """Shows a line when it says something new or the last one is half a minute old, by the wall's clock.

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
        if (is_new and (is_last or now - self._at >= 1)) or now - self._at >= PROGRESS_SECONDS:
            self._show(line)
            self._line, self._at = line, now


class SignOfLife:
    """While it is entered, a thread says that the work goes on whenever nothing else was said for a while."""

    def __init__(
        self,
        show: Callable[[str], None],
        now: Callable[[], float] = time.monotonic,
        *,
        title: str = "",
    ) -> None:
        self._show = show
        self._now = now
        self._title = title
        self._began = self._at = now()
        self._line = ""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="sign-of-life", daemon=True)

    def said(self, line: str) -> None:
        """Take note of a line that was shown."""
        self._line, self._at = line.strip(), self._now()

    def beat(self) -> float:
        """Show a line if it is time for one; return the seconds until the next may be due."""
        now = self._now()
        if now - self._at >= LIFE_SECONDS:
            self._at = now
            last = f": {self._line}" if self._line else ""
            self._show(f"{self._title}still at work after {now - self._began:.0f} seconds{last}")
        return max(0.1, self._at + LIFE_SECONDS - now)

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
