# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What ``executors/windows_hosts.py`` relies on in ansible-core, the plugins psrp and winrm, and ansible.windows."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.host_state import read_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.selection import accept_list
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.state_script import to_state_script
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.updates import read_updates
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import (
    AccessRefused,
    BadConnection,
    Interrupted,
    TimedOut,
    Unreachable,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.powershell_connection import CONNECTIONS
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.windows_hosts import WindowsHosts

from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import LCU, NET, new_world
from tests.contract.windows_hosts import open_hosts

NAMES = ("win-a", "win-b", "win-c")
LOOK = to_state_script("look", "t")
SEARCH = {"category_names": ["*"], "state": "searched"}
INSTALL = {"category_names": ["*"], "accept_list": accept_list([NET.kb]), "reject_list": accept_list(["KB5990110"])}


@pytest.fixture
def lab() -> Iterator[WindowsLab]:
    with windows_lab(new_world(NAMES, hurries=True)) as running:
        yield running


@pytest.fixture(params=["psrp", "winrm"])
def hosts(lab: WindowsLab, tmp_path: Path, request: pytest.FixtureRequest) -> WindowsHosts:
    return open_hosts(tmp_path, {name: lab.variables(name, request.param) for name in NAMES})


def asked(hosts: WindowsHosts, host: str, options: dict[str, Any], timeout: float = 60) -> Any:
    return hosts.updates(host, options, timeout=timeout, stop=threading.Event())


def test_each_host_answers_for_itself_again_and_again(lab: WindowsLab, hosts: WindowsHosts) -> None:
    lab.world.machines["win-b"].pending.add("cbs_pending")
    seen = [read_state(hosts.run(name, LOOK, timeout=30)).reboot["cbs_pending"] for name in (*NAMES, "win-b")]
    assert seen == [False, True, False, True]


def test_several_hosts_install_at_once(lab: WindowsLab, hosts: WindowsHosts) -> None:
    found: dict[str, Any] = {}
    threads = [
        threading.Thread(target=lambda name=name: found.update({name: asked(hosts, name, INSTALL)})) for name in NAMES
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[item.name for item in read_updates(found[name]).selected] for name in NAMES] == [[NET.kb]] * 3
    assert all(machine.installed == [NET.kb] for machine in lab.world.machines.values()) and not lab.world.trouble


def test_it_never_reboots_whatever_it_is_asked(lab: WindowsLab, hosts: WindowsHosts) -> None:
    options = {**SEARCH, "state": "installed", "accept_list": accept_list([LCU.kb]), "reboot": True}
    assert read_updates(asked(hosts, "win-a", options)).reboot_required
    assert "reboots" not in lab.world.machines["win-a"].counts


@pytest.mark.parametrize("how", ["away", "cut"])
def test_an_install_whose_connection_breaks_goes_on(lab: WindowsLab, hosts: WindowsHosts, how: str) -> None:
    """Source: win_updates cancels after a broken poll (``_run_updates``), which would abort the install."""
    lab.world.hurries, machine = False, lab.world.machines["win-a"]

    def cut() -> None:
        machine.faults.away = how == "away"
        lab.world.cuts["Receive"] = 1

    threading.Timer(1.0, cut).start()
    with pytest.raises(Unreachable):
        asked(hosts, "win-a", INSTALL)
    machine.faults.away = False
    lab.world.clock.advance(3600)
    assert lab.world.answers("win-a") and machine.installed == [NET.kb] and "cancels" not in machine.counts


@pytest.mark.parametrize("stopped", [True, False])
def test_a_call_that_is_stopped_or_late_cancels_nothing(lab: WindowsLab, hosts: WindowsHosts, stopped: bool) -> None:
    lab.world.hurries, stop = False, threading.Event()
    threading.Timer(1.0, stop.set if stopped else lambda: None).start()
    with pytest.raises(TimedOut):
        hosts.updates("win-a", INSTALL, timeout=30 if stopped else 1, stop=stop)
    assert lab.world.machines["win-a"].runs and "cancels" not in lab.world.machines["win-a"].counts


@pytest.mark.parametrize("plugin", ["psrp", "winrm"])
def test_a_wrong_password_is_refused(lab: WindowsLab, tmp_path: Path, plugin: str) -> None:
    hosts = open_hosts(tmp_path, {"win-a": {**lab.variables("win-a", plugin), "ansible_password": "wrong"}})
    with pytest.raises(AccessRefused):
        hosts.run("win-a", LOOK, timeout=30)


def test_a_host_that_is_away_and_a_script_that_fails(lab: WindowsLab, hosts: WindowsHosts) -> None:
    with pytest.raises(Interrupted, match="exit code 99"):
        hosts.run("win-a", "Format-Volume C", timeout=30)
    lab.world.machines["win-a"].faults.away = True
    with pytest.raises(Unreachable):
        hosts.run("win-a", LOOK, timeout=30)


@pytest.mark.parametrize("plugin", ["ssh", None])
def test_another_connection_plugin_is_refused(lab: WindowsLab, tmp_path: Path, plugin: str | None) -> None:
    variables = {**lab.variables("win-a"), "ansible_connection": plugin}
    with pytest.raises(BadConnection, match=r"its connection plugin is 'ssh', supported are psrp and winrm"):
        open_hosts(tmp_path, {"win-a": variables})


@pytest.mark.parametrize("mode", [None, "managed", "manual"])
def test_winrm_gets_no_tickets_of_its_own(lab: WindowsLab, tmp_path: Path, mode: str | None) -> None:
    """Source: ansible-core, plugins/connection/winrm.py, _kerb_auth sets KRB5CCNAME for the whole process."""
    variables = {**lab.variables("win-a", "winrm"), "ansible_winrm_transport": "kerberos"}
    if mode == "manual":
        open_hosts(tmp_path, {"win-a": {**variables, "ansible_winrm_kinit_mode": mode}})
        return
    with pytest.raises(BadConnection, match=r"set ansible_connection: psrp, or ansible_winrm_kinit_mode: manual"):
        open_hosts(tmp_path, {"win-a": variables | ({"ansible_winrm_kinit_mode": mode} if mode else {})})


@pytest.mark.parametrize("plugin", ["psrp", "winrm"])
def test_a_library_that_is_missing_is_named(
    lab: WindowsLab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plugin: str
) -> None:
    monkeypatch.setattr(CONNECTIONS[plugin], "module", "none_such", raising=False)
    with pytest.raises(BadConnection, match=f"lacks the Python library {CONNECTIONS[plugin].package}: pip install"):
        open_hosts(tmp_path, {"win-a": lab.variables("win-a", plugin)})
