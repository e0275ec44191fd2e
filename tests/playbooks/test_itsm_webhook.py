# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role that tells any ticket tool, on a real HTTP server: what it sends, once, and what remains due."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.webhook import sign

from tests.checks.source import ROOT
from tests.fakes.receivers import WebReceiver, web_receiver
from tests.report import samples


def run(folder: Path, web: WebReceiver, *steps: str) -> str:
    """Run steps one after the other in one playbook, whether or not they fail; return what Ansible says."""
    role = {"ansible.builtin.include_role": {"name": "patchtide.hybrid.itsm_webhook"}}
    failed = {"ansible.builtin.debug": {"msg": "{{ ansible_failed_result.msg }}"}}
    tasks = [{"block": [{**role, "vars": {"itsm_webhook_step": step}}], "rescue": [failed]} for step in steps]
    given = {"dir": str(folder), "url": web.url, "key": "old new", "headers": {"X-Token": "t"}, "delay": 0}
    (folder / "play.json").write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]))
    variables = json.dumps({f"itsm_webhook_{name}": value for name, value in given.items()})
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "play.json", "-e", variables],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_change_and_the_incidents_of_its_waves_are_sent_once_and_signed(tmp_path: Path) -> None:
    samples.aborted(8).write(tmp_path)
    with web_receiver() as web:
        web.answers = [(500, {})] * 3 + [(202, {})]
        text = run(tmp_path, web, "open", "open", "incidents", "close", "update")
    assert " rescued=1 " in text, text
    assert "change.open of patchtide:" in text and "the webhook answered 500. The next run sends it again." in text
    bodies = [json.loads(body) for _headers, body in web.requests]
    assert [body["type"] for body in bodies] == ["change.open"] * 4 + ["incident.open", "change.close"]
    assert len({headers["webhook-id"] for headers, _body in web.requests}) == 3, "a repeated request has the same ID"
    assert bodies[-1]["ticket"]["close_code"] == "unsuccessful" and bodies[4]["ticket"]["nodes"]
    for headers, body in web.requests:
        name, at = headers["webhook-id"], headers["webhook-timestamp"]
        assert (name, headers["x-token"]) == (hashlib.sha256(body).hexdigest(), "t")
        assert headers["webhook-signature"] == " ".join(sign(key, name, at, body) for key in (b"old", b"new"))
