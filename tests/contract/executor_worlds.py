# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The worlds of the executors' suite: each has one node that a test makes behave in one way."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.run_command import SsmFleet
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import LINUX, SSM
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import ExecutorPort
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.connection_errors import (
    Interrupted,
    Unreachable,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.rules import WaveRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.ssm import SsmExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from lab.aws.launch import Lab
from tests.contract.node_worlds import REGION, WEB, sessions_of
from tests.fakes.driving import planned
from tests.fakes.events import started
from tests.fakes.executor import FakeExecutor
from tests.fakes.fleet_port import FakeClock, FakeFleet, patch_state
from tests.fakes.plans import completed

RULES = WaveRules(thresholds=PrecheckRules(), install_seconds=600, reboot_seconds=600)
PROBE = {
    "probe": 1,
    "platform": "linux",
    "boot_id": "b1",
    "disks": [{"mount": "/", "free_mb": 20480, "size_mb": 102400}],
    "pending_reboot": False,
    "lock_held_by": "",
    "repos": [],
    "failed_units": [],
    "agent": "active",
    "time_synced": True,
}
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


@dataclass(frozen=True)
class Answer:
    rc: int
    stdout: str
    stderr: str


#: Stand-ins of package managers that have one package, whose version is in a file.
#: ``installs`` gets a line for each real install.
_INSTALL = """
    echo "$@" >>"$root/installs"
    [ -z "$(cat "$root/hangs")" ] || exec /bin/sleep 300
    [ -z "$(cat "$root/fails")" ] || { echo "E: broken" >&2; exit 100; }
    echo 3.0.17 >"$root/version" ;;
"""
_DPKG = """case "$*" in
*'} ${Package}'*) echo 'ii  openssl' ;;
*) echo "openssl amd64 $(cat "$root/version") ii " ;;
esac"""
_APT = (
    """case " $* " in
*' update '*) ;;
*' -s '*) echo 'Inst openssl [1.0] (3.0.17 Debian:12/stable [amd64])' ;;
*' install '*)"""
    + _INSTALL
    + "esac"
)
_RPM = """case "$*" in
*--qf*) echo "openssl amd64 (none):$(cat "$root/version") ii" | sed 's/(none)://' ;;
esac"""
_DNF = (
    """case " $* " in
*' --version '*) echo 4.14.0 ;;
*' --assumeno '*) printf 'Upgrading:\n openssl amd64 3.0.17 base 1 k\n\nTransaction Summary\n'; exit 1 ;;
*' install '*)"""
    + _INSTALL
    + "esac"
)
_ZYPPER = (
    """case " $* " in
*' --dry-run '*)
    echo '<to-upgrade><solvable type="package" name="openssl" edition="3.0.17" arch="amd64"></to-upgrade>' ;;
*' install '*)"""
    + _INSTALL
    + "esac"
)
FAMILIES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "apt": (
        "debian",
        {"apt-get": _APT, "dpkg-query": _DPKG, "dpkg": ":", "apt-cache": ":", "apt-mark": ":", "apt-config": ":"},
    ),
    "dnf": ("fedora", {"dnf": _DNF, "rpm": _RPM}),
    "zypper": ("suse", {"zypper": _ZYPPER, "rpm": _RPM}),
}


class StubShell:
    """Runs the scripts in a root of its own, where package manager, sleep and reboot are stand-ins."""

    def __init__(self, root: Path, family: str) -> None:
        self.root, self.word = root, "ok"
        distribution, programs = FAMILIES[family]
        for folder in ("bin", "etc", "var/lib/dpkg/info"):
            (root / folder).mkdir(parents=True)
        (root / "etc/os-release").write_text(f"ID_LIKE={distribution}\n")
        for name, text in programs.items():
            self._program(name, text)
        self._program("sleep", "exec /bin/sleep 0.05")
        self._program(
            "systemctl", 'echo x >>"$root/installs"; [ -n "$(cat "$root/stays")" ] || echo b2 >"$root/boot_id"'
        )
        (root / "boot_id").write_text("b1\n")
        (root / "version").write_text("1.0\n")
        self.act("ok")

    def _program(self, name: str, text: str) -> None:
        path = self.root / "bin" / name
        path.write_text(f"#!/bin/sh\nroot='{self.root}'\n{text}\n")
        path.chmod(0o700)

    def act(self, word: str) -> None:
        self.word = word
        for name, words in (("hangs", ("hangs",)), ("fails", ("failed",)), ("stays", ("no reboot",))):
            (self.root / name).write_text("yes" if word in words else "")
        if word == "nothing":
            (self.root / "version").write_text("3.0.17\n")

    def run(self, host: str, script: str, *, timeout: float) -> Answer:
        if self.word == "away":
            raise Unreachable(host, "no route to host")
        if "patchtide:begin:1" in script and self.word == "refused":
            return Answer(1, "state=refused\n", "the disk is full")
        script = _answered(script, "# patchtide:probe:1", json.dumps(PROBE))
        for theirs, ours in (("/proc/sys/kernel/random/boot_id", "boot_id"), ("/run/systemd/system", "nowhere")):
            script = script.replace(theirs, str(self.root / ours))
        done = subprocess.run(
            ["/bin/sh", "-s"],
            input=script,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={"PATH": f"{self.root}/bin:/usr/bin:/bin", "PATCHTIDE_ROOT": str(self.root)},
        )
        if "patchtide:begin:1" in script and self.word == "lost":
            self.word = "ok"
            raise Interrupted(host, "the connection broke")
        return Answer(done.returncode, done.stdout, done.stderr)


def _answered(script: str, sign: str, answer: str) -> str:
    """Return the script with what it would run under a sign, to its end or that of its part, replaced by an answer."""
    return re.sub(
        rf"#!/bin/sh\n{re.escape(sign)}\n.*?(\npatchtide-part-\w+-script\n|\n\)\npatchtide_part=|\Z)",
        lambda found: f"cat <<'ANSWER'\n{answer}\nANSWER{found[1]}",
        script,
        flags=re.DOTALL,
    )


def linux_world(folder: Path, family: str) -> ExecutorWorld:
    clock, shell = FakeClock(), StubShell(folder, family)
    rollout = begun_rollout(folder, clock, "host-a", LINUX.name, account="", region="")

    def pass_time(seconds: float) -> None:
        time.sleep(0.2)
        clock.sleep(seconds)

    def runs() -> int:
        ran = folder / "installs"
        return len(ran.read_text().splitlines()) if ran.exists() else 0

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
