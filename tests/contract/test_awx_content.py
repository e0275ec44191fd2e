# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""configure_awx with the real modules of awx.awx and a server that records: the second time, nothing changes.

Each task of the playbook is filled in as Ansible does it, and its module runs in this process.
"""

from __future__ import annotations

import importlib
import json
import ssl
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.checks.source import ROOT
from tests.fakes.awx_objects import FakeAwxObjects

OMITTED = "--omitted--"


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log(self, *_given: Any) -> None:
        pass


class Exit(Exception):
    """A module's result."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__(str(result))
        self.result = result


def content(folder: str) -> dict[str, Any]:
    """Return the data of a folder as Ansible reads it, with the settings last."""
    loader, found = DataLoader(), dict[str, Any]()
    for path in [*(ROOT / "awx" / folder).glob("*.yml"), ROOT / "awx" / "settings.yml"]:
        found |= loader.load_from_file(str(path), trusted_as_template=True)
    return found


def calls() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield task, module and arguments of everything that the playbook calls, in order: a tenant, then an owner."""
    playbook = DataLoader().load_from_file(str(ROOT / "playbooks" / "configure_awx.yml"), trusted_as_template=True)
    for folder in ("", "owners"):
        yield from calls_of(playbook, content(folder))


def calls_of(playbook: Any, data: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for task in playbook[1]["tasks"]:
        for name in task:
            if name.startswith("awx.awx."):
                for item in Templar(DataLoader(), variables=data).template(task["loop"]):
                    variables = {**data, "item": item, "omit": OMITTED}
                    given = Templar(DataLoader(), variables=variables).template(task[name])
                    given = {key: value for key, value in given.items() if value != OMITTED}
                    yield task["name"], name.removeprefix("awx.awx."), given


def run(module: str, given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    loaded = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{module}")

    def end(_self: Any, **result: Any) -> None:
        raise Exit(result)

    monkeypatch.setattr(loaded.ControllerAPIModule, "exit_json", end)
    monkeypatch.setattr(
        loaded.ControllerAPIModule, "fail_json", lambda _self, **result: end(_self, failed=True, **result)
    )
    with patch_module_args(json.loads(json.dumps(given))), pytest.raises(Exit) as caught:
        loaded.main()
    assert not caught.value.result.get("failed"), (module, given, caught.value.result)
    return caught.value.result


@pytest.fixture
def awx(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeAwxObjects]:
    found = FakeAwxObjects()
    server = make_server("127.0.0.1", 0, found, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    # Each request would read all certificates of the machine, though none is over TLS.
    context = ssl.create_default_context()
    monkeypatch.setattr("ansible.module_utils.urls.make_context", lambda **_given: context)
    monkeypatch.setenv("CONTROLLER_HOST", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("CONTROLLER_OAUTH_TOKEN", "t0ken")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    yield found
    server.shutdown()


def test_everything_is_created_once_and_put_back_if_somebody_changes_it(
    awx: FakeAwxObjects, monkeypatch: pytest.MonkeyPatch
) -> None:
    applied = [(*call[:2], run(*call[1:], monkeypatch)) for call in calls()]
    assert all(row[2]["changed"] for row in applied if row[0] != "Connect them")
    made = {kind: len(rows) for kind, rows in awx.rows.items()}
    assert made["job_templates"] >= 18 and made["workflow_job_template_nodes"] == 20 and made["schedules"] == 7
    assert len(awx.surveys) >= 8 and made["workflow_approval_templates"] == 4
    first = list(awx.writes)
    again = [(*call[:2], run(*call[1:], monkeypatch)) for call in calls()]
    assert [row for row in again if row[2]["changed"]] == []
    assert awx.writes == first and len(first) > 60
    row = next(row for row in awx.rows["job_templates"].values() if row["playbook"] == "rollout_patches.yml")
    row |= {"timeout": 60, "allow_simultaneous": True}
    repaired = [call[2]["name"] for call in calls() if run(*call[1:], monkeypatch)["changed"]]
    assert repaired == [row["name"]] and (row["timeout"], row["allow_simultaneous"]) == (0, False)
