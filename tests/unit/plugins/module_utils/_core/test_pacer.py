# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The pace against a service with a limit: a token bucket, as AWS describes its own."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.pacer import FIRST, LEAST, MOST, Pacer


@dataclass
class Bucket:
    """So many calls a second, and as many at once."""

    rate: float
    tokens: float
    at: float = 0.0

    def takes(self, now: float) -> bool:
        self.tokens = min(self.rate, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


def call(pacer: Pacer, service: Bucket, count: int) -> tuple[int, float]:
    """Make so many calls, one after the other; return how many were refused and when the last one was made."""
    now, refused = 0.0, 0
    for _number in range(count):
        now += pacer.reserve(now)
        if service.takes(now):
            pacer.answered()
        else:
            refused += 1
            pacer.refused(now)
    return refused, now


@pytest.mark.parametrize("limit", [1.0, 2.0, 5.0, 10.0])
def test_few_calls_are_refused_and_most_of_what_is_allowed_is_used(limit: float) -> None:
    refused, seconds = call(Pacer(), Bucket(limit, limit), 400)
    assert refused <= 40
    assert (400 - refused) / seconds >= limit * 0.6


def test_it_begins_at_a_safe_rate_and_grows_where_nothing_is_refused() -> None:
    pacer = Pacer()
    assert [pacer.reserve(0) for _n in range(3)] == [0, 1 / FIRST, 2 / FIRST]
    call(pacer, Bucket(1000, 1000), 1000)
    assert pacer.rate == MOST


def test_a_pause_is_not_saved_up() -> None:
    pacer = Pacer()
    pacer.reserve(0)
    assert [pacer.reserve(100), pacer.reserve(100)] == [0, 1 / FIRST]


def test_calls_that_are_refused_together_halve_the_rate_once() -> None:
    pacer = Pacer()
    for _n in range(4):
        pacer.refused(10)
    assert pacer.rate == FIRST / 2
    assert pacer.reserve(10) == 2 / FIRST
    for moment in range(100, 200, 10):
        pacer.refused(moment)
    assert pacer.rate == LEAST
