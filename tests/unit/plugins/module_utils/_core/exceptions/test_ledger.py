# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be declared about an exception, and which nodes it then keeps from being patched."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.guard import ExceptionGuard
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.ledger import declare, name_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import (
    ExceptionRecord,
    ExceptionRules,
    ExceptionStatus,
    to_period,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate

TODAY = date(2026, 11, 10)
REQUEST = {"exception_id": "E1", "node": "web-1", "from": "2026-11-01", "to": "2026-11-30", "reason": "Audit"}
WEB = Candidate(node_id="i-1", host="web-1")
NOON = datetime(2026, 11, 10, 12, tzinfo=timezone.utc)


def tell(before: ExceptionRecord | None, state: str, who: str = "dana", **options: Any) -> ExceptionRecord | None:
    given = {"exception_id": "E1", **options, "state": state}
    return declare(before, given, ExceptionRules(), who=who, today=TODAY, at="2026-11-10T12:00:00Z")


def made(state: str = "requested", **options: Any) -> ExceptionRecord:
    requested = tell(None, "requested", **{**REQUEST, **options})
    found = requested if state == "requested" else tell(requested, state, who="robin")
    assert found is not None
    return found


def guard(*records: ExceptionRecord, tag: str = "") -> ExceptionGuard:
    return ExceptionGuard(records=records, tag=tag)


def test_a_request_is_approved_by_somebody_else_and_stays_as_it_is() -> None:
    approved = made("approved")
    assert (approved.status, approved.requested_by, approved.decided_by) == ("approved", "dana", "robin")
    assert tell(approved, "approved", who="kim") == approved == tell(approved, "requested", **REQUEST)
    with pytest.raises(BadInput, match="a person other"):
        tell(made(), "approved", who="DANA ")


def test_an_approval_of_something_new_needs_a_requester() -> None:
    with pytest.raises(BadInput, match="requested_by"):
        tell(None, "approved", who="robin", **REQUEST)
    found = tell(None, "approved", who="robin", **REQUEST, requested_by="dana")
    assert found is not None and found.is_approved


def test_a_request_may_be_corrected_until_it_is_decided() -> None:
    longer = tell(made(), "requested", **{"from": "2026-11-01", "to": "2026-12-15"})
    assert longer is not None and longer.period.end == date(2026, 12, 15)
    with pytest.raises(BadInput, match=r"^to: .*2026-11-30.*approved; request a new exception"):
        tell(made("approved"), "requested", **{"from": "2026-11-01", "to": "2026-12-15"})


def test_a_request_whose_days_are_over_is_not_approved() -> None:
    old = replace(made(), period=to_period("2026-10-01", "2026-10-02"))
    with pytest.raises(BadInput, match="2026-11-10 or later"):
        tell(old, "approved", who="robin")


def test_an_approved_exception_is_not_deleted_while_it_lasts() -> None:
    with pytest.raises(BadInput, match="revoked"):
        tell(made("approved"), "absent")
    assert tell(made("revoked"), "absent") is None is tell(made(), "absent")


def test_the_id_follows_from_nodes_and_days() -> None:
    request = {key: value for key, value in REQUEST.items() if key != "exception_id"}
    assert name_of(request) == name_of({**request, "reason": "other"}) != name_of({**request, "to": "2026-12-01"})
    with pytest.raises(BadInput, match="exception_id"):
        name_of({"node": "web-1"})


@pytest.mark.parametrize(("state", "kept"), [("requested", False), ("approved", True), ("revoked", False)])
def test_only_an_approved_one_keeps_its_node(state: str, kept: bool) -> None:
    why = guard(made(state)).during(NOON, NOON)(WEB)
    assert bool(why) is kept and (not kept or ("robin" in str(why) and "2026-11-30" in str(why)))


def test_days_are_those_of_the_zone_and_a_window_counts_from_end_to_end() -> None:
    berlin = ExceptionGuard(records=(made("approved"),), zone=ZoneInfo("Europe/Berlin"))
    end = datetime(2026, 11, 30, 23, tzinfo=timezone.utc)  # midnight in Berlin
    assert berlin.during(end - timedelta(hours=1), end + timedelta(hours=4))(WEB)
    assert not berlin.during(end, end + timedelta(hours=4))(WEB)
    begin = datetime(2026, 10, 31, 23, tzinfo=timezone.utc)
    assert not berlin.during(begin - timedelta(hours=4), begin)(WEB)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("2026-11-01/2026-11-10", True), ("2026-11-11/2026-11-12", False), ("until monday", True), ("", False)],
)
def test_a_tag_keeps_its_node_and_so_does_one_that_nobody_understands(value: str, kept: bool) -> None:
    why = guard(tag="PatchException").during(NOON, NOON)(replace(WEB, tags={"PatchException": value}))
    assert bool(why) is kept


@pytest.mark.parametrize(("status", "kept"), [("approved", True), ("revoked", False), ("rejected", False)])
def test_a_tag_that_the_ledger_has_outgrown_counts_no_more(status: str, kept: bool) -> None:
    record = replace(made(), status=ExceptionStatus(status), tagged={"i-1": "2026-11-01/2026-11-30"})
    node = replace(WEB, host="other", tags={"PatchException": "2026-11-01/2026-11-30"})
    assert bool(guard(record, tag="PatchException").during(NOON, NOON)(node)) is kept


@pytest.mark.parametrize(
    "select", [{"nodes": "web-1"}, {"nodes": ["i-1"]}, {"tags": {"App": "shop"}, "nodes": ["i-1"]}]
)
def test_a_selector_s_single_value_is_a_list_of_one(select: dict[str, Any]) -> None:
    request = {key: value for key, value in REQUEST.items() if key != "node"}
    record = tell(tell(None, "requested", **request, select=select), "approved", who="robin")
    assert record is not None
    assert guard(record).during(NOON, NOON)(replace(WEB, tags={"App": "shop"}))
    assert not guard(record).during(NOON, NOON)(replace(WEB, node_id="i-2", host="web-2"))
