# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether IAM policies allow an action (IAM user guide, policy evaluation logic, and condition operators).

An explicit deny wins, and what nothing allows is denied. Of the operators of conditions, those for texts are known; a
statement with another one allows nothing and denies everything that it names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

Facts = Mapping[str, str]
_OPERATORS = frozenset({"StringEquals", "StringLike", "ArnLike"})


def allows(
    documents: Iterable[Mapping[str, Any]], action: str, resource: str, facts: Callable[[], Facts] = dict
) -> bool:
    """Evaluate identity-based policies for one action on one resource.

    :param facts: returns the condition keys of the request; only called if a condition asks for them.
    """
    rows = [row for document in documents for row in _listed(document["Statement"]) if _names(row, action, resource)]
    if any(row["Effect"] == "Deny" and _holds(row, facts, unknown=True) for row in rows):
        return False
    return any(row["Effect"] == "Allow" and _holds(row, facts, unknown=False) for row in rows)


def trusts(document: Mapping[str, Any], principals: Iterable[str], facts: Facts) -> bool:
    """Evaluate a role's trust policy for whoever has one of these ARNs or account numbers."""
    mine = {*principals, "*"}
    rows = [row for row in _listed(document["Statement"]) if mine & set(_listed(_principal(row)))]
    if any(row["Effect"] == "Deny" for row in rows):
        return False
    return any(row["Action"] == "sts:AssumeRole" and _holds(row, lambda: facts, unknown=False) for row in rows)


def _principal(row: Mapping[str, Any]) -> Any:
    found = row.get("Principal") or {}
    return found.get("AWS", []) if isinstance(found, Mapping) else found


def _names(row: Mapping[str, Any], action: str, resource: str) -> bool:
    named = any(_pattern(item.lower()).fullmatch(action.lower()) for item in _listed(row["Action"]))
    return named and any(_pattern(item).fullmatch(resource) for item in _listed(row["Resource"]))


def _holds(row: Mapping[str, Any], facts: Callable[[], Facts], *, unknown: bool) -> bool:
    """All keys of all operators must match, any value of each. A key that the request lacks does not match."""
    conditions = row.get("Condition") or {}
    if not conditions.keys() <= _OPERATORS:
        return unknown
    for operator, keys in conditions.items():
        found = facts()
        for key, values in keys.items():
            like = operator != "StringEquals"
            given = found.get(key)
            if given is None or not any(
                _pattern(str(item)).fullmatch(given) if like else item == given for item in _listed(values)
            ):
                return False
    return True


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


@lru_cache(maxsize=512)
def _pattern(text: str) -> re.Pattern[str]:
    """``*`` matches any characters, ``?`` one."""
    return re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
