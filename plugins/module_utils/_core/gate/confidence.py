# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How certain a failure rate is: the exact (Clopper-Pearson) one-sided bounds of a binomial proportion. Pure.

Exact rather than Wilson's, because waves are small: for a canary of two or five nodes, Wilson's interval is narrower
than its confidence level allows, while Clopper-Pearson's never is. Source: Clopper and Pearson, Biometrika 26 (1934).
"""

from __future__ import annotations

from math import exp, lgamma, log, log1p

_STEPS = 60


def lower_bound(failed: int, total: int, confidence: float) -> float:
    """Return the rate that the true rate exceeds with this confidence (0 < confidence < 1), given the observations."""
    if failed <= 0:
        return 0.0
    low, high = 0.0, failed / total
    for _unused in range(_STEPS):
        middle = (low + high) / 2
        if _at_least(failed, total, middle) < 1 - confidence:
            low = middle
        else:
            high = middle
    return low


def upper_bound(failed: int, total: int, confidence: float) -> float:
    """Return the rate that the true rate stays below with this confidence; 1 without observations."""
    return 1 - lower_bound(total - failed, total, confidence) if total else 1.0


def _at_least(count: int, total: int, rate: float) -> float:
    """Return P(X >= count) of a binomial distribution, for a rate of at most count / total: the terms only shrink."""
    ways = lgamma(total + 1) - lgamma(count + 1) - lgamma(total - count + 1)
    if rate <= 0:
        return 0.0
    if rate >= 1:
        return 1.0
    term = exp(ways + count * log(rate) + (total - count) * log1p(-rate))
    found = 0.0
    for number in range(count, total + 1):
        found += term
        if term < found * 1e-15:
            break
        term *= (total - number) / (number + 1) * rate / (1 - rate)
    return found
