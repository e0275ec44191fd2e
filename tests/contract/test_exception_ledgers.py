# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception ledger: the same on a file and on a DynamoDB table."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.exception_table import ExceptionTable, create_table
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.records import (
    ExceptionRecord,
    to_period,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Select
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.exceptions.ledger_file import LedgerFile

from lab.aws.launch import Lab

Open = Callable[[], Any]


def record(name: str, **more: Any) -> ExceptionRecord:
    given = {"select": Select(nodes=("web-1",)), "period": to_period("2026-11-01", "2026-11-30"), **more}
    return ExceptionRecord(exception_id=name, reason="Audit \u2013 {{ x }}", requested_by="dana", **given)


@pytest.fixture(params=["file", "table"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same ledger anew each time, as another process would."""
    if request.param == "file":
        return lambda: LedgerFile(tmp_path / "sub" / "exceptions.json")
    aws: Lab = request.getfixturevalue("aws")
    aws.reset()
    for _again in range(2):
        create_table(aws.client("dynamodb"), "exceptions")
    return lambda: ExceptionTable(aws.client("dynamodb"), "exceptions")


def test_a_new_ledger_is_empty(opened: Open) -> None:
    assert opened().read() == []


def test_what_is_written_is_read_by_others_in_order(opened: Open) -> None:
    for name in ("b", "a", "c"):
        assert opened().change(name, lambda before, name=name: before or record(name)) == (None, record(name))
    assert opened().read() == [record("a"), record("b"), record("c")]


def test_a_rehearsed_change_writes_nothing(opened: Open) -> None:
    assert opened().change("a", lambda _before: record("a"), write=False) == (None, record("a"))
    assert opened().read() == []


def test_a_record_is_deleted_and_deleting_again_is_nothing(opened: Open) -> None:
    opened().change("a", lambda _before: record("a"))
    assert opened().change("a", lambda _before: None) == (record("a"), None)
    assert opened().change("a", lambda _before: None) == (None, None)
    assert opened().read() == []


def test_an_error_while_deciding_leaves_everything_as_it_was(opened: Open) -> None:
    opened().change("a", lambda _before: record("a"))
    with pytest.raises(ZeroDivisionError):
        opened().change("a", lambda _before: 1 // 0)
    assert opened().read() == [record("a")]


def test_two_who_write_at_once_lose_nothing(opened: Open) -> None:
    opened().change("a", lambda _before: record("a"))

    def work(who: str) -> None:
        for number in range(3):
            key = f"{who}-{number}"
            opened().change("a", lambda before, key=key: replace(before, tagged={**before.tagged, key: "x"}))

    threads = [threading.Thread(target=work, args=(who,)) for who in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened().read()[0].tagged) == 6


def test_a_table_that_is_not_there_is_named(aws: Lab) -> None:
    aws.reset()
    with pytest.raises(Exception, match="read the exceptions in the DynamoDB table nowhere: ResourceNotFound"):
        ExceptionTable(aws.client("dynamodb"), "nowhere").read()


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"exceptions": []}')
    with pytest.raises(Exception, match="patchtide/exceptions/1"):
        LedgerFile(tmp_path / "x.json").read()
