# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on the stock collection servicenow.itsm and the simulated ServiceNow.

The collection is on Galaxy, not on PyPI: PATCHTIDE_ITSM names the directory above ``ansible_collections`` with it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import seal_scan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ticket.texts import correlation_id
from werkzeug.serving import make_server

from lab.servicenow.server import ServiceNow
from lab.servicenow.world import World
from tests.report import samples

ITSM = os.environ.get("PATCHTIDE_ITSM", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not ITSM, reason="PATCHTIDE_ITSM names no directory with the collection servicenow.itsm"),
]
ROOT = Path(__file__).parents[2]
NEW, ASSESS, IMPLEMENT, CLOSED = "-5", "-4", "-1", "3"


@dataclass
class Served:
    """An instance, the directory of a rollout, and the role's runs."""

    instance: ServiceNow
    url: str
    folder: Path

    def play(self, step: str, *more: str, **options: Any) -> tuple[bool, int, str]:
        """Run a step; return whether it succeeded, how much changed, and what Ansible said."""
        given = {
            "step": step,
            "dir": str(self.folder / "rollout"),
            "instance": {"host": self.url, "username": "patching", "password": "changeme"},
            "assignment_group": "Patching",
            "caller": "patching",
            "delay": 0,
            **options,
        }
        role = {
            "hosts": "localhost",
            "gather_facts": False,
            "roles": [{"role": "patchtide.hybrid.itsm_servicenow"}],
        }
        (self.folder / "play.json").write_text(json.dumps([role]))
        variables = {f"itsm_servicenow_{name}": value for name, value in given.items()}
        command = [str(Path(sys.executable).with_name("ansible-playbook")), str(self.folder / "play.json")]
        done = subprocess.run(
            [*command, "-e", json.dumps(variables), *more],
            env={
                **os.environ,
                "ANSIBLE_COLLECTIONS_PATH": f"{ROOT / 'build' / 'tree'}:{ITSM}",
                "ANSIBLE_NOCOLOR": "true",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        text = done.stdout + done.stderr
        changed = sum(int(part.split()[0]) for part in text.split(" changed=")[1:])
        return done.returncode == 0, changed, text

    @property
    def world(self) -> World:
        return self.instance.world

    def rows(self, table: str) -> list[dict[str, str]]:
        return list(self.world.tables[table].values())

    @property
    def change(self) -> dict[str, str]:
        (found,) = self.rows("change_request")
        return found

    def approve(self) -> None:
        """Make the change as the step open does, with an approval."""
        plan = json.loads((self.folder / "rollout" / "plan.json").read_text("utf-8"))
        group, times = self.rows("sys_user_group")[0]["sys_id"], ("2020-01-01 00:00:00", "2099-01-01 00:00:00")
        values = {"correlation_id": correlation_id(plan), "assignment_group": group, "short_description": "x"}
        row = self.world.create("change_request", {**values, "start_date": times[0], "end_date": times[1]}, "patching")
        self.world.change("change_request", row, {"state": ASSESS}, "patching")
        self.world.decide(row["number"], "ana", "approved", "ana")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    run = samples.aborted(8)
    (tmp_path / "rollout" / "report").mkdir(parents=True)
    run.write(tmp_path / "rollout")
    for name in ("plan.html", "report/index.html"):
        (tmp_path / "rollout" / name).write_text("<html>")
    nodes = [node for wave in run.plan["waves"] for node in wave["nodes"]]
    rows = [{"name": node["name"]} for node in nodes[1:]]
    instance = ServiceNow(World.of({"cis": rows, "silent": True}))
    server = make_server("127.0.0.1", 0, instance, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Served(instance, f"http://127.0.0.1:{server.server_port}", tmp_path)
    server.shutdown()


def test_a_change_is_opened_once(served: Served) -> None:
    good, changed, text = served.play("open", "--check")
    assert good and changed and served.world.calls == [], text
    good, _changed, text = served.play("open")
    assert good, text
    assert served.change["state"] == ASSESS and served.change["conflict_status"] == "No Conflict"
    plan = json.loads((served.folder / "rollout" / "plan.json").read_text("utf-8"))
    names = [row["file_name"] for row in served.rows("sys_attachment")]
    assert names == [f"plan-{plan['digest']}.html", f"plan-{plan['digest']}.csv"]
    assert len(served.rows("task_ci")) == len(served.rows("cmdb_ci")) and "No configuration item: " in text
    calls = list(served.world.calls)
    good, changed, text = served.play("open")
    assert good and changed == 0 and served.world.calls == calls, text


def test_work_begins_if_it_may(served: Served) -> None:
    served.approve()
    served.change["end_date"] = "2021-01-01 00:00:00"
    good, _changed, text = served.play("implement")
    assert not good and "its planned window ended at 2021-01-01 00:00:00 UTC" in text
    served.change["end_date"] = "2099-01-01 00:00:00"
    for expected in (1, 0):
        good, changed, text = served.play("implement")
        assert good and changed == expected and served.change["state"] == IMPLEMENT, text


def test_each_failed_wave_has_one_incident_until_it_recovers(served: Served) -> None:
    good, changed, text = served.play("incidents")
    opened = {row["correlation_id"]: row["state"] for row in served.rows("incident")}
    assert good and changed and set(opened.values()) == {"1"}, text
    good, changed, text = served.play("incidents")
    assert good and changed == 0 and len(served.rows("incident")) == len(opened), text
    good, changed, text = served.play("incidents", scan=recovered(served.folder))
    assert good and {row["state"] for row in served.rows("incident")} == {"6"}, text


def test_a_change_is_closed_with_evidence_and_outcome(served: Served) -> None:
    served.approve()
    served.change["state"] = IMPLEMENT
    good, changed, text = served.play("close", "--check")
    assert good and changed and served.change["state"] == IMPLEMENT, text
    good, _changed, text = served.play("close")
    assert good and (served.change["state"], served.change["close_code"]) == (CLOSED, "unsuccessful"), text
    names = sorted(row["file_name"] for row in served.rows("sys_attachment"))
    assert names[0].startswith("evidence-") and names[1:] == ["report.html"]
    good, changed, text = served.play("close")
    assert good and changed == 0, text


def recovered(folder: Path) -> str:
    """Write a scan after the rollout in which nothing is missing."""
    scan = json.loads((folder / "rollout" / "scan.json").read_text("utf-8"))
    for node in scan["nodes"].values():
        node.update(missing=[], counts={"missing_count": 0, "installed_count": 412, "failed_count": 0})
    scan.pop("digest", None)
    path = folder / "later.json"
    path.write_text(json.dumps(seal_scan({**scan, "at": "2026-12-24T00:00:00.000Z"})), "utf-8")
    return str(path)


def test_what_is_refused(served: Served) -> None:
    served.world.blackout = True
    good, _changed, text = served.play("open")
    assert not good and "The check for conflicts of CHG0000001 says: Conflict" in text
    served.world.insert("cmdb_ci", {"name": served.rows("cmdb_ci")[0]["name"], "sys_class_name": "cmdb_ci_server"}, "x")
    good, _changed, text = served.play("open")
    assert not good and "Several configuration items are " in text and served.change["state"] == NEW
    good, _changed, text = served.play("close")
    assert not good and "where -1 (Implement) or 0 (Review) is needed" in text
    served.change["approval"] = "rejected"
    good, _changed, text = served.play("open")
    assert not good and "CHG0000001 was rejected" in text


def test_a_write_that_is_dropped_without_an_error_is_noticed(served: Served) -> None:
    """ansible-collections/servicenow.itsm#278: the module reports a change, and the state is as before."""
    served.approve()
    served.world.change = lambda *_given: None  # type: ignore[method-assign] # every rule aborts, and says nothing
    good, _changed, text = served.play("implement")
    assert not good and "CHG0000001 was to become implement, and its state is -2" in text


def test_an_account_that_cannot_read_its_change_makes_one_and_fails(served: Served) -> None:
    served.world.hidden = ["correlation_id"]
    good, _changed, text = served.play("open")
    assert not good and "this account cannot read its correlation_id" in text
    assert len(served.rows("change_request")) == 1
