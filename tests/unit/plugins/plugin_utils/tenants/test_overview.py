# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The overview of tenants: figures of each one's own history, journals and ledger; what is not known is said."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout import due_plans
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.tenants.directory import read_directory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.tenants.overview import overview, to_csv

from tests.fakes.driving import night, planned
from tests.fakes.fleet_port import START, FakeClock
from tests.fakes.history_months import Estate
from tests.fakes.plans import completed
from tests.report import samples

NOW = datetime(2026, 11, 28, 6, tzinfo=timezone.utc)
ACCOUNTS = {"contoso": "222222222222", "fabrikam": "333333333333", "litware": "444444444444"}


def exception(name: str, start: str, end: str, status: str = "approved") -> dict[str, Any]:
    row = {"exception_id": name, "select": {"nodes": [name]}, "from": start, "to": end, "reason": f"{name} reason"}
    return {
        **row,
        "requested_by": "dana",
        "status": status,
        "decided_by": "",
        "decided_at": "",
        "note": "",
        "tagged": {},
    }


def write(root: Path, name: str, **more: Any) -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    accounts = [{"role_arn": f"arn:aws:iam::{ACCOUNTS[name]}:role/patchtide"}]
    policy = {"version": 1, "name": f"{name}-policy", "estate": {"regions": ["eu-central-1"], "accounts": accounts}}
    (folder / "policy.yml").write_text(yaml.safe_dump({**policy, "waves": [{"name": "all"}], **more}), "utf-8")
    return folder


def next_plan(folder: Path, days: int) -> None:
    folder.mkdir(parents=True)
    opens = (NOW - START).total_seconds() / 60 + days * 1440
    nights = [night(1, opens, 30)]
    wave = {"name": "all", "nodes": [{**planned("a", 1), "night": 1}], "nights": nights, "turns": 1}
    sealed = completed([wave], rollout="5eed" * 8, windows=[{"name": "w", "occurrences": nights}])
    (folder / "plan.json").write_text(json.dumps(sealed), "utf-8")


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Contoso has everything, fabrikam only a policy with a mistake, litware an old history without limits."""
    root = tmp_path_factory.mktemp("tenants")
    rows = {name: {"accounts": [account]} for name, account in ACCOUNTS.items()}
    (root / "patchtide_tenants.yml").write_text(yaml.safe_dump({"tenants": rows}), "utf-8")
    ledger = root / "contoso" / "exceptions.json"
    contoso = write(root, "contoso", approval={"required": True}, exceptions={"ledger": str(ledger)})
    samples.paused().write(contoso / "2026-11")
    next_plan(contoso / "2026-12", 10)
    kept = [
        exception("long", "2026-11-01", "2026-12-30"),
        exception("soon", "2026-11-01", "2026-12-05"),
        exception("today", "2026-11-01", "2026-11-28"),
        exception("over", "2026-11-01", "2026-11-27"),
        exception("asked", "2026-12-01", "2026-12-05", "requested"),
        exception("asked-too-late", "2026-11-01", "2026-11-05", "requested"),
        exception("revoked", "2026-11-01", "2026-12-01", "revoked"),
    ]
    ledger.write_text(json.dumps({"schema": "patchtide/exceptions/1", "exceptions": kept}), "utf-8")
    tell(contoso / "history", Estate(24, 6))
    (root / "fabrikam").mkdir()
    (root / "fabrikam" / "policy.yml").write_text("version: 2", "utf-8")
    litware = write(root, "litware")
    tell(litware / "history", Estate(5, 2, last=NOW.date() - timedelta(days=4)), limits=False)
    return root


def tell(place: Path, estate: Estate, limits: bool = True) -> None:
    store = HistoryDirectory(place)
    form = find_format(store, "jsonl", True)
    for run in estate.runs():
        if limits or run.kind != "limits":
            publish(store, run, form, "2026-11-28T00:00:00.000Z")


def look(root: Path) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(due_plans, "find_clock", lambda: FakeClock(NOW))
        return overview(read_directory(root), None, FakeClock(NOW), {})


@pytest.fixture(scope="module")
def found(root: Path) -> dict[str, Any]:
    return look(root)


def of(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["tenants"] if row["name"] == name)


def scanned(estate: Estate) -> dict[str, str]:
    """Return each node's compliance in the newest scan, by plain counting."""
    runs = [run for run in estate.runs() if run.kind == "scan"]
    return {str(row["node_id"]): str(row["compliance"]) for part, row in runs[-1].rows if part.dataset == "nodes"}


def test_compliance_is_that_of_the_newest_scan_of_the_tenant_s_own_history(found: dict[str, Any]) -> None:
    states = list(scanned(Estate(24, 6)).values())
    row = of(found, "contoso")["compliance"]
    counted = {name: states.count(name) for name in ("compliant", "non_compliant")}
    assert row["nodes"] == 24 and row["unknown"] == 24 - sum(counted.values())
    assert {name: row[name] for name in counted} == counted and 0 < counted["compliant"] < 24


def test_late_nodes_are_those_with_a_patch_beyond_its_limit(found: dict[str, Any]) -> None:
    late = of(found, "contoso")["late"]
    assert 0 < late["nodes"] <= late["patches"] and late["oldest_days"] > 14
    assert any("there is no limit for their severity" in text for text in of(found, "contoso")["unknown"]), (
        "low has none"
    )


def test_the_last_rollout_is_the_one_that_wrote_last_and_the_next_the_one_that_is_due_first(
    found: dict[str, Any],
) -> None:
    row = of(found, "contoso")
    run = samples.paused()
    assert (row["last"]["dir"], row["last"]["code"], row["last"]["at"]) == ("2026-11", "paused", run.records[-1].at)
    assert row["next"]["dir"] == "2026-12" and row["next"]["text"].startswith("wave all waits for window w")
    assert from_time(row["next"]["at"]) == NOW + timedelta(days=10, minutes=-30)


def test_open_decisions_are_paused_gates_missing_approvals_and_requests(found: dict[str, Any]) -> None:
    texts = {item["about"]: item["text"] for item in of(found, "contoso")["open_decisions"]}
    assert set(texts) == {"2026-11", "2026-12", "exception asked"}
    assert "paused the rollout; decide with steer_rollout" in texts["2026-11"]
    assert texts["2026-12"].startswith("the plan is not approved; ") and texts["exception asked"].startswith(
        "dana asks"
    )


def test_expiring_exceptions_are_those_in_force_that_end_within_the_policy_s_days(found: dict[str, Any]) -> None:
    row = of(found, "contoso")["exceptions"]
    assert row["in_force"] == 3
    assert [(item["exception_id"], item["days_left"]) for item in row["expiring"]] == [("today", 0), ("soon", 7)]


def test_what_is_not_known_is_said_and_is_no_zero(found: dict[str, Any]) -> None:
    row = of(found, "fabrikam")
    assert (row["compliance"], row["late"], row["exceptions"], row["last"], row["next"]) == (None,) * 5
    told = " | ".join(row["unknown"])
    for text in ("fabrikam/policy.yml has", "rollouts: there is no plan", "so publish to it first"):
        assert text in told
    told = " | ".join(of(found, "litware")["unknown"])
    assert of(found, "litware")["late"] is None and of(found, "litware")["compliance"]["nodes"] == 5
    for text in ("the newest data are 3 days old, of 2026-11-24", "the history has no limits", "names no ledger"):
        assert text in told
    assert found["problems"] == [text for text in row["unknown"] if "policy.yml has" in text]


def test_sums_count_what_they_do_not_have(found: dict[str, Any]) -> None:
    sums = found["totals"]
    assert (sums["tenants"], sums["nodes"], sums["compliance_not_known"]) == (3, 29, 1)
    assert (sums["late_nodes"], sums["late_not_known"]) == (of(found, "contoso")["late"]["nodes"], 2)
    assert (sums["open_decisions"], sums["expiring"], sums["exceptions_not_known"]) == (3, 2, 2)
    assert sums["with_unknown"] == 3


def test_csv_has_a_line_for_each_tenant_and_leaves_unknown_cells_empty(found: dict[str, Any]) -> None:
    rows = {row["tenant"]: row for row in csv.DictReader(io.StringIO(to_csv(found)))}
    assert list(rows) == list(ACCOUNTS)
    assert (rows["contoso"]["nodes"], rows["contoso"]["exceptions_expiring"]) == ("24", "2")
    assert (rows["fabrikam"]["nodes"], rows["fabrikam"]["late_nodes"], rows["fabrikam"]["exceptions_expiring"]) == (
        "",
    ) * 3
    assert rows["fabrikam"]["open_decisions"] == "0" and "has no plan" not in rows["contoso"]["not_known"]


def test_a_tenant_s_row_is_made_of_its_own_files_alone(root: Path, found: dict[str, Any]) -> None:
    """Without the others, it is the same to the letter."""
    away = root.parent / f"{root.name}-away"
    away.mkdir()
    others = ("fabrikam", "litware")
    for name in others:
        (root / name).rename(away / name)
    try:
        alone = look(root)
    finally:
        for name in others:
            (away / name).rename(root / name)
    assert of(alone, "contoso") == of(found, "contoso") and of(alone, "litware")["compliance"] is None
