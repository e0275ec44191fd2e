# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims and journals in DynamoDB, for controllers without a shared file system and in short-lived containers.

Claims: a table with the partition key ``node_id`` (text). It also notes the heads of journals, under
``head/<rollout>``, and what child plans share, under ``split/<rollout>``. Journals: a table with the partition key
``rollout`` (text) and the sort key ``seq`` (number). Every write is conditional, so that no lock is needed and none can
remain after a crash. The head of a journal is the item ``<rollout>/head``.
"""

from __future__ import annotations

import json
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from .._core.canonical import to_canonical
from .._core.errors import BadInput, JournalError, ServiceError
from .._core.rollout.claims import SKEW, Claim, from_dict, wanted
from .._core.rollout.journal import Record, check_next, from_line, next_record
from .._core.rollout.journal_head import WAY_OUT, Head, check_noted, check_reached
from .._core.rollout.shared import Shared
from .._core.stamp import to_time
from .errors import aws_errors

_TAKEN = "ConditionalCheckFailedException"
WORKERS = 16
#: An item is limited to 400 KB, attribute names included (DynamoDB, service quotas).
PART_BYTES = 350_000
#: Attempts before a conflict with other writers is reported.
TRIES = 50


class DynamoClaims:
    """A ``ClaimStore``. One conditional PutItem per node. The owner of a refused claim is read consistently."""

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def claim(self, nodes: Sequence[str], *, owner: str, window: str, until: datetime, now: datetime) -> list[Claim]:
        def one(claim: Claim) -> Claim:
            return self._claim(claim, now)

        return _gather(one, wanted(nodes, owner, window, until))

    def _claim(self, claim: Claim, now: datetime) -> Claim:
        for _try in range(TRIES):
            try:
                with aws_errors(f"claim {claim.node_id} in table {self._table}"):
                    self._client.put_item(
                        TableName=self._table,
                        Item={
                            **{key: {"S": value} for key, value in claim.to_dict().items()},
                            "expires": {"N": str(int((claim.until + SKEW).timestamp()))},
                        },
                        ConditionExpression="attribute_not_exists(node_id) OR #owner = :owner OR #until <= :over",
                        ExpressionAttributeNames={"#owner": "owner", "#until": "until"},
                        ExpressionAttributeValues={":owner": {"S": claim.owner}, ":over": {"S": to_time(now - SKEW)}},
                    )
                return claim
            except ServiceError as error:
                if error.code != _TAKEN:
                    raise
            if holder := self._holder(claim.node_id):
                return holder
        raise ServiceError(f"claim {claim.node_id} in table {self._table}", _TAKEN, "its owner changes too often")

    def _holder(self, node_id: str) -> Claim | None:
        with aws_errors(f"read the claim of {node_id} in table {self._table}"):
            reply = self._client.get_item(TableName=self._table, Key={"node_id": {"S": node_id}}, ConsistentRead=True)
        row = {key: value["S"] for key, value in reply.get("Item", {}).items() if "S" in value}
        return from_dict(row) if row else None

    def release(self, nodes: Sequence[str], *, owner: str) -> None:
        def one(node_id: str) -> None:
            try:
                with aws_errors(f"release {node_id} in table {self._table}"):
                    self._client.delete_item(
                        TableName=self._table,
                        Key={"node_id": {"S": node_id}},
                        ConditionExpression="attribute_not_exists(node_id) OR #owner = :owner",
                        ExpressionAttributeNames={"#owner": "owner"},
                        ExpressionAttributeValues={":owner": {"S": owner}},
                    )
            except ServiceError as error:
                if error.code != _TAKEN:  # it belongs to another rollout
                    raise

        _gather(one, list(dict.fromkeys(nodes)))


class DynamoHead:
    """A ``HeadStore`` in the table of the claims, under a name that no node has."""

    def __init__(self, client: Any, table: str, rollout: str) -> None:
        self._client = client
        self._table = table
        self._key = {"node_id": {"S": f"head/{rollout}"}}

    def read(self) -> Head:
        with aws_errors(f"read the head of a journal in table {self._table}"):
            reply = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)
        row = reply.get("Item")
        return Head(int(row["head_seq"]["N"]), row["hash"]["S"]) if row else Head()

    def write(self, head: Head) -> None:
        item = {**self._key, "head_seq": {"N": str(head.seq)}, "hash": {"S": head.hash}}
        try:
            with aws_errors(f"note the head of a journal in table {self._table}"):
                self._client.put_item(
                    TableName=self._table,
                    Item=item,
                    ConditionExpression="attribute_not_exists(head_seq) OR head_seq < :seq",
                    ExpressionAttributeValues={":seq": {"N": str(head.seq)}},
                )
        except ServiceError as error:
            if error.code != _TAKEN:
                raise


class DynamoShared:
    """A ``SharedStore``: one compressed item in the table of the claims, under a name that no node has.

    Each write is conditional on the version that was read.
    """

    def __init__(self, client: Any, table: str, rollout: str) -> None:
        self._client = client
        self._table = table
        self._key = {"node_id": {"S": f"split/{rollout}"}}

    def read(self) -> tuple[int, Shared]:
        with aws_errors(f"read the state of a split plan in table {self._table}"):
            reply = self._client.get_item(TableName=self._table, Key=self._key, ConsistentRead=True)
        row = reply.get("Item")
        if not row:
            return 0, Shared()
        return int(row["shared_version"]["N"]), Shared.from_data(json.loads(zlib.decompress(bytes(row["shared"]["B"]))))

    def write(self, shared: Shared, version: int) -> bool:
        packed = zlib.compress(to_canonical(shared.to_data()).encode())
        if len(packed) > PART_BYTES:
            raise BadInput(
                "at_most", f"{len(packed)} bytes of shared state", "fewer child plans, or budgets of fewer clusters"
            )
        item = {**self._key, "shared_version": {"N": str(version + 1)}, "shared": {"B": packed}}
        unchanged: dict[str, Any] = (
            {
                "ConditionExpression": "shared_version = :version",
                "ExpressionAttributeValues": {":version": {"N": str(version)}},
            }
            if version
            else {"ConditionExpression": "attribute_not_exists(shared_version)"}
        )
        try:
            with aws_errors(f"write the state of a split plan to table {self._table}"):
                self._client.put_item(TableName=self._table, Item=item, **unchanged)
        except ServiceError as error:
            if error.code != _TAKEN:
                raise
            return False
        return True


class DynamoJournal:
    """A ``JournalStore``: one compressed item per record. A record that is too long for an item is split into parts.

    The record's number is the sort key and must be new. Of two writers, one is first, and the other reads its record.
    """

    def __init__(self, client: Any, table: str, rollout: str) -> None:
        self._client = client
        self._table = table
        self._rollout = rollout
        self._last = Head()
        self._noted: Head | None = None
        self._writer = uuid.uuid4().hex

    def read(self) -> list[Record]:
        return [record for record, _writer in self._news()]

    def stream(self) -> Iterator[Record]:
        """Yield the records that ``read`` returns."""
        yield from self.read()

    def append(
        self,
        kind: str,
        data: Mapping[str, Any],
        at: datetime,
        guard: Callable[[Sequence[Record]], None] | None = None,
    ) -> Record:
        news = self.read()
        for _try in range(TRIES):
            if guard:
                guard(news)
            record = next_record(self._last, kind, data, at)
            if self._put(record):
                return self._stored(record)
            found = self._news()
            if found and found[0] == (record, self._writer):  # botocore repeated the call after a lost answer
                return self._stored(record)  # records after it have not been read yet
            news = [item for item, _writer in found]
        raise ServiceError(f"write to table {self._table}", _TAKEN, f"other writers were first {TRIES} times")

    @contextmanager
    def grouped(self) -> Iterator[None]:
        yield  # each item is stored by a call of its own

    def _stored(self, record: Record) -> Record:
        """Store the head unless another writer has stored a later one."""
        self._last = Head(record.seq, record.hash)
        try:
            self._put_item(
                f"{self._rollout}/head",
                0,
                {"head_seq": {"N": str(record.seq)}, "hash": {"S": record.hash}},
                ConditionExpression="attribute_not_exists(head_seq) OR head_seq < :seq",
                ExpressionAttributeValues={":seq": {"N": str(record.seq)}},
            )
        except ServiceError as error:
            if error.code != _TAKEN:
                raise
        return record

    def _put(self, record: Record) -> bool:
        packed = zlib.compress(record.to_line().encode())
        parts = [packed[start : start + PART_BYTES] for start in range(0, len(packed), PART_BYTES)]
        for number, part in enumerate(parts[1:], 1):
            self._put_item(f"{self._rollout}/{record.hash}", number, {"line": {"B": part}})
        members = {"line": {"B": parts[0]}, "parts": {"N": str(len(parts))}, "hash": {"S": record.hash}}
        try:
            self._put_item(
                self._rollout,
                record.seq,
                {**members, "writer": {"S": self._writer}, "kind": {"S": record.kind}, "at": {"S": record.at}},
                ConditionExpression="attribute_not_exists(seq)",
            )
        except ServiceError as error:
            if error.code != _TAKEN:
                raise
            return False
        return True

    def _put_item(self, rollout: str, seq: int, members: Mapping[str, Any], **condition: Any) -> None:
        item = {"rollout": {"S": rollout}, "seq": {"N": str(seq)}, **members}
        with aws_errors(f"write record {seq} of {rollout} to table {self._table}"):
            self._client.put_item(TableName=self._table, Item=item, **condition)

    def _news(self) -> list[tuple[Record, str]]:
        """Return (record, writer) of all new records."""
        noted = self._read_head()  # read before the records, so that it cannot be ahead of them
        rows = self._query(self._rollout, max(self._last.seq, 1))
        found = []
        with self._named():
            for row in self._after_last(rows):
                record = self._to_record(row)
                check_next(self._last, record)
                check_noted(noted, record)
                self._last = Head(record.seq, record.hash)
                found.append((record, str(row["writer"]["S"])))
            check_reached(noted, self._last)
        return found

    def _after_last(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Mapping[str, Any]]:
        """Return the new rows, if the last known row still precedes them."""
        if not self._last.seq:
            return rows
        if not rows or rows[0]["hash"]["S"] != self._last.hash or int(rows[0]["seq"]["N"]) != self._last.seq:
            raise JournalError(
                f"the journal was cut back or replaced while it was in use: expected record {self._last.seq}, hash "
                f"{self._last.hash}. {WAY_OUT}"
            )
        return rows[1:]

    def _read_head(self) -> Head:
        if self._noted is None:
            rows = self._query(f"{self._rollout}/head", 0)
            self._noted = Head(int(rows[0]["head_seq"]["N"]), rows[0]["hash"]["S"]) if rows else Head()
        return self._noted

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except JournalError as error:
            raise JournalError(f"journal of {self._rollout} in table {self._table}: {error}") from error

    def _to_record(self, row: Mapping[str, Any]) -> Record:
        packed = bytes(row["line"]["B"])
        if int(row["parts"]["N"]) > 1:
            rest = self._query(f"{self._rollout}/{row['hash']['S']}", 1)
            packed += b"".join(bytes(part["line"]["B"]) for part in rest[: int(row["parts"]["N"]) - 1])
        try:
            return from_line(zlib.decompress(packed))
        except zlib.error as error:
            raise JournalError(f"record {row['seq']['N']} can't be read: {error}") from error

    def _query(self, rollout: str, first: int) -> list[dict[str, Any]]:
        with aws_errors(f"read the journal of {rollout} in table {self._table}"):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="rollout = :rollout AND seq >= :first",
                ExpressionAttributeValues={":rollout": {"S": rollout}, ":first": {"N": str(first)}},
                ConsistentRead=True,
            )
            return [row for page in pages for row in page["Items"]]


def _gather(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    if len(items) <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(items))) as pool:
        return list(pool.map(work, items))
