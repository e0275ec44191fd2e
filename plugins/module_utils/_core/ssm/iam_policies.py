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
