# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""apt's own timers: masked as a rule, and on request as a real host has them, right after its boot."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from lab.hosts import estate
from lab.hosts.fleet import Fleet, Wish

SHOW = "systemctl is-enabled apt-daily.timer apt-daily-upgrade.timer; stat -c %n /var/lib/apt/periodic/update-stamp"


@pytest.mark.slow
def test_hosts_have_apts_timers_only_where_they_are_asked_for(fleet: Fleet, on: Callable[[Fleet, str], str]) -> None:
    """docker/docker-install#366: apt-daily holds apt's locks right after the boot of a real host."""
    host, other = (row.name for row in estate.read_estate()[:2])
    fleet.up(Wish(hosts=estate.choose(estate.read_estate(), count=2, apt_daily=[host]), packages="toy"))
    deadline = time.monotonic() + 60
    while "update-stamp" not in (told := on(fleet, SHOW)) and time.monotonic() < deadline:
        time.sleep(1)
    assert told.split()[:2] == ["enabled", "enabled"]
    assert "/var/lib/apt/periodic/update-stamp" in told
    machine = next(row for row in fleet.machines() if row.host.name == other)
    assert (machine.folder / "upper/etc/systemd/system/apt-daily.timer").is_symlink()
