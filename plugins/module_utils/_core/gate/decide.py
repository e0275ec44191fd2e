# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate after a wave: promotes, waits, pauses for a decision or aborts, always with numbers and reasons. Pure.

The conditions, worst verdict first. The worst verdict found is the gate's, and all reasons are kept.

=========  =============================================================================================================
abort      the failed nodes exceed the rollout's budget (earlier waves count) or the wave's ``max_failures``; two or
           more nodes were worked on and all failed; a health check failed; or ``min_sample`` nodes were worked on and
           the failure rate is above ``max_failure_rate`` with the given ``confidence``
pause      a node failed and fewer than ``min_sample`` were worked on, or the rate is above the limit but the sample is
           too small for the ``confidence``; too many outcomes are unknown; too many nodes were skipped or still wait
           for their reboot; outcomes are missing; no node was verified; a health check is inconclusive; no node is
           left in the wave; changes that the plan does not contain (``unplanned``) or planned patches that are no
           longer offered (``withdrawn``), which the rules may allow or make an abort
wait       the soak time has not passed. This is not a verdict to record: ask again when it has
promote    otherwise. A wave without failures is promoted however small it is
=========  =============================================================================================================

Failed, unreachable, timed out and cancelled nodes are failures. Skipped nodes were not worked on. A node whose outcome
is unknown was worked on but is not a failure: it counts in the sample and can pause, never abort. A patched node with a
postponed reboot (``reboot_pending``) is neither good nor failed: it counts with the skipped ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import Any

from ..counts import to_count
from ..errors import BadInput
from ..events import GateJudged
from ..model import Status
from ..read import read, share
from ..text import counted
from .confidence import lower_bound, upper_bound
from .differences import ABORT, ALLOW, CHOICES, COUNTED, PAUSE, Differences, sentence


class Verdict(str, Enum):
    """Ordered: a later one outranks an earlier one. ``WAIT`` is only an answer, never a decision."""

    PROMOTE = "promote"
    WAIT = "wait"
    PAUSE = "pause"
    ABORT = "abort"


_RANK = {verdict: number for number, verdict in enumerate(Verdict)}


class Health(str, Enum):
    """Result of a health check."""

    OK = "ok"
    INCONCLUSIVE = "inconclusive"
    FAILED = "failed"


_HEALTH_WORDS = {Health.OK: "passed", Health.INCONCLUSIVE: "is inconclusive", Health.FAILED: "failed"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """Result of a health check; ``text`` describes the measurement."""

    name: str
    health: Health
    text: str = ""

    def to_dict(self) -> dict[str, str]:
        """Return it in the form of the journal."""
        return {"name": self.name, "health": self.health.value, "text": self.text}


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """Conditions after a wave. Rates and confidence are fractions (0.1 is 10%).

    ``budget``: failed nodes of the whole rollout, or ``"5%"``. ``health_checks`` are read by ``health_rules``.
    """

    max_failure_rate: float = field(default=0.1, metadata=share)
    min_sample: int = 1
    confidence: float = field(default=0.9, metadata=share)
    max_failures: int | None = None
    max_skipped_rate: float = field(default=0.5, metadata=share)
    max_unknown: float = field(default=0.01, metadata=share)
    budget: int | str | None = None
    unplanned: str = PAUSE
    withdrawn: str = PAUSE
    health_checks: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None, prefix: str = "gates.") -> GateRules:
        """Read policy data; rates may be written ``"10%"``. :raises BadInput: with the option's path."""
        given = {key: value for key, value in (data or {}).items() if value is not None}
        known = [item.name for item in fields(cls)]
        for key, value in given.items():
            option = f"{prefix}{key}"
            if key not in known:
                raise BadInput(option, value, f"one of {', '.join(known)}")
            if key == "budget":
                if value != 0:
                    to_count(value, 1, option)
            elif key in COUNTED:
                if value not in CHOICES:
                    raise BadInput(option, value, f"one of {', '.join(CHOICES)}")
            elif key in ("min_sample", "max_failures"):
                _check_count(option, value, 1 if key == "min_sample" else 0)
            elif key != "health_checks":
                given[key] = _to_share(option, value)
        if not 0.5 <= given.get("confidence", 0.9) < 1:
            raise BadInput(f"{prefix}confidence", given["confidence"], "a share from 0.5 to below 1, such as 0.9")
        return read(cls, given)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveTally:
    """The outcome of a wave, counted. ``missing``: nodes of the plan without a final record.

    ``unknown``: nodes whose outcome is unknown; they were worked on, and count in the sample of the rate.
    ``reboot_pending``: patched nodes with a postponed reboot, of which nothing is proved yet.

    :param earlier_failed: failed nodes of the rollout's earlier waves. :param rollout_total: nodes of all waves.
    """

    total: int
    good: int = 0
    failed: int = 0
    skipped: int = 0
    unknown: int = 0
    reboot_pending: int = 0
    earlier_failed: int = 0
    rollout_total: int = 0

    def __post_init__(self) -> None:
        counts = (self.good, self.failed, self.skipped, self.unknown, self.reboot_pending)
        if min(self.total, self.earlier_failed, self.missing, *counts) < 0:
            raise ValueError(f"inconsistent numbers: {self}")

    @property
    def missing(self) -> int:
        return self.total - self.good - self.failed - self.skipped - self.unknown - self.reboot_pending

    @property
    def left_over(self) -> int:
        """Nodes with work left for another night."""
        return self.skipped + self.reboot_pending

    @property
    def worked(self) -> int:
        return self.good + self.failed + self.unknown

    @classmethod
    def from_statuses(
        cls, total: int, statuses: Iterable[Status | str], *, earlier_failed: int = 0, rollout_total: int = 0
    ) -> WaveTally:
        """Count final statuses; ``total`` is the number of nodes that the plan gives the wave."""
        found = [Status(status) for status in statuses]
        good, failed = sum(item.is_good for item in found), sum(item.is_failure for item in found)
        unknown, pending = found.count(Status.UNKNOWN), found.count(Status.REBOOT_PENDING)
        return cls(
            total=total,
            good=good,
            failed=failed,
            skipped=len(found) - good - failed - unknown - pending,
            unknown=unknown,
            reboot_pending=pending,
            earlier_failed=earlier_failed,
            rollout_total=max(rollout_total, total),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDecision:
    """Decision of the gate. ``reasons`` are sentences, the deciding ones first; ``wait_until`` is set with ``WAIT``."""

    verdict: Verdict
    numbers: Mapping[str, float | int | None]
    reasons: tuple[str, ...]
    wait_until: datetime | None = None
    health_checks: tuple[HealthCheck, ...] = ()

    def to_event(self, wave: str) -> GateJudged:
        """Return the decision on a wave as the journal's event.

        :raises JournalError: it is ``WAIT``, which is not a decision.
        """
        return GateJudged(
            wave=wave,
            verdict=self.verdict.value,
            numbers=dict(self.numbers),
            reasons=self.reasons,
            health_checks=tuple(health_check.to_dict() for health_check in self.health_checks),
        )


def decide(
    rules: GateRules,
    tally: WaveTally,
    *,
    health_checks: Iterable[HealthCheck] = (),
    emptied: str = "",
    differences: Mapping[str, Differences] | None = None,
    soak_until: datetime | None = None,
    now: datetime | None = None,
) -> GateDecision:
    """Evaluate a wave that has ended.

    :param differences: differences from the plan, by rule.
    :param emptied: why no node is left in a wave that should have nodes; the gate pauses then.
    :param soak_until: end of the soak time; requires ``now``. Until then the best verdict is ``WAIT``. A worse verdict
        does not wait.
    """
    asked = tuple(health_checks)
    findings = [
        *_budget(rules, tally),
        *_rate(rules, tally),
        *_completeness(rules, tally, emptied),
        *_from_plan(rules, differences or {}),
        *(_health_check(health_check) for health_check in asked),
    ]
    clean = all(verdict is Verdict.PROMOTE for verdict, _unused in findings)
    if clean and soak_until is not None and now is not None and now < soak_until:
        findings.append((Verdict.WAIT, f"The soak time lasts until {soak_until.isoformat(timespec='minutes')}."))
    findings.sort(key=lambda item: -_RANK[item[0]])
    verdict = findings[0][0]
    return GateDecision(
        verdict=verdict,
        numbers={**_numbers(rules, tally), **_health_check_numbers(asked)},
        health_checks=asked,
        reasons=tuple(text for _unused, text in findings),
        wait_until=soak_until if verdict is Verdict.WAIT else None,
    )


def _budget(rules: GateRules, tally: WaveTally) -> list[tuple[Verdict, str]]:
    found = []
    if rules.max_failures is not None and tally.failed > rules.max_failures:
        text = f"{counted(tally.failed)} of the wave failed, max_failures is {rules.max_failures}."
        found.append((Verdict.ABORT, text))
    limit, spent = _limit(rules, tally), tally.failed + tally.earlier_failed
    if limit is not None and spent > limit:
        earlier = f" ({tally.earlier_failed} of them in earlier waves)" if tally.earlier_failed else ""
        text = f"{counted(spent)} of the rollout failed{earlier}, the budget is {limit}."
        found.append((Verdict.ABORT, text))
    return found


def _rate(rules: GateRules, tally: WaveTally) -> list[tuple[Verdict, str]]:
    worked, failed = tally.worked, tally.failed
    if not worked:
        return []
    limit = _percent(rules.max_failure_rate)
    if not failed:
        return [(Verdict.PROMOTE, f"None of {counted(worked)} failed, the limit is {limit}.")]
    if failed == worked > 1 and rules.max_failure_rate < 1:
        return [(Verdict.ABORT, f"All {counted(worked)} that were worked on failed.")]
    seen = f"{failed} of {counted(worked)} failed ({_percent(failed / worked)})"
    if worked < rules.min_sample:
        return [(Verdict.PAUSE, f"{seen}. The failure rate applies only from min_sample ({rules.min_sample}) nodes.")]
    if failed / worked <= rules.max_failure_rate:
        return [(Verdict.PROMOTE, f"{seen}, within the limit of {limit}.")]
    low, sure = lower_bound(failed, worked, rules.confidence), _percent(rules.confidence)
    if low > rules.max_failure_rate:
        text = f"{seen}, above the limit of {limit}: with {sure} confidence the rate exceeds {_percent(low)}."
        return [(Verdict.ABORT, text)]
    text = f"{seen}, above the limit of {limit}, but the sample is too small to abort with {sure} confidence."
    return [(Verdict.PAUSE, text)]


def _from_plan(rules: GateRules, differences: Mapping[str, Differences]) -> list[tuple[Verdict, str]]:
    verdicts = {ALLOW: Verdict.PROMOTE, PAUSE: Verdict.PAUSE, ABORT: Verdict.ABORT}
    return [(verdicts[getattr(rules, rule)], sentence(rule, found)) for rule, found in differences.items()]


def _completeness(rules: GateRules, tally: WaveTally, emptied: str) -> list[tuple[Verdict, str]]:
    found = []
    if emptied:
        found.append((Verdict.PAUSE, f"The wave has no nodes left: {emptied.rstrip('.')}."))
    elif not tally.total:
        found.append((Verdict.PROMOTE, "The wave has no nodes."))
    elif not tally.worked:
        found.append(
            (Verdict.PAUSE, f"None of {counted(tally.total)} was patched and verified, so the patches are untested.")
        )
    if tally.missing:
        found.append(
            (
                Verdict.PAUSE,
                f"{counted(tally.missing)} of {tally.total} {'has' if tally.missing == 1 else 'have'} no outcome.",
            )
        )
    if tally.unknown and tally.unknown / tally.total > rules.max_unknown:
        text = f"The outcome is unknown for {counted(tally.unknown)} of {tally.total}"
        found.append((Verdict.PAUSE, f"{text}, the limit is {_percent(rules.max_unknown)}."))
    if tally.left_over and tally.left_over / tally.total > rules.max_skipped_rate:
        share, limit = _percent(tally.left_over / tally.total), _percent(rules.max_skipped_rate)
        text = f"{_left_over(tally)} ({share}), above the limit of {limit}."
        found.append((Verdict.PAUSE, text))
    return found


def _left_over(tally: WaveTally) -> str:
    waiting = f"{'waits for its' if tally.reboot_pending == 1 else 'wait for their'} reboot"
    if not tally.skipped:
        return f"{tally.reboot_pending} of {counted(tally.total)} {waiting}"
    more = f" and {tally.reboot_pending} {waiting}" if tally.reboot_pending else ""
    return f"{tally.skipped} of {counted(tally.total)} were skipped{more}"


def _health_check(health_check: HealthCheck) -> tuple[Verdict, str]:
    verdict = {Health.OK: Verdict.PROMOTE, Health.INCONCLUSIVE: Verdict.PAUSE, Health.FAILED: Verdict.ABORT}[
        health_check.health
    ]
    text = health_check.text.rstrip(".")
    return (
        verdict,
        f"Health check {health_check.name} {_HEALTH_WORDS[health_check.health]}{': ' if text else ''}{text}.",
    )


def _health_check_numbers(health_checks: Iterable[HealthCheck]) -> dict[str, int]:
    """Return the number of health checks by result; nothing without health checks."""
    found = Counter(health_check.health for health_check in health_checks)
    return {f"health_checks_{health.value}": found[health] for health in Health} if found else {}


def _numbers(rules: GateRules, tally: WaveTally) -> dict[str, float | int | None]:
    worked, limit, spent = tally.worked, _limit(rules, tally), tally.failed + tally.earlier_failed
    return {
        "total": tally.total,
        "good": tally.good,
        "failed": tally.failed,
        "skipped": tally.skipped,
        "unknown": tally.unknown,
        "reboot_pending": tally.reboot_pending,
        "missing": tally.missing,
        "worked": worked,
        "failure_rate": round(tally.failed / worked, 4) if worked else None,
        "failure_rate_low": round(lower_bound(tally.failed, worked, rules.confidence), 4) if worked else None,
        "failure_rate_high": round(upper_bound(tally.failed, worked, rules.confidence), 4) if worked else None,
        "skipped_rate": round(tally.left_over / tally.total, 4) if tally.total else None,
        "max_failure_rate": rules.max_failure_rate,
        "max_skipped_rate": rules.max_skipped_rate,
        "max_unknown": rules.max_unknown,
        "max_failures": rules.max_failures,
        "min_sample": rules.min_sample,
        "confidence": rules.confidence,
        "budget": limit,
        "budget_spent": spent,
        "budget_left": None if limit is None else max(0, limit - spent),
    }


def _limit(rules: GateRules, tally: WaveTally) -> int | None:
    if rules.budget is None:
        return None
    return to_count(rules.budget, max(tally.rollout_total, tally.total)) if rules.budget else 0


def _percent(share: float) -> str:
    if 0 < share < 0.0005:
        return "under 0.1 %"
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def _check_count(option: str, value: object, low: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < low:
        raise BadInput(option, value, f"a number of nodes, {low} or more")


def _to_share(option: str, value: object) -> float:
    text = value[:-1] if isinstance(value, str) and value.endswith("%") else None
    try:
        share = float(text) / 100 if text is not None else value
    except ValueError:
        share = None
    if isinstance(share, bool) or not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise BadInput(option, value, "a share from 0 to 1, or such as 10%")
    return round(float(share), 6)
