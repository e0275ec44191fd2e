# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Numbers that users write: counts and percentages."""

from __future__ import annotations

import re

from .errors import BadInput


def to_count(value: int | str, total: int, option: str = "budget") -> int:
    """Return a count, or a share of ``total`` rounded up. :raises BadInput: neither, or less than one node."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1:
        return value
    match = re.fullmatch(r"([1-9][0-9]?|100)%", value) if isinstance(value, str) else None
    if match:
        return -(-total * int(match[1]) // 100)
    if isinstance(value, str) and re.fullmatch(r"[1-9][0-9]{0,8}", value):
        return int(value)
    raise BadInput(option, value, "a number of nodes such as 5, or a share such as 10%")
