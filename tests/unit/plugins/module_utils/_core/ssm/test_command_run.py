# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One command: sent exactly once, awaited with an end, judged per node."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.clock import Clock
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.command_run import (
    CommandState,
    await_end,
    check_command,
    look,
    send_once,
    to_outcome,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import Ambiguous
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation

_OPTIONAL = (
    *("document_version", "document_hash", "comment", "delivery_timeout", "output_s3_bucket", "output_s3_prefix"),
    *("cloudwatch_log_group", "alarm", "max_concurrency", "max_errors"),
)
OPTIONS: dict[str, Any] = {"document": "AWS-RunShellScript", **dict.fromkeys(_OPTIONAL)}


class FakeClock:
    """Time that passes when somebody sleeps."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 1, tzinfo=timezone.utc)

    def now(self) -> datetime:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class FakeCommands:
    """A ``CommandPort``. ``sends`` says what comes of each attempt: "ok", or "lost" and "refused" without answer."""

    def __init__(self, sends: Sequence[str] = (), statuses: Sequence[str] = ()) -> None:
        self.sends = list(sends)
        self.statuses = list(statuses)
        self.made: list[str] = []

    def send_members(self, action: str, members: Mapping[str, Any]) -> str:
        answer = self.sends.pop(0)
        if answer != "refused":
            self.made.append(f"c-{len(self.made)}")
        if answer in ("lost", "refused"):
            raise Ambiguous("no answer")
        return self.made[-1]

    def find_recent(self, comment: str, document: str, seconds: float, clock: Clock) -> str | None:
        return self.made[-1] if self.made else None

    def state(self, command_id: str) -> CommandState | None:
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return CommandState(command_id=command_id, status=status, members={}) if status else None

    def invocations(self, command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        return []

    def cancel_nodes(self, command_id: str, node_ids: Sequence[str]) -> None:
        raise AssertionError("nobody cancels here")


@pytest.mark.parametrize("sends", [["ok"], ["lost"], ["refused", "ok"], ["refused", "refused", "lost"]])
def test_sent_exactly_once_whatever_is_lost(sends: list[str]) -> None:
    port = FakeCommands(sends)
    assert send_once(port, {"Comment": "x", "DocumentName": "y"}, FakeClock()) == "c-0"
    assert port.made == ["c-0"]


def test_gives_up_after_some_tries() -> None:
    with pytest.raises(PatchtideError, match="no answer after 4 tries"):
        send_once(FakeCommands(["refused"] * 4), {"Comment": "x", "DocumentName": "y"}, FakeClock())


def test_waits_until_it_is_shown_and_has_ended() -> None:
    port = FakeCommands(statuses=["", "Pending", "InProgress", "Failed"])
    assert await_end(port, "c-0", 600, FakeClock()).status == "Failed"


def test_a_new_command_is_looked_for_patiently_and_a_wrong_id_not_for_ever() -> None:
    found = look(FakeCommands(statuses=["", "", "Pending"]), "c-0", FakeClock())
    assert found and found.status == "Pending"
    assert look(FakeCommands(statuses=[""]), "c-0", FakeClock()) is None


def test_patience_has_an_end() -> None:
    with pytest.raises(PatchtideError, match="and continues"):
        await_end(FakeCommands(statuses=["InProgress"]), "c-0", 600, FakeClock())


def test_success_of_the_command_says_nothing_of_its_nodes() -> None:
    rows = [Invocation(node_id="i-1", status="Success"), Invocation(node_id="i-2", status="Undeliverable")]
    outcome = to_outcome([*rows, Invocation(node_id="i-3", status="InProgress")])
    assert (outcome["succeeded"], outcome["failed"], outcome["running"]) == (["i-1"], ["i-2"], ["i-3"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "nodes to run on"),
        ({"instance_ids": ["i-0123456789abcdef0"], "tag_keys": ["Team"]}, "nothing beside instance_ids"),
        ({"tag_keys": ["Team"], "comment": "x" * 101}, "at most 100"),
        ({"tag_keys": ["Team"], "delivery_timeout": 29}, "30 to 2592000"),
        ({"tag_keys": ["Team"], "max_errors": "x"}, "max_errors"),
    ],
)
def test_what_the_service_would_refuse_is_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        check_command({**OPTIONS, **options})
