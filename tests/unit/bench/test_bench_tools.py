# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmarks measure what they say: pages of the canned service, silence, forks."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.loaders
import botocore.model
import botocore.parsers
import pytest

from bench.commands import Commands
from bench.direct import further
from bench.ssh_master import serve
from bench.watch import watch

NODES = [f"i-{number:017x}" for number in range(60)]
SNAPSHOT = "5eed5eed-0000-4000-8000-000000000000"
INSTALL = {
    "DocumentName": "AWS-RunPatchBaseline",
    "Parameters": {"Operation": ["Install"], "SnapshotId": [SNAPSHOT]},
}
SERVICE = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("ssm", "service-2"), "ssm")


def ask(commands: Commands, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    """Return the answer as botocore reads it."""
    answer = {"status_code": 200, "headers": {}, "body": commands.answer(operation, request)}
    shape = SERVICE.operation_model(operation).output_shape
    return dict(botocore.parsers.create_parser("json").parse(answer, shape))


def test_pages_have_50_rows_and_a_full_one_always_a_token() -> None:
    commands = Commands(pace=0)
    for count, pages in ((49, 1), (50, 2), (60, 2)):
        command = ask(commands, "SendCommand", {**INSTALL, "InstanceIds": NODES[:count]})["Command"]["CommandId"]
        found, token, asked = [], None, 0
        while asked == 0 or token:
            page = ask(commands, "ListCommandInvocations", {"CommandId": command, "NextToken": token, "Details": True})
            found, token, asked = [*found, *page["CommandInvocations"]], page.get("NextToken"), asked + 1
        assert [row["InstanceId"] for row in found] == NODES[:count] and asked == pages
    assert commands.node_looks == 49 + 50 + 60


def test_nodes_end_when_their_time_has_come_and_leave_a_patch_state() -> None:
    slow, fast = Commands(pace=100), Commands(pace=0)
    for commands, status in ((slow, "InProgress"), (fast, "Success")):
        command = ask(commands, "SendCommand", {**INSTALL, "InstanceIds": NODES[:1]})["Command"]["CommandId"]
        row = ask(commands, "GetCommandInvocation", {"CommandId": command, "InstanceId": NODES[0]})
        assert row["Status"] == status
    state = ask(fast, "DescribeInstancePatchStates", {"InstanceIds": NODES[:2]})["InstancePatchStates"]
    found = [(item["InstanceId"], item["Operation"], item["SnapshotId"]) for item in state]
    assert found == [(NODES[0], "Install", SNAPSHOT)]


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_watching_tells_silence_forks_memory_and_status() -> None:
    script = (
        "import os, sys, time\nprint('first', flush=True)\ntime.sleep(0.6)\nprint('second', flush=True)\n"
        "block = b'x' * 60_000_000\nif os.fork() == 0: os._exit(0)\nos.wait()\ntime.sleep(0.5)\nsys.exit(3)\n"
    )
    cost = watch([sys.executable, "-c", script])
    assert cost.status == 3 and cost.forks == 1 and [line for _at, line in cost.lines] == ["first", "second"]
    assert 0.5 <= cost.silence_s < 3 and cost.memory_mb > 60


@pytest.fixture
def control_path() -> Iterator[str]:
    """Where the sockets of two hosts are that repeat what they get; in a short path, because sockets need one."""
    ready = threading.Event()
    with tempfile.TemporaryDirectory() as folder:

        def answer(host: str, command: str, text: bytes) -> str:
            return f"{host} {command} {len(text)}"

        parts = (Path(folder), ("a", "b"), answer, ready.set)
        threading.Thread(target=serve, args=parts, daemon=True).start()
        assert ready.wait(10)
        yield f"{folder}/%h"


def test_the_machines_own_ssh_talks_to_the_hosts(control_path: str) -> None:
    ssh = ["ssh", "-F", "none", "-o", "ControlMaster=no", "-o", f"ControlPath={control_path}"]
    for host, text in (("a", "x" * 100_000), ("b", "")):
        command = [*ssh, host, "uname -a"]
        done = subprocess.run(command, input=text, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{host} uname -a {len(text)}", "")


def test_a_further_host_costs_the_difference_between_two_sizes() -> None:
    def row(hosts: int, ours: float, floor: float) -> dict[str, Any]:
        costs = {"memory_over_bare_mb": 50 + hosts / 2, "forks": 24 + 4 * hosts, "asked": {"connections": 4 * hosts}}
        return {"hosts": hosts, "ours": {"cpu_s": ours, **costs}, "floor": {"cpu_s": floor, **costs}}

    assert further(row(10, 5, 3), row(50, 9, 13)) == {"cpu": 0.4, "memory": 0.5, "forks": 0.0}
