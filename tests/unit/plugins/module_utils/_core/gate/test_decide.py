# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate after a wave: what an operator expects of it (F32 to F34)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import (
    GateDecision,
    GateRules,
    Health,
    HealthCheck,
    Verdict,
    WaveTally,
    decide,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Status
from hypothesis import given
from hypothesis import strategies as st

NOW = datetime(2026, 11, 21, 2, 0, tzinfo=timezone.utc)


def gate(good: int = 0, failed: int = 0, skipped: int = 0, missing: int = 0, **options: Any) -> GateDecision:
    earlier, rollout = options.pop("earlier", 0), options.pop("rollout", 0)
    tally = WaveTally(
        total=good + failed + skipped + missing,
        good=good,
        failed=failed,
        skipped=skipped,
        earlier_failed=earlier,
        rollout_total=rollout,
    )
    return decide(GateRules.from_dict(options), tally)


@pytest.mark.parametrize(
    ("good", "failed", "verdict", "reason"),
    [
        (2, 0, "promote", "None of 2 nodes failed, the limit is 10 %."),
        (0, 2, "abort", "All 2 nodes that were worked on failed."),
        (
            1,
            1,
            "pause",
            "1 of 2 nodes failed (50 %), above the limit of 10 %, but the sample is too small",
        ),
        (0, 1, "pause", "1 of 1 node failed (100 %), above the limit of 10 %, but the sample is too small"),
        (9, 1, "promote", "1 of 10 nodes failed (10 %), within the limit of 10 %."),
        (
            8,
            2,
            "pause",
            "2 of 10 nodes failed (20 %), above the limit of 10 %, but the sample is too small",
        ),
        (
            6,
            4,
            "abort",
            "4 of 10 nodes failed (40 %), above the limit of 10 %: with 90 % confidence the rate exceeds 18.8 %",
        ),
        (880, 120, "abort", "120 of 1,000 nodes failed (12 %), above the limit of 10 %: with 90 % confidence"),
        (891, 109, "pause", "109 of 1,000 nodes failed (10.9 %), above the limit of 10 %, but"),
    ],
)
def test_failure_rate_and_how_sure_it_is(good: int, failed: int, verdict: str, reason: str) -> None:
    found = gate(good, failed)
    assert found.verdict.value == verdict
    assert found.reasons[0].startswith(reason)


@pytest.mark.parametrize(
    ("good", "failed", "options", "verdict"),
    [
        (2, 0, {}, "promote"),
        (3, 1, {}, "pause"),
        (1, 3, {}, "pause"),  # the rate is above the limit for sure, but the sample was asked to be larger
        (0, 2, {}, "abort"),
        (1, 3, {"max_failures": 2}, "abort"),
        (1, 3, {"budget": 2}, "abort"),
        (6, 4, {}, "abort"),
        (10, 1, {}, "promote"),
    ],
)
def test_below_the_minimum_sample(good: int, failed: int, options: dict[str, Any], verdict: str) -> None:
    assert gate(good, failed, min_sample=10, **options).verdict.value == verdict


def test_no_failure_allowed_at_all() -> None:
    assert gate(1, 1, max_failure_rate=0).verdict is Verdict.ABORT
    assert gate(0, 5, max_failure_rate=1).verdict is Verdict.PROMOTE


def test_budget_is_the_whole_rollouts_and_earlier_failures_keep_using_it() -> None:
    # ansible/proposals#133: the failure budget is forgotten between batches.
    assert gate(99, 1, earlier=4, budget=5).verdict is Verdict.PROMOTE
    found = gate(99, 1, earlier=5, budget=5)
    assert found.verdict is Verdict.ABORT
    assert found.reasons[0] == "6 nodes of the rollout failed (5 of them in earlier waves), the budget is 5."
    assert (found.numbers["budget_spent"], found.numbers["budget_left"]) == (6, 0)


def test_budget_as_a_share_counts_all_nodes_of_the_rollout_and_is_rounded_up() -> None:
    assert gate(28, 3, rollout=41, budget="5%", max_failure_rate=0.5).verdict is Verdict.PROMOTE  # 2.05 -> 3
    assert gate(27, 4, rollout=41, budget="5%", max_failure_rate=0.5).verdict is Verdict.ABORT
    assert gate(5, 0, budget=0).verdict is Verdict.PROMOTE
    assert gate(99, 1, budget=0).verdict is Verdict.ABORT


def test_skipped_nodes_are_no_failures_but_too_many_pause() -> None:
    assert gate(5, 0, skipped=5).verdict is Verdict.PROMOTE
    found = gate(4, 0, skipped=6)
    assert found.verdict is Verdict.PAUSE
    assert found.reasons[0] == "6 of 10 nodes were skipped (60 %), above the limit of 50 %."


def test_nothing_worked_on_proves_nothing() -> None:
    assert gate(skipped=2, max_skipped_rate=1).reasons == (
        "None of 2 nodes was patched and verified, so the patches are untested.",
    )
    assert gate(skipped=2, max_skipped_rate=1).verdict is Verdict.PAUSE
    assert gate().verdict is Verdict.PROMOTE


def test_missing_results_pause_and_are_not_taken_for_good() -> None:
    found = gate(9, missing=1)
    assert (found.verdict, found.reasons[0]) == (Verdict.PAUSE, "1 node of 10 has no outcome.")


@pytest.mark.parametrize(
    ("good", "unknown", "options", "verdict"),
    [
        (9, 1, {}, "pause"),  # a small wave: one is enough
        (99, 1, {}, "promote"),
        (98, 2, {}, "pause"),
        (0, 1, {}, "pause"),
        (0, 50, {}, "pause"),  # never abort: nobody saw a failure
        (0, 50, {"budget": 0, "max_failures": 0, "max_failure_rate": 0}, "pause"),
        (90, 10, {"max_unknown": "10%"}, "promote"),
        (71, 29, {"max_unknown": "29%"}, "promote"),  # 0.29 * 100 is less than 29 in binary
        (5, 1, {"max_unknown": 0}, "pause"),
    ],
)
def test_unknown_outcomes_pause_and_never_abort_by_themselves(
    good: int, unknown: int, options: dict[str, Any], verdict: str
) -> None:
    """An answer that nobody could read is no failed install: unknown, pause (E7)."""
    found = decide(GateRules.from_dict(options), WaveTally(total=good + unknown, good=good, unknown=unknown))
    assert found.verdict.value == verdict
    assert found.numbers["unknown"] == unknown
    if verdict == "pause":
        assert found.reasons[0].startswith(f"The outcome is unknown for {unknown} node")


@pytest.mark.parametrize(
    ("good", "skipped", "pending", "verdict", "reason"),
    [
        (9, 0, 1, "promote", "None of 9 nodes failed"),
        (4, 1, 5, "pause", "1 of 10 nodes were skipped and 5 wait for their reboot (60 %), above the limit of 50 %."),
        (4, 0, 6, "pause", "6 of 10 nodes wait for their reboot (60 %), above the limit of 50 %."),
        (0, 0, 1, "pause", "None of 1 node was patched and verified"),
    ],
)
def test_a_reboot_that_was_put_off_is_neither_good_nor_failed_nor_skipped(
    good: int, skipped: int, pending: int, verdict: str, reason: str
) -> None:
    statuses = ["succeeded"] * good + ["skipped"] * skipped + ["reboot_pending"] * pending
    tally = WaveTally.from_statuses(len(statuses), statuses)
    assert (tally.skipped, tally.reboot_pending, tally.missing, tally.worked) == (skipped, pending, 0, good)
    found = decide(GateRules(), tally)
    assert found.verdict.value == verdict and any(text.startswith(reason) for text in found.reasons), found.reasons
    assert found.numbers["reboot_pending"] == pending


def test_unknown_nodes_were_worked_on_and_count_in_the_sample() -> None:
    tally = WaveTally(total=10, failed=2, unknown=8)
    assert tally.worked == 10
    rules = GateRules(max_unknown=1.0, max_failure_rate=0.25, min_sample=10)
    found = decide(rules, tally)  # not "all that were worked on failed", not too small a sample
    assert (found.verdict, found.numbers["failure_rate"]) == (Verdict.PROMOTE, 0.2)


def test_health_probes_outrank_good_numbers() -> None:
    health_checks = [
        HealthCheck(name="shop", health=Health.INCONCLUSIVE, text="no data"),
        HealthCheck(name="api", health=Health.FAILED),
    ]
    tally = WaveTally(total=5, good=5)
    assert decide(GateRules(), tally, health_checks=health_checks[:1]).verdict is Verdict.PAUSE
    found = decide(GateRules(), tally, health_checks=health_checks)
    assert found.verdict is Verdict.ABORT
    assert found.reasons[:2] == ("Health check api failed.", "Health check shop is inconclusive: no data.")


def test_soak_waits_for_what_is_good_only() -> None:
    until = NOW + timedelta(minutes=30)
    good = decide(GateRules(), WaveTally(total=5, good=5), soak_until=until, now=NOW)
    assert (good.verdict, good.wait_until) == (Verdict.WAIT, until)
    assert good.reasons[0] == "The soak time lasts until 2026-11-21T02:30+00:00."
    assert decide(GateRules(), WaveTally(total=5, good=5), soak_until=until, now=until).verdict is Verdict.PROMOTE
    bad = decide(GateRules(), WaveTally(total=5, failed=5), soak_until=until, now=NOW)
    assert (bad.verdict, bad.wait_until) == (Verdict.ABORT, None)


def test_tally_from_statuses() -> None:
    statuses = [Status.SUCCEEDED, "no_op", "failed", "unreachable", "timed_out", "cancelled", "skipped", "unknown"]
    found = WaveTally.from_statuses(9, statuses, earlier_failed=1, rollout_total=20)
    assert (found.good, found.failed, found.skipped, found.missing, found.worked) == (2, 4, 1, 1, 7)
    assert found.unknown == 1
    with pytest.raises(ValueError, match="inconsistent"):
        WaveTally.from_statuses(1, ["failed", "failed"])


def test_numbers_are_complete_and_plain() -> None:
    data = gate(8, 2, skipped=1, missing=1, budget="10%", rollout=100).to_event("canary").to_data()
    assert json.loads(json.dumps(data)) == data
    assert data["numbers"] == {
        "total": 12,
        "good": 8,
        "failed": 2,
        "skipped": 1,
        "unknown": 0,
        "reboot_pending": 0,
        "missing": 1,
        "worked": 10,
        "failure_rate": 0.2,
        "failure_rate_low": 0.0545,
        "failure_rate_high": 0.4496,
        "skipped_rate": 0.0833,
        "max_failure_rate": 0.1,
        "max_skipped_rate": 0.5,
        "max_unknown": 0.01,
        "max_failures": None,
        "min_sample": 1,
        "confidence": 0.9,
        "budget": 10,
        "budget_spent": 2,
        "budget_left": 8,
    }


def test_rates_may_be_written_as_percentages() -> None:
    found = GateRules.from_dict({"max_failure_rate": "5%", "max_skipped_rate": "100%", "confidence": "95%"})
    assert (found.max_failure_rate, found.max_skipped_rate, found.confidence) == (0.05, 1.0, 0.95)
    assert GateRules.from_dict(None) == GateRules() == GateRules.from_dict({"budget": None})


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"max_failure_rate": 10}, "waves[1].gate.max_failure_rate: 10 is not valid, expected a share from 0 to 1"),
        ({"max_failure_rate": "ten%"}, "waves[1].gate.max_failure_rate: 'ten%'"),
        ({"max_skipped_rate": True}, "waves[1].gate.max_skipped_rate: True"),
        ({"confidence": 1}, "waves[1].gate.confidence: 1.0 is not valid, expected a share from 0.5 to below 1"),
        ({"min_sample": 0}, "waves[1].gate.min_sample: 0 is not valid, expected a number of nodes, 1 or more"),
        ({"max_failures": -1}, "waves[1].gate.max_failures: -1"),
        ({"budget": "lots"}, "waves[1].gate.budget: 'lots' is not valid, expected a number of nodes such as 5"),
        ({"max_failure": 1}, "waves[1].gate.max_failure: 1 is not valid, expected one of max_failure_rate, min_sample"),
    ],
)
def test_bad_rule_names_its_path(data: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput) as caught:
        GateRules.from_dict(data, "waves[1].gate.")
    assert str(caught.value).startswith(message)


COUNT = st.integers(0, 300)
RULES = st.builds(
    GateRules,
    max_failure_rate=st.sampled_from([0.0, 0.05, 0.1, 0.5, 1.0]),
    min_sample=st.integers(1, 20),
    confidence=st.sampled_from([0.5, 0.9, 0.99]),
    max_failures=st.none() | st.integers(0, 20),
    budget=st.none() | st.integers(0, 20) | st.sampled_from(["1%", "10%"]),
)
ORDER = list(Verdict)


@given(RULES, COUNT, COUNT, COUNT, COUNT)
def test_one_failure_more_never_makes_it_better(
    rules: GateRules, good: int, failed: int, skipped: int, earlier: int
) -> None:
    total = good + failed + skipped + 1
    now = WaveTally(total=total, good=good + 1, failed=failed, skipped=skipped, earlier_failed=earlier)
    worse = WaveTally(total=total, good=good, failed=failed + 1, skipped=skipped, earlier_failed=earlier)
    assert ORDER.index(decide(rules, worse).verdict) >= ORDER.index(decide(rules, now).verdict)


@given(RULES, COUNT, COUNT, COUNT)
def test_every_decision_has_a_reason_and_a_broken_budget_always_aborts(
    rules: GateRules, good: int, failed: int, earlier: int
) -> None:
    found = decide(rules, WaveTally(total=good + failed, good=good, failed=failed, earlier_failed=earlier))
    assert found.reasons
    assert found.verdict is not Verdict.WAIT
    if rules.max_failures is not None and failed > rules.max_failures:
        assert found.verdict is Verdict.ABORT
    limit = found.numbers["budget"]
    if limit is not None and failed + earlier > limit:
        assert found.verdict is Verdict.ABORT
