# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worked example for another ticket system: one change in Jira Service Management, and a wave that waits for it.

Shapes of the answers: "The Jira Cloud platform REST API" (issue search by JQL, issues) and "The Jira Service Management
Cloud REST API" (approvals: finalDecision is pending, approved or declined).
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.report import samples

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


class Jira:
    """Issues with labels, files and approvals; it asks for a login, and for the header that attachments need."""

    def __init__(self) -> None:
        self.issues: list[dict[str, Any]] = []
        self.decision = "pending"
        self.files: list[bytes] = []

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> tuple[int, Any]:
        path = urlsplit(target).path
        if not str(headers.get("Authorization", "")).startswith("Basic "):
            return 401, {"errorMessages": ["Client must be authenticated to access this resource."]}
        if (method, path) == ("GET", "/rest/api/3/search/jql"):
            (jql,) = parse_qs(urlsplit(target).query)["jql"]
            found = re.fullmatch(r'project = "(\w+)" AND labels = "([^"]+)"', jql)
            assert found, jql
            rows = [row for row in self.issues if found[2] in row["labels"] and row["project"] == found[1]]
            return 200, {"issues": [{"id": row["key"], "key": row["key"]} for row in rows], "isLast": True}
        if (method, path) == ("POST", "/rest/api/2/issue"):
            fields = json.loads(body)["fields"]
            assert fields["summary"] and "\n" not in fields["summary"] and " " not in fields["labels"][0]
            key = f"CHG-{len(self.issues) + 1}"
            self.issues.append({"key": key, "labels": fields["labels"], "project": fields["project"]["key"]})
            return 201, {"id": "10001", "key": key}
        if method == "POST" and path.endswith("/attachments"):
            if headers.get("X-Atlassian-Token") != "no-check":
                return 403, {}
            self.files.append(body)
            return 200, [{"filename": "plan.html"}]
        if path == "/rest/servicedeskapi/request/CHG-1/approval":
            return 200, {"size": 1, "isLastPage": True, "values": [{"id": "1", "finalDecision": self.decision}]}
        return 404, {}


@pytest.fixture
def jira() -> Iterator[tuple[Jira, str]]:
    found = Jira()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = found.answer(self.command, self.path, self.headers, body)
            data = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *_given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield found, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def run(playbook: Path, folder: Path, url: str) -> tuple[bool, str]:
    given = {"patchtide_dir": str(folder), "jira_url": url, "jira_project": "CHG"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), str(playbook), "-e", json.dumps(given)],
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
            "ANSIBLE_NOCOLOR": "true",
            "JIRA_USER": "patching",
            "JIRA_TOKEN": "t0ken",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_one_change_and_a_wave_that_waits_for_it(jira: tuple[Jira, str], tmp_path: Path) -> None:
    service, url = jira
    samples.aborted(8).write(tmp_path)
    (tmp_path / "journal.jsonl").unlink()
    (tmp_path / "plan.html").write_text("<html>the plan")
    for changed in (2, 0):
        good, text = run(ROOT / "examples" / "jira" / "open_change.yml", tmp_path, url)
        assert good and f"changed={changed} " in text, text
    assert len(service.issues) == 1 and b"<html>the plan" in service.files[0]
    tasks = ROOT / "examples" / "jira" / "before_wave.yml"
    play = [{"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.include_tasks": str(tasks)}]}]
    (tmp_path / "wave.json").write_text(json.dumps(play))
    good, text = run(tmp_path / "wave.json", tmp_path, url)
    assert not good and "CHG-1 with the label of this plan is not approved" in text
    service.decision = "approved"
    good, text = run(tmp_path / "wave.json", tmp_path, url)
    assert good, text
