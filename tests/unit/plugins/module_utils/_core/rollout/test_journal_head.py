# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The noted head: a journal that ends before it, or has another record there, is refused."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import Record, next_record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_head import (
    Head,
    against,
    from_text,
)

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)


def chain(count: int) -> list[Record]:
    records: list[Record] = []
    for number in range(count):
        records.append(next_record(records[-1] if records else None, "claimed", {"number": number}, AT))
    return records


def test_a_journal_at_or_past_its_head_is_whole() -> None:
    records = chain(3)
    for noted in (Head(), Head(2, records[1].hash), Head(3, records[2].hash)):
        assert list(against(records, noted)) == records


@pytest.mark.parametrize(("kept", "ends"), [(2, "ends with record 2, hash "), (0, "has no records")])
def test_a_journal_that_ends_before_its_head_names_both(kept: int, ends: str) -> None:
    records = chain(3)
    with pytest.raises(JournalError, match=f"{ends}.*expected 3 records, the last with the hash {records[2].hash}"):
        list(against(records[:kept], Head(3, records[2].hash)))


def test_another_record_in_its_place_is_found_before_it_is_used() -> None:
    source = against(chain(3), Head(1, "0" * 64))
    with pytest.raises(JournalError, match=f"record 1 is not the one .* expected {'0' * 64}"):
        next(source)


def test_a_head_survives_its_text() -> None:
    head = Head().then(chain(1)[0], 200)
    assert from_text(head.to_text()) == head == Head(1, chain(1)[0].hash, 0, 200)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "7", '{"schema":"patchtide/journal-head/1","seq":"1"}', '{"schema":"x"}']
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(JournalError, match="not a journal's head"):
        from_text(text)
