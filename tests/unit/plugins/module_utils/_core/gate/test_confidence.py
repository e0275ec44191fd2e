# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact bounds, against published values and against sums over whole fractions."""

from __future__ import annotations

from fractions import Fraction
from math import comb

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.confidence import lower_bound, upper_bound
from hypothesis import given
from hypothesis import strategies as st

LEVELS = st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.975, 0.99])


@st.composite
def samples(draw: st.DrawFn) -> tuple[int, int]:
    total = draw(st.integers(1, 60))
    return draw(st.integers(0, total)), total


@pytest.mark.parametrize(
    ("failed", "total", "low", "high"),
    [
        # Two-sided 95 % tables of Clopper-Pearson intervals: 2.5 % on either side.
        (1, 10, 0.0025, 0.4450),
        (5, 10, 0.1871, 0.8129),
        (0, 10, 0.0, 0.3085),
        (10, 10, 0.6915, 1.0),
        (3, 100, 0.0062, 0.0852),
    ],
)
def test_published_intervals(failed: int, total: int, low: float, high: float) -> None:
    assert lower_bound(failed, total, 0.975) == pytest.approx(low, abs=5e-5)
    assert upper_bound(failed, total, 0.975) == pytest.approx(high, abs=5e-5)


def test_rule_of_three() -> None:
    # Nothing in n: below 3/n with 95 % confidence (exactly 1 - 0.05 ** (1/n)).
    assert upper_bound(0, 100, 0.95) == pytest.approx(1 - 0.05**0.01)
    assert upper_bound(0, 0, 0.95) == 1.0


@given(samples(), LEVELS)
def test_bound_is_where_the_tail_has_the_wanted_weight(sample: tuple[int, int], level: float) -> None:
    failed, total = sample
    low = lower_bound(failed, total, level)
    assert 0 <= low <= failed / total <= upper_bound(failed, total, level) <= 1
    if failed:
        rate = Fraction(low)
        tail = sum(comb(total, k) * rate**k * (1 - rate) ** (total - k) for k in range(failed, total + 1))
        assert float(tail) == pytest.approx(1 - level, rel=1e-6)


@given(samples(), LEVELS)
def test_more_failures_never_lower_the_bound(sample: tuple[int, int], level: float) -> None:
    failed, total = sample
    if failed < total:
        assert lower_bound(failed, total, level) <= lower_bound(failed + 1, total, level)


def test_large_waves() -> None:
    assert lower_bound(1000, 10_000, 0.95) == pytest.approx(0.0951, abs=1e-4)
    assert lower_bound(10_000, 10_000, 0.9) == pytest.approx(0.1 ** (1 / 10_000))
