# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plan and summary as text: aligned, narrow, and nothing in it that a terminal obeys."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.text import plan_to_text, summary_to_text
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.text import WIDTH, columns, cut, plain, table
from hypothesis import given
from hypothesis import strategies as st

from tests.report import samples


def texts(name: str) -> tuple[str, str]:
    run = samples.RUNS[name]()
    return plan_to_text(run.plan), summary_to_text(build_report(run.plan, run.records, run.scan).summary)


@pytest.mark.parametrize("name", ["completed", "aborted", "paused", "hostile", "unfinished"])
def test_every_line_fits_and_none_is_obeyed_by_a_terminal(name: str) -> None:
    for text in texts(name):
        for line in text.split("\n"):
            assert columns(line) <= WIDTH
            assert line.isprintable()


def test_the_plan_names_waves_patches_reboots_and_who_is_left_out() -> None:
    plan, _summary = texts("completed")
    canary = next(line for line in plan.splitlines() if "canary" in line)
    assert "Tue 17 Nov 23:00-01:00 CET" in canary and "5 ssm, 1 linux" in canary and "10 %" in canary
    assert "Wave canary: its window in UTC is Tue 17 Nov 22:00-00:00" in plan.splitlines()
    assert "quarter-end freeze of the ledger, until 2026-11-30" in plan
    assert plan.splitlines()[-1] == f"Digest {samples.completed().plan['digest']}"


def test_the_plan_says_its_warnings_first_then_what_steers_its_waves() -> None:
    lines = plan_to_text(samples.steered_plan()).splitlines()
    assert lines[1].startswith("WARNING: Wave broad has no nodes, so its gate will pause: completely frozen")
    early = next(line for line in lines if line.startswith("  early"))
    assert "Wed 18 Nov 01:00-03:00 CET" in early and "120 of 90" in early
    assert "Wave early: 3 turns of at most 6 nodes" in lines
    assert "Wave early: 2 stopped nodes will be started; missing patches are not known yet" in lines
    assert "Wave canary: its gate runs the health checks shop answers, queue is short" in lines
    assert "Wave canary: partly frozen: Deployment" in lines
    assert [line for line in lines if line.startswith("Wave broad")] == [
        "Wave broad: its window in UTC is Wed 18 Nov 02:00-04:00"
    ]


def test_the_plan_says_the_rules_of_its_run() -> None:
    text = plan_to_text(samples.steered_plan())
    assert "commands that were not delivered, 2 retries; installs that failed, 1 retry" in text
    assert "at most 25% of the rollout, 6 of each zone, 1 of each cluster" in text


def test_a_plain_plan_limits_nothing_and_warns_of_nothing() -> None:
    text = plan_to_text(samples.plan_of(samples.estate(6), (6, 0)))
    assert "no limit except the size of the wave" in text and "WARNING" not in text
    assert next(line for line in text.splitlines() if "canary" in line).split()[-5:] == ["40", "of", "90", "10", "%"]


def test_steered_plans_fit_the_line_and_hostile_warnings_are_no_orders() -> None:
    odd = "\x1b[31m" + "word " * 60 + "\u202e"
    plan = {**samples.steered_plan(), "warnings": [odd]}
    plan["waves"][0] |= {"notes": [odd], "emptied": odd}
    plan["rules"] = {"budgets": {"zone": odd}}
    for line in plan_to_text(plan).split("\n"):
        assert columns(line) <= WIDTH and line.isprintable()


def test_the_summary_says_the_verdict_first_and_the_failures() -> None:
    _plan, summary = texts("aborted")
    lines = summary.splitlines()
    assert lines[0].startswith("Aborted after canary")
    assert lines[1] == "2 of 60 nodes patched or up to date, 3 failed, 1 skipped, 54 not started."
    assert "checkout-al2023-00" in summary and "the agent did not come back" in summary
    assert "0 % → 3.3 %" in summary


def test_nodes_that_share_a_reason_share_a_line() -> None:
    _plan, summary = texts("unfinished")
    assert sum("unfinished" in line for line in summary.splitlines()[6:]) == 1
    assert "17 unfinished (wave early): " in summary and "and 14 more" in summary
    assert "Next: Run rollout_patches again" in summary


def test_columns_are_aligned_also_with_wide_characters() -> None:
    lines = table(["NAME", "N"], [["日本語", "1"], ["abc", "22"]], 40, right=(1,))
    assert {columns(line) for line in lines} == {2 + 6 + 2 + 2}


def test_a_long_reason_goes_on_below_itself() -> None:
    lines = table(["NODE", "WHY"], [["web", "word " * 40]], 60)
    assert len(lines) > 3 and all(line.startswith(" " * 8) for line in lines[2:])
    assert " ".join(" ".join(lines[1:]).split()).count("word") == 40


def test_an_empty_plan_and_an_empty_summary_are_text() -> None:
    plan = samples.plan_of([])
    assert "No node is left out." in plan_to_text(plan)
    assert summary_to_text(build_report().summary).startswith("Nothing to report")


@pytest.mark.parametrize(
    ("code", "words"), [("installed_rejected", "Installed though rejected"), ("removed", "Removed")]
)
def test_a_label_and_its_text_are_two_columns(code: str, words: str) -> None:
    run = samples.RUNS["completed"]()
    summary = build_report(run.plan, run.records, run.scan).summary
    text = summary_to_text({**summary, "differences": {code: {"nodes": 1, "patches": {"KB1": 1}}}})
    (line,) = (line for line in text.split("\n") if "KB1 (1)" in line)
    assert line == f"{words:<27}1 node: KB1 (1)"


@given(st.text(st.characters(codec=None), max_size=60), st.integers(1, 30))
def test_any_text_becomes_one_harmless_line_of_its_width(text: str, width: int) -> None:
    line = cut(plain(text), width)
    assert columns(line) <= width
    assert line.isprintable()
    line.encode("utf-8")
