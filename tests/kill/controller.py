# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that dies on purpose: the actions of rollout_patches in the playbook's order, in a forked process.

``Death(number, moment)`` strikes at the number-th record that the process writes: ``before`` it is stored (what it
tells has happened, nobody knows), ``torn`` (half a line is stored) or ``after`` (what it announces never began). With
``asleep`` the process is stopped after the record instead, and with ``between`` before the number-th task.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

from ansible_collections.patchtide.hybrid.plugins.action import (
    rollout_gate,
    rollout_journal,
    rollout_prepare,
    rollout_restore,
    rollout_wave,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import DynamoJournal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Resumed
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import LINUX
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work import detached
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.controller_action import ControllerAction
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors import open as opening
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.linux import LinuxExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout import controller_lock, journal_file

from lab.aws.launch import SECRET
from tests.fakes.stub_host import StubShell

PATCH_NOW, LAST_PATCHED = "patch-now", "LastPatched"
POLICY = {
    "name": "kill",
    "version": 1,
    "tags": {"patch_now": PATCH_NOW, "last_patched": LAST_PATCHED},
    "prechecks": {"disk": {"/": 50}},
    "exceptions": {"tag": ""},
    "hooks": {"load_balancer": {"drain": True}},
}
MOMENTS = ("before", "torn", "after")
#: How a process that sleeps has ended.
STOPPED = 1000
PLACES = (("222222222222", "eu-central-1"), ("222222222222", "us-east-1"), ("111111111111", "eu-central-1"))
ACCOUNTS = [{"role_arn": f"arn:aws:iam::{number}:role/patchtide"} for number in ("111111111111", "222222222222")]


@dataclass(frozen=True, slots=True)
class Death:
    """When the controller is killed. ``resumed`` records don't count: else a controller could never get past them.

    :param what: count only these records: a kind, or a kind with its stage or preparation, such as ``intent patch``.
    """

    number: int
    moment: str
    what: str = ""

    def counts(self, kind: str, data: Mapping[str, Any]) -> bool:
        detail = data.get("stage") or data.get("what") or ""
        return kind != Resumed.kind and self.what in ("", kind, f"{kind} {detail}")


class Failed(Exception):
    """An action failed."""


def act(action: type[ControllerAction], **options: Any) -> dict[str, Any]:
    """Run an action plugin as a task of the playbook would."""
    task = Mock(args=options, check_mode=False, diff=False, async_val=0, environment=[])
    plugin = action(task, Mock(), Mock(), Mock(), Mock(), None)
    plugin.say = lambda line: None
    result: dict[str, Any] = plugin.run(task_vars={})
    if result.get("failed"):
        raise Failed(f"{action.__module__}: {result['msg']}")
    return result


def sleep() -> None:
    """Stop this process, with all its threads, until somebody wakes it."""
    os.kill(os.getpid(), signal.SIGSTOP)


def roll_out(folder: Path, **stores: str) -> str:
    """Carry the rollout in a directory as far as it goes; return its status."""
    where: dict[str, Any] = {"dir": str(folder)}
    opened = act(rollout_journal.ActionModule, **where, **stores, state="opened")
    for host in opened["play_hosts"]:
        run: dict[str, Any] = {**where, "wave": host["wave"]}
        aws: dict[str, Any] = {**run, "accounts": ACCOUNTS, "poll_interval": 60}
        if host["first_turn"]:
            act(rollout_wave.ActionModule, **aws, turn=host["turn"], policy=POLICY, until="started")
            act(rollout_prepare.ActionModule, **run, what="wave_hook")
        act(rollout_wave.ActionModule, **aws, turn=host["turn"], policy=POLICY)
        restore(aws)
        if act(rollout_gate.ActionModule, **run, partial=not host["last_turn"])["verdict"] != "promote":
            break
    restore({**where, "accounts": ACCOUNTS, "at_once": True})
    return str(act(rollout_journal.ActionModule, **where, state="closed")["status"])


def restore(options: dict[str, Any]) -> None:
    """As tasks/restore.yml does; the hooks' own tasks do nothing here."""
    for hook in act(rollout_restore.ActionModule, **options, last_patched=LAST_PATCHED)["hooks"]:
        act(rollout_restore.ActionModule, dir=options["dir"], wave=hook["wave"], hook=hook["hook"])


@dataclass(frozen=True, slots=True)
class StubShells:
    """The connections to hosts in directories, by their names in the inventory."""

    folder: Path

    def run(self, host: str, script: str, *, timeout: float) -> Any:
        return StubShell(self.folder / host, "apt").run(host, script, timeout=timeout)


def open_stubs(context: opening.WaveContext) -> LinuxExecutor:
    """Open the executor of directly reached hosts, which are in the directory ``hosts`` of the rollout's."""
    return LinuxExecutor(
        rollout=context.rollout,
        wave=context.wave,
        rules=context.rules,
        clock=context.rollout.clock,
        shell=StubShells(context.rollout.path / "hosts"),
        poll_seconds=0.2,
    )


@contextmanager
def stub_hosts(folder: Path) -> Iterator[None]:
    """Reach hosts in directories instead of over SSH. Their work is detached, so it outlives its controller."""
    opened = patch.dict(opening.OPENERS, {LINUX.name: open_stubs})
    with opened, patch.object(detached, "FOLDER", str(folder / "work")):
        yield


def ended(child: int) -> int:
    """Return how a process ended: 0, an exit status, or minus the signal that killed it; ``STOPPED`` if it sleeps."""
    _pid, status = os.waitpid(child, os.WUNTRACED)
    return STOPPED if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status)


def in_a_process(work: Callable[[], None], environment: Mapping[str, str]) -> int:
    """Fork, work there, and return the process.

    It has a session of its own. While it sleeps, it must not be in the process group of the tests: as soon as that is
    orphaned, the kernel sends SIGHUP to all of a group with a stopped member (setpgid(2)).
    """
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.setsid()
        os.environ.update(environment)
        work()
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


@cache
def sessions(url: str, key: str) -> Sessions:
    """Return sessions with their clients made, which costs a controller more than all its calls; none is connected."""
    found = Sessions(Connection(endpoint_url=url, access_key=key, secret_key=SECRET))
    for account, region in PLACES:
        role = f"arn:aws:iam::{account}:role/patchtide"
        place = Place(region=region, account=account, role_arn=role)
        for service in ("ssm", "ec2", "elbv2"):
            for retry in (True, False):
                found.client(service, place, retry=retry)
    return found


def controller(folder: Path, environment: Mapping[str, str], death: Death | None = None, **stores: str) -> int:
    """Run one controller to its end or to its death; ``stores`` are options of rollout_journal."""
    return ended(begin(folder, environment, death, **stores))


def begin(
    folder: Path, environment: Mapping[str, str], death: Death | None = None, machine: str = "here", **stores: str
) -> int:
    """Begin a controller on a machine of that name; return its process."""
    warm = sessions(environment["AWS_ENDPOINT_URL"], environment["AWS_ACCESS_KEY_ID"])

    def client(_self: Sessions, service: str, place: Place, *, retry: bool = True) -> Any:
        return make(warm, service, place, retry=retry)

    make = Sessions.client

    def work() -> None:
        # Each controller has a name of its own, although all of them have this test for their parent.
        named = patch.object(controller_lock, "_controller", os.getpid)
        dies = dying(death, remote="journal" in stores)
        there = patch.object(socket, "gethostname", lambda: machine)
        with dies, patch.object(Sessions, "client", client), named, there, impatient(), stub_hosts(folder):
            roll_out(folder, **stores)

    return in_a_process(work, environment)


@contextmanager
def impatient() -> Iterator[None]:
    """Wait a second, not half a minute, for a task of another controller to end."""
    locked = controller_lock._locked
    with patch.object(controller_lock, "_locked", lambda folder, kind, _patience: locked(folder, kind, 1.0)):
        yield


@contextmanager
def dying(death: Death | None, *, remote: bool) -> Iterator[None]:
    """Put the death between the journal and where it is kept."""
    if death is None:
        yield
        return
    store = DynamoJournal if remote else journal_file.JournalFile
    written, append = [0], store.append

    def deadly(self: Any, kind: str, data: Mapping[str, Any], at: Any, guard: Any = None) -> Any:
        counts = death.counts(kind, data)
        written[0] += counts
        due = counts and written[0] == death.number
        if due and death.moment in ("before", "torn"):
            _before(self, torn=death.moment == "torn" and not remote)
        record = append(self, kind, data, at, guard)
        if due and death.moment == "asleep":
            sleep()
        elif due:
            os.kill(os.getpid(), signal.SIGKILL)
        return record

    with patch.object(store, "append", deadly) if death.moment != "between" else tiring(death.number):
        yield


@contextmanager
def tiring(number: int) -> Iterator[None]:
    """Sleep once, before the number-th task that works on a wave: it holds no lock then."""
    begun, run = [0], rollout_wave.ActionModule.run

    def late(self: Any, *arguments: Any, **more: Any) -> Any:
        begun[0] += 1
        if begun[0] == number:
            sleep()
        return run(self, *arguments, **more)

    with patch.object(rollout_wave.ActionModule, "run", late):
        yield


def _before(store: Any, *, torn: bool) -> None:
    if torn:
        with store._path.open("ab") as file:
            file.write(b'{"at":"2026-06-01T20:00:00.000Z","data":{"ki')
    os.kill(os.getpid(), signal.SIGKILL)
