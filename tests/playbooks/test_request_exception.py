# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An owner requests an exception as documented, and cannot approve it; test_own_exception.py has the rules."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_an_owner_requests_an_exception(tmp_path: Path) -> None:
    policy = {
        "version": 1,
        "name": "contoso",
        "baselines": [{"name": "base", "operating_system": "AMAZON_LINUX_2023", "default": True}],
        "waves": [{"name": "all"}],
        "owners": [{"name": "web", "people": [getpass.getuser()], "select": {"nodes": ["web-01"]}}],
        "exceptions": {"ledger": str(tmp_path / "exceptions.json")},
    }
    host = {"ansible_connection": "local", "patchtide_node_id": "i-1", "patchtide_executor": "ssm"}
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(policy), "utf-8")
    (tmp_path / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"web-01": host}}}), "utf-8")
    given = {
        "patchtide_policy_file": "policy.yml",
        "patchtide_nodes": "web-01",
        "patchtide_exception_from": "2099-12-01",
        "patchtide_exception_to": "2099-12-10",
        "patchtide_reason": "Audit",
    }
    done = run(tmp_path, "request_exception", **given)
    assert done.returncode == 0 and "is requested" in done.stdout, done.stdout + done.stderr
    (row,) = json.loads((tmp_path / "exceptions.json").read_text("utf-8"))["exceptions"]
    assert (row["status"], row["requested_by"], row["select"]["nodes"]) == ("requested", getpass.getuser(), ["web-01"])
    decided = {"patchtide_exception_id": row["exception_id"], "patchtide_exception_decision": "approved"}
    done = run(tmp_path, "decide_exception", patchtide_policy_file="policy.yml", **decided)
    assert done.returncode != 0 and "a person other than the requester" in done.stdout + done.stderr


def run(folder: Path, playbook: str, **given: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), f"patchtide.hybrid.{playbook}"]
    return subprocess.run(
        [*command, "-i", "hosts.yml", "-e", json.dumps(given)],
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
