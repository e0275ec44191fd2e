# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress line of a wave: one for all its nodes, shown when it has changed or the last one is old."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ...module_utils._core.model import Status
from ...module_utils._core.rollout.state import DONE, STAGES, Rollout
from ..executors.base import Work
from ..progress import LIFE_SECONDS

#: Shortest time between two lines, in seconds.
_QUIET_SECONDS = 2.0
_TITLES = {
    "precheck": "in pre-check",
    "patch": "patching",
    "reboot": "rebooting",
    "scan": "scanning",
    "verify": "in the final look",
}


@dataclass(slots=True)
class WaveProgress:
    """Shows how many nodes of a wave are at which stage."""

    wave: str
    show_line: Callable[[str], None]
    now: Callable[[], float] = time.monotonic
    _line: str = ""
    _at: float = float("-inf")
    _looked: float = float("-inf")

    def show(self, state: Rollout, works: Iterable[Work], *, last: bool = False) -> None:
        """Show the line if it is new or the last one is old. :param last: the work is over: show it if it is new."""
        now = self.now()
        if not last and now - self._looked < _QUIET_SECONDS:
            return
        self._looked, line = now, self.line(state, works)
        is_new = line != self._line
        if (is_new and (last or now - self._at >= _QUIET_SECONDS)) or (not last and now - self._at >= LIFE_SECONDS):
            self.show_line(line)
            self._line, self._at = line, now

    def line(self, state: Rollout, works: Iterable[Work]) -> str:
        """Return ``web: 12 patching, 3 rebooting, 40 done (2 failed, 1 skipped) of 55``."""
        wave = state.waves[self.wave]
        nodes = state.nodes
        finals: Counter[str] = Counter()
        stages: Counter[str] = Counter()
        for node in map(nodes.__getitem__, wave.nodes):
            if node.stage == DONE:
                finals[node.results["verify"]["status"] if "verify" in node.results else ""] += 1
            else:
                again = node.stage in node.results
                stages[node.stage if node.token else "again" if again else "waiting"] += 1
        ended: Counter[str] = Counter()
        for word, number in finals.items():
            if word:
                status = Status(word)
                ended["failed" if status.is_failure else "good" if status.is_good else status.value] += number
        parts = [f"{stages[stage]} {_TITLES[stage]}" for stage in STAGES if stages[stage]]
        parts += [f"{stages['again']} to be tried again"] if stages["again"] else []
        parts += [f"{stages['waiting']} waiting"] if stages["waiting"] else []
        words = ("failed", "unknown", "reboot_pending", "skipped")
        bad = ", ".join(f"{ended[word]} {word.replace('_', ' ')}" for word in words if ended[word])
        parts.append(f"{sum(ended.values())} done" + (f" ({bad})" if bad else "") + f" of {len(wave.nodes)}")
        troubled = sorted({work.place for work in works if work.trouble})
        return f"{self.wave}: {', '.join(parts)}" + (f"; no answer from {', '.join(troubled[:5])}" if troubled else "")
