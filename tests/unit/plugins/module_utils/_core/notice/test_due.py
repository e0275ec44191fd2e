# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which notices a route is due: what it wants, once, outside its quiet hours, or in its digest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate, Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.due import Due, due
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.model import Notice
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.notice_rules import Route
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time

NOW = from_time("2026-12-01T12:00:00Z")
QUIET = {"quiet_hours": {"start": "22:00", "end": "07:00", "timezone": "Europe/Berlin"}}  # 21:00 to 06:00 UTC
DAILY = {"digest": {"at": "08:00", "timezone": "Europe/Berlin"}}  # 07:00 UTC


def route(**more: Any) -> Route:
    return read(Route, {"name": "web", **more})


def notice(kind: str = "started", at: datetime | None = NOW, **more: Any) -> Notice:
    return Notice(kind=kind, about=more.pop("about", ("r",)), at=at, **more)


def kinds(found: Due) -> list[str]:
    return [item.kind for item in found.single]


def test_a_route_gets_what_it_wants_once() -> None:
    notices = [notice("started"), notice("paused"), notice("aborted")]
    assert kinds(due(route(), notices, (), (), NOW)) == ["aborted", "paused", "started"]
    assert kinds(due(route(kinds=["paused"]), notices, (), (), NOW)) == ["paused"]
    assert kinds(due(route(severity="warning"), notices, (), (), NOW)) == ["aborted", "paused"]
    assert kinds(due(route(severity="critical"), notices, (), (), NOW)) == ["aborted"]
    sent = {notice("paused").key_for("web")}
    assert kinds(due(route(), notices, sent, (), NOW)) == ["aborted", "started"]
    assert due(route(name="other"), notices, sent, (), NOW).single[1].kind == "paused"


def test_a_key_is_that_of_the_event_whatever_is_known_of_it() -> None:
    first = notice(nodes=(Candidate(node_id="i-1", host="a"),), facts={"reason": "x"})
    assert first.key == notice().key != notice(about=("s",)).key
    assert first.key != notice("paused").key


def test_a_receiver_learns_of_its_own_nodes_only() -> None:
    mine = Candidate(node_id="i-1", host="a", tags={"Owner": "web"})
    other = Candidate(node_id="i-2", host="b", tags={"Owner": "db"})
    both = notice(nodes=(mine, other), points={"i-1": "failed", "i-2": "failed too"})
    select = {"tags": {"Owner": ["web"]}}
    (found,) = due(route(select=select), [both], (), (), NOW).single
    assert (found.nodes, found.points) == ((mine,), {"i-1": "failed"})
    assert "i-2" not in repr(found.to_data()) and "failed too" not in repr(found.to_data())
    assert not due(route(select=select), [notice(nodes=(other,))], (), (), NOW).single
    assert not due(route(select=select), [notice()], (), (), NOW).single, "about unknown nodes"
    assert both.only(Select()) is both


@pytest.mark.parametrize(
    ("back", "is_due"), [(timedelta(), True), (timedelta(days=6), True), (timedelta(days=7), False)]
)
def test_old_notices_are_not_sent(back: timedelta, is_due: bool) -> None:
    assert bool(due(route(), [notice(at=NOW - back)], (), (), NOW).single) is is_due


def test_a_notice_is_not_sent_before_its_time_or_when_it_is_pointless() -> None:
    assert not due(route(), [notice(at=NOW + timedelta(seconds=1))], (), (), NOW).single
    assert not due(route(), [notice(until=NOW)], (), (), NOW).single
    assert due(route(), [notice(until=NOW + timedelta(seconds=1))], (), (), NOW).single
    assert due(route(), [notice(at=None)], (), (), NOW).single


@pytest.mark.parametrize(
    ("at", "is_sent"),
    [
        ("2026-12-01T20:59:00Z", True),
        ("2026-12-01T21:00:00Z", False),
        ("2026-12-02T05:59:00Z", False),
        ("2026-12-02T06:00:00Z", True),
    ],
)
def test_quiet_hours_hold_what_is_not_critical(at: str, is_sent: bool) -> None:
    now = from_time(at)
    found = due(route(**QUIET), [notice("paused", now), notice("aborted", now)], (), (), now)
    assert kinds(found) == (["aborted", "paused"] if is_sent else ["aborted"])
    assert found.later == (0 if is_sent else 1)


def test_quiet_hours_within_a_day() -> None:
    quiet = {"quiet_hours": {"start": "11:00", "end": "13:00"}}
    assert not due(route(**quiet), [notice()], (), (), NOW).single
    assert due(route(**quiet), [notice()], (), (), NOW + timedelta(hours=1)).single


def test_a_window_that_opens_in_quiet_hours_is_announced_at_once() -> None:
    night = from_time("2026-12-01T22:00:00Z")
    announced = notice("impending", night, until=night + timedelta(hours=2))
    later = notice("impending", night, until=night + timedelta(hours=20), about=("later",))
    found = due(route(**QUIET), [announced, later], (), (), night)
    assert (found.single, found.later) == ((announced,), 1)


def test_a_digest_has_everything_up_to_its_moment() -> None:
    before, after = notice(at=NOW - timedelta(hours=6)), notice("finished", at=NOW)
    unknown = notice("exception_requested", at=None)
    found = due(route(**DAILY), [before, after, unknown, notice("aborted")], (), (), NOW)
    assert kinds(found) == ["aborted"]
    assert (found.digest, found.digest_at, found.later) == ((unknown, before), "2026-12-01T07:00:00.000Z", 1)


def test_a_digest_is_sent_once_a_day() -> None:
    found = due(route(**DAILY), [notice(at=NOW - timedelta(hours=6))], (), {"2026-12-01T07:00:00.000Z"}, NOW)
    assert (found.single, found.digest, found.later) == ((), (), 1)
    early = from_time("2026-12-02T06:59:00Z")
    assert due(route(**DAILY), [notice()], (), {"2026-12-01T07:00:00.000Z"}, early).digest == ()
    assert due(route(**DAILY), [notice()], (), {"2026-12-01T07:00:00.000Z"}, early + timedelta(minutes=1)).digest


def test_what_a_digest_would_announce_too_late_is_sent_at_once() -> None:
    soon = notice("impending", until=NOW + timedelta(hours=10))
    assert due(route(**DAILY), [soon], (), {"2026-12-01T07:00:00.000Z"}, NOW).single == (soon,)
