# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ledger against tags, both ways, and the alarms (covers TM-7, 9, 10; F46)."""

from __future__ import annotations

from datetime import date
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import (
    ExceptionRecord,
    parse_tag,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.tags import (
    Reconciliation,
    reconcile,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from hypothesis import given
from hypothesis import strategies as st

TODAY = date(2026, 11, 10)
NOVEMBER, DECEMBER, OCTOBER = "2026-11-01/2026-11-30", "2026-12-01/2026-12-31", "2026-10-01/2026-10-31"
KEY = "PatchException"


def record(name: str = "EX-1", period: str = NOVEMBER, **changes: Any) -> ExceptionRecord:
    start, end = period.split("/")
    data = {"exception_id": name, "node": "i-1", "from": start, "to": end, "reason": "audit", "requested_by": "ann"}
    return ExceptionRecord.from_dict({**data, "status": "approved", **changes})


def node(tag: str | None = None, node_id: str = "i-1") -> Candidate:
    return Candidate(node_id=node_id, host=node_id, tags={KEY: tag} if tag is not None else {})


def run(*records: ExceptionRecord, tag: str | None = None, today: date = TODAY) -> Reconciliation:
    return reconcile(records, [node(tag)], KEY, today)


def actions(found: Reconciliation) -> list[tuple[str | None, str | None]]:
    return [(action.before, action.value) for action in found.actions]


def kinds(found: Reconciliation) -> list[str]:
    return [alarm.kind for alarm in found.alarms]


def test_new_exception_is_written_to_its_node_and_remembered() -> None:
    found = run(record())
    assert (actions(found), kinds(found)) == ([(None, NOVEMBER)], [])
    assert found.records[0].tagged == {"i-1": NOVEMBER}
    again = run(*found.records, tag=NOVEMBER)
    assert (again.actions, again.alarms, again.records) == ((), (), found.records)


def test_tag_taken_away_is_put_back_and_reported() -> None:
    found = run(record(tagged={"i-1": NOVEMBER}))
    assert (actions(found), kinds(found)) == ([(None, NOVEMBER)], ["missing_tag"])


def test_tag_edited_by_hand_is_put_right_and_reported() -> None:
    found = run(record(tagged={"i-1": NOVEMBER}), tag="2026-11-01/2027-12-31")
    assert (actions(found), kinds(found)) == ([("2026-11-01/2027-12-31", NOVEMBER)], ["hand_edited"])
    assert found.alarms[0].text == (
        "The exception tag of i-1 is '2026-11-01/2027-12-31' instead of '2026-11-01/2026-11-30', "
        "but exception EX-1 lasts 2026-11-01/2026-11-30."
    )


def test_extended_exception_is_no_alarm() -> None:
    found = run(record(period="2026-11-01/2026-12-15", tagged={"i-1": NOVEMBER}), tag=NOVEMBER)
    assert (actions(found), kinds(found)) == ([(NOVEMBER, "2026-11-01/2026-12-15")], [])


def test_revoked_exception_loses_its_tag_and_is_reported_even_if_the_tag_went_first() -> None:
    # TM-10: "no alert mechanism if any server exception is revoked" was the gap of the legacy process.
    revoked = record(status="revoked", decided_by="bob", tagged={"i-1": NOVEMBER})
    found = run(revoked, tag=NOVEMBER)
    assert (actions(found), kinds(found)) == ([(NOVEMBER, None)], ["revoked"])
    assert found.alarms[0].text == "Exception EX-1 of i-1 was revoked by bob."
    gone = run(revoked)
    assert (actions(gone), kinds(gone)) == ([], ["revoked"])
    assert kinds(run(*gone.records)) == []


def test_expired_exception_loses_its_tag() -> None:
    found = run(record(tagged={"i-1": NOVEMBER}), tag=NOVEMBER, today=date(2026, 12, 1))
    assert (actions(found), kinds(found)) == ([(NOVEMBER, None)], ["expired"])
    assert found.records[0].tagged == {}


def test_expiring_exception_is_announced_until_its_last_day() -> None:
    days = {day: kinds(run(record(), tag=NOVEMBER, today=date(2026, 11, day))) for day in (23, 24, 30)}
    assert days == {23: [], 24: ["expiring"], 30: ["expiring"]}


def test_tag_of_an_exception_that_is_not_approved() -> None:
    # TM-9: notification for servers not approved for the exception list.
    for status in ("requested", "rejected"):
        found = run(record(status=status), tag=NOVEMBER)
        assert actions(found) == [(NOVEMBER, None)]
        assert "not_approved" in kinds(found)


def test_request_that_begins_soon_and_is_not_approved() -> None:
    found = run(record(period=DECEMBER, status="requested"), today=date(2026, 11, 25))
    assert kinds(found) == ["not_approved"]
    assert found.alarms[0].text == "Exception EX-1, requested by ann, begins on 2026-12-01 and is not approved."
    assert kinds(run(record(period=DECEMBER, status="requested"))) == []


def test_tag_that_nobody_asked_for() -> None:
    found = run(tag=NOVEMBER)
    assert (actions(found), kinds(found)) == ([(NOVEMBER, None)], ["not_in_ledger"])
    assert run(tag="until christmas").alarms[0].text == (
        "The exception tag 'until christmas' of i-1 is not in the ledger "
        "and is not a period such as 2026-11-01/2026-11-30."
    )


def test_periods_that_touch_are_one_and_a_later_one_waits() -> None:
    joined = run(record(), record("EX-2", DECEMBER))
    assert actions(joined) == [(None, "2026-11-01/2026-12-31")]
    apart = run(record(), record("EX-2", "2026-12-10/2026-12-20"))
    assert actions(apart) == [(None, NOVEMBER)]
    later = run(*apart.records, tag=NOVEMBER, today=date(2026, 12, 1))
    assert (actions(later), kinds(later)) == ([(NOVEMBER, "2026-12-10/2026-12-20")], [])


def test_revoked_is_not_mistaken_for_an_older_one_that_ended() -> None:
    old, new = record("EX-9", OCTOBER), record("EX-1", tagged={})
    first = run(old, new)
    revoked = [ExceptionRecord.from_dict({**item.to_dict(), "status": "revoked"}) for item in first.records[:1]]
    assert kinds(run(*revoked, first.records[1], tag=NOVEMBER)) == ["revoked"]


def test_node_that_the_selector_no_longer_means_loses_its_tag() -> None:
    moved = record(node=None, select={"patch_groups": ["DB"]}, tagged={"i-1": NOVEMBER})
    found = run(moved, tag=NOVEMBER)
    assert actions(found) == [(NOVEMBER, None)]
    assert kinds(found) == ["not_in_ledger", "no_node"]


def test_exception_for_no_node() -> None:
    assert kinds(run(record(node="i-gone"))) == ["no_node"]
    assert kinds(run(record(node="i-gone", period=OCTOBER))) == []


def test_order_does_not_depend_on_the_order_given() -> None:
    nodes = [node(NOVEMBER, "i-2"), node(None, "i-1"), node("x", "i-3")]
    records = [record("EX-2", node="i-2", status="revoked"), record("EX-1")]
    one, other = reconcile(records, nodes, KEY, TODAY), reconcile(records[::-1], nodes[::-1], KEY, TODAY)
    assert (one.actions, one.alarms) == (other.actions, other.alarms)
    assert kinds(one) == ["revoked", "not_in_ledger"]


DAYS = st.dates(date(2026, 10, 1), date(2027, 1, 31))
PERIODS = st.tuples(DAYS, DAYS).map(lambda pair: f"{min(pair)}/{max(pair)}")
RECORDS = st.lists(
    st.tuples(PERIODS, st.sampled_from(["requested", "approved", "rejected", "revoked"])), max_size=4
).map(lambda rows: [record(f"EX-{n}", period, status=status) for n, (period, status) in enumerate(rows)])


@given(RECORDS, st.none() | PERIODS | st.just("junk"), DAYS)
def test_after_the_actions_all_is_quiet_and_the_tag_never_says_more_than_the_ledger(
    records: list[ExceptionRecord], tag: str | None, today: date
) -> None:
    found = run(*records, tag=tag, today=today)
    after = found.actions[0].value if found.actions else tag
    again = run(*found.records, tag=after, today=today)
    assert again.actions == ()
    assert {alarm.kind for alarm in again.alarms} <= {"expiring", "not_approved", "no_node"}
    protected = after is not None and today in parse_tag(after)
    assert protected == any(item.is_approved and today in item.period for item in records)
