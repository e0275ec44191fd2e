# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tickets say about a plan, its outcome and its failed waves."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import Report, build_report
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ticket import texts
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ticket.texts import (
    Incident,
    correlation_id,
    page_name,
    to_change,
    to_incidents,
    to_outcome,
)

from tests.fakes.driving import night, planned
from tests.fakes.plans import completed
from tests.report.samples import RUNS, Run

COMPLETED, ABORTED, PAUSED, HOSTILE = (RUNS[name]() for name in ("completed", "aborted", "paused", "hostile"))


def report(run: Run) -> Report:
    return build_report(run.plan, run.records, run.scan)


def incidents(run: Run, *compliant: str) -> dict[str, Incident]:
    return {item.wave: item for item in to_incidents(run.plan, report(run), compliant)}


def test_a_change_carries_the_whole_digest() -> None:
    found, digest = to_change(COMPLETED.plan), COMPLETED.plan["digest"]
    assert found.correlation_id == correlation_id(COMPLETED.plan) == f"patchtide:{digest}"
    assert page_name(COMPLETED.plan) == f"plan-{digest}.html"
    assert f"Plan digest {digest}" in found.description and COMPLETED.plan["rollout"] in found.description
    assert "60 nodes" in found.short_description and len(found.short_description) < 160


def test_its_window_is_that_of_all_waves_in_utc() -> None:
    rows = [
        {"name": name, "nodes": [planned(name, 1)], "nights": [night(1, first, 30)]}
        for name, first in (("b", 900), ("a", 600))
    ]
    nights = [wave["nights"][0] for wave in rows]
    found = to_change(completed(rows))
    assert found.start == nights[1]["start"][:19].replace("T", " ") and found.end == nights[0]["end"][:19].replace(
        "T", " "
    )
    assert to_change(COMPLETED.plan).start == ""


def test_each_wave_has_one_line_whatever_it_is_named() -> None:
    waves = [{**wave, "name": f"a\nWave b{wave['name']}"} for wave in COMPLETED.plan["waves"]]
    text = to_change({**COMPLETED.plan, "waves": waves, "warnings": ["x\ny"]}).description
    assert sum(line.startswith("Wave ") for line in text.split("\n")) == len(waves)
    assert text.endswith("Warning: x y")


def test_an_outcome_closes_a_finished_rollout_only() -> None:
    assert to_outcome(report(COMPLETED), finished=False) == {}
    done = to_outcome(report(COMPLETED), finished=True)
    assert done["close_code"] == "successful_issues" and done["close_notes"].startswith("Completed with failures.")
    assert to_outcome(report(ABORTED), finished=True)["close_code"] == "unsuccessful"


def test_an_unknown_conclusion_is_not_successful() -> None:
    told = {"code": "new", "title": "t", "headline": "h", "reason": ""}
    assert to_outcome(replace(report(COMPLETED), summary={"conclusion": told}), finished=True) == {
        "close_code": "unsuccessful",
        "close_notes": "t. h",
    }


def test_a_wave_that_no_gate_has_judged_has_no_incident() -> None:
    judged = [wave["name"] for wave in report(ABORTED).summary["waves"] if wave["gates"]]
    assert list(incidents(ABORTED)) == judged and len(judged) < len(ABORTED.plan["waves"])


def test_an_incident_names_what_is_wrong_with_each_node() -> None:
    (*_others, last) = incidents(ABORTED).values()
    assert last.nodes and "the gate decided abort." in last.description
    for node in last.nodes:
        assert f"- {node['name']} ({node['node_id']}): {node['status']}, {node['compliance']}, " in last.description
    assert last.to_dict()["recovered"] is False
    assert f"{len(last.nodes)} nodes to look at in wave {last.wave}" in last.short_description


def test_nodes_that_a_later_scan_finds_compliant_have_recovered() -> None:
    (*_others, last) = incidents(ABORTED).values()
    names = [node["node_id"] for node in last.nodes]
    some = incidents(ABORTED, *names[1:])[last.wave]
    assert [node["node_id"] for node in some.nodes] == names[:1] and not some.to_dict()["recovered"]
    none = incidents(ABORTED, *names)[last.wave]
    assert none.to_dict()["recovered"] is True and none.correlation_id == last.correlation_id


def test_each_wave_of_each_rollout_has_an_incident_of_its_own() -> None:
    other = Run(COMPLETED.scan, {**COMPLETED.plan, "rollout": "0" * 32}, COMPLETED.records)
    found = [item.correlation_id for run in (COMPLETED, other) for item in incidents(run).values()]
    assert len(found) == 6 == len(set(found)) and all(len(item) <= 100 for item in found)


def test_a_long_list_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LISTED", 1)
    (*_others, last) = incidents(ABORTED).values()
    assert last.description.endswith(f"\nand {len(last.nodes) - 1} more") and last.description.count("\n- ") == 1


def test_names_from_outside_stay_on_their_line() -> None:
    for item in incidents(HOSTILE).values():
        assert item.description.count("\n") == 1 + len(item.nodes)
