# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls an API for many nodes so that nodes for which it fails do not affect the others."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence

from .._core.errors import AccessDenied, ServiceError
from .errors import is_answer
from .paces import THROTTLED
from .run_command import LOST

_TRIES = 8
#: A policy may forbid single nodes (by tag) or all of them. This many refusals without a success mean all.
_MOST_DENIED = 15


def isolate(ids: Sequence[str], size: int, call: Callable[[list[str]], None]) -> dict[str, str]:
    """Call for ``size`` IDs at once and return the reasons of failures by ID.

    These APIs do all or nothing. IDs in the error message are removed, others are found by bisection. One bad ID among
    50 costs 2 calls if the message has it, otherwise about 12. An error of the account-Region fails all remaining IDs.
    """
    waiting = deque(list(ids[at : at + size]) for at in range(0, len(ids), size))
    found: dict[str, str] = {}
    done, denied = False, 0
    while waiting:
        some = waiting.popleft()
        problem = _refusal(call, some)
        if problem is None:
            done = True
            continue
        denied += isinstance(problem, AccessDenied)
        if _is_of_the_place(problem) or (not done and denied >= _MOST_DENIED):
            return {**found, **dict.fromkeys([*some, *(item for rest in waiting for item in rest)], reason(problem))}
        bad = _named(problem, some) or (some if len(some) == 1 else [])
        found.update(dict.fromkeys(bad, reason(problem)))
        rest = [item for item in some if item not in bad]
        half = len(rest) if bad else len(rest) // 2
        waiting.extend(part for part in (rest[:half], rest[half:]) if part)
    return found


def _refusal(call: Callable[[list[str]], None], ids: list[str]) -> ServiceError | None:
    try:
        call(ids)
    except ServiceError as error:
        return error
    return None


def reason(error: ServiceError) -> str:
    """Return an error as the reason for one node, without the action, which the caller knows."""
    return f"{error.code}: {error.detail}"


def _is_of_the_place(error: ServiceError) -> bool:
    return error.code in THROTTLED | LOST or not is_answer(error)


def _named(error: ServiceError, ids: Iterable[str]) -> list[str]:
    words = set(re.findall(r"[\w.:-]+", error.detail))
    return [item for item in ids if item in words]


def patiently(call: Callable[[], object], pause: Callable[[float], None] = time.sleep) -> None:
    """Repeat an idempotent call of a client without retries while it is throttled or its answer is lost.

    For operations that refuse a node with HTTP 5xx, which a retrying client would treat as an outage.
    """
    for attempt in range(_TRIES):
        try:
            call()
            return
        except ServiceError as error:
            if error.code not in THROTTLED | LOST or attempt == _TRIES - 1:
                raise
            pause(min(0.5 * 2**attempt, 20))
