# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's records: any change, loss or reordering is noticed; a torn line never counted."""

from __future__ import annotations

import hashlib
import json
import re
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


def lines(count: int) -> list[bytes]:
    return [record.to_line().encode() for record in chain(count)]


def edit(row: bytes, old: bytes, new: bytes) -> bytes:
    assert old in row
    return row.replace(old, new, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: [*rows[:1], *rows[2:]], "record 2 is missing"),
        (lambda rows: [rows[0], rows[2], rows[1]], "record 2 is missing"),
        (lambda rows: [rows[0], rows[1], rows[1]], "record 3 is missing"),
        (lambda rows: rows[1:], "record 1 is missing"),
        (lambda rows: [rows[0], edit(rows[1], b'"prev":"', b'"prev":"","prev":"'), rows[2]], "not a journal record"),
        (lambda rows: [rows[0], re.sub(rb'"prev":"\w+', b'"prev":"' + b"0" * 64, rows[1])], "record 2 does not follow"),
        (lambda rows: [rows[0], edit(rows[1], b"i-1", b"i-7"), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], edit(rows[1], b'["i-1"]', b'[ "i-1"]'), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], edit(rows[1], b'"wave"', b'"wave":"x","wave"'), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], edit(rows[1], b"i-1", b"\\u0069-1"), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], edit(rows[1], b"2026-06", b"2026-01"), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], edit(rows[1], b"claimed", b"outcome"), rows[2]], "record 2 was changed"),
        (lambda rows: [rows[0], re.sub(rb'"hash":"\w+', b'"hash":"' + b"0" * 64, rows[1])], "record 2 was changed"),
    ],
)
def test_tampering_is_found_and_placed(change: Any, message: str) -> None:
    with pytest.raises(JournalError, match=message):
        verify(map(from_line, change(lines(3))))


def test_the_hash_is_that_of_the_canonical_record_without_it() -> None:
    line = lines(2)[1]
    members = json.loads(line)
    digest = members.pop("hash")
    text = json.dumps(members, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    assert line == f'{text[:-1]},"hash":"{digest}"}}'.encode()


@pytest.mark.parametrize("extra", [b" ", b"\r", b"\x00", b'{"a":1}'])
def test_nothing_can_be_put_behind_or_before_a_record(extra: bytes) -> None:
    for line in (lines(1)[0] + extra, extra + lines(1)[0]):
        with pytest.raises(JournalError, match="not a journal record"):
            from_line(line)


@pytest.mark.parametrize(
    ("text", "kept"),
    [("a\udc80b", "a\udc80b"), ("\ud83d", "\ud83d"), ("\ud83d\ude00", "\U0001f600"), ("\x00\x1b\x7f\u202e\n", None)],
)
def test_any_text_makes_a_line_of_valid_utf_8(text: str, kept: str | None) -> None:
    record = next_record(None, "outcome", {text: text}, AT)
    line = record.to_line().encode("utf-8")
    assert b"\n" not in line and from_line(line) == record
    assert record.data == {kept or text: kept or text}
    verify([from_line(line)])


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
    assert from_line(line.encode()) == record
    verify([from_line(line.encode())])


@pytest.mark.parametrize(
    "line", [b"", b"{", b"[]", b"42", b'{"seq": 1}', b'{"seq": 1, "more": 2}', b"null", b"\xff\xfe"]
)
def test_what_is_not_a_record_is_refused(line: bytes) -> None:
    with pytest.raises(JournalError, match="not a journal record"):
        from_line(line)


def test_later_changes_of_the_data_do_not_change_the_record() -> None:
    data: dict[str, Any] = {"nodes": ["i-1"]}
    record = next_record(None, "claimed", data, AT)
    data["nodes"].append("i-2")
    verify([record])


@given(cut=st.integers(min_value=0))
def test_a_text_cut_anywhere_gives_whole_records_and_a_tail(cut: int) -> None:
    data = b"".join(line + b"\n" for line in lines(3))
    cut %= len(data) + 1
    whole, tail = split_lines(data[:cut])
    assert b"".join(line + b"\n" for line in whole) + tail == data[:cut]
    verify([from_line(line) for line in whole])
    assert len(whole) == data[:cut].count(b"\n")


def test_times_are_utc_to_the_millisecond() -> None:
    cet = timezone(timedelta(hours=2))
    assert to_time(datetime(2026, 6, 1, 22, 0, 0, 123456, tzinfo=cet)) == "2026-06-01T20:00:00.123Z"
    assert from_time("2026-06-01T20:00:00.000Z") == AT
    assert json.loads(next_record(None, "x", {}, AT).to_line())["at"] == "2026-06-01T20:00:00.000Z"
