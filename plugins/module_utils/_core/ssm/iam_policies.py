# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that IAM policy documents allow and deny. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def allowed_actions(documents: Iterable[Mapping[str, Any]], actions: Iterable[str]) -> tuple[set[str], set[str]]:
    """Return those of ``actions`` that a statement allows, and those that a statement denies.

    Resources are ignored. A statement with a condition counts if it allows, but not if it denies, because whether the
    condition holds is unknown here.
    """
    wanted, allowed, denied = set(actions), set[str](), set[str]()
    for statement in (row for document in documents for row in _listed(document.get("Statement"))):
        meant = {action for action in wanted if _means(statement, action)}
        if statement.get("Effect") == "Allow":
            allowed |= meant
        elif not statement.get("Condition"):
            denied |= meant
    return allowed, denied


def resource_verdict(document: Mapping[str, Any], action: str, arn: str) -> str:
    """Return whether a resource policy lets everybody do ``action`` on ``arn``: ``allowed``, ``denied`` or
    ``conditional``, where conditions decide that are not evaluated.

    Principals are not read: the policy of a VPC endpoint names everybody, or somebody whom only a request shows.
    """
    found = {
        (str(statement.get("Effect")), bool(statement.get("Condition")))
        for statement in _listed(document.get("Statement"))
        if _means(statement, action) and _is_on(statement, arn)
    }
    if ("Deny", False) in found or not any(effect == "Allow" for effect, _conditional in found):
        return "denied"
    return "conditional" if ("Deny", True) in found or ("Allow", False) not in found else "allowed"


def _is_on(statement: Mapping[str, Any], arn: str) -> bool:
    if "NotResource" in statement:
        return not any(_fits(str(mask), arn) for mask in _listed(statement["NotResource"]))
    return any(_fits(str(mask), arn) for mask in _listed(statement.get("Resource")))


def _means(statement: Mapping[str, Any], action: str) -> bool:
    if "NotAction" in statement:
        return not any(_fits(str(mask), action) for mask in _listed(statement["NotAction"]))
    return any(_fits(str(mask), action) for mask in _listed(statement.get("Action")))


def _fits(mask: str, action: str) -> bool:
    """Actions are case-insensitive; ``*`` and ``?`` are the only wildcards (IAM user guide, Action)."""
    pattern = re.escape(mask).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, action, re.IGNORECASE) is not None


def _listed(value: Any) -> Iterator[Any]:
    """IAM accepts a single item instead of a list."""
    if isinstance(value, (list, tuple)):
        yield from value
    elif value is not None:
        yield value
