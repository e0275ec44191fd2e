# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a month: its figures are those of plain counting, and it is written once."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.history_report import ActionModule
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history import report
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish

from tests.fakes.history_counted import Counted
from tests.fakes.history_months import Estate

SIZE, WEEKS = 30, 12


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("history")
    store = HistoryDirectory(place)
    form = find_format(store, "jsonl", True)
    for run in Estate(SIZE, WEEKS).runs():
        publish(store, run, form, "2026-11-28T00:00:00.000Z")
    return place


@pytest.fixture(scope="module")
def counted() -> Counted:
    return Counted(Estate(SIZE, WEEKS))


def publish_report(history: Path, dest: Path, period: str = "2026-11", *, check: bool = False) -> dict[str, Any]:
    task = Mock(args={"history": str(history), "dest": str(dest), "period": period})
    task.check_mode, task.diff, task.async_val, task.environment = check, False, 0, []
    action = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
    lines: list[str] = []
    action.say = lines.append
    result: dict[str, Any] = action.run(task_vars={})
    return {**result, "lines": lines}


def test_the_figures_are_those_of_plain_counting(history: Path, tmp_path: Path, counted: Counted) -> None:
    figures = publish_report(history, tmp_path)["figures"]
    states = [state for _row, state in counted.state_on(counted.last).values()]
    names = ("compliant", "non_compliant", "unknown")
    assert figures["compliance"] == {"nodes": len(states), **{name: states.count(name) for name in names}}
    first = [state for _row, state in counted.state_on("2026-11-06").values()]
    day = {"day": "2026-11-06", "nodes": len(first), "compliant": first.count("compliant")}
    assert figures["first_day"] == day, "the first scan of November"
    assert figures["overdue"] == sum(1 for row in counted.missing_now() if row["overdue"])
    rollouts = {row["rollout"] for row in counted.rows["rollouts"] if str(row["started_at"])[:7] == "2026-11"}
    outcome = [row["tone"] for row in counted.rows["rollout_nodes"] if row["rollout"] in rollouts and row["wave"]]
    assert rollouts and figures["rollouts"]["rollouts"] == len(rollouts)
    assert (figures["rollouts"]["good"], figures["rollouts"]["bad"]) == (outcome.count("good"), outcome.count("bad"))
    assert figures["as_of"] == "2026-11-27T20:00:00.000Z" and sum(figures["findings"].values()) > 0


def test_an_earlier_month_is_as_it_was_at_its_end(history: Path, tmp_path: Path, counted: Counted) -> None:
    figures = publish_report(history, tmp_path, "2026-10")["figures"]
    day = max(row["day"] for row in counted.observations() if row["day"] < "2026-11")
    states = [state for _row, state in counted.state_on(day).values()]
    assert figures["compliance"]["compliant"] == states.count("compliant") and figures["as_of"][:7] == "2026-10"
    assert figures["findings"] == {} and figures["exceptions_ending"] == {}


def test_it_is_written_once_and_all_of_it_is_the_same(history: Path, tmp_path: Path) -> None:
    assert publish_report(history, tmp_path, check=True)["changed"] and not list(tmp_path.iterdir())
    done = publish_report(history, tmp_path)
    assert done["changed"] and sorted(path.name for path in (tmp_path / "2026-11").iterdir()) == [
        name.partition("/")[2] for name in done["files"]
    ]
    assert (
        not publish_report(history, tmp_path)["changed"]
        and not publish_report(history, tmp_path, check=True)["changed"]
    )
    (tmp_path / "2026-11" / "nodes.csv").write_text("edited")
    assert publish_report(history, tmp_path, check=True)["changed"] and publish_report(history, tmp_path)["changed"]
    data = json.loads((tmp_path / "2026-11" / "report.json").read_text("utf-8"))
    assert data["figures"] == done["figures"] and data["period"]["last"] == "2026-11-30"
    assert {row[0][:7] for row in data["tables"]["days"]["rows"]} == {"2026-11"}
    rows = list(csv.DictReader(io.StringIO((tmp_path / "2026-11" / "nodes.csv").read_text("utf-8-sig"))))
    assert len(rows) == done["figures"]["compliance"]["nodes"]
    page = (tmp_path / "2026-11" / "report.html").read_text("utf-8")
    assert "<title>Patch report 2026-11</title>" in page and "'self'" not in page.split("</head>")[0]


def test_the_pointer_names_the_newest_period(history: Path, tmp_path: Path) -> None:
    store = HistoryDirectory(tmp_path)
    assert report.read_latest(store) is None
    publish_report(history, tmp_path)
    first = report.read_latest(store)
    assert first and first["page"] == "2026-11/report.html" and (tmp_path / first["page"]).exists()
    assert publish_report(history, tmp_path, "2026-10")["changed"] and report.read_latest(store) == first
    (tmp_path / "latest.json").write_text("{}")
    with pytest.raises(PatchtideError, match=r"latest\.json"):
        report.read_latest(store)


def test_people_read_the_figures_without_a_browser(history: Path, tmp_path: Path) -> None:
    lines = publish_report(history, tmp_path, check=True)["lines"]
    text = "\n".join(lines)
    assert lines[0] == "2026-11-01 to 2026-11-30" and "nodes compliant (" in lines[1] and "Overdue: " in text
    assert "Exceptions that end within 7 days: EX-" in text and "still open" in text


def test_a_share_never_flatters() -> None:
    assert (report.share_of(9999, 10_000), report.share_of(0, 0), report.share_of(3, 3)) == (
        "99.9 %",
        "none",
        "100.0 %",
    )
