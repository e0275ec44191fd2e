# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole playbook as a user runs it, with one or two objects of each kind, because each takes a process.

tests/contract/test_awx_content.py applies all objects without processes.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.checks.source import ROOT
from tests.fakes.awx_objects import FakeAwxObjects

AWX = ROOT / "awx"
KEPT = ("Scan", "Run what is due")


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log(self, *_given: Any) -> None:
        pass


class Unsafe(str):
    """A text with Ansible's tag for what it must not fill in."""

    __slots__ = ()


class Loader(yaml.SafeLoader):
    """Reads the tag."""


class Dumper(yaml.SafeDumper):
    """Writes it again."""


Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))
Dumper.add_representer(Unsafe, lambda dumper, text: dumper.represent_scalar("!unsafe", str(text)))


def few(kind: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is enough of a list: two templates, a workflow of both an approval and a job, one of the others."""
    if kind == "controller_templates":
        return [row for row in rows if row["name"].partition(": ")[2] in KEPT]
    if kind == "controller_workflows":
        nodes = [{"identifier": "go", "approval_node": {"name": "Go", "timeout": 60}, "success_nodes": ["scan"]}]
        scan = next(node for node in rows[0]["simplified_workflow_nodes"] if node["identifier"] == "scan")
        return [{**rows[0], "simplified_workflow_nodes": [*nodes, {**scan, "success_nodes": []}]}]
    if kind == "controller_roles":
        return [{**rows[0], "job_templates": rows[0]["job_templates"][:1]}]
    return rows[:1]


@pytest.fixture
def awx(tmp_path: Path) -> Iterator[tuple[FakeAwxObjects, dict[str, str]]]:
    for path in AWX.glob("*.yml"):
        if path.name != "settings.yml":
            data = {kind: few(kind, rows) for kind, rows in yaml.load(path.read_text("utf-8"), Loader).items()}
            (tmp_path / path.name).write_text(yaml.dump(data, Dumper=Dumper), "utf-8")
    found = FakeAwxObjects()
    server = make_server("127.0.0.1", 0, found, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield found, {"CONTROLLER_HOST": f"http://127.0.0.1:{server.server_port}", "CONTROLLER_OAUTH_TOKEN": "t0ken"}
    server.shutdown()


def run(folder: Path, environment: dict[str, str], *more: str) -> int:
    """Run the playbook; return how many tasks changed something."""
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "patchtide.hybrid.configure_awx", *more]
    given = {"patchtide_awx_settings": AWX / "settings.yml", "patchtide_awx_dir": folder}
    tree = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true", "HOME": str(folder)}
    done = subprocess.run(
        [*command, *(word for name, value in given.items() for word in ("-e", f"{name}={value}"))],
        env={**os.environ, **tree, **environment},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return sum(map(int, re.findall(r" changed=(\d+) ", done.stdout)))


@pytest.mark.slow
def test_awx_is_configured_once_and_check_mode_shows_what_somebody_changed(
    awx: tuple[FakeAwxObjects, dict[str, str]], tmp_path: Path
) -> None:
    served, environment = awx
    assert run(tmp_path, environment) > 10 and len(served.rows["job_templates"]) == len(KEPT)
    writes = list(served.writes)
    assert run(tmp_path, environment) == 0 and served.writes == writes
    row = next(iter(served.rows["job_templates"].values()))
    row["timeout"] = 60
    assert run(tmp_path, environment, "--check") == 1 and (served.writes, row["timeout"]) == (writes, 60)
