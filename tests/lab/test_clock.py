# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual time: it goes forward, by as much as asked, and nothing happens early."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from lab.aws.clock import VirtualClock, from_iso, to_iso
from lab.aws.simulation import Simulation

from .conftest import Fleet

START = datetime(2026, 6, 1, 6, tzinfo=timezone.utc)


def test_clock_starts_where_told_and_advances() -> None:
    clock = VirtualClock(START)
    assert timedelta(0) <= clock.now() - START < timedelta(seconds=5)
    clock.advance(3600)
    assert timedelta(hours=1) <= clock.now() - START < timedelta(hours=1, seconds=5)


def test_clock_never_goes_back() -> None:
    clock = VirtualClock(START)
    with pytest.raises(ValueError, match="only goes forward"):
        clock.set(START - timedelta(days=1))


def test_iso_survives_the_round_trip() -> None:
    assert from_iso(to_iso(START)) == START
    assert from_iso("2026-06-01T08:00:00+02:00") == START


def test_events_happen_in_order_at_their_own_moment_and_may_be_cancelled() -> None:
    sim, seen = Simulation(START), list[tuple[str, float]]()

    def note(name: str) -> None:
        seen.append((name, (sim.now - START).total_seconds()))

    sim.after(20, note, "late")
    sim.after(10, lambda: (note("early"), sim.after(5, note, "caused"))[0])
    sim.after(12, note, "never").cancel()
    sim.run_until(START + timedelta(seconds=19))
    assert seen == [("early", 10), ("caused", 15)]
    sim.run_until(START + timedelta(seconds=60))
    assert seen[-1] == ("late", 20)


def test_admin_url_moves_the_clock(fleet: Fleet) -> None:
    before = from_iso(fleet.lab.get("clock")["now"])
    after = from_iso(fleet.lab.advance(90))
    assert 90 <= (after - before).total_seconds() < 95
    wanted = after + timedelta(days=1)
    assert from_iso(fleet.lab.post("clock", {"set": to_iso(wanted)})["now"]) >= wanted


@pytest.mark.parametrize("body", [{"advance": -1}, {"set": "yesterday"}, {"sleep": 3}, {"set": "2020-01-01"}])
def test_admin_url_refuses_nonsense(fleet: Fleet, body: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="error"):
        fleet.lab.post("clock", body)
