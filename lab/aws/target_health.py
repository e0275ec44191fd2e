# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of a load balancer's target, from when it was registered and when its application did not answer. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

Outages = Sequence[tuple[datetime, "datetime | None"]]
#: (state, reason, description); the reasons of each state are those of TargetHealth in the API reference
Health = tuple[str, str, str]

INITIAL: Health = ("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
HEALTHY: Health = ("healthy", "", "")
UNHEALTHY: Health = ("unhealthy", "Target.Timeout", "Request timed out")
NOT_REGISTERED: Health = ("unused", "Target.NotRegistered", "Target is not registered to the target group")
NOT_IN_USE: Health = ("unused", "Target.NotInUse", "Target group is not configured to receive traffic")
STOPPED: Health = ("unused", "Target.InvalidState", "Target is in the stopped state")
DRAINING: Health = ("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """Of a target group: seconds between two checks; how many in a row make healthy again, how many unhealthy."""

    interval: int
    healthy: int
    unhealthy: int


def health_of(registered: datetime, now: datetime, outages: Outages, checks: Checks) -> Health:
    """Return the state after all checks from the registration until now.

    "After your target is registered, it must pass one health check to be considered healthy." An unhealthy one needs
    HealthyThresholdCount consecutive successes, a healthy one UnhealthyThresholdCount failures ("Health checks for
    Application Load Balancer target groups").
    """
    state = INITIAL
    for start, end, up in _stretches(registered, now, outages):
        done = int((end - start).total_seconds() // checks.interval)
        if up and done >= (checks.healthy if state == UNHEALTHY else 1):
            state = HEALTHY
        elif not up and done >= checks.unhealthy:
            state = UNHEALTHY
    return state


def _stretches(start: datetime, now: datetime, outages: Outages) -> Iterator[tuple[datetime, datetime, bool]]:
    """Cut the time from start to now into (from, until, whether the application answered)."""
    for begin, end in outages:
        until = end or now
        if until <= start:
            continue
        if begin > start:
            yield start, begin, True
        yield max(begin, start), until, False
        start = until
    if start < now:
        yield start, now, True
