# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-rulebook runs each rulebook on an event of its kind: the action starts with what the event says.

Only the source is another one, which sends the event once. Playbooks are stand-ins that write down their variables,
and AWX is a small server of its API. ansible-rulebook needs a Java runtime and is not installed here:
``PATCHTIDE_RULEBOOK=<directory of ansible-rulebook>`` runs these tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.checks.source import read_yaml
from tests.checks.test_more_rulebooks import CHANGE, COMPLIANCE, FINDING, RULEBOOKS, book
from tests.checks.test_rulebooks import EVENT

TOOLS = os.environ.get("PATCHTIDE_RULEBOOK", "")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TOOLS, reason="PATCHTIDE_RULEBOOK names no directory of ansible-rulebook, which needs Java"),
]
VARIABLES = {
    "queue": "q",
    "queue_region": "eu-central-1",
    "policy_file": "/etc/patchtide/policy.yml",
    "organization": "Patching",
    "plans": "/plans",
    "servicenow_timezone": "UTC",
    "patch_operation": "Scan",
}
WRITES = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.copy:
        dest: {dest}
        content: "{{{{ {names} | to_json }}}}"
      delegate_to: localhost
"""


def with_event(name: str, event: dict[str, Any], folder: Path) -> Path:
    """Return a copy of a rulebook whose source sends an event once, through the filters of the real source."""
    books = read_yaml(RULEBOOKS / f"{name}.yml")
    source = books[0]["sources"][0]
    filters = {"filters": source["filters"]} if "filters" in source else {}
    sent = event if name == "run_approved_changes" else {"body": event, "meta": {}}
    test = {"payload": [sent], "shutdown_after": 5}  # seconds; an action that has begun is not cut
    books[0]["sources"] = [{"name": "test", "eda.builtin.generic": test, **filters}]
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(books, sort_keys=False))
    return path


def run(path: Path, folder: Path, *options: str) -> str:
    (folder / "variables.yml").write_text(yaml.safe_dump({**VARIABLES, "playbook": str(folder / "remediate.yml")}))
    (folder / "inventory").write_text(
        "localhost ansible_connection=local ansible_python_interpreter={{ansible_playbook_python}}\n"
    )
    given = {**os.environ, "PATH": f"{TOOLS}:{os.environ['PATH']}", "ANSIBLE_COLLECTIONS_PATH": str(folder)}
    given |= {"EDA_JOB_TEMPLATE_REFRESH_DELAY": "0.2", "HOME": str(folder)}
    given.pop("PYTHONPATH", None)  # it is that of another Python
    command = [f"{TOOLS}/ansible-rulebook", "-r", str(path), "-i", str(folder / "inventory"), "-e"]
    done = subprocess.run(
        [*command, str(folder / "variables.yml"), "--print-events", *options],
        env=given,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        cwd=folder,
    )
    return done.stdout + done.stderr


def test_a_launched_instance_is_enrolled_alone(tmp_path: Path) -> None:
    playbooks = tmp_path / "ansible_collections" / "patchtide" / "hybrid" / "playbooks"
    playbooks.mkdir(parents=True)
    (playbooks.parent / "galaxy.yml").write_text("namespace: patchtide\nname: hybrid\nversion: 0.0.1\n")
    found = tmp_path / "found.json"
    text = WRITES.format(dest=found, names="[patchtide_nodes, patchtide_policy_file]")
    (playbooks / "enroll_nodes.yml").write_text(text)
    said = run(with_event("enroll_launched_instances", EVENT, tmp_path), tmp_path)
    assert found.exists(), said
    assert json.loads(found.read_text()) == [["i-abcd1111"], "/etc/patchtide/policy.yml"]


def test_another_event_starts_nothing(tmp_path: Path) -> None:
    stopped = {**EVENT, "detail": {**EVENT["detail"], "state": "stopped"}}
    said = run(with_event("enroll_launched_instances", stopped, tmp_path), tmp_path)
    assert "i-abcd1111" in said and "enroll_nodes" not in said


def test_a_node_that_is_not_compliant_is_remediated(tmp_path: Path) -> None:
    found = tmp_path / "found.json"
    names = "[node, region, compliance_type, event_id, operation]"
    (tmp_path / "remediate.yml").write_text(WRITES.format(dest=found, names=names))
    said = run(with_event("remediate_compliance", COMPLIANCE, tmp_path), tmp_path)
    assert found.exists(), said
    assert json.loads(found.read_text()) == ["i-01234567890abcdef", "us-east-2", "Patch", COMPLIANCE["id"], "Scan"]


class Awx:
    """What ansible-rulebook asks of AWX: a template by its name, its launch, and the state of jobs."""

    def __init__(self, rulebook: str) -> None:
        ((kind, action),) = book(rulebook)[1]["action"].items()
        self.template = {
            "id": 7,
            "type": {"run_job_template": "job_template", "run_workflow_template": "workflow_job_template"}[kind],
            "name": action["name"].replace("{{ organization }}", "Patching"),
            "summary_fields": {"organization": {"name": "Patching"}},
            "related": {"launch": "/api/v2/templates/7/launch/"},
            **{f"ask_{what}_on_launch": what == "variables" for what in ("limit", "labels", "inventory", "variables")},
        }
        self.launches: list[dict[str, Any]] = []

    @contextmanager
    def served(self) -> Iterator[str]:
        awx = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, data: Any) -> None:
                body = json.dumps(data).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self) -> None:
                job = {"id": 9, "url": "/api/v2/jobs/9/", "status": "successful", "type": "job", "artifacts": {}}
                rows = [job] if "id" in self.path.partition("?")[2] else [awx.template]
                self._answer({"version": "24.6.1", "count": 1, "next": None, "results": rows, **job})

            def do_POST(self) -> None:
                awx.launches.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self._answer({"id": 9, "url": "/api/v2/jobs/9/", "status": "pending", "created": ""})

            def log_message(self, format: str, *args: Any) -> None:
                """Nothing."""

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()


def launches(name: str, event: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    awx = Awx(name)
    with awx.served() as url:
        said = run(with_event(name, event, folder), folder, "--controller-url", url, "--controller-token", "t")
    assert awx.launches, said
    return awx.launches


def test_a_severe_finding_begins_the_plan_of_its_event(tmp_path: Path) -> None:
    (launch,) = launches("plan_emergency", FINDING, tmp_path)
    assert launch["extra_vars"] == {"patchtide_dir": f"/plans/emergency-{FINDING['id']}"}


def test_an_approved_change_runs_what_is_due(tmp_path: Path) -> None:
    (launch,) = launches("run_approved_changes", CHANGE, tmp_path)
    assert not launch.get("extra_vars")
