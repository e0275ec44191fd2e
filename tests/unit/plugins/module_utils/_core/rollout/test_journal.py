# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's records: any change, loss or reordering is noticed; a torn line never counted."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import (
    Record,
    from_line,
    next_record,
    split_lines,
    verify,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time
from hypothesis import given
from hypothesis import strategies as st

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def chain(count: int) -> list[Record]:
    records: list[Record] = []
    for number in range(count):
        data = {"wave": "canary", "nodes": [f"i-{number}"]}
        records.append(next_record(records[-1] if records else None, "claimed", data, AT + timedelta(seconds=number)))
    return records


def test_a_chain_is_numbered_from_one_and_whole() -> None:
    records = chain(4)
    assert [record.seq for record in records] == [1, 2, 3, 4]
    assert records[0].prev == "" and [r.prev for r in records[1:]] == [r.hash for r in records[:-1]]
    assert verify(records) is records[-1]
    assert verify([]) is None


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [*rows[:1], *rows[2:]], "record 2 is missing"),
        (lambda rows: [rows[0], rows[2], rows[1]], "record 2 is missing"),
        (lambda rows: [rows[0], rows[1], rows[1]], "record 3 is missing"),
        (lambda rows: rows[1:], "record 1 is missing"),
        (lambda rows: [rows[0], replace(rows[1], prev="0" * 64), rows[2]], "record 2 does not follow"),
        (lambda rows: [rows[0], replace(rows[1], data={"nodes": []}), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], replace(rows[1], at="2026-01-01T00:00:00Z"), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], replace(rows[1], kind="outcome"), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], replace(rows[1], hash="0" * 64), rows[2]], "record 2 was changed"),
    ],
)
def test_tampering_is_found_and_placed(change: Any, message: str) -> None:
    with pytest.raises(JournalError, match=message):
        verify(change(chain(3)))


def test_one_record_forged_with_its_hash_breaks_the_next_one() -> None:
    rows = chain(3)
    forged = next_record(rows[0], "claimed", {"nodes": ["i-evil"]}, AT)
    with pytest.raises(JournalError, match="record 3 does not follow"):
        verify([rows[0], forged, rows[2]])


@given(data=st.dictionaries(st.text(), JSON, max_size=4))
def test_any_data_survives_the_line(data: dict[str, Any]) -> None:
    record = next_record(None, "outcome", data, AT)
    line = record.to_line()
    assert "\n" not in line and "\r" not in line
    assert from_line(line) == record
    verify([from_line(line)])


@pytest.mark.parametrize("line", ["", "{", "[]", "42", '{"seq": 1}', '{"seq": 1, "more": 2}', "null"])
def test_what_is_not_a_record_is_refused(line: str) -> None:
    with pytest.raises(JournalError, match="not a journal record"):
        from_line(line)


def test_later_changes_of_the_data_do_not_change_the_record() -> None:
    data: dict[str, Any] = {"nodes": ["i-1"]}
    record = next_record(None, "claimed", data, AT)
    data["nodes"].append("i-2")
    verify([record])


@given(cut=st.integers(min_value=0))
def test_a_text_cut_anywhere_gives_whole_records_and_a_tail(cut: int) -> None:
    text = "".join(record.to_line() + "\n" for record in chain(3))
    cut %= len(text) + 1
    lines, tail = split_lines(text[:cut])
    assert "".join(line + "\n" for line in lines) + tail == text[:cut]
    verify([from_line(line) for line in lines])
    assert len(lines) == text[:cut].count("\n")


def test_times_are_utc_to_the_millisecond() -> None:
    cet = timezone(timedelta(hours=2))
    assert to_time(datetime(2026, 6, 1, 22, 0, 0, 123456, tzinfo=cet)) == "2026-06-01T20:00:00.123Z"
    assert from_time("2026-06-01T20:00:00.000Z") == AT
    assert json.loads(next_record(None, "x", {}, AT).to_line())["at"] == "2026-06-01T20:00:00.000Z"
