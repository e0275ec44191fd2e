# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a wave begins: within its window, not during a freeze, its stopped nodes started ahead of it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ClockSkew
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import Opening, OutsideWindow
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo

from tests.fakes.driving import Driving
from tests.fakes.fleet_port import START


def begin(folder: Path, opens: float, *, start: bool = False) -> tuple[Driving, list[datetime]]:
    """Begin a wave whose window opens after some minutes and lasts an hour; return when nodes were started."""
    stamps = [(START + timedelta(minutes=opens + more)).isoformat() for more in (0, 60, 50)]
    window: Any = dict(zip(("start", "end", "cutoff_at"), stamps, strict=True))
    driving = Driving(folder, {"a": 1}, window=window, is_begun=False)
    driving.rollout.plan["waves"][0]["nodes"][0]["start"] = start
    tempo, prepared = Tempo(driving.clock, rehearsal=True), list[datetime]()

    async def prepare_started() -> None:
        prepared.append(driving.clock.now())

    async def main() -> None:
        beside = asyncio.create_task(tempo.pass_time())
        try:
            await Opening(driving.rollout, driving.lines.append).start("w", driving.watch, tempo, prepare_started)  # type: ignore[arg-type]  # fake
        finally:
            beside.cancel()

    asyncio.run(main())
    return driving, prepared


@pytest.mark.parametrize(("start", "minutes"), [(False, 30), (True, 15)])
def test_it_waits_for_the_window_and_starts_nodes_ahead_of_it(tmp_path: Path, start: bool, minutes: int) -> None:
    driving, prepared = begin(tmp_path, 30, start=start)
    assert prepared == [START + timedelta(minutes=minutes)]
    assert driving.clock.now() == START + timedelta(minutes=30)
    assert [row["kind"] for row in driving.journal()][1:] == ["claimed", "wave_started"]


@pytest.mark.parametrize(("opens", "why"), [(61, "61 minutes from now. Nothing was begun"), (-50, "No night is left")])
def test_too_early_or_too_late_nothing_is_claimed(tmp_path: Path, opens: float, why: str) -> None:
    with pytest.raises(OutsideWindow, match=why):
        begin(tmp_path, opens)
    assert "claimed" not in (tmp_path / "journal.jsonl").read_text()


@pytest.mark.parametrize("minutes", [-24 * 60, -3, -1, 0, 1, 3, 24 * 60])
def test_a_controller_whose_clock_differs_from_the_services_begins_nothing(tmp_path: Path, minutes: int) -> None:
    driving = Driving(tmp_path, {"a": 1}, is_begun=False)
    driving.executor.behind = timedelta(minutes=minutes)
    if abs(minutes) <= 2:
        driving.run()
        assert driving.statuses() == {"a": "succeeded"}
        return
    with pytest.raises(ClockSkew, match=f"{abs(minutes)} minutes {'ahead of' if minutes > 0 else 'behind'}"):
        driving.run()
    assert driving.executor.calls == [] and not driving.journal("claimed")
