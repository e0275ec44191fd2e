# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Windows hosts: what their agent does, and that real clients of PowerShell Remoting can talk to them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.host_state import read_state
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.state_script import to_state_script
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from requests.exceptions import ConnectionError as Cut

from lab.windows.machine import Machine, Run
from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import LCU, NET, OTHERS, new_world

START = datetime(2026, 11, 28, 1, tzinfo=timezone.utc)
BOTH = ["KB5990101(?![0-9])", "^KB5990102$", "KB5990102(?![0-9])"]


@pytest.fixture
def machine() -> Machine:
    return Machine("win-a", START - timedelta(days=7), offers=[LCU, NET, *OTHERS])


def after(machine: Machine, run: Run, seconds: float, **results: Any) -> dict[str, Any]:
    """Return the results of a run's tasks after a time."""
    machine.catch_up(START + timedelta(seconds=seconds))
    return {item["task"]: item["result"] for item in run.output}


def begun(machine: Machine, *accept: str, **more: Any) -> Run:
    return machine.start({"accept_list": list(accept), "category_names": ["*"], **more}, START)


def test_a_search_selects_by_title_and_kb_as_one_text(machine: Machine) -> None:
    found = after(machine, begun(machine, *BOTH, state="searched"), 10)["search_result"]
    names = {row["id"]: row["kb"] for row in found["updates"]}
    left = [names[row["id"]] for row in found["filtered"]]
    assert [kb for kb in names.values() if kb not in left] == [["KB5990101"], ["KB5990102"], ["KB5990110"]]


def test_without_categories_the_defaults_of_the_module_are_searched(machine: Machine) -> None:
    run = machine.start({"state": "searched"}, START)
    rows = after(machine, run, 10)["search_result"]
    assert len(rows["updates"]) - len(rows["filtered"]) == 4


def test_an_install_needs_its_time_and_a_reboot_completes_it(machine: Machine) -> None:
    run = begun(machine, BOTH[0])
    assert "exit" not in after(machine, run, 800)
    assert after(machine, run, 1000)["exit"] == {"changed": True, "failed": False, "reboot_required": True}
    assert LCU in machine.offers and machine.shut_down(START + timedelta(seconds=1000)) == 0
    machine.catch_up(START + timedelta(seconds=1003))
    assert not machine.answers(START + timedelta(seconds=1003)) and machine.runs == []
    machine.catch_up(START + timedelta(seconds=1200))
    assert machine.installed == [LCU.kb] and LCU not in machine.offers and not machine.pending


def test_while_a_reboot_is_pending_nothing_is_installed(machine: Machine) -> None:
    """Source: win_updates.ps1: "A reboot is required before more updates can be installed"."""
    machine.pending.add("system_information")
    exit_of = after(machine, begun(machine, BOTH[0]), 1000)["exit"]
    assert exit_of["failed"] and "A reboot is required" in exit_of["exception"]["message"] and not machine.history


def test_one_failed_download_keeps_all_from_being_installed(machine: Machine) -> None:
    machine.faults.downloads = {NET.kb: 0x8024402C}
    exit_of = after(machine, begun(machine, *BOTH), 2000)["exit"]
    assert exit_of["failed"] and not machine.history and not machine.installed


def test_one_failed_install_leaves_the_others(machine: Machine) -> None:
    machine.faults.fail = {LCU.kb: 0x80070005}
    results = after(machine, begun(machine, *BOTH), 2000)
    codes = [row["hresult"] for row in results["install_result"]["info"]]
    assert codes == [0x80070005 - 2**32, 0, 0] and machine.installed == [NET.kb, "KB5990110"]


def test_a_second_install_is_refused_while_one_runs(machine: Machine) -> None:
    """Source: wuerror.h, WU_E_INSTALL_NOT_ALLOWED."""
    begun(machine, BOTH[0])
    second = begun(machine, BOTH[2])
    assert after(machine, second, 60)["exit"]["exception"]["hresult"] == 0x80240016 - 2**32


def test_a_process_waits_for_its_reader_and_says_its_end_until_it_is_cancelled(machine: Machine) -> None:
    run = begun(machine, BOTH[2], state="searched")
    machine.catch_up(START + timedelta(seconds=10))
    assert [row["task"] for row in machine.poll(run.name)] == ["started", "search_result", "exit"]
    assert [row["task"] for row in machine.poll(run.name)] == ["exit"]
    machine.cancel(run.name, START + timedelta(seconds=11))
    with pytest.raises(LookupError):
        machine.poll(run.name)


def test_a_rollback_is_offered_again_though_the_history_calls_it_installed(machine: Machine) -> None:
    machine.faults.rollback = {LCU.kb}
    after(machine, begun(machine, BOTH[0]), 1000)
    machine.shut_down(START + timedelta(seconds=1000))
    machine.catch_up(START + timedelta(seconds=1300))
    assert LCU in machine.offers and [row.result for row in machine.history] == [2]


def test_a_host_may_reboot_twice_and_refuse_a_reboot(machine: Machine) -> None:
    machine.faults.twice = True
    assert (machine.shut_down(START), machine.shut_down(START)) == (0, 1190)
    first = START + timedelta(seconds=62)
    machine.catch_up(first)
    assert machine.boot == first and machine.ready_at
    machine.catch_up(START + timedelta(seconds=600))
    assert machine.boot == first + timedelta(seconds=170) and machine.ready_at is None
    machine.faults.no_reboot = 1115
    assert machine.shut_down(START + timedelta(seconds=600)) == 1115


@pytest.fixture
def hosts() -> Iterator[WindowsLab]:
    with windows_lab(new_world(["win-a", "win-b"], START)) as running:
        yield running


def asked(hosts: WindowsLab, name: str, script: str) -> tuple[str, bool]:
    more = {"port": hosts.port, "ssl": False, "auth": "basic", "encryption": "never", "path": f"wsman/{name}"}
    login = {"username": hosts.world.user, "password": hosts.world.password}
    with RunspacePool(WSMan("127.0.0.1", read_timeout=30, **login, **more)) as pool:
        shell = PowerShell(pool).add_script(script)
        output = shell.invoke()
        return "\n".join(map(str, output)), bool(shell.streams.error)


def test_a_real_client_reads_the_state_of_each_host(hosts: WindowsLab) -> None:
    hosts.world.machines["win-b"].pending.add("cbs_pending")
    states = [read_state(asked(hosts, name, to_state_script("state"))[0]) for name in ("win-a", "win-b")]
    assert [state.reboot["cbs_pending"] for state in states] == [False, True]
    assert states[0].processes is False and states[0].details["component_store"] == "healthy"


def test_a_token_is_taken_once(hosts: WindowsLab) -> None:
    closed = read_state(asked(hosts, "win-a", to_state_script("close", "t", "a"))[0]).claim
    again = read_state(asked(hosts, "win-a", to_state_script("close", "t", "a"))[0]).claim
    other = read_state(asked(hosts, "win-a", to_state_script("claim", "t", "b"))[0]).claim
    assert (closed.state, closed.fresh) == (again.state, again.fresh) == ("closed", True)
    assert (other.state, other.fresh) == ("closed", False)


def test_an_unknown_script_fails_loudly(hosts: WindowsLab) -> None:
    assert asked(hosts, "win-a", "Format-Volume -DriveLetter C")[1]
    (said,) = hosts.world.trouble
    assert "unknown script: Format-Volume" in said


def test_a_host_that_is_away_cuts_the_connection(hosts: WindowsLab) -> None:
    hosts.world.machines["win-a"].faults.away = True
    with pytest.raises(Cut):
        asked(hosts, "win-a", to_state_script("state"))
