# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worlds of the executors' suite: each has one node that a test makes behave in one way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.run_command import SsmFleet
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.arm import Arm
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.credentials import AzureLogin, Credentials
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.patching import Machines
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import AZURE, LINUX, SSM, WINDOWS
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work import detached
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.azure import AzureExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import ExecutorPort, Work
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.rules import WaveRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.ssm import SsmExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.windows import WindowsExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from lab.aws.launch import Lab
from lab.azure.launch import AzureLab
from lab.windows.machine import Faults
from lab.windows.server import WindowsLab
from lab.windows.world import NET, World
from tests.contract.node_worlds import REGION, WEB, sessions_of
from tests.contract.windows_hosts import open_hosts
from tests.fakes.driving import planned
from tests.fakes.events import started
from tests.fakes.executor import FakeExecutor
from tests.fakes.fleet_port import FakeClock, FakeFleet, patch_state
from tests.fakes.plans import completed
from tests.fakes.stub_host import PROBE, StubShell

AZURE_RULES = WaveRules(thresholds=PrecheckRules(), install_seconds=7200, reboot_seconds=1800)
RULES = WaveRules(thresholds=PrecheckRules(), install_seconds=600, reboot_seconds=600)
PLANNED, UNPLANNED = "openssl.amd64:3.0.17", "curl.amd64:8.0"


@dataclass
class ExecutorWorld:
    """One node and whoever works on it.

    :param fresh: returns the executor of a controller that starts now.
    :param act: makes the node ``ok``, ``nothing``, ``failed``, ``hangs``, ``no reboot`` or ``scanned`` (what it has is
        the answer of a scan); or the way to it ``away``, ``refused``, or ``lost``: the next answer to a beginning is
        lost.
    :param rollout: whose plan and results the executor reads; the fake one has none.
    :param pass_time: lets work go on. :param runs: how often work really began. :param stopped: whether it was stopped.
    """

    node: str
    clock: Any
    fresh: Callable[[], ExecutorPort]
    act: Callable[[str], object]
    pass_time: Callable[[float], object]
    runs: Callable[[], int]
    stopped: Callable[[], bool]
    rollout: RolloutDir | None = None


def begun_rollout(folder: Path, clock: Any, node: str, executor: str, **more: Any) -> RolloutDir:
    row = {**planned(node, 1), "executor": executor, "patches": [{"id": PLANNED}], **more}
    wave = {"name": "w", "nodes": [row]}
    (folder / "plan.json").write_text(json.dumps(completed([wave])), "utf-8")
    rollout = RolloutDir(folder, clock)
    rollout.record(started(rollout.plan["digest"]))
    return rollout


def fake_world(folder: Path) -> ExecutorWorld:
    clock, script = FakeClock(), dict[Any, list[str]]()
    begun: dict[str, Any] = {}
    calls: list[Any] = []
    words = {"nothing": "ok", "no reboot": "hangs", "scanned": "ok"}

    def fresh() -> FakeExecutor:
        return FakeExecutor(clock, script, begun=begun, calls=calls)

    return ExecutorWorld(
        node="a",
        clock=clock,
        fresh=fresh,
        act=lambda word: script.update({"a": [words.get(word, word)]}),
        pass_time=clock.sleep,
        runs=lambda: len(begun),
        stopped=lambda: any(what == "stop" for what, *_rest in calls),
    )


def ssm_world(folder: Path) -> ExecutorWorld:
    clock, node = FakeClock(), "i-0000000000000000a"
    fleet = FakeFleet(clock)
    fleet.states[node], fleet.outputs[node] = patch_state(node, installed=1), json.dumps(PROBE)
    rollout = begun_rollout(folder, clock, node, SSM.name, account="1" * 12)
    denied = ServiceError("send", "AccessDeniedException", "not authorized")
    faults: dict[str, dict[str, Any]] = {
        "ok": {"endings": {}, "unreadable": 0},
        "nothing": {"states": {node: patch_state(node)}},
        "failed": {"endings": {node: "Failed"}, "states": {node: patch_state(node, failed=1)}},
        "hangs": {"endings": {node: "InProgress"}},
        "no reboot": {"endings": {node: "InProgress"}},
        "away": {"unreadable": 10**6},
        "refused": {"refuse": denied},
        "lost": {"lost": 1},
        "scanned": {"states": {node: patch_state(node, "Scan")}},
    }

    def act(word: str) -> None:
        for name, value in faults[word].items():
            setattr(fleet, name, value)

    return ExecutorWorld(
        node=node,
        clock=clock,
        fresh=lambda: SsmExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, ports=lambda place: fleet),
        act=act,
        pass_time=clock.sleep,
        runs=lambda: len(fleet.commands),
        stopped=lambda: bool(fleet.cancelled),
        rollout=rollout,
    )


class LabClock(FakeClock):
    """The lab's time."""

    def __init__(self, aws: Lab) -> None:
        super().__init__()
        self._aws = aws
        self.sleep(0.001)

    def sleep(self, seconds: float) -> None:
        from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time

        self.moment = from_time(self._aws.advance(seconds))


def lab_world(folder: Path, aws: Lab) -> ExecutorWorld:
    aws.reset()
    clock, name = LabClock(aws), "web-prod-01"
    rows = [row for row in aws.get("nodes")["nodes"] if (row["account"], row["name"]) == (WEB, name)]
    node = str(rows[0]["node_id"])
    fleet = SsmFleet(Place(region=REGION, account=WEB), sessions_of(aws, WEB), pause=lambda seconds: None)
    rollout = begun_rollout(folder, clock, node, SSM.name, account=WEB, region=REGION)
    client = aws.client("ssm", REGION, WEB)
    rules: dict[str, list[dict[str, Any]]] = {
        "away": [{"kind": "deny", "operation": "ListCommandInvocations"}],
        "refused": [{"kind": "deny", "operation": "SendCommand"}],
        "lost": [{"kind": "lose_response", "operation": "SendCommand", "times": 1}],
    }
    faults = {"failed": {"fail_patches": ["*"]}, "hangs": {"slow": 1e6}, "no reboot": {"never_back": True}}

    def act(word: str) -> None:
        if word == "ok":
            aws.post("faults", {"reset": True})
        elif word in rules:
            aws.post("faults", {"rules": rules[word]})
        elif word in faults:
            aws.post("faults", {"node": name, **faults[word]})

    def commands() -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = client.list_commands()["Commands"]
        return [row for row in found if str(row.get("Comment", "")).startswith("patchtide")]

    return ExecutorWorld(
        node=node,
        clock=clock,
        fresh=lambda: SsmExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, ports=lambda place: fleet),
        act=act,
        pass_time=clock.sleep,
        runs=lambda: len(commands()),
        stopped=lambda: any(row["Status"] in ("Cancelling", "Cancelled") for row in commands()),
        rollout=rollout,
    )


class AzureClock(FakeClock):
    """The time of the lab's Azure."""

    def __init__(self, lab: AzureLab) -> None:
        super().__init__()
        self._lab = lab
        self.sleep(0.001)

    def sleep(self, seconds: float) -> None:
        self.moment = datetime.fromisoformat(self._lab.post("clock", {"advance": seconds})["now"])


def azure_world(folder: Path, lab: AzureLab, name: str) -> ExecutorWorld:
    """A machine of the lab's Azure: a virtual machine or an Azure Arc server."""
    lab.post("reset")
    clock, machine = AzureClock(lab), lab.machine(name)
    node, parts = str(machine["id"]), str(machine["id"]).split("/")
    login = AzureLogin(arm_endpoint=lab.url, authority=lab.url, ca_bundle=str(lab.ca), **lab.login)
    port = Machines(Arm(login, Credentials(login, {}).of(), pause=lambda seconds: None))
    patch = next(row for row in machine["offered"] if row["name"] == machine["offered"][0]["name"])
    more = {"patches": [{"id": patch["name"], "title": f"{patch['name']}:{patch['version']}"}], "platform": "linux"}
    rollout = begun_rollout(folder, clock, node, AZURE.name, account=parts[2], region=machine["region"], **more)
    rollout.state.nodes[node].results = {"precheck": {"outcome": "pass", "facts": {"boot_id": machine["boot_id"]}}}
    kinds = ("installPatches", "assessPatches", "restart")
    rules: dict[str, list[dict[str, Any]]] = {
        "away": [
            {"kind": "down", "operation": ["GET operation", "GET instanceView", "GET runCommands", "POST resources"]}
        ],
        "refused": [{"kind": "deny", "operation": [*(f"POST {kind}" for kind in kinds), "PUT runCommands"]}],
        "lost": [{"kind": "lose_response", "operation": [*(f"POST {kind}" for kind in kinds)], "times": 1}],
    }
    faults = {
        "failed": {"fail_patches": ["*"]},
        "hangs": {"stuck": True, "slow": 1e6},
        "no reboot": {"no_reboot": True},
    }

    def act(word: str) -> None:
        if word == "ok":
            lab.post("faults", {"reset": True})
            lab.post("faults", {"machine": name, "fail_patches": [], "stuck": False, "slow": 1.0, "no_reboot": False})
        elif word in rules:
            lab.post("faults", {"rules": rules[word]})
        elif word in faults:
            lab.post("faults", {"machine": name, **faults[word]})

    def runs() -> int:
        happened = lab.get("ledger")
        return len(happened["install_runs"]) + len(happened["reboots"])

    def fresh() -> AzureExecutor:
        return AzureExecutor(rollout=rollout, wave="w", rules=AZURE_RULES, clock=clock, ports=lambda _id: port)

    _remember_packages(fresh(), node, clock)
    return ExecutorWorld(
        node=node,
        clock=clock,
        fresh=fresh,
        act=act,
        pass_time=clock.sleep,
        runs=runs,
        stopped=lambda: not lab.machine(name)["busy"],  # there is no cancel: a run ends by its own duration
        rollout=rollout,
    )


def _remember_packages(port: ExecutorPort, node: str, clock: AzureClock) -> None:
    """Carry out the pre-check, with which a machine remembers the packages that it is compared with later."""
    now = clock.now()
    work = Work(
        stage="precheck",
        attempt=1,
        token="r w/precheck/1.0",
        place="",
        nodes=(node,),
        at=now,
        deadline=port.deadline("precheck", now),
    )
    work.handle = port.begin(work)
    while not port.poll(work):
        clock.sleep(15)


class WindowsClock(FakeClock):
    """The time of the lab's Windows hosts. Their readers are threads, which need some real time."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def now(self) -> datetime:
        return self._world.clock.now()

    def sleep(self, seconds: float) -> None:
        time.sleep(0.05)
        self._world.clock.advance(seconds)


def windows_world(folder: Path, lab: WindowsLab, plugin: str = "psrp") -> ExecutorWorld:
    name, world = "win-a", lab.world
    machine, clock, password = world.machines[name], WindowsClock(world), world.password
    variables = lab.variables(name, plugin)
    machine.search_seconds = machine.off_seconds = machine.configuring_seconds = 0
    machine.offers = [replace(item, seconds=30) for item in machine.offers]
    more = {"patches": [{"id": NET.kb, "title": NET.title}], "platform": "windows"}
    rollout = begun_rollout(folder, clock, name, WINDOWS.name, account="", region="", **more)
    faults: dict[str, dict[str, Any]] = {
        "failed": {"fail": {"*": 0x80070643}},
        "hangs": {"hang": True},
        "no reboot": {"no_reboot": 0},
        "away": {"away": True},
    }

    def act(word: str) -> None:
        if word == "ok":
            machine.faults, world.password = Faults(), password
        elif word == "nothing":
            machine.offers = []
        elif word == "refused":
            world.password = "another"
        elif word == "lost":
            world.lost |= {"claim", "reboot"}
        for item, value in faults.get(word, {}).items():
            setattr(machine.faults, item, value)

    def fresh() -> WindowsExecutor:
        hosts = open_hosts(folder, {name: variables})
        return WindowsExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, hosts=hosts)

    def runs() -> int:
        return machine.counts.get("installs", 0) + machine.counts.get("reboots", 0)

    return ExecutorWorld(
        node=name,
        clock=clock,
        fresh=fresh,
        act=act,
        pass_time=lambda seconds: clock.sleep(max(seconds, 60)),  # each look is a connection, of which few suffice
        runs=runs,
        stopped=lambda: not machine.runs,
        rollout=rollout,
    )


def linux_world(folder: Path, family: str) -> ExecutorWorld:
    clock, shell = FakeClock(), StubShell(folder, family)
    rollout = begun_rollout(folder, clock, "host-a", LINUX.name, account="", region="")

    def pass_time(seconds: float) -> None:
        time.sleep(0.2)
        clock.sleep(seconds)

    def runs() -> int:
        """Work that began a second time finds nothing left to install; it began all the same."""
        return max(len(shell.began()), len([*Path(detached.FOLDER).glob("*/began/pid")]))

    return ExecutorWorld(
        node="host-a",
        clock=clock,
        fresh=lambda: LinuxExecutor(rollout=rollout, wave="w", rules=RULES, clock=clock, shell=shell),
        act=shell.act,
        pass_time=pass_time,
        runs=runs,
        stopped=lambda: not _is_running(folder),
        rollout=rollout,
    )


def _is_running(folder: Path) -> bool:
    """Tell whether a process of the detached work is alive."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder).encode() in path.read_bytes():
                return True
        except OSError:
            continue
    return False
