# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One task of a real playbook drives all hosts, and ends with its playbook; on every version of ``tools/matrix.py``.

The file needs nothing but ansible-core and pytest.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.process_tree import command_line, descendants, kill_trees

from tests.fakes.remote_programs import PASSWORD, search_path, write_programs

GENEROUS_SECONDS = 60.0
#: Hosts that run the script: all but the dead one and the one that refuses.
DRIVEN = 25

ACTION = """
import asyncio

from ansible.plugins.action import ActionBase
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible.clock import SystemClock
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connections import Connections
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.parent_watch import watch_parent

class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        watch_parent()
        connections = Connections(self, task_vars)
        answers, errors = {}, {}

        async def drive():
            tempo = Tempo(SystemClock(), rehearsal=False)

            async def one(host):
                try:
                    work = lambda: connections.run(host, self._task.args["script"], timeout=30)
                    answers[host] = (await tempo.on_host(work)).stdout
                except Exception as error:
                    errors[host] = type(error).__name__

            hosts = task_vars["groups"]["pool"]
            for host in hosts:
                connections.open(host)
            await asyncio.gather(*map(one, hosts))

        asyncio.run(drive())
        connections.close()
        return {"answers": answers, "errors": errors}
"""

PLAYBOOK = """
- hosts: localhost
  connection: local
  gather_facts: false
  vars:
    ansible_user: of-the-coordinators-play
  tasks:
    - drive:
        script: "{{ script }}"
      register: driven
    - ansible.builtin.copy:
        content: "{{ driven | to_json }}"
        dest: "{{ result }}"
        mode: "0600"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose inventory holds hosts of every kind, and an action that drives them."""
    programs = write_programs(tmp_path / "bin")
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins" / "drive.py").write_text(ACTION)
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "drive.py").write_text("")
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    sudo = {"ansible_become": True, "ansible_become_exe": str(programs / "sudo"), "ansible_become_user": "patcher"}
    hosts: dict[str, dict[str, Any]] = {f"h{number}": {} for number in range(20)}
    hosts |= {f"sudo{n}": {**sudo, "ansible_become_password": "{{ password }}"} for n in range(4)}
    hosts |= {"here": {"ansible_connection": "local"}, "dead": {}, "refused": {**sudo, "ansible_become_password": "x"}}
    variables = {"ansible_ssh_executable": str(programs / "ssh"), "password": PASSWORD}
    group = {"hosts": hosts, "vars": {**variables, "ansible_control_path_dir": str(tmp_path / "cp")}}
    (tmp_path / "inventory.yml").write_text(json.dumps({"all": {"children": {"pool": group}}}))
    return tmp_path


def start(project: Path, script: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.yml", "play.yml"]
    extra = {"script": script, "result": str(project / "result.json"), "ansible_python_interpreter": sys.executable}
    environment = {
        **os.environ,
        "PATH": search_path(project / "bin"),
        "PYTHONPATH": os.pathsep.join(str(Path(place).resolve()) for place in sys.path if place),
        "ANSIBLE_COLLECTIONS_PATH": os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(Path("build/tree").resolve())),
        "ANSIBLE_LOCAL_TEMP": str(project / "tmp"),
    }
    return subprocess.Popen(
        [*command, "-e", json.dumps(extra)],
        cwd=project,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_one_task_drives_all_hosts(project: Path) -> None:
    process = start(project, 'echo "as=$AS"')
    output, _none = process.communicate(timeout=GENEROUS_SECONDS)
    assert process.returncode == 0, output
    found = json.loads((project / "result.json").read_text())
    expected = {f"h{number}": "as=\n" for number in range(20)} | {"here": "as=\n"}
    assert found["answers"] == expected | {f"sudo{number}": "as=patcher\n" for number in range(4)}
    assert found["errors"] == {"dead": "Unreachable", "refused": "AccessRefused"}
    assert "of-the-coordinators-play" not in (project / "bin" / "ssh.log").read_text()


def test_a_killed_playbook_takes_its_worker_and_its_connections_along(project: Path) -> None:
    process = start(project, "sleep 305")
    below = wait_for(lambda: sleepers(process.pid), DRIVEN)
    tree = descendants([process.pid]) - {process.pid}
    process.send_signal(signal.SIGKILL)
    process.wait()
    started = time.monotonic()
    # 2 seconds are promised; a loaded machine gets more before the test calls it a fault.
    while alive(tree) and time.monotonic() - started < GENEROUS_SECONDS / 3:
        time.sleep(0.05)
    left = alive(tree)
    kill_trees(left)
    assert len(below) == DRIVEN and left == set()


def sleepers(root: int) -> set[int]:
    return {pid for pid in descendants([root]) if command_line(pid) == "sleep 305"}


def alive(pids: set[int]) -> set[int]:
    return {pid for pid in pids if command_line(pid)}


def wait_for(look: Any, number: int) -> set[int]:
    until = time.monotonic() + GENEROUS_SECONDS
    while len(found := look()) < number and time.monotonic() < until:
        time.sleep(0.05)
    return set(found)
