# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the gate makes of differences from the plan."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import (
    GateRules,
    Verdict,
    WaveTally,
    decide,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.differences import count_differences


def record(*found: str) -> dict[str, Any]:
    return {"differences": [{"code": item.split()[0], "id": item.split()[1], "text": "1 → 2"} for item in found]}


def verdict(records: list[dict[str, Any]], rules: dict[str, str] | None = None, accepted: Any = ()) -> Verdict:
    tally = WaveTally.from_statuses(2, ["succeeded"] * 2)
    return decide(GateRules.from_dict(rules), tally, differences=count_differences(records, accepted)).verdict


@pytest.mark.parametrize("code", ["unplanned", "removed", "withdrawn"])
def test_they_pause_unless_the_policy_says_otherwise(code: str) -> None:
    rule = "withdrawn" if code == "withdrawn" else "unplanned"
    found = [record(f"{code} a")]
    assert verdict(found) is Verdict.PAUSE
    assert verdict(found, {rule: "allow"}) is Verdict.PROMOTE
    assert verdict(found, {rule: "abort"}) is Verdict.ABORT


@pytest.mark.parametrize(
    "code", ["unplanned_here", "by_unknown", "newly_approved", "not_promoted", "installed_rejected"]
)
def test_information_and_the_changes_of_others_stop_nothing(code: str) -> None:
    assert verdict([record(f"{code} a")], {"unplanned": "abort", "withdrawn": "abort"}) is Verdict.PROMOTE


def test_what_an_earlier_wave_was_promoted_with_counts_no_more() -> None:
    earlier = [record("unplanned a", "withdrawn b")]
    assert verdict([record("unplanned a")], accepted=earlier) is Verdict.PROMOTE
    assert verdict([record("unplanned c")], accepted=earlier) is Verdict.PAUSE
    assert verdict([record("removed a")], accepted=earlier) is Verdict.PAUSE
    assert verdict([record("withdrawn b")], accepted=earlier) is Verdict.PAUSE


def test_the_reason_names_the_patches_on_most_nodes() -> None:
    records = [record("unplanned a", "unplanned b"), record("unplanned b", "unplanned c", "unplanned d"), record()]
    tally = WaveTally.from_statuses(3, ["succeeded"] * 3)
    reason = decide(GateRules(), tally, differences=count_differences(records)).reasons[0]
    named = "b on 2 (1 → 2), a on 1 (1 → 2), c on 1 (1 → 2), and 1 more"
    assert reason == f"Changes that the plan does not contain, on 2 nodes: {named}."


def test_another_word_is_refused() -> None:
    with pytest.raises(BadInput, match="allow, pause, abort"):
        GateRules.from_dict({"unplanned": "ignore"})
