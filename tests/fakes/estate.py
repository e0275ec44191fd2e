# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An estate in memory with a ledger of its own: nodes of Systems Manager and direct hosts, and all that goes wrong.

What a node really did is in ``ledger``. A controller that lives in this world knows nothing of it.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import Executor, Reach
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Patch
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import Ambiguous, InvalidNodes
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import (
    CommandRequest,
    Invocation,
    PatchState,
    sure,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Result, Unknown, Work

from tests.fakes.fleet_port import FakeClock, FakeFleet, patch_state

#: As a service, because a rehearsal gives hosts that are reached directly their real time.
DIRECT = Executor(
    name="direct",
    title="A direct host",
    text="in memory",
    reach=Reach.SERVICE,
    platforms=("linux",),
    pin="list",
    chunk=1,
)
SECONDS = 120.0
#: What may happen to a node's install. Those that are named twice are likelier.
INSTALLS = ("ok", "ok", "ok", "ok", "failed", "hangs", "undeliverable", "agent gone", "early", "invalid")
REBOOTS = ("ok", "ok", "ok", "ok", "hangs")


class Died(BaseException):
    """The controller's end. Nothing that it still tries has an effect."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a node really did: ``install`` or ``reboot`` began then, for that token."""

    node: str
    what: str
    at: datetime
    token: str


@dataclass
class Life:
    """One controller: it dies at some call or record, sleeps at others, and after that does nothing more."""

    chance: random.Random
    alive: bool = True
    lossy: float = 0.0
    blind: float = 0.0
    throttled: float = 0.0
    #: Called at each call and record with what it is; it may raise ``Died`` or let another controller take over.
    event: Callable[[str], None] = lambda what: None

    def at(self, what: str) -> None:
        if not self.alive:
            raise Died
        self.event(what)

    def die(self) -> None:
        self.alive = False
        raise Died


@dataclass
class Estate:
    """``installs`` and ``reboots``: by node what happens. ``drained``: nodes that are out of service now."""

    clock: FakeClock
    installs: dict[str, str]
    reboots: dict[str, str]
    ledger: list[Entry] = field(default_factory=list)
    drained: set[str] = field(default_factory=set)
    commands: dict[str, tuple[CommandRequest, datetime]] = field(default_factory=dict)
    #: Tokens of detached work: when it began, ``None`` where a look-up made sure that it never will.
    detached: dict[str, datetime | None] = field(default_factory=dict)
    lock: Any = field(default_factory=threading.RLock)

    def begin(self, node: str, stage: str, token: str) -> None:
        if stage in ("patch", "reboot"):
            what = "install" if stage == "patch" else "reboot"
            self.ledger.append(Entry(node, what, self.clock.now(), token))

    def done(self, node: str, what: str) -> list[datetime]:
        """Return when what began on a node was done, as far as it is by now; one that fails or hangs never is."""
        fine = self.installs[node] == "ok" if what == "install" else self.reboots[node] == "ok"
        ends = [row.at + timedelta(seconds=SECONDS) for row in self.ledger if (row.node, row.what) == (node, what)]
        return [at for at in ends if fine and at <= self.clock.now()]

    def boot(self, node: str) -> str:
        return f"b{len(self.done(node, 'reboot'))}"

    def is_installed(self, node: str) -> bool:
        return bool(self.done(node, "install"))

    def is_pending(self, node: str) -> bool:
        installed, rebooted = self.done(node, "install"), self.done(node, "reboot")
        return bool(installed) and (not rebooted or max(rebooted) < min(installed))

    def probe(self, node: str) -> dict[str, Any]:
        return {
            "probe": 1, "platform": "linux", "boot_id": self.boot(node), "pending_reboot": self.is_pending(node),
            "kernel": "6.1", "uptime_s": 100, "disks": [{"mount": "/", "free_mb": 50_000}], "repos": [],
            "failed_units": [], "load1": 0.5, "cpus": 2, "agent": "active", "time_synced": True,
        }  # fmt: skip


@dataclass
class EstateFleet(FakeFleet):
    """Systems Manager in one place, as one controller sees it."""

    estate: Estate = None  # type: ignore[assignment]  # always given
    life: Life = None  # type: ignore[assignment]  # always given

    def send(self, request: CommandRequest, confirm: Callable[[], None] = sure) -> str:
        self.life.at("send")
        if self.life.chance.random() < self.life.throttled:
            raise ServiceError("send", "AccessDeniedException", "the credentials have expired")
        self.life.at("confirm")
        confirm()
        with self.estate.lock:
            if bad := [node for node in request.node_ids if self.estate.installs[node] == "invalid"]:
                named = self.life.chance.random() < 0.5
                raise InvalidNodes("InvalidInstanceId", bad if named else ())
            lost = self.life.chance.random() < self.life.lossy
            swallowed = lost and self.life.chance.random() < 0.5
            command_id = "" if swallowed else self._begin(request)
        if lost:
            raise Ambiguous("no answer")
        self.life.at("sent")
        return command_id

    def _begin(self, request: CommandRequest) -> str:
        command_id = f"command-{len(self.estate.commands) + 1}"
        self.commands = self.estate.commands
        self.commands[command_id] = (request, self.clock.now())
        for node in request.node_ids:
            if self._stage(request) != "patch" or self.estate.installs[node] != "undeliverable":
                self.estate.begin(node, self._stage(request), request.comment)
        return command_id

    def find(self, comment: str, document: str, after: datetime) -> str | None:
        self._read("find")
        self.commands = self.estate.commands
        return super().find(comment, document, after)

    def invocations(self, command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        self._read("look")
        request, sent = self.estate.commands[command_id]
        over = (self.clock.now() - sent).total_seconds() >= SECONDS
        return [self._row(node, self._stage(request), sent, over) for node in request.node_ids]

    def _row(self, node: str, stage: str, sent: datetime, over: bool) -> Invocation:
        estate, word = self.estate, {"patch": self.estate.installs, "reboot": self.estate.reboots}.get(stage, {})
        ended = {
            "ok": "Success", "failed": "Failed", "early": "Failed", "hangs": "InProgress",
            "undeliverable": "Undeliverable", "agent gone": "DeliveryTimedOut",
        }  # fmt: skip
        status = ended[word.get(node, "ok")] if over else "InProgress"
        output = json.dumps(estate.probe(node))
        if stage == "reboot" and status == "Success":
            after = int(estate.boot(node)[1:])
            output = json.dumps({"boot_id_before": f"b{after - 1}", "boot_id_after": f"b{after}"})
        return Invocation(node_id=node, status=status, output=output, started_at=sent.isoformat())

    def patch_states(self, node_ids: Sequence[str]) -> list[PatchState]:
        self._read("states")
        found = []
        for node in node_ids:
            ours = [
                (at, self._stage(request), _snapshot(request))
                for request, at in self.estate.commands.values()
                if _is_for(request, node)
            ]
            last = max(ours, default=None)
            if last is None or (last[1] == "patch" and self.estate.installs[node] in ("early", "hangs", "agent gone")):
                continue
            state = patch_state(node, "Install" if last[1] == "patch" else "Scan", last[0] + timedelta(seconds=SECONDS))
            members = {**_members(state), "counts": self._counts(node), "snapshot_id": last[2]}
            found.append(PatchState(**members))
        return found

    def _counts(self, node: str) -> dict[str, int]:
        estate = self.estate
        failed = estate.installs[node] == "failed" and any(row.node == node for row in estate.ledger)
        return {
            "missing_count": int(not estate.is_installed(node) and not failed),
            "failed_count": int(failed),
            "installed_pending_reboot_count": int(estate.is_pending(node)),
        }

    def patches(self, node_id: str, states: Sequence[str], ids: Sequence[str] = ()) -> list[Patch]:
        counts = self._counts(node_id)
        names = {
            "FAILED": counts["failed_count"],
            "MISSING": counts["missing_count"],
            "INSTALLED_PENDING_REBOOT": counts["installed_pending_reboot_count"],
        }
        state = next((name for name, count in names.items() if count), "INSTALLED")
        wanted = {name.replace("_", "").lower() for name in states}
        return [Patch(id="p", title="p", state=state)] if ids or state.replace("_", "").lower() in wanted else []

    def cancel(self, command_id: str) -> None:
        self._read("cancel")

    def service_time(self) -> datetime | None:
        return self.clock.now()

    def _read(self, what: str) -> None:
        self.life.at(what)
        if self.life.chance.random() < self.life.blind:
            raise ServiceError(what, "AccessDeniedException", "not now")

    @staticmethod
    def _stage(request: CommandRequest) -> str:
        return request.comment.rpartition(" ")[2].split("/")[1]


def _snapshot(request: CommandRequest) -> str:
    return next(iter(request.parameters.get("SnapshotId", ())), "")


def _is_for(request: CommandRequest, node: str) -> bool:
    return request.document == "AWS-RunPatchBaseline" and node in request.node_ids


def _members(state: PatchState) -> dict[str, Any]:
    return {name: getattr(state, name) for name in type(state).__dataclass_fields__}


@dataclass
class EstateHosts:
    """An ``ExecutorPort``: direct hosts, on which work is idempotent by its token and a look-up is final."""

    estate: Estate
    life: Life
    row: Executor = DIRECT
    poll_seconds: float = 15

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        return [(node, [node]) for node in nodes]

    def deadline(self, stage: str, at: datetime) -> datetime:
        return at + timedelta(hours=1)

    def begin(self, work: Work) -> str:
        node = work.nodes[0]
        self._ask("send")
        if self.estate.installs[node] in ("undeliverable", "invalid"):
            raise PatchtideError("no route to host")
        self.life.at("confirm")
        work.confirm()
        with self.estate.lock:
            lost = self.life.chance.random() < self.life.lossy
            if not (lost and self.life.chance.random() < 0.5) and work.token not in self.estate.detached:
                self.estate.detached[work.token] = self.estate.clock.now()
                self.estate.begin(node, work.stage, work.token)
            if self.estate.detached.get(work.token, 1) is None:
                raise PatchtideError("the token is taken")
        if lost:
            raise Unknown("the connection broke")
        self.life.at("sent")
        return "detached"

    def look_up(self, work: Work, *, final: bool) -> str | None:
        self._ask("find")
        with self.estate.lock:
            if work.token not in self.estate.detached and not final:
                return ""
            return "detached" if self.estate.detached.setdefault(work.token, None) else None

    def poll(self, work: Work) -> list[Result]:
        self._ask("look")
        node, began = work.nodes[0], self.estate.detached.get(work.token)
        if began is None or (self.estate.clock.now() - began).total_seconds() < SECONDS:
            return []
        result = self._result(work.stage, node)
        return [{"node_id": node, **result}] if result else []

    def _result(self, stage: str, node: str) -> dict[str, Any] | None:
        word = {"patch": self.estate.installs, "reboot": self.estate.reboots}.get(stage, {}).get(node, "ok")
        if word in ("hangs", "agent gone"):
            return None
        if stage == "precheck":
            return {"outcome": "pass", "findings": [], "facts": {"boot_id": self.estate.boot(node)}}
        if word != "ok":
            return {"status": "failed", "error": {"code": "x", "text": "it failed"}}
        pending, missing = self.estate.is_pending(node), not self.estate.is_installed(node)
        return {
            "patch": {"status": "succeeded", "pending_reboot": pending, "installed": ["p"]},
            "reboot": {"status": "succeeded", "rebooted": True},
            "scan": {"status": "succeeded", "missing_after": ["p"] if missing else [], "pending_reboot": pending},
            "verify": {"status": "succeeded" if not missing and not pending else "failed"},
        }[stage]

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        self.life.at("give up")
        status = "unreachable" if why else "unknown"
        held = {"outcome": "skip", "findings": [], "facts": {}} if work.stage == "precheck" else {}
        return [{"node_id": work.nodes[0], "status": status, "error": {"code": status, "text": str(why)}, **held}]

    def service_time(self) -> datetime | None:
        return None

    def _ask(self, what: str) -> None:
        self.life.at(what)
        if self.life.chance.random() < self.life.blind:
            raise PatchtideError("the host gives no answer")


def planned_node(node: str, executor: str, region: str) -> Mapping[str, Any]:
    patch = {"id": "p", "title": "p", "classification": "Security", "severity": "", "state": "MISSING", "cve_ids": []}
    return {
        "node_id": node, "name": node, "host": node, "executor": executor, "account": "1" * 12, "region": region,
        "platform": "linux", "turn": 1, "patch_count": 1, "patches": [patch], "expected_minutes": 20,
    }  # fmt: skip
