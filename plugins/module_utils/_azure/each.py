# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calls an API for many machines, each with a call of its own, so that those for which it fails affect no others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from .._core.errors import ServiceError

T = TypeVar("T")
#: Calls at once: more joins of network interfaces are throttled (azure-powershell issue 4889).
AT_ONCE = 8


def on_each(ids: Iterable[str], call: Callable[[str], T]) -> tuple[dict[str, T], dict[str, ServiceError]]:
    """Return the answers and the errors by ID."""
    wanted = list(dict.fromkeys(ids))

    def one(item: str) -> T | ServiceError:
        try:
            return call(item)
        except ServiceError as error:
            return error

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        told = dict(zip(wanted, pool.map(one, wanted), strict=True))
    errors = {item: answer for item, answer in told.items() if isinstance(answer, ServiceError)}
    return {item: answer for item, answer in told.items() if not isinstance(answer, ServiceError)}, errors


def reason(error: ServiceError) -> str:
    """Return an error as the reason for one machine, without the action, which the caller knows."""
    return f"{error.code}: {error.detail}"
