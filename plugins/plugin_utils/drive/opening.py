# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a wave begins: outside freezes, within its window, with its nodes claimed and stopped nodes started."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.events import Claimed, Outcome, WaveStarted
from ...module_utils._core.rollout.nights import NightTime
from ...module_utils._core.rollout.state import DONE
from ...module_utils._core.text import plain
from ...module_utils._core.times.occurrences import local_time
from ...module_utils._core.times.schedule import to_zone
from ..rollout.claims import take
from ..rollout.folder import RolloutDir
from .pins import Pins
from .tempo import Tempo
from .watch import Watch


class OutsideWindow(PatchtideError):
    """Nothing starts outside its maintenance window."""

    code = "OutsideWindow"


@dataclass(slots=True)
class Opening:
    """Begins waves.

    :param check_clock: raises an error if the controller's clock is wrong.
    :param wait_minutes: how long it may wait for a window.
    :param ahead_minutes: how long before the window stopped nodes are started.
    :param approve: checks that a wave is approved, and raises an error if it is not.
    """

    rollout: RolloutDir
    say: Callable[[str], None]
    check_clock: Callable[[], None] = lambda: None
    wait_minutes: int = 60
    ahead_minutes: int = 15
    pins: Pins | None = None
    approve: Callable[[str], None] = lambda _wave: None

    async def start(
        self, name: str, watch: Watch, tempo: Tempo, prepare_started: Callable[[], Awaitable[None]]
    ) -> None:
        """Begin a wave. :raises PatchtideError: a freeze or its window keeps it from beginning."""
        await tempo.call("clock", self.check_clock)
        window, now = self.rollout.window(name), tempo.clock.now()
        begin = max(now, window.start) if window else now
        await tempo.call("guards", lambda: watch.refuse_start(name, begin))
        starts = any(node.get("start") for node in self.rollout.wave(name)["nodes"])
        await self._await_window(name, tempo, self.ahead_minutes if starts else 0)
        self.approve(name)
        self.claim(name)
        await self._publish(tempo)
        await prepare_started()
        await self._await_window(name, tempo)
        if self.rollout.state.waves[name].status == "waiting":
            if starts:  # that took a while
                self.approve(name)
            self.rollout.record(WaveStarted(wave=name))

    async def _publish(self, tempo: Tempo) -> None:
        """:raises ListTrouble: nodes could not read the list of what they may install."""
        if self.pins is not None:
            await tempo.call("lists", self.pins.publish)

    def claim(self, name: str) -> None:
        """Claim the remaining nodes of the wave; a node that another rollout holds gets its final record."""
        results = take(self.rollout, name)
        if results:
            self.rollout.record(Outcome(wave=name, stage="verify", results=tuple(results)))
        for item in results:
            self.say(f"  {plain(item['node_id'])}: not ours: {plain(item['error']['text'])}")
        wave, nodes = self.rollout.state_of_wave(name), self.rollout.state.nodes
        unclaimed = [node for node in wave.nodes if node not in wave.claimed and nodes[node].stage != DONE]
        if unclaimed:
            self.rollout.record(Claimed(wave=name, nodes=tuple(unclaimed)))

    def check_wait(self, name: str, turn: int | None = None) -> NightTime | None:
        """Return the wave's next night. :raises OutsideWindow: it opens too late to wait for, or none is left."""
        night = self.rollout.next_night(name, turn)
        if night is None:
            return None
        now = self.rollout.clock.now()
        if night.is_over:
            raise OutsideWindow(
                f"No night is left for wave {name}: the last one of window {plain(night.window)} was {night.local}. "
                "Make a new plan: run scan_compliance and plan_rollout, and have it approved."
            )
        minutes = (night.at_hand.start - now).total_seconds() / 60
        if minutes > self.wait_minutes:
            raise OutsideWindow(
                f"Wave {name} waits for its window {plain(night.window)}, which opens {night.local} "
                f"({night.at_hand.start:%Y-%m-%d %H:%M} UTC), {in_words(minutes)} from now. Nothing was begun. "
                f"run_due begins it then; or run rollout_patches then, at most {self.wait_minutes} minutes before; "
                f"or let it wait with -e patchtide_window_wait_minutes={math.ceil(minutes)}."
            )
        return night

    async def _await_window(self, name: str, tempo: Tempo, ahead: int = 0) -> None:
        """Wait for the wave's window, or some minutes before it, if it opens soon.

        :raises OutsideWindow: it opens too late to wait for, or is over.
        """
        night = self.check_wait(name)
        if night is None:
            return
        begin = night.at_hand.start - timedelta(minutes=ahead)
        if (left := (begin - tempo.clock.now()).total_seconds()) > 0:
            what = f"stopped nodes are started {ahead} minutes before" if ahead else "its window opens"
            when = local_time(begin, to_zone(night.timezone))
            self.say(f"{name}: {what}, {when} ({begin:%H:%M} UTC), in {left / 60:.0f} minutes")
            while (left := (begin - tempo.clock.now()).total_seconds()) > 0:
                await tempo.sleep(left)


def in_words(minutes: float) -> str:
    """Return a duration in everyday units: ``45 minutes``, ``7 hours``, ``26 days``."""
    for size, noun in ((24 * 60, "days"), (60, "hours")):
        if minutes >= 2 * size:
            return f"{minutes / size:.0f} {noun}"
    return f"{minutes:.0f} minutes"
