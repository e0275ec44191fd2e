# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception ledger in a DynamoDB table: one item per record, each write conditional on the version read.

The table's partition key is ``exception_id`` (a string). An item contains the record as JSON and a version.
"""

from __future__ import annotations

import json
from typing import Any

from .._core.errors import Conflict, PatchtideError
from .._core.exceptions.ledger import Decide
from .._core.exceptions.records import ExceptionRecord
from .errors import aws_errors

#: Attempts of concurrent writers. More than a few indicate a different problem.
_ATTEMPTS = 10
_KEY = "exception_id"


class ExceptionTable:
    """A ``Ledger`` in DynamoDB.

    :param client: DynamoDB client of the table's Region.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def read(self) -> list[ExceptionRecord]:
        found: list[ExceptionRecord] = []
        start: dict[str, Any] = {}
        while True:
            with self._errors("read"):
                reply = self._client.scan(TableName=self._table, ConsistentRead=True, **start)
            found += [self._record(item) for item in reply["Items"]]
            if not reply.get("LastEvaluatedKey"):
                return sorted(found, key=lambda record: record.exception_id)
            start = {"ExclusiveStartKey": reply["LastEvaluatedKey"]}

    def change(
        self, exception_id: str, decide: Decide, *, write: bool = True
    ) -> tuple[ExceptionRecord | None, ExceptionRecord | None]:
        for _attempt in range(_ATTEMPTS):
            with self._errors("read"):
                reply = self._client.get_item(TableName=self._table, Key=self._key(exception_id), ConsistentRead=True)
            item = reply.get("Item")
            before = self._record(item) if item else None
            after = decide(before)
            if after == before or not write or self._write(exception_id, item, after):
                return before, after
        raise Conflict(f"Exception {exception_id} was changed by others {_ATTEMPTS} times in a row. Try again.")

    def _write(self, exception_id: str, item: Any, after: ExceptionRecord | None) -> bool:
        """Write, or return ``False`` if another writer was first."""
        version = item["version"]["N"] if item else "0"
        guard: dict[str, Any] = {"TableName": self._table, "ConditionExpression": f"attribute_not_exists({_KEY})"}
        if item:
            guard["ConditionExpression"] = "version = :version"
            guard["ExpressionAttributeValues"] = {":version": {"N": version}}
        try:
            with self._errors("write"):
                if after is None:
                    self._client.delete_item(Key=self._key(exception_id), **guard)
                else:
                    text = json.dumps(after.to_dict(), sort_keys=True, ensure_ascii=False)
                    more = {"record": {"S": text}, "version": {"N": str(int(version) + 1)}}
                    self._client.put_item(Item={**self._key(exception_id), **more}, **guard)
        except PatchtideError as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            return False
        return True

    def _key(self, exception_id: str) -> dict[str, Any]:
        return {_KEY: {"S": exception_id}}

    def _record(self, item: Any) -> ExceptionRecord:
        name = item[_KEY]["S"]
        try:
            return ExceptionRecord.from_dict(json.loads(item["record"]["S"]), f"{self._table}: {name}.")
        except (KeyError, ValueError) as error:
            raise PatchtideError(
                f"The item {name} of the table {self._table} is not an exception: {error!r}"
            ) from error

    def _errors(self, verb: str) -> Any:
        return aws_errors(f"{verb} the exceptions in the DynamoDB table {self._table}")


def create_table(client: Any, table: str) -> None:
    """Create the table with on-demand capacity unless it exists."""
    with aws_errors(f"create the DynamoDB table {table}"):
        try:
            client.describe_table(TableName=table)
        except client.exceptions.ResourceNotFoundException:
            client.create_table(
                TableName=table,
                KeySchema=[{"AttributeName": _KEY, "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": _KEY, "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            client.get_waiter("table_exists").wait(TableName=table)
