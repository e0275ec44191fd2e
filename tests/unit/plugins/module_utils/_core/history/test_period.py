# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Periods of reports: 30 days with today, whole months, and what is in them."""

from __future__ import annotations

from datetime import date

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.period import to_period

TODAY = date(2026, 3, 1)


@pytest.mark.parametrize(
    ("text", "first", "last", "name"),
    [
        ("last_30_days", "2026-01-31", "2026-03-01", "2026-03-01-30-days"),
        ("last_month", "2026-02-01", "2026-02-28", "2026-02"),
        ("2025-12", "2025-12-01", "2025-12-31", "2025-12"),
        ("2024-02", "2024-02-01", "2024-02-29", "2024-02"),
        ("2026-03", "2026-03-01", "2026-03-31", "2026-03"),
    ],
)
def test_periods(text: str, first: str, last: str, name: str) -> None:
    assert to_period(text, TODAY).to_data() == {"name": name, "first": first, "last": last}


@pytest.mark.parametrize("text", ["", "2026-13", "2026-1", "last_year", "2026-04", "0000-01", "٢٠٢٦-01"])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(BadInput, match="period"):
        to_period(text, TODAY)


@pytest.mark.parametrize(
    ("moment", "inside"),
    [
        ("2026-02-01", True),
        ("2026-02-28T23:59:59.000Z", True),
        (date(2026, 2, 28), True),
        ("2026-02", True),
        ("2026-01-31T23:59:59.000Z", False),
        ("2026-03-01", False),
        ("2026-01", False),
        (None, False),
        ("", False),
    ],
)
def test_what_is_in_a_month(moment: object, inside: bool) -> None:
    assert to_period("last_month", TODAY).has(moment) is inside
