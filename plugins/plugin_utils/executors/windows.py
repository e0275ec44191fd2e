# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor ``windows``: hosts over PowerShell Remoting, each a piece of work of its own.

Reading stages run within the poll. An install is a process of win_updates on the host, which goes on if its reader is
lost; a thread of this controller reads it. Right before it begins, the host notes the work's token. What came of it is
decided by the host's update history since then, whoever reads it. The reboot is a stage of its own.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import WINDOWS, Executor
from ...module_utils._core.model import Status
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.final_record import error, final_record
from ...module_utils._core.work.host_probe import to_probe
from ...module_utils._core.work.node_answer import words
from ...module_utils._core.work.precheck import evaluate_probe, parse_probe, services_mode
from ...module_utils._core.work.probe_packages import packages_mode
from ...module_utils._core.work.windows.findings import findings
from ...module_utils._core.work.windows.host_state import HostState, read_state
from ...module_utils._core.work.windows.results import install_result, to_text
from ...module_utils._core.work.windows.rounds import next_round, of_all_rounds
from ...module_utils._core.work.windows.selection import accept_list, strangers, to_kb
from ...module_utils._core.work.windows.state_script import to_state_script
from ...module_utils._core.work.windows.updates import UpdatesAnswer, read_updates
from ..rollout.folder import RolloutDir
from .base import Unknown, Work
from .connection_errors import HostError
from .host_executor import HostExecutor
from .rules import WaveRules
from .windows_scan import LOOK_SECONDS, SEARCH_SECONDS, Hosts, scan_host

#: Time limit in seconds of the probes.
READ_SECONDS = 300
#: An install that left no trace on the host after this many seconds has not begun.
_START_SECONDS = 180
#: A host that still has its old boot time after this many seconds has refused the reboot.
_SHUTDOWN_SECONDS = 900
#: How long a boot time has to stay the same: Windows may reboot a second time while it completes updates.
_STABLE_SECONDS = 60
#: Seconds that a thread gets to end once it was told to.
_END_SECONDS = 60
_NOTHING = "nothing"


@dataclass(slots=True)
class _Job:
    """An install that this controller reads. ``answer``: once the thread has ended, what it got."""

    stop: threading.Event
    thread: threading.Thread | None = None
    answer: UpdatesAnswer | None = None

    @property
    def is_read(self) -> bool:
        return self.thread is not None and self.thread.is_alive()


@dataclass(slots=True)
class WindowsExecutor(HostExecutor):
    """Works on the planned hosts of a wave."""

    rollout: RolloutDir
    wave: str
    rules: WaveRules
    clock: Clock
    hosts: Hosts
    row: Executor = WINDOWS
    poll_seconds: float = 15
    #: Whether the clock is that of the real world, with which those of hosts can be compared.
    is_real_time: bool = False
    #: The computer group of WSUS from which a node takes its updates; "" for none that the policy names.
    group: Callable[[str], str] = lambda _node: ""
    _jobs: dict[str, _Job] = field(default_factory=dict)
    _boots: dict[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def deadline(self, stage: str, at: datetime) -> datetime:
        limits = {"patch": self.rules.install_seconds, "reboot": self.rules.reboot_seconds, "scan": SEARCH_SECONDS}
        return at + timedelta(seconds=limits.get(stage, READ_SECONDS) + 60)

    def begin(self, work: Work) -> str:
        if work.stage == "patch":
            return self._begin_install(work)
        if work.stage == "reboot":
            return self._begin_reboot(work)
        return ""  # the poll does all the work

    def look_up(self, work: Work, *, final: bool) -> str | None:
        if work.stage not in ("patch", "reboot"):
            return "read"
        state = self._look(work, "close" if final else "look").claim.state
        if state == "claimed":
            return "detached"
        return None if state == "closed" or final else ""

    # --- install

    def _begin_install(self, work: Work) -> str:
        """Begin the install of what the host is still offered of the plan, and of nothing else."""
        node = work.nodes[0]
        kbs = self._planned(node)
        state = self._look(work)
        if state.claim.state == "claimed":
            return "detached"  # an earlier call has begun it
        _refuse_busy(state)
        selection = self._select(work, kbs) if kbs else None
        if selection is None:
            return _NOTHING
        seconds = min(self.rules.install_seconds, (work.deadline - self.clock.now()).total_seconds() - 60)
        if seconds < 60:
            raise PatchtideError("there is no time left for its install")
        if self._claim(work, "claim"):
            self._start(work, node, selection, seconds)
        return "detached"

    def _planned(self, node: str) -> list[str]:
        """Return the KBs to install; the policy may have excluded more since the plan was made."""
        ids = [to_kb(str(patch["id"])) for patch in self.rollout.promotion(self.wave).node(node)["patches"]]
        found = self._results(node).get("scan", {}).get("next_round") or ids
        return [item for item in ids if item in found and not self.rules.packages.excludes(item)]

    def _results(self, node: str) -> Mapping[str, Mapping[str, Any]]:
        return self.rollout.state.nodes[node].results

    def _of_all_rounds(self, node: str, found: dict[str, Any]) -> dict[str, Any]:
        """Add what earlier rounds have installed to the result of an install."""
        done = self._results(node)
        return of_all_rounds(found, done["patch"]) if done.get("scan", {}).get("next_round") else found

    def _select(self, work: Work, kbs: Sequence[str]) -> dict[str, Any] | None:
        """Return the options that select exactly the planned updates, proved by a search; ``None`` if the host is
        offered none of them. Updates that only mention a planned KB are rejected by their own.

        :raises PatchtideError: the search failed, or something else is selected still.
        """
        options: dict[str, Any] = {"accept_list": accept_list(kbs)}
        found = self._search(work, options)
        if others := strangers(found.selected, kbs, self.rules.updates):
            options["reject_list"] = accept_list(kb for item in others for kb in item.kbs)
            wanted = {item.id for item in found.selected} - {item.id for item in others}
            found = self._search(work, options)
            left = strangers(found.selected, kbs, self.rules.updates)
            if left or wanted != {item.id for item in found.selected}:
                names = ", ".join(sorted(item.title for item in left or others)[:3])
                raise PatchtideError(f"nothing was installed: {words(names, 300)} would be selected with the plan")
        return options if found.selected else None

    def _search(self, work: Work, options: Mapping[str, Any]) -> UpdatesAnswer:
        """:raises PatchtideError: it failed."""
        stop = threading.Event()
        wanted = {**self.rules.updates.search, "state": "searched", **options}
        raw = self.hosts.updates(work.place, wanted, timeout=SEARCH_SECONDS, stop=stop)
        found = read_updates(raw)
        if found.lost or found.trouble:
            raise PatchtideError(f"the search for updates failed: {to_text(found)}")
        return found

    def _start(self, work: Work, node: str, options: Mapping[str, Any], seconds: float) -> None:
        job, begun = _Job(threading.Event()), threading.Event()
        wanted = {**self.rules.updates.search, "state": "installed", **options}

        def read() -> None:
            try:
                raw = self.hosts.updates(work.place, wanted, timeout=seconds, stop=job.stop, begun=begun)
                job.answer = read_updates(raw)
            except Exception as why:  # the host's history says what happened
                job.answer = UpdatesAnswer(trouble=words(why, 500), lost=True)
            finally:
                begun.set()  # or it never will

        job.thread = threading.Thread(target=read, name=f"win_updates {work.place}", daemon=True)
        self._jobs[node] = job
        job.thread.start()
        begun.wait(LOOK_SECONDS)

    def _poll_install(self, work: Work, node: str) -> list[dict[str, Any]]:
        job = self._jobs.get(node)
        if job and job.is_read:
            return []
        state = self._look(work)
        if self._is_running(state, node, job):
            return []
        if state.processes:
            self._look(work, "stop")  # it has ended, and waits for a reader
        answer = job.answer if job else None
        found = {**self._times(work), **install_result(state, self._planned(node), answer)}
        return [self._of_all_rounds(node, found)]

    def _is_running(self, state: HostState, node: str, job: _Job | None) -> bool:
        """An install is over when its process is gone, or when the history shows how each planned KB ended."""
        since = state.claim.since
        if state.installing or since is None:
            return bool(state.installing)
        if state.has_ended(self._planned(node), since):
            return False
        if state.processes is not False:
            return True
        told = job is not None and job.answer is not None and not job.answer.lost
        return not told and (state.now - since).total_seconds() < _START_SECONDS

    def _stopped(self, work: Work) -> dict[str, Any]:
        """End work that has exceeded its time, and return what the host proves about it."""
        node = work.nodes[0]
        job = self._jobs.get(node)
        if job and job.thread:
            job.stop.set()
            job.thread.join(_END_SECONDS)
        try:
            if work.stage == "patch":
                self._look(work, "stop")
                state = self._look(work)
                if not state.installing and state.claim.state == "claimed":
                    found = install_result(state, self._planned(node), job.answer if job else None, stopped=True)
                    if found["status"] != Status.UNKNOWN.value:
                        return self._of_all_rounds(node, found)
        except Exception as gone:
            work.trouble = str(gone)
        text = work.trouble or "its time limit passed, and how it ended is unknown"
        return {"status": Status.UNKNOWN.value, "error": error("no_end", text)}

    # --- reboot

    def _begin_reboot(self, work: Work) -> str:
        state = self._look(work)
        if state.claim.state != "claimed":
            _refuse_busy(state)
            self._boots.pop(work.nodes[0], None)
            self._claim(work, "reboot")
        return "detached"

    def _poll_reboot(self, work: Work, node: str) -> list[dict[str, Any]]:
        state = self._look(work)
        before, now = state.claim.boot, self.clock.now()
        result = {**self._times(work), "boot_id_before": _boot(before), "boot_id_after": _boot(state.boot)}
        notes = state.reboot_notes(state.claim.since) if state.claim.since else []
        if state.boot and state.rebooted_since(before):
            result |= {"status": Status.SUCCEEDED.value, "rebooted": True, "evidence": {"notes": notes}}
            return [result] if self._is_up(node, state) else []
        code = state.claim.code
        if code not in (None, 0, 1115, 1190):  # another shutdown has begun
            why = error("reboot_refused", f"shutdown.exe ended with {code}: {state.claim.text}".rstrip(": "))
        elif now < work.at + timedelta(seconds=min(_SHUTDOWN_SECONDS, self.rules.reboot_seconds)):
            return []
        else:
            said = "; ".join(part for part in (state.claim.text, *notes) if part)
            why = error("not_rebooted", f"its boot time did not change: {said}".rstrip(": "))
        return [{**result, "status": Status.FAILED.value, "rebooted": False, "error": why}]

    def _is_up(self, node: str, state: HostState) -> bool:
        """It shows its login screen, has completed its updates, and stays up."""
        now = self.clock.now()
        if state.boot is None:
            return False
        seen = self._boots.get(node)
        if seen is None or abs((state.boot - seen[1]).total_seconds()) > 1 or not state.ready or state.servicing:
            self._boots[node] = now, state.boot
            return False
        return (now - seen[0]).total_seconds() >= _STABLE_SECONDS

    # --- reading stages

    def _poll(self, work: Work, node: str) -> list[dict[str, Any]]:
        if work.stage == "precheck":
            return [self._precheck(work, node)]
        if work.stage == "scan":
            return [self._scan(work, node)]
        if work.stage == "verify":
            return [self._verify(work, node)]
        if work.handle == _NOTHING:
            return [self._of_all_rounds(node, {**self._times(work), "status": Status.NO_OP.value, "installed": []})]
        return self._poll_reboot(work, node) if work.stage == "reboot" else self._poll_install(work, node)

    def _precheck(self, work: Work, node: str) -> dict[str, Any]:
        found = evaluate_probe(self._probe(work, "precheck"), self.rules.thresholds, executor=self.row)
        closed = self.rules.repositories.closed
        script = to_state_script("state", closed=closed)
        state = read_state(self.hosts.run(work.place, script, timeout=READ_SECONDS))
        skew = (state.now - self.clock.now()).total_seconds() if self.is_real_time else None
        found = found.with_findings(findings(state, skew, self.group(node)))
        if closed:
            found = found.with_repositories(state.open_urls(closed), self.rules.thresholds)
        return found.to_dict()

    def _scan(self, work: Work, node: str) -> dict[str, Any]:
        found = scan_host(self.hosts, work.place, self.rules.packages, self.rules.updates)
        left = self.rules.updates.rounds - self.rollout.state.nodes[node].attempts.get("patch", 0)
        again = next_round(self._planned(node), self._results(node), found, left)
        return {**self._times(work), **found, **({"next_round": again} if again else {})}

    def _verify(self, work: Work, node: str) -> dict[str, Any]:
        facts = parse_probe(self._probe(work, "verify"))
        planned, done = self.rollout.promotion(self.wave).node(node), self.rollout.state.nodes[node].results
        if facts is not None and "pending_reboot" in done.get("scan", {}):
            facts["pending_reboot"] = done["scan"]["pending_reboot"]  # from all of the host's sources, reconciled
        rule = str(planned.get("reboot_rule") or self.rollout.wave(self.wave)["reboot_rule"])
        return final_record(planned, done, facts, to_time(self.clock.now()), rule).to_dict()

    def _probe(self, work: Work, stage: str) -> str:
        key = str(self.rollout.plan["rollout"])
        script = to_probe("windows", services_mode(stage, self.rules.thresholds), key, packages_mode(stage))
        return self.hosts.run(work.place, script, timeout=READ_SECONDS)

    # --- the host

    def _look(self, work: Work, mode: str = "look") -> HostState:
        return read_state(self.hosts.run(work.place, to_state_script(mode, work.token), timeout=LOOK_SECONDS))

    def _claim(self, work: Work, mode: str) -> bool:
        """Have the host note the token. Tell whether this call did it.

        :raises Unknown: the answer was lost. :raises PatchtideError: it is closed, or was not noted.
        """
        work.confirm()
        script = to_state_script(mode, work.token, secrets.token_hex(8))
        claim = self._ask_twice(work, script).claim
        if claim.state != "claimed":
            raise PatchtideError("the host did not note the work, or it was given up before it began")
        return claim.fresh

    def _ask_twice(self, work: Work, script: str) -> HostState:
        """Repeat a call whose answer was lost: the host knows its owner, and does nothing twice."""
        try:
            return self._ask(work, script)
        except Unknown:
            return self._ask(work, script)

    def _ask(self, work: Work, script: str) -> HostState:
        """:raises Unknown: the answer was lost. :raises HostError: nothing ran."""
        try:
            return read_state(self.hosts.run(work.place, script, timeout=LOOK_SECONDS))
        except HostError as why:
            if why.began:
                raise Unknown(str(why)) from None
            raise


def _refuse_busy(state: HostState) -> None:
    """:raises PatchtideError: an install runs, or the next one would meet a process of win_updates."""
    if state.installing:
        raise PatchtideError("nothing was begun: an install of Windows Update is running on the host")
    if state.processes:
        raise PatchtideError("nothing was begun: a process of win_updates runs on the host, or waits for its reader")


def _boot(moment: datetime | None) -> str:
    """Return a boot time as the host probe has it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
