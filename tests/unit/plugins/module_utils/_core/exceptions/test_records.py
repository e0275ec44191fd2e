# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception ledger: who may be left out, until when, on whose word (covers TM-4, 5, 6, 8; F45, F48)."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import (
    ExceptionRecord,
    ExceptionRules,
    ExceptionStatus,
    Period,
    check_request,
    decide_exception,
    in_force,
    parse_tag,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from hypothesis import given
from hypothesis import strategies as st

NODE = Candidate(node_id="i-1", host="web1", patch_group="WEB", tags={"App": "shop"})
RULES = ExceptionRules()


def record(name: str = "EX-1", **changes: Any) -> ExceptionRecord:
    data = {
        "exception_id": name,
        "node": "i-1",
        "from": "2026-11-01",
        "to": "2026-11-30",
        "reason": "audit",
        "requested_by": "ann",
        "status": "approved",
    }
    data.update({"from": changes.pop("start")} if "start" in changes else {})
    return ExceptionRecord.from_dict({**data, **changes})


def test_both_ends_of_the_period_are_included() -> None:
    found = record()
    days = [date(2026, 10, 31), date(2026, 11, 1), date(2026, 11, 30), date(2026, 12, 1)]
    assert [bool(in_force([found], day)) for day in days] == [False, True, True, False]
    assert found.period.days == 30


@pytest.mark.parametrize("status", ["requested", "rejected", "revoked"])
def test_only_an_approved_exception_counts(status: str) -> None:
    assert in_force([record(status=status)], date(2026, 11, 5)) == []


def test_the_longest_lasting_of_several_comes_first() -> None:
    longer, longest = record("EX-2", to="2026-12-31"), record("EX-3", to="2027-01-31")
    assert in_force([record(), longest, longer], date(2026, 11, 5)) == [longest, longer, record()]


def test_it_applies_to_its_node_or_to_what_its_selector_selects() -> None:
    by_group = record("EX-2", node=None, select={"patch_groups": ["WEB"]})
    other = record("EX-3", node=None, select={"tags": {"App": "somewhere else"}})
    assert [item.applies_to(NODE) for item in (record(), record(node="i-2"), by_group, other)] == [
        True,
        False,
        True,
        False,
    ]


def test_dated_tag() -> None:
    # TM-8: the tag is in date format, from-to.
    assert parse_tag("2026-11-01/2026-11-30") == record().period
    assert str(record().period) == "2026-11-01/2026-11-30"


@pytest.mark.parametrize("value", ["", "yes", "2026-11-01", "2026-11-30/2026-11-01", "2026-02-30/2026-03-01", "1/2"])
def test_bad_tag_says_what_would_be_right(value: str) -> None:
    with pytest.raises(BadInput, match=r"^exception tag: .* is not valid, expected "):
        parse_tag(value)


@given(st.dates(), st.integers(0, 400))
def test_tag_reads_back(start: date, days: int) -> None:
    end = date.fromordinal(min(start.toordinal() + days, date.max.toordinal()))
    assert parse_tag(str(Period(start=start, end=end))) == Period(start=start, end=end)


def test_stored_record_reads_back() -> None:
    found = record(tagged={"i-1": "2026-11-01/2026-11-30"}, note="n", decided_by="bob", decided_at="t")
    assert ExceptionRecord.from_dict(found.to_dict()) == found


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"to": "2026-10-01"}, "exceptions[3].to: '2026-10-01' is not valid, expected a day not before 2026-11-01"),
        ({"start": "tomorrow"}, "exceptions[3].from: 'tomorrow' is not valid, expected a day such as 2026-11-01"),
        ({"to": "2026-02-30"}, "exceptions[3].to: '2026-02-30'"),
        ({"reason": " "}, "exceptions[3].reason: ' ' is not valid, expected a text that is not empty"),
        ({"status": "ok"}, "exceptions[3].status: 'ok' is not valid, expected one of requested, approved, rejected"),
        ({"node": None}, "exceptions[3].select: None is not valid, expected at least one criterion"),
        ({"node": None, "select": {"nodes": []}}, "exceptions[3].select: {'nodes': []}"),
        (
            {"node": None, "select": {"node": "x"}},
            "exceptions[3].select.node: 'x' is not valid, expected one of accounts",
        ),
        ({"approver": "bob"}, "exceptions[3].approver: 'bob' is not valid, expected one of decided_at"),
    ],
)
def test_bad_record_names_its_path(changes: dict[str, Any], message: str) -> None:
    data = {**record().to_dict(), "node": "i-1", **changes}
    data.update({"from": data.pop("start")} if "start" in data else {})
    data.pop("select") if "select" not in changes else None
    with pytest.raises(BadInput) as caught:
        ExceptionRecord.from_dict(data, "exceptions[3].")
    assert str(caught.value).startswith(message)


def test_longest_allowed_exception() -> None:
    today = date(2026, 11, 21)
    check_request(record(), ExceptionRules(max_days=30), today)
    with pytest.raises(BadInput, match=r"^to: '2026-11-30' is not valid, expected 2026-11-29 at the latest"):
        check_request(record(), ExceptionRules(max_days=29), today)
    with pytest.raises(BadInput, match=r"2026-12-01 or later$"):
        check_request(record(), RULES, date(2026, 12, 1))


def test_approval_by_somebody_else_then_revocation() -> None:
    asked = record(status="requested")
    approved = decide_exception(asked, ExceptionStatus.APPROVED, "bob", "2026-11-02T10:00:00Z", RULES)
    assert (approved.status, approved.decided_by) == (ExceptionStatus.APPROVED, "bob")
    assert decide_exception(approved, ExceptionStatus.APPROVED, "eve", "later", RULES) is approved
    revoked = decide_exception(approved, ExceptionStatus.REVOKED, "bob", "t", RULES, note="audit is over")
    assert (revoked.status, revoked.note) == (ExceptionStatus.REVOKED, "audit is over")
    with pytest.raises(BadInput, match=r"^status: 'approved' .* expected no other status; request a new one, because"):
        decide_exception(revoked, ExceptionStatus.APPROVED, "bob", "t", RULES)


def test_nobody_approves_their_own_exception() -> None:
    asked = record(status="requested")
    with pytest.raises(BadInput, match=r"^decided_by: ' Ann' is not valid, expected a person other"):
        decide_exception(asked, ExceptionStatus.APPROVED, " Ann", "t", RULES)
    alone = ExceptionRules(four_eyes=False)
    assert decide_exception(asked, ExceptionStatus.APPROVED, "ann", "t", alone).is_approved
    assert decide_exception(asked, ExceptionStatus.REJECTED, "ann", "t", RULES).status is ExceptionStatus.REJECTED
    with pytest.raises(BadInput, match=r"^decided_by: ''"):
        decide_exception(asked, ExceptionStatus.REJECTED, "", "t", RULES)


@pytest.mark.parametrize("data", [{"max_days": 0}, {"max_days": True}, {"four_eyes": "no"}, {"days": 3}])
def test_bad_rule_names_its_path(data: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=rf"^exceptions.{next(iter(data))}: "):
        ExceptionRules.from_dict(data)
