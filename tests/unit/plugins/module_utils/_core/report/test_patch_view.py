# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The consolidated view of patches: released, approved, rejected, installed, missing, held (covers TCS-27)."""

from __future__ import annotations

import csv
import json
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.patch_view import (
    PatchView,
    patch_view,
    patches_to_csv,
    patches_to_data,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.rows import Row

from tests.report import samples

NO_PLAN: dict[str, Any] = {"waves": ()}


def row(node_id: str, **more: Any) -> Row:
    return Row(**{"node_id": node_id, "os": "Ubuntu", "patch_group": "WEB", "platform": "linux", **more})


def patch(ident: str, **more: Any) -> dict[str, Any]:
    return {"id": ident, "title": ident, "severity": "Critical", "cve_ids": ["CVE-1"], **more}


def view_of(rows: list[Row], records: dict[str, Any], baselines: tuple[Any, ...] = ()) -> PatchView:
    return patch_view(rows, NO_PLAN, {"nodes": records}, baselines)


def line(view: PatchView, ident: str) -> dict[str, Any]:
    (found,) = [item for item in patches_to_data(view)["patches"] if item["id"] == ident]
    return dict(found)


def test_the_size_is_the_largest_that_a_node_names_and_unknown_where_none_does() -> None:
    records = {
        "a": {"missing": [patch("curl", download_bytes=5), patch("vim", download_bytes=0), patch("tar")]},
        "b": {"missing": [patch("curl", download_bytes=7)]},
        "c": {"missing": [patch("curl")]},
    }
    view = view_of([row("a"), row("b"), row("c")], records)
    assert [line(view, name)["download_bytes"] for name in ("curl", "vim", "tar")] == [7, 0, None]
    cells = {item["id"]: item["download_bytes"] for item in csv.DictReader(patches_to_csv(view))}
    assert cells == {"curl": "7", "vim": "0", "tar": "unknown"}


def test_what_is_missing_rejected_and_held_is_counted_by_node() -> None:
    records = {
        "a": {"missing": [patch("curl")], "held": [patch("kernel")]},
        "b": {"missing": [patch("curl")], "rejected": [patch("docker")]},
    }
    view = view_of([row("a"), row("b")], records)
    curl, kernel, docker = (line(view, name) for name in ("curl", "kernel", "docker"))
    assert (curl["nodes_missing"], curl["approval"], curl["cve_ids"]) == (2, "approved", ["CVE-1"])
    assert (kernel["nodes_held"], kernel["approval"], kernel["reboot"]) == (1, "unknown", "yes")
    assert (docker["nodes_installed_rejected"], docker["approval"]) == (1, "rejected")
    (group,) = view.groups
    expected = {
        "os": "Ubuntu",
        "patch_group": "WEB",
        "nodes": 2,
        "known": 3,
        "approved": 1,
        "pending": 0,
        "rejected": 1,
    }
    assert group == expected | {"installed": 0, "installed_rejected": 1, "missing": 2, "failed": 0, "held": 1}


def test_after_a_rollout_the_nodes_word_counts_and_not_the_scan() -> None:
    records = {name: {"missing": [patch("curl"), patch("bash")]} for name in "abc"}
    done = row("a", installed=["curl", "bash"], missing_after=0)
    partly = row("b", installed=["curl"], failed=["bash"], missing=["bash"], missing_after=1)
    view = view_of([done, partly, row("c")], records)
    assert [line(view, "curl")[f"nodes_{name}"] for name in ("installed", "missing", "failed")] == [2, 1, 0]
    assert [line(view, "bash")[f"nodes_{name}"] for name in ("installed", "missing", "failed")] == [1, 1, 1]


def test_old_and_new_versions_are_those_that_nodes_showed() -> None:
    changes = [{"id": "curl.x86_64", "old": "7", "new": "8"}, {"id": "bash.x86_64", "old": "", "new": "5"}]
    ids = ["curl.x86_64:0:8", "bash.x86_64:0:5", "vim.x86_64:0:9"]
    view = view_of([row("a", installed=ids, changes=changes, missing_after=0)], {})
    assert [line(view, ident)["versions"] for ident in ids] == [["7 \u2192 8"], ["none \u2192 5"], []]


def test_effective_patches_say_what_is_released_pending_and_rejected() -> None:
    released = {"release_date": "2026-11-10T00:00:00Z"}
    effective = [
        {"kb_number": "KB1", "title": "one", "deployment_status": "APPROVED", **released},
        {"kb_number": "KB2", "title": "two", "deployment_status": "PENDING_APPROVAL", **released},
        {"kb_number": "KB3", "title": "three", "deployment_status": "EXPLICIT_REJECTED"},
    ]
    baseline = {"account": "1", "region": "r", "baseline_id": "pb-1", "effective_patches": effective}
    rows = [row(name, platform="windows", os="Windows", account="1", region="r") for name in "ab"]
    record = {"missing": [patch("KB1")], "evidence": {"baseline_id": "pb-1"}}
    view = view_of(rows, {"a": record, "b": record}, (baseline,))
    told = {item.id: (item.approval, item.released[:10], item.missing) for item in view.lines}
    assert told == {
        "KB1": ("approved", "2026-11-10", 2),
        "KB2": ("pending", "2026-11-10", 0),
        "KB3": ("rejected", "", 0),
    }
    assert view_of(rows, {"a": record}, ({**baseline, "region": "other"},)).groups[0]["known"] == 1


def test_the_view_agrees_with_the_report_of_a_whole_rollout() -> None:
    run = samples.completed()
    report = build_report(run.plan, run.records, run.scan)
    totals = {name: sum(group[name] for group in report.view.groups) for name in ("nodes", "installed", "failed")}
    patches = report.summary["patches"]
    assert totals == {"nodes": 64, "installed": patches["installed"], "failed": patches["failed"]}
    assert report.summary["patch_groups"] == report.view.groups
    assert {item.approval for item in report.view.lines} == {"approved"}


def test_the_csv_is_no_formula_whatever_a_patch_is_called() -> None:
    odd = "=cmd|' /C calc'!A0"
    view = view_of([row("a", patch_group=odd)], {"a": {"missing": [patch(odd, title=f"x\n{odd}")]}})
    head, cells = list(csv.reader(patches_to_csv(view)))
    assert head[:3] == ["os", "patch_group", "id"] and len(cells) == len(head)
    assert cells[1] == cells[2] == f"'{odd}" and "\n" not in cells[3]


def test_nodes_that_share_their_lists_are_counted_as_often_as_if_each_had_its_own() -> None:
    one, two = [patch("curl"), patch("vim", severity="Low")], [patch("curl", title="", download_bytes=9)]
    held, rejected = [patch("tar", why="removes")], [patch("old")]
    shared = {
        f"n{number}": {
            "node_id": f"n{number}",
            "status": "failed" if number == 5 else "succeeded",
            "os": "Ubuntu" if number % 3 else "RHEL",
            "platform": "windows" if number == 6 else "linux",
            "missing": (one, two, [])[number % 3] if number != 7 else None,
            **({"held": held} if number % 2 else {}),
            **({"rejected": rejected} if number % 4 == 1 else {}),
        }
        for number in range(24)
    }
    scans = [{"at": "2026-12-01T00:00:00.000Z", "nodes": nodes, "failed_places": []} for nodes in (shared, own(shared))]
    first, second = (build_report(None, (), scan) for scan in scans)
    assert patches_to_data(first.view) == patches_to_data(second.view)
    assert first.summary == second.summary and sum(item.missing for item in first.view.lines) == 23


def own(records: dict[str, Any]) -> dict[str, Any]:
    return dict(json.loads(json.dumps(records)))
