# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Work on many account-Regions or nodes at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

WORKERS = 16


def gather(work: Any, items: Sequence[Any]) -> Iterator[Any]:
    """Do the same to all at once; yield the answers in order, while later ones are worked on."""
    with ThreadPoolExecutor(max_workers=min(WORKERS, len(items)) or 1) as pool:
        yield from pool.map(work, items)
