# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``executors/connections.py`` relies on in ansible-core, checked on every version that ``tools/matrix.py`` runs.

Ansible's own ssh and local plugins run here; only ssh, sshpass, sudo and su are stand-ins. The file needs nothing but
ansible-core and pytest.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible import context
from ansible.inventory.manager import InventoryManager
from ansible.module_utils.common.collections import ImmutableDict
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import init_plugin_loader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import (
    AccessRefused,
    BadConnection,
    HostError,
    Interrupted,
    TimedOut,
    Unreachable,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connections import Answer, Connections
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.process_tree import children, command_line

from tests.fakes.remote_programs import PASSWORD, search_path, write_programs

GENEROUS_SECONDS = 60.0
Connect = Callable[..., Connections]


class Coordinator(ActionBase):
    """An action as the driver's: it runs on one host and reaches all others."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        raise NotImplementedError


@pytest.fixture(scope="session", autouse=True)
def plugin_loader() -> None:
    init_plugin_loader()


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = write_programs(tmp_path / "bin")
    monkeypatch.setenv("PATH", search_path(folder))
    return folder


@pytest.fixture
def connect(tmp_path: Path, programs: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connect]:
    """Open the host ``h`` with the given variables; ``task`` and ``passwords`` are the action's own."""
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(become_method="sudo"))  # as the command line does
    opened: list[Connections] = []

    def make(task: dict[str, Any] | None = None, passwords: dict[str, str] | None = None, **variables: Any) -> Any:
        common = {"ansible_ssh_executable": str(programs / "ssh"), "ansible_control_path_dir": str(tmp_path / "cp")}
        hosts = {"h": {**common, **variables}}
        inventory = tmp_path / "inventory.yml"
        inventory.write_text(json.dumps({"all": {"hosts": hosts}}))
        action, task_vars = action_on(inventory, task or {}, passwords or {})
        opened.append(Connections(action, task_vars))
        opened[-1].open("h")
        return opened[-1]

    yield make
    for connections in opened:
        connections.close()


def action_on(inventory: Path, task: dict[str, Any], passwords: dict[str, str]) -> tuple[ActionBase, dict[str, Any]]:
    loader = DataLoader()
    manager = InventoryManager(loader=loader, sources=[str(inventory)])
    variables = VariableManager(loader=loader, inventory=manager)
    hostvars = HostVars(inventory=manager, variable_manager=variables, loader=loader)
    loaded = Task.load({"ansible.builtin.debug": {"msg": ""}, **task}, variable_manager=variables, loader=loader)
    play_context = PlayContext(passwords=passwords)
    play_context.remote_addr, play_context.port = "the-coordinator", 99
    templar = Templar(loader=loader, variables={})
    action = Coordinator(loaded, None, play_context, loader, templar, None)
    return action, {"hostvars": hostvars, "inventory_hostname": "localhost", "ansible_password": "own"}


def run(connections: Connections, script: str, **more: Any) -> Answer:
    return connections.run("h", script, **{"timeout": GENEROUS_SECONDS, **more})


@pytest.fixture(params=["ssh", "local"])
def plugin(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["pipelining", "no pipelining"])
def link(request: pytest.FixtureRequest, plugin: str) -> dict[str, Any]:
    return {"ansible_connection": plugin, "ansible_pipelining": request.param}


def test_a_script_runs_with_its_input_and_its_own_code(connect: Connect, link: dict[str, Any]) -> None:
    answer = run(connect(**link), "cat; echo err >&2; exit 255", stdin="one $HOME 'two'")
    assert answer == Answer(255, "one $HOME 'two'\n", "err\n")


def test_a_connection_serves_one_script_after_the_other(connect: Connect, plugin: str) -> None:
    connections = connect(ansible_connection=f"ansible.builtin.{plugin}")
    assert [run(connections, f"echo {n}").stdout for n in range(3)] == ["0\n", "1\n", "2\n"]


def test_output_is_bounded_and_broken_text_is_replaced(connect: Connect, plugin: str) -> None:
    script = "printf '\\377caf\\303\\251'; i=0; while [ $i -lt 99 ]; do echo 0123456789 >&2; i=$((i+1)); done"
    answer = run(connect(ansible_connection=plugin), script, limit=100)
    assert (answer.rc, answer.stdout, len(answer.stderr), answer.truncated) == (0, "\ufffdcafé", 100, True)


def test_settings_are_templated_and_reach_ssh_as_ansible_passes_them(connect: Connect, programs: Path) -> None:
    connections = connect(
        task={"remote_user": "of-the-task", "port": 7},
        ansible_host="{{ place }}-1.example",
        ansible_port="{{ 2000 + 22 }}",
        ansible_ssh_common_args="-o {{ jump }}",
        jump="ProxyJump=bastion",
        place="{{ hostvars['h'].town }}",
        town="bonn",
    )
    assert run(connections, "echo secret-in-script", stdin="secret-in-stdin").rc == 0
    line = (programs / "ssh.log").read_text()
    for word in ("<bonn-1.example>", "<Port=2022>", '<User="of-the-task">', "<ProxyJump=bastion>"):
        assert word in line
    assert "ControlPersist" in line and "secret" not in line and "<-tt>" not in line


@pytest.mark.parametrize("method", ["sudo", "su"])
def test_become_with_a_templated_password(connect: Connect, link: dict[str, Any], method: str, programs: Path) -> None:
    connections = connect(
        **link,
        **become(programs, method),
        ansible_become_password="{{ vault_password }}",
        vault_password=PASSWORD,
    )
    assert run(connections, "echo $AS; cat", stdin="fed\n").stdout == "patcher\nfed\n"
    log = programs / "ssh.log"
    assert PASSWORD not in (log.read_text() if log.exists() else "")


def test_become_without_a_password(connect: Connect, link: dict[str, Any], programs: Path) -> None:
    connections = connect(**link, **become(programs, "sudo", "nopasswd"))
    assert run(connections, "echo $AS").stdout == "nopasswd\n"


def test_become_comes_from_the_task_and_its_password_from_the_command_line(connect: Connect, programs: Path) -> None:
    task = {"become": True, "become_user": "of-the-task"}
    connections = connect(task, {"become_pass": PASSWORD}, ansible_become_exe=str(programs / "sudo"))
    assert run(connections, "echo $AS").stdout == "of-the-task\n"


def test_ansible_become_false_overrides_the_task(connect: Connect, programs: Path) -> None:
    connections = connect({"become": True}, ansible_become="{{ 'no' }}", ansible_become_exe=str(programs / "sudo"))
    assert run(connections, "echo as=$AS").stdout == "as=\n"


@pytest.mark.parametrize("method", ["sudo", "su"])
def test_a_wrong_become_password_is_refused_for_good(
    connect: Connect, link: dict[str, Any], method: str, programs: Path
) -> None:
    connections = connect(**link, **become(programs, method), ansible_become_password="wrong")
    refused(connections)


@pytest.mark.parametrize(("user", "password"), [("patcher", ""), ("stranger", PASSWORD)])
def test_a_missing_password_or_right_is_refused_for_good(
    connect: Connect, plugin: str, programs: Path, user: str, password: str
) -> None:
    more = {"ansible_become_password": password} if password else {}
    refused(connect(ansible_connection=plugin, **become(programs, "sudo", user), **more))


def become(programs: Path, method: str, user: str = "patcher") -> dict[str, Any]:
    return {
        "ansible_become": "yes",
        "ansible_become_method": method,
        "ansible_become_user": user,
        "ansible_become_exe": str(programs / method),
    }


def refused(connections: Connections) -> None:
    marker = "must-not-run"
    with pytest.raises(AccessRefused) as caught:
        run(connections, f"echo {marker}")
    assert not caught.value.retryable and not caught.value.began
    assert PASSWORD not in str(caught.value) and marker not in str(caught.value)


@pytest.mark.parametrize(
    ("address", "password", "error", "text"),
    [
        ("dead", "", Unreachable, "No route to host"),
        ("denied", "", Unreachable, "Permission denied"),
        ("denied", "wrong", AccessRefused, "Permission denied"),
        ("nologin", "", Unreachable, "not available"),
        ("cut", "", Interrupted, "cut off"),
    ],
)
def test_trouble_by_kind(connect: Connect, address: str, password: str, error: type[HostError], text: str) -> None:
    more = {"ansible_password": password, "ansible_host_key_checking": False} if password else {}
    with pytest.raises(HostError, match=text) as caught:
        run(connect(ansible_host=address, **more), "echo one; echo two")
    assert isinstance(caught.value, error)
    assert str(caught.value).startswith("h: ") and caught.value.to_dict()["code"] == error.__name__


def test_banners_are_no_output(connect: Connect) -> None:
    assert run(connect(ansible_host="banner"), "echo out") == Answer(0, "out\n", "motd\n")


@pytest.mark.parametrize(
    ("variables", "script"),
    [({"ansible_host": "hung"}, ":"), ({}, "sleep 303"), ({"ansible_connection": "local"}, "sleep 304 & wait")],
)
def test_a_hung_host_is_given_up_and_its_processes_end(
    connect: Connect, variables: dict[str, Any], script: str
) -> None:
    connections = connect(**variables)
    started = time.monotonic()
    with pytest.raises(TimedOut, match="within 1 s") as caught:
        run(connections, script, timeout=1)
    assert time.monotonic() - started < GENEROUS_SECONDS / 2
    assert caught.value.retryable and caught.value.began
    assert not [pid for pid in children() if "patchtide-" in command_line(pid)]
    if "ansible_host" not in variables:
        assert run(connections, "echo well").stdout == "well\n"


def test_after_a_timeout_the_shared_connection_is_given_up(connect: Connect, programs: Path) -> None:
    with pytest.raises(TimedOut):
        run(connect(ansible_host="hung", ansible_password="x", ansible_host_key_checking=False), ":", timeout=1)
    last = (programs / "ssh.log").read_text().splitlines()[-1]
    assert "<-O><check><hung>" in last
    assert "<PasswordAuthentication=no>" in last, "with a password, sshpass would fail before ssh is asked"


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"ansible_connection": "winrm"}, "h: its connection plugin is 'winrm', supported are ssh and local"),
        ({"ansible_connection": "{{ 'community.docker.docker' }}"}, "'community.docker.docker', supported are"),
        ({"ansible_shell_type": "powershell"}, "POSIX"),
        ({"ansible_host": "{{ nowhere_defined }}"}, "nowhere_defined"),
        ({"ansible_password": "{{ nowhere_defined }}"}, "nowhere_defined"),
        ({"ansible_become": "yes", "ansible_become_method": "nosuch"}, "nosuch"),
    ],
)
def test_unusable_settings_name_the_host_and_the_reason(connect: Connect, variables: dict[str, Any], text: str) -> None:
    with pytest.raises(BadConnection, match=r"^h: ") as caught:
        connect(**variables)
    assert text in str(caught.value)


def test_a_host_outside_the_inventory_is_refused(connect: Connect) -> None:
    with pytest.raises(BadConnection, match="no such host"):
        connect().open("elsewhere")


def test_a_variable_that_is_omitted_is_not_set(connect: Connect, programs: Path) -> None:
    run(connect(ansible_user="{{ nothing | default(omit) }}", ansible_host="somewhere"), ":")
    assert "User=" not in (programs / "ssh.log").read_text()


def test_the_coordinators_own_host_does_not_leak(connect: Connect, programs: Path) -> None:
    """It runs on the controller: its address, port, ``connection`` and ``delegate_to`` are not the hosts'."""
    task = {"connection": "local", "delegate_to": "localhost"}
    run(connect(task, {"conn_pass": "own"}, ansible_shell_executable="/bin/bash"), ":")
    line = (programs / "ssh.log").read_text()
    assert "<h>" in line and "the-coordinator" not in line and "Port=99" not in line
    assert "<PasswordAuthentication=no>" in line and "</bin/bash -c " in line


def test_a_connection_is_never_used_twice_at_once(connect: Connect, tmp_path: Path) -> None:
    connections, began, go = connect(), tmp_path / "began", tmp_path / "go"
    script = f"touch {began}; while [ ! -e {go} ]; do sleep 0.05; done"
    thread = threading.Thread(target=run, args=(connections, script))
    thread.start()
    until = time.monotonic() + GENEROUS_SECONDS
    while not began.exists() and time.monotonic() < until:
        time.sleep(0.02)
    with pytest.raises(ValueError, match="in use"):
        run(connections, ":")
    go.touch()
    thread.join()
    assert run(connections, "echo free").stdout == "free\n"
