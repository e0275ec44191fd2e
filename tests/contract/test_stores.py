# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Journals and claims behave the same in files and in DynamoDB (moto's, through the lab)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import DynamoClaims, DynamoJournal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.claims import SKEW, refused
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import Record, verify
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.stores import ClaimStore, JournalStore
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.claim_file import ClaimFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.journal_file import JournalFile

from lab.aws.launch import SECRET, Lab

AT = datetime(2026, 6, 1, 20, 0, tzinfo=timezone.utc)
UNTIL = AT + timedelta(hours=4)
#: Opens the same store once more, as another controller does.
Open = Callable[[], Any]


def table_of(aws: Lab, name: str, **keys: str) -> Any:
    """Make an empty table of this name and these keys; return its client."""
    client = aws.client("dynamodb")
    name = f"{name}-{uuid.uuid4().hex[:8]}"
    client.create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)],
        BillingMode="PAY_PER_REQUEST",
    )
    return client, name


@pytest.fixture(params=["file", "dynamodb"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "file":
        return lambda: JournalFile(tmp_path / "journal.jsonl")
    client, table = table_of(request.getfixturevalue("aws"), "journal", rollout="S", seq="N")
    return lambda: DynamoJournal(client, table, "9edb2bfb93c0")


@pytest.fixture(params=["file", "dynamodb"])
def claims(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "file":
        return lambda: ClaimFile(tmp_path / "shared" / "claims.json")
    client, table = table_of(request.getfixturevalue("aws"), "claims", node_id="S")
    return lambda: DynamoClaims(client, table)


def test_what_is_written_is_read_by_another_once(journal: Open) -> None:
    mine: JournalStore = journal()
    other: JournalStore = journal()
    assert mine.read() == other.read() == []
    first = mine.append("wave_started", {"wave": "canary", "odd": "ü\udc80 {{ x }}"}, AT)
    second = mine.append("claimed", {"nodes": ["i-1"], "deep": {"a": [1, 2.5, None, True]}}, AT)
    assert other.read() == [first, second]
    assert other.read() == mine.read() == []
    assert verify(journal().read()) == second and second.seq == 2


def test_a_writer_sees_first_what_others_wrote(journal: Open) -> None:
    mine, other = journal(), journal()
    mine.append("a", {}, AT)
    seen: list[Record] = []
    record = other.append("b", {}, AT, seen.extend)
    assert [item.kind for item in seen] == ["a"] and record.seq == 2
    assert [item.kind for item in mine.read()] == ["b"]


def test_a_guard_refuses(journal: Open) -> None:
    def refuse(news: Sequence[Record]) -> None:
        raise JournalError(f"no, after {len(news)}")

    store = journal()
    store.append("a", {}, AT)
    with pytest.raises(JournalError, match="no, after 0"):
        store.append("b", {}, AT, refuse)
    assert [item.kind for item in journal().read()] == ["a"]
    assert store.append("c", {}, AT).seq == 2


def test_many_writers_make_one_chain(journal: Open) -> None:
    def write(number: int) -> None:
        store = journal()
        for turn in range(4):
            store.append("note", {"writer": number, "turn": turn}, AT)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    records = journal().read()
    assert verify(records) == records[-1] and len(records) == 16
    assert len({(item.data["writer"], item.data["turn"]) for item in records}) == 16


def test_a_record_of_many_nodes_is_kept_whole(journal: Open) -> None:
    rows = [{"node_id": f"i-{uuid.uuid4().hex}", "noise": uuid.uuid4().hex * 8} for _unused in range(12_000)]
    written = journal().append("outcome", {"results": rows}, AT)
    assert len(written.to_line()) > 2_000_000
    assert journal().read() == [written]


def ask(store: ClaimStore, owner: str, *nodes: str, now: datetime = AT, until: datetime = UNTIL) -> list[str]:
    """Claim and return who holds each node then."""
    return [item.owner for item in store.claim(nodes, owner=owner, window="night", until=until, now=now)]


def test_each_node_has_one_owner(claims: Open) -> None:
    mine, other = claims(), claims()
    assert ask(mine, "a", "i-1", "i-2") == ["a", "a"]
    assert ask(other, "b", "i-2", "i-3") == ["a", "b"]
    answer = other.claim(["i-1"], owner="b", window="night", until=UNTIL, now=AT)
    assert refused(answer, "b") == answer and (answer[0].window, answer[0].until) == ("night", UNTIL)


def test_claimed_again_after_a_crash_it_is_still_ours(claims: Open) -> None:
    ask(claims(), "a", "i-1")
    later = UNTIL + timedelta(hours=1)
    assert ask(claims(), "a", "i-1", "i-1", until=later) == ["a"]
    assert ask(claims(), "b", "i-1", now=UNTIL + SKEW) == ["a"], "renewed"


def test_released_by_its_owner_alone(claims: Open) -> None:
    store = claims()
    ask(store, "a", "i-1", "i-2")
    store.release(["i-1", "i-2", "i-9"], owner="b")
    assert ask(store, "b", "i-1", "i-2") == ["a", "a"]
    store.release(["i-1"], owner="a")
    assert ask(store, "b", "i-1", "i-2") == ["b", "a"]


def test_over_only_when_every_clock_says_so(claims: Open) -> None:
    ask(claims(), "a", "i-1")
    slow = UNTIL + SKEW - timedelta(seconds=1)
    assert ask(claims(), "b", "i-1", now=slow, until=slow + timedelta(hours=4)) == ["a"]
    assert ask(claims(), "b", "i-1", now=UNTIL + SKEW, until=UNTIL + timedelta(hours=9)) == ["b"]


def test_of_two_controllers_at_once_one_wins_each_node(claims: Open) -> None:
    nodes = [f"i-{number}" for number in range(20)]

    def race(owner: str) -> list[str]:
        return ask(claims(), owner, *(nodes if owner == "a" else reversed(nodes)))

    with ThreadPoolExecutor(2) as pool:
        mine, other = pool.map(race, ("a", "b"))
    assert mine == list(reversed(other)), "both are told the same owner"
    assert set(mine) <= {"a", "b"} and len(mine) == 20


def test_an_answer_that_was_lost_leaves_one_record(aws: Lab) -> None:
    """DynamoDB only: botocore repeats the call, and the condition it then fails was met by its first try."""
    aws.reset()
    _unused, table = table_of(aws, "journal", rollout="S", seq="N")
    sessions = Sessions(Connection(endpoint_url=aws.url, access_key=aws.access_key, secret_key=SECRET))
    store = DynamoJournal(sessions.client("dynamodb", Place(region="eu-central-1")), table, "r")
    store.append("a", {}, AT)
    aws.post("faults", {"rules": [{"kind": "lose_response", "operation": "PutItem", "times": 1}]})
    guarded: list[int] = []
    assert store.append("b", {}, AT, lambda news: guarded.append(len(news))).seq == 2
    assert aws.get("faults")["rules"][0]["hits"] == 1 and guarded == [0]
    assert [item.kind for item in DynamoJournal(aws.client("dynamodb"), table, "r").read()] == ["a", "b"]
    assert store.append("c", {}, AT).seq == 3
