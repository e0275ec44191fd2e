# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboard in Chromium: its figures are those of the views and of plain counting, and large estates load fast."""

from __future__ import annotations

import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.dashboard import pages
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.read import open_history_tables

from tests.fakes.history_counted import Counted
from tests.fakes.history_months import Estate

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not shutil.which("chromium"), reason="needs chromium, to run the page's script"),
]


def written(estate: Estate, place: Path) -> Path:
    """Publish an estate and write its dashboard; return the page."""
    store = HistoryDirectory(place / "history")
    form = find_format(store, None, True)
    for run in estate.runs():
        publish(store, run, form, "2026-11-28T00:00:00.000Z")
    with open_history_tables(store) as database:
        for name, text in pages(database, "Patch compliance", False):
            (place / name).parent.mkdir(exist_ok=True)
            (place / name).write_text(text, "utf-8")
    return place / "index.html"


def dom(page: Path, place: Path, fragment: str = "") -> str:
    """Return the page as Chromium has it after its script; a violation of its policy fails the test."""
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--virtual-time-budget=5000"]
    command = ["chromium", *flags, f"--user-data-dir={place / 'profile'}", "--dump-dom", f"{page.as_uri()}{fragment}"]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    assert "CONSOLE" not in found.stderr, found.stderr
    return unescape(found.stdout)


def figures(text: str) -> dict[str, str]:
    return dict(re.findall(r'data-figure="([^"]*)" data-value="([^"]*)"', text))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(Estate(5000, 52), tmp_path_factory.mktemp("year"))


@pytest.fixture(scope="module")
def counted() -> Counted:
    return Counted(Estate(5000, 52))


@pytest.mark.parametrize("owner", ["", "retail"])
def test_twelve_months_of_5000_nodes_answer_the_five_questions(
    year: Path, counted: Counted, owner: str, tmp_path: Path
) -> None:
    found = figures(dom(year, tmp_path, f"#owner={owner}" if owner else ""))

    def mine(name: object) -> bool:
        return not owner or name == owner

    def share(day: str) -> str:
        states = [state for row, state in counted.state_on(day).values() if mine(row["owner"])]
        return f"{states.count('compliant')}/{len(states)}"

    owners = {row["node_id"]: row["owner"] for row in counted.observations()}
    overdue = sum(1 for row in counted.missing_now() if row["overdue"] and mine(owners[row["node_id"]]))
    nodes = {row["exception_id"] for row in counted.rows["exception_nodes"] if mine(row["owner"])}
    before, after = (
        {row["machine"]: row for row in counted.rows["findings"] if row["run_id"] == f"findings-{number}"}
        for number in (0, 1)
    )
    kept = [after[machine]["status"] for machine in before if machine in after and mine(after[machine]["owner"])]
    assert found == {
        "compliant_share": share(counted.last),
        "change": f"2026-10-30:{share('2026-10-30')}",
        "overdue": str(overdue),
        "ending": str(len(nodes & {"EX-1", "EX-2", "EX-3"})),
        "closed": f"{kept.count('fixed')}/{kept.count('open')}",
    }


def test_100000_nodes_load_fast_and_in_few_elements(tmp_path: Path) -> None:
    page = written(Estate(100_000, 1), tmp_path)
    text = dom(page, tmp_path)
    (ready,) = re.findall(r'data-ready="([0-9]+)"', text)
    assert int(ready) < 3000 and text.count("</") < 20_000 and page.stat().st_size < 5_000_000
    (count,) = re.findall(r"Load ([0-9,]+) nodes", text)
    assert int(count.replace(",", "")) > 98_000 and len(list((tmp_path / "data").iterdir())) == 20
    searched = dom(page, tmp_path, "#q=host-00042")
    assert "1 to 1 of 1" in searched and searched.count("</") < 20_000, "a search loads the files beside the page"
