# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The guards of a wave: freezes and quorums right before the work, read again only when they are old."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive import watch
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.watch import Frozen, Watch
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.guards import FRESH_SECONDS

from tests.fakes.driving import Driving
from tests.fakes.fleet_port import START


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was read; every read finds a freeze from 21:00 to 22:00 UTC."""
    found: list[str] = []
    begin, end = (datetime(2026, 6, 1, hour, tzinfo=timezone.utc) for hour in (21, 22))

    def during(calendars: Any, start: datetime, until: datetime) -> Any:
        return SimpleNamespace(frozen=start < end and until > begin, reasons=("month end",), next_transition=end)

    monkeypatch.setattr(watch, "read_calendars", lambda *_arguments: found.append("calendars") or ["calendar"])
    monkeypatch.setattr(watch, "freeze_during", during)
    monkeypatch.setattr(watch, "freeze_at", lambda calendars, at: during(calendars, at, at + timedelta(seconds=1)))
    return found


def guards(folder: Path) -> Watch:
    driving = Driving(folder, {"a": 1})
    policy = to_policy({"name": "p", "freeze": {"ics": ["freeze.ics"]}, "waves": [{"name": "w"}]})
    return Watch(driving.rollout, policy, {}, driving.lines.append, lambda nodes: [None] * len(nodes))


def test_work_that_would_reach_into_a_freeze_does_not_begin(tmp_path: Path, reads: list[str]) -> None:
    found = guards(tmp_path)
    assert found.objections(["a"], START + timedelta(minutes=40)) == {}
    assert found.objections(["a"], START + timedelta(minutes=51)) == {"a": ("freeze", "frozen: month end")}


def test_calendars_are_read_again_when_they_are_old(tmp_path: Path, reads: list[str]) -> None:
    found = guards(tmp_path)
    for seconds in (0, FRESH_SECONDS - 1, FRESH_SECONDS, FRESH_SECONDS + 1):
        found.objections(["a"], START + timedelta(seconds=seconds))
    assert reads == ["calendars"] * 2


def test_where_nothing_is_configured_nobody_is_asked(tmp_path: Path, reads: list[str]) -> None:
    """Ten thousand nodes would cost seconds: neither inventory nor AWS is read, and no connection is opened."""

    def fail(nodes: Any) -> Any:
        raise AssertionError(nodes)

    driving = Driving(tmp_path, {"a": 1})
    policy = to_policy({"name": "p", "exceptions": {"tag": ""}, "waves": [{"name": "w"}]})
    found = Watch(driving.rollout, policy, {}, driving.lines.append, fail)
    found.refuse_start("w", START)
    assert found.objections(["a"], START) == found.without_quorum(["a"]) == {} and reads == []


def test_no_wave_begins_in_a_freeze(tmp_path: Path, reads: list[str]) -> None:
    found = guards(tmp_path)
    found.refuse_start("w", START)
    with pytest.raises(Frozen, match="frozen until 2026-06-01 22:00 UTC \\(month end\\)"):
        found.refuse_start("w", START + timedelta(minutes=61))
