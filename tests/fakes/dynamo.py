# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""As much of DynamoDB as the stores use, in memory and fast; ``tests/contract`` compares the stores on moto."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

_TERM = re.compile(r"attribute_not_exists\((\w+)\)|(#?\w+) (<=|<|=) (:\w+)")


class FakeDynamo:
    """A client. ``lost`` is asked before each write whether its answer gets lost, so that the SDK repeats the call."""

    def __init__(self, lost: Callable[[], bool] = lambda: False) -> None:
        self._items: dict[tuple[str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()
        self._lost = lost

    def put_item(self, **call: Any) -> None:
        self._put(call)
        if self._lost():
            self._put(call)

    def _put(self, call: Mapping[str, Any]) -> None:
        with self._lock:
            key = _key(call["TableName"], call["Item"])
            if not _holds(self._items.get(key, {}), call):
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}, "PutItem")
            self._items[key] = dict(call["Item"])

    def get_item(self, **call: Any) -> dict[str, Any]:
        with self._lock:
            found = self._items.get(_key(call["TableName"], call["Key"]))
            return {"Item": dict(found)} if found else {}

    def delete_item(self, **call: Any) -> None:
        with self._lock:
            key = _key(call["TableName"], call["Key"])
            if not _holds(self._items.get(key, {}), call):
                raise ClientError({"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}, "DeleteItem")
            self._items.pop(key, None)

    def get_paginator(self, _operation: str) -> FakeDynamo:
        return self

    def paginate(self, **call: Any) -> Iterator[dict[str, Any]]:
        values = call["ExpressionAttributeValues"]
        rollout, first = values[":rollout"]["S"], int(values[":first"]["N"])
        with self._lock:
            rows = [row for row in self._items.values() if row.get("rollout", {}).get("S") == rollout]
        rows = sorted((row for row in rows if int(row["seq"]["N"]) >= first), key=lambda row: int(row["seq"]["N"]))
        yield {"Items": rows}


def _key(table: str, item: Mapping[str, Any]) -> tuple[str, str]:
    names = ("node_id",) if "node_id" in item else ("rollout", "seq")
    return table, "/".join(str(next(iter(item[name].values()))) for name in names)


def _holds(item: Mapping[str, Any], call: Mapping[str, Any]) -> bool:
    """Tell whether one of the condition's terms, joined by OR, holds; without a condition it does."""
    condition = call.get("ConditionExpression", "")
    names, values = call.get("ExpressionAttributeNames", {}), call.get("ExpressionAttributeValues", {})
    terms = _TERM.findall(condition)
    return not condition or any(_term(item, term, names, values) for term in terms)


def _term(item: Mapping[str, Any], term: tuple[str, ...], names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    absent, name, sign, value = term
    if absent:
        return absent not in item
    found = item.get(names.get(name, name))
    if found is None:
        return False
    (kind, left), right = next(iter(found.items())), next(iter(values[value].values()))
    pair = (int(left), int(right)) if kind == "N" else (left, right)
    return {"=": pair[0] == pair[1], "<": pair[0] < pair[1], "<=": pair[0] <= pair[1]}[sign]
