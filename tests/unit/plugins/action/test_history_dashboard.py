# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dashboard: its data are the views' rows, an owner's page has that owner's alone, and nothing in it is code."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from ansible_collections.patchtide.hybrid.plugins.action.history_dashboard import ActionModule
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history import dashboard
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish

from tests.fakes.history_months import OWNERS, Estate

HOSTILE = "</script><script>alert(1)</script>"


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("history")
    store = HistoryDirectory(place)
    form = find_format(store, "jsonl", True)
    for run in Estate(24, 6).runs():
        for part, row in run.rows:
            if part.dataset == "exceptions":
                dict.update(row, reason=HOSTILE)  # type: ignore[arg-type]  # a dict here
        publish(store, run, form, "2026-11-28T00:00:00.000Z")
    return place


def run_action(check: bool = False, **options: Any) -> dict[str, Any]:
    task = Mock(args={key: str(item) if isinstance(item, Path) else item for key, item in options.items()})
    task.check_mode, task.diff, task.async_val, task.environment = check, False, 0, []
    action = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None)
    action.say = Mock()
    result: dict[str, Any] = action.run(task_vars={})
    return result


def data_of(page: Path) -> dict[str, Any]:
    (text,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page.read_text("utf-8"), re.S)
    found: dict[str, Any] = json.loads(text)
    return found


def test_pages_are_written_once(history: Path, tmp_path: Path) -> None:
    options: dict[str, Any] = {"history": history, "dest": tmp_path / "out", "owners": True, "title": "Estate & more"}
    assert run_action(check=True, **options)["changed"] and not (tmp_path / "out").exists()
    found = run_action(**options)
    assert (
        len(found["files"]) == 1 + len(OWNERS)
        and "<title>Estate &amp; more</title>" in (tmp_path / "out/index.html").read_text()
    )
    assert not run_action(**options)["changed"] and not run_action(check=True, **options)["changed"]


def test_an_owner_s_page_has_that_owner_alone(history: Path, tmp_path: Path) -> None:
    files = run_action(history=history, dest=tmp_path, owners=True)["files"]
    estate = data_of(tmp_path / "index.html")
    assert {row[estate["nodes"]["columns"].index("owner")] for row in estate["nodes"]["rows"]} == set(OWNERS)
    for name in files[1:]:
        text = (tmp_path / name).read_text("utf-8")
        data = data_of(tmp_path / name)
        (owner,) = {row[1] for row in data["nodes"]["rows"]}
        assert data["page"]["owner"] == owner and not set(dashboard.ESTATE) & set(data)
        assert not [other for other in OWNERS if other != owner and f'"{other}"' in text]
        ids = {f"node-{index:05}" for index in range(24) if Estate(24, 6).node(index)["owner"] != owner}
        assert not [node for node in ids if node in text], "another owner's node"


def test_every_file_in_an_owner_s_directory_is_about_that_owner_alone(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also the files beside the page of an owner with many nodes, and exceptions of others for other nodes."""
    monkeypatch.setattr(dashboard, "INLINE_NODES", 2)
    monkeypatch.setattr(dashboard, "CHUNK", 2)
    run_action(history=history, dest=tmp_path, owners=True)
    nodes = [Estate(24, 6).node(index) for index in range(24)]
    folders = sorted((tmp_path / "owners").iterdir())
    assert len(folders) == len(OWNERS)
    for folder in folders:
        owner = data_of(folder / "index.html")["page"]["owner"]
        files = [path for path in folder.rglob("*") if path.is_file()]
        text = "\n".join(path.read_text("utf-8") for path in files)
        assert len(files) == 4, "the page, and six nodes in three files"
        mine = {node["node_id"] for node in nodes if node["owner"] == owner}
        assert {name for name in (node["node_id"] for node in nodes) if name in text} == mine
        exceptions = {f"EX-{index}" for index in range(7) if nodes[index]["owner"] == owner}
        assert {f"EX-{index}" for index in range(7) if f'"EX-{index}"' in text} <= exceptions
        assert not [other for other in OWNERS if other != owner and f'"{other}"' in text]


def test_nothing_in_the_data_is_code(history: Path, tmp_path: Path) -> None:
    run_action(history=history, dest=tmp_path)
    text = (tmp_path / "index.html").read_text("utf-8")
    assert HOSTILE not in text and text.count("<script") == 2
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy.startswith("default-src 'none'; ") and "unsafe" not in policy and "'self'" not in policy
    rows = data_of(tmp_path / "index.html")["exceptions"]["rows"]
    assert {row[6] for row in rows} == {HOSTILE}


def test_many_nodes_are_in_files_beside_the_page(
    history: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dashboard, "INLINE_NODES", 10)
    monkeypatch.setattr(dashboard, "CHUNK", 10)
    files = run_action(history=history, dest=tmp_path)["files"]
    assert files == ["data/nodes-0.js", "data/nodes-1.js", "data/nodes-2.js", "index.html"]
    data = data_of(tmp_path / "index.html")
    assert data["nodes"]["rows"] == [] and data["nodes"]["count"] == 24 and data["nodes"]["files"] == files[:3]
    assert (
        "script-src 'sha256-" in (tmp_path / "index.html").read_text()
        and "'self' file:" in (tmp_path / "index.html").read_text()
    )
    chunks = [json.loads((tmp_path / name).read_text().split(",", 1)[1].rsplit(")", 1)[0]) for name in files[:3]]
    assert [len(rows) for rows in chunks] == [10, 10, 4]


def test_owners_of_similar_names_have_their_own_directories() -> None:
    names = [dashboard._slug(owner) for owner in ("Web Team", "web-team", "", "../x", "é")]
    assert len(set(names)) == 5 and all(re.fullmatch(r"[a-z0-9-]+", name) for name in names)
