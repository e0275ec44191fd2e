# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Concurrent work on many account-Regions or nodes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

WORKERS = 16


def gather(work: Any, items: Sequence[Any]) -> Iterator[Any]:
    """Call a function for all items concurrently and yield the results in order."""
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(items)) or 1) as pool:
        yield from pool.map(work, items)
