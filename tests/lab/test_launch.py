# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starting and stopping the lab as a user does."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lab.aws.launch import ROOT, lab

COMMAND = [sys.executable, "-m", "lab.aws"]


def refused(*options: str) -> str:
    done = subprocess.run([*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    return done.stderr


def test_it_prints_what_to_export_and_stops_when_told() -> None:
    process = subprocess.Popen([*COMMAND, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line)
        if line.startswith("# Ctrl-C"):
            break
    url = re.search(r"^export AWS_ENDPOINT_URL=(\S+)$", "".join(told), re.MULTILINE)
    assert url
    assert {"export AZURE_CLIENT_ID", "export PATCHTIDE_AZURE_ENDPOINT"} <= {line.partition("=")[0] for line in told}
    assert urllib.request.urlopen(f"{url[1]}/moto-api/patchtide/health", timeout=10).status == 200
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_mistakes_on_the_command_line_are_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("groups: [")
    assert "nowhere.yml" in refused("--estate", "nowhere.yml")
    assert "bad.yml" in refused("--estate", str(tmp_path / "bad.yml"))
    assert "yesterday" in refused("--at", "yesterday")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "in use" in refused("--port", str(taken.getsockname()[1]))


def test_the_context_manager_leaves_nothing_running() -> None:
    with lab(at="2026-06-02T23:30:00Z", estate="lab/estate-abort.yml") as aws:
        assert aws.get("clock")["now"].startswith("2026-06-02T23:3")
        faulty = aws.get("faults")["nodes"]
        assert sum("fail_patches" in faults for faults in faulty.values()) == 14
        url = aws.url
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(url, timeout=5)
