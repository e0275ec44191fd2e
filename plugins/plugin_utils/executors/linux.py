# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor ``linux``: hosts over their own connections, each a piece of work of its own.

Reading stages run within the poll. The install and the reboot are detached: they continue on the host under the work's
token, whatever happens to the connection or to this controller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import LINUX, Executor
from ...module_utils._core.model import Status
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.detached import Look, begin_script, look_script, name_of, parse_look, stop_script
from ...module_utils._core.work.final_record import error, final_record
from ...module_utils._core.work.host_probe import to_probe
from ...module_utils._core.work.joined_scripts import Part, from_joined, to_joined, to_limited
from ...module_utils._core.work.node_answer import SIZE, words
from ...module_utils._core.work.packages.names import package_of
from ...module_utils._core.work.packages.results import install_result, scan_result
from ...module_utils._core.work.packages.scripts import (
    INSTALL_MODES,
    REFUSED,
    install_script,
    list_script,
    reboot_script,
)
from ...module_utils._core.work.packages.updates import read_list
from ...module_utils._core.work.precheck import evaluate_probe, parse_probe, services_mode
from ...module_utils._core.work.probe_packages import packages_mode
from ...module_utils._core.work.repositories.drift import HostRepositories, drifts, read_host
from ...module_utils._core.work.repositories.expected import ExpectedRepository
from ...module_utils._core.work.repositories.repair import repaired
from ...module_utils._core.work.repositories.script import read_script, write_script
from ...module_utils._core.work.repositories.trend import PERMANENT
from ..rollout.folder import RolloutDir
from .base import Unknown, Work
from .connection_errors import HostError
from .host_executor import HostExecutor
from .rules import WaveRules

#: Time limits in seconds of scripts that only read, of the one that lists updates, and of those that begin or poll.
READ_SECONDS, LIST_SECONDS, LOOK_SECONDS, PROVE_SECONDS = 300, 900, 60, 300
#: Final seconds of an install's time in which no further step begins, so that a running one can end.
GRACE_SECONDS = 300
#: Work that the host has not begun after this many seconds will not begin.
_START_SECONDS = 120
#: A host that still has its old boot ID after this many seconds has refused the reboot.
_SHUTDOWN_SECONDS = 300
#: Time limit in seconds of the list, and of the probe, that a host adds to the answer that its work has ended.
_ADDED_SECONDS = 120
#: Maximum age, in seconds, of an answer for use by the scan, and of the scan's for use by the final check.
_FRESH_SECONDS = 60
#: Held updates that the record of a host names.
_HELD = 50
_NOTHING = "nothing"


class Answer(Protocol):
    """The result of a script on a host."""

    @property
    def rc(self) -> int: ...
    @property
    def stdout(self) -> str: ...
    @property
    def stderr(self) -> str: ...


class Shell(Protocol):
    """Scripts on hosts, by inventory name."""

    def run(self, host: str, script: str, *, timeout: float) -> Answer:
        """Run a POSIX sh script. :raises HostError: there is no answer."""


@dataclass(slots=True)
class LinuxExecutor(HostExecutor):
    """Works on the planned hosts of a wave."""

    rollout: RolloutDir
    wave: str
    rules: WaveRules
    clock: Clock
    shell: Shell
    row: Executor = LINUX
    poll_seconds: float = 5
    #: The repositories that the policy expects on a node.
    expected: Callable[[str], Sequence[ExpectedRepository]] = lambda node: ()
    #: Whether the clock is that of the real world, with which those of hosts can be compared.
    is_real_time: bool = False
    _listed: dict[str, tuple[datetime, str, str]] = field(default_factory=dict)
    _seen: dict[str, tuple[datetime, str]] = field(default_factory=dict)

    def deadline(self, stage: str, at: datetime) -> datetime:
        limits = {"patch": self.rules.install_seconds, "reboot": self.rules.reboot_seconds, "scan": LIST_SECONDS}
        if self.rules.repositories.repair != "none":
            limits["precheck"] = 2 * READ_SECONDS + LIST_SECONDS
        return at + timedelta(seconds=limits.get(stage, READ_SECONDS) + 60)

    def begin(self, work: Work) -> str:
        if work.stage == "patch":
            return self._begin_install(work)
        if work.stage == "reboot":
            return self._begin_detached(work, reboot_script(self.rules.packages), 900)
        return ""  # the poll does all the work

    def look_up(self, work: Work, *, final: bool) -> str | None:
        if work.stage not in ("patch", "reboot"):
            return "read"
        found = self._look(work, final=final)
        if found.state == "starting" and final:
            raise Unknown("the host has just begun, or was interrupted while it began")
        if found.state == "starting":
            return ""  # the request to begin may be repeated; the work runs once
        return None if found.state == "absent" else "detached"

    def _stopped(self, work: Work) -> dict[str, Any]:
        """End work that has exceeded its time, and return what the host proves about it."""
        self._stop(work)
        if work.stage == "patch" and not work.trouble:
            try:
                found = self._look(work, final=True)
                if found.state in ("ended", "unknown"):
                    return install_result(found, self._planned(work.nodes[0]))
            except PatchtideError as gone:
                work.trouble = str(gone)
        text = work.trouble or "its time limit passed, and how it ended is unknown"
        return {"status": Status.UNKNOWN.value, "error": error("no_end", text)}

    def _begin_install(self, work: Work) -> str:
        """Begin the install. Nothing is listed before: the host compares planned with installed versions."""
        ids = self._planned(work.nodes[0])
        if not ids:
            return _NOTHING
        seconds = int(min(self.rules.install_seconds, (work.deadline - self.clock.now()).total_seconds() - 60))
        if seconds < 60:
            raise PatchtideError("there is no time left for its install")
        last_begin = seconds - min(GRACE_SECONDS, seconds // 4)
        script = install_script(ids, self.rules.packages, last_begin)
        return self._begin_detached(work, script, seconds, modes=INSTALL_MODES)

    def _planned(self, node: str) -> list[str]:
        """Return what to install; the policy may have excluded more patches since the plan was made."""
        ids = [str(patch["id"]) for patch in self.rollout.promotion(self.wave).node(node)["patches"]]
        return [item for item in ids if not self.rules.packages.excludes(package_of(item).name)]

    def _begin_detached(self, work: Work, script: str, seconds: int, modes: Sequence[str] = ()) -> str:
        begin = begin_script(work.token, script, seconds, modes=modes)
        self._listed.pop(work.nodes[0], None)
        self._seen.pop(work.nodes[0], None)
        work.confirm()
        try:
            answer = self.shell.run(work.place, begin, timeout=LOOK_SECONDS)
            state = parse_look(answer.stdout).state
        except PatchtideError as why:
            if isinstance(why, HostError) and not why.began:
                raise
            text = str(why)
        else:
            if state != "begun":
                raise PatchtideError(answer.stderr.strip()[-300:] or "the host refused the work")
            return "detached"
        raise Unknown(text)

    def _poll(self, work: Work, node: str) -> list[dict[str, Any]]:
        if work.stage == "precheck":
            return [self._precheck(work)]
        if work.stage == "scan":
            return [self._scan(work)]
        if work.stage == "verify":
            return [self._verify(work, node)]
        if work.handle == _NOTHING:
            return [{**self._times(work), "status": Status.NO_OP.value, "installed": []}]
        return self._poll_reboot(work) if work.stage == "reboot" else self._poll_install(work)

    def _precheck(self, work: Work) -> dict[str, Any]:
        key = str(self.rollout.plan["rollout"])
        script = to_probe("linux", services_mode("precheck", self.rules.thresholds), key, packages_mode("precheck"))
        expected, closed = self.expected(work.nodes[0]), self.rules.repositories.closed
        scripts = (script, *([read_script(self.rules.packages, closed)] if expected or closed else ()))
        output, *more = self._outputs(work, scripts, READ_SECONDS)
        wrong: list[str] = []
        corrected: list[str] = []
        if expected or closed:
            read = more[0] if more else self._output(work, scripts[1], READ_SECONDS)
            wrong, corrected = self._repositories(work, read_host(read), expected)
        if corrected:
            output = self._output(work, script, READ_SECONDS)  # whether it reaches them, for example
        thresholds = self.rules.thresholds
        if self.rules.packages.repair:  # the install begins with this
            thresholds = replace(thresholds, database="allow")
        found = evaluate_probe(output, thresholds, executor=self.row)
        if expected or closed:
            found = found.with_repositories(wrong, thresholds, corrected)
        return found.to_dict()

    def _repositories(
        self, work: Work, host: HostRepositories, expected: Sequence[ExpectedRepository]
    ) -> tuple[list[str], list[str]]:
        """Correct what differs, if the policy allows that; return what still differs, and what no longer does."""
        now = self.clock.now() if self.is_real_time else None
        found = left = drifts(host, expected, now)
        rule = self.rules.repositories.repair
        files = repaired(host, expected, found, permanent=rule == PERMANENT) if rule != "none" else {}
        if files:
            stamp, closed = to_time(self.clock.now()).replace(":", ""), self.rules.repositories.closed
            script = write_script(files, stamp, self.rules.packages, closed)
            left = drifts(read_host(self._output(work, script, LIST_SECONDS)), expected, now)
        rest = {(item.repository, item.code) for item in left}
        gone = [item.sentence for item in found if (item.repository, item.code) not in rest]
        return [item.sentence for item in left], gone

    def _scan(self, work: Work) -> dict[str, Any]:
        at, listed, *looked = self._listed.pop(work.nodes[0], (work.at, ""))
        if not listed or self.clock.now() - at > timedelta(seconds=_FRESH_SECONDS):
            listed, *looked = self._outputs(work, self._scan_scripts(), LIST_SECONDS)
            at = self.clock.now()
        try:
            listing, reboot = read_list(listed, self.rules.packages)
        except PatchtideError as why:
            return {**self._times(work), "status": Status.FAILED.value, "error": error(why.code, str(why))}
        probe = looked[0] if looked else self._output(work, self._final_probe(), READ_SECONDS)
        self._seen[work.nodes[0]] = at, probe
        done = self.rollout.state.nodes[work.nodes[0]].results
        rebooted = bool(done.get("reboot", {}).get("rebooted"))
        found = scan_result(listing, reboot, self.rules.packages, rebooted=rebooted)
        evidence = {name: found[name] for name in ("kernels", "notes") if found[name]}
        if found["held"]:
            evidence["held"] = [{"id": item["id"], "text": item["text"]} for item in found["held"][:_HELD]]
        return {**self._times(work), **found, **({"evidence": evidence} if evidence else {})}

    def _verify(self, work: Work, node: str) -> dict[str, Any]:
        at, probe = self._seen.pop(node, (work.at, ""))
        if not probe or self.clock.now() - at > timedelta(seconds=_FRESH_SECONDS):
            probe = self._output(work, self._final_probe(), READ_SECONDS)
        facts = parse_probe(probe)
        planned = self.rollout.promotion(self.wave).node(node)
        done = self.rollout.state.nodes[node].results
        if facts is not None and "pending_reboot" in done.get("scan", {}):
            facts["pending_reboot"] = done["scan"]["pending_reboot"]  # from all of the host's sources, reconciled
        return final_record(planned, done, facts, to_time(self.clock.now()), self._reboot_rule(node)).to_dict()

    def _final_probe(self) -> str:
        key = str(self.rollout.plan["rollout"])
        return to_probe("linux", services_mode("verify"), key, packages_mode("verify"))

    def _scan_scripts(self) -> tuple[str, str]:
        return list_script(self.rules.packages), self._final_probe()

    def _poll_install(self, work: Work) -> list[dict[str, Any]]:
        found = self._look_and_scan(work)
        if found.state == "running" or self._is_starting(work, found):
            return []
        return [{**self._times(work), **install_result(found, self._planned(work.nodes[0]))}]

    def _poll_reboot(self, work: Work) -> list[dict[str, Any]]:
        found = self._look_and_scan(work)
        if self._is_starting(work, found):
            return []
        boots = {"boot_id_before": found.boot_before, "boot_id_after": found.boot_now}
        result = {**self._times(work), **boots}
        if found.boot_before and found.boot_now != found.boot_before:
            return [{**result, "status": Status.SUCCEEDED.value, "rebooted": True}]
        if found.rc == REFUSED:
            why = error("reboot_refused", _said(found))
            return [{**result, "status": Status.FAILED.value, "rebooted": False, "error": why}]
        if found.state == "running" or self.clock.now() < work.at + timedelta(seconds=_SHUTDOWN_SECONDS):
            return []  # the process that requested the reboot is stopped some time before the kernel is
        why = error("not_rebooted", f"its boot id did not change: {_said(found)}".rstrip(": "))
        return [{**result, "status": Status.FAILED.value, "rebooted": False, "error": why}]

    def _look(self, work: Work, *, final: bool) -> Look:
        """Poll detached work; once an install has ended, the same answer proves what it did."""
        prove = work.stage == "patch"
        script = look_script(work.token, final=final, prove=prove)
        answer = self.shell.run(work.place, script, timeout=PROVE_SECONDS if prove else LOOK_SECONDS)
        return parse_look(answer.stdout[:SIZE])

    def _look_and_scan(self, work: Work) -> Look:
        """Poll detached work. If the scan is next, the host adds its list and its probe to the answer, which spares
        another connection. What it does not add in time, the scan asks for itself."""
        prove, mark = work.stage == "patch", f"patchtide-part-{name_of(work.token)}"
        look = look_script(work.token, final=False, prove=prove, rebooted=not prove)
        if prove and self._reboot_rule(work.nodes[0]) not in ("never", "if_required"):
            scripts = [look]
        else:
            scripts = [look, *(to_limited(script, _ADDED_SECONDS, mark) for script in self._scan_scripts())]
        seconds = PROVE_SECONDS + _ADDED_SECONDS * (len(scripts) - 1)
        answer = self.shell.run(work.place, to_joined(scripts, mark), timeout=seconds)
        looked, *added = from_joined(answer.stdout[:SIZE], mark) or [Part(None, "")]
        if len(added) == 2 and all(part.rc == 0 for part in added):
            self._listed[work.nodes[0]] = self.clock.now(), added[0].stdout, added[1].stdout
        return parse_look(looked.stdout)

    def _reboot_rule(self, node: str) -> str:
        planned = self.rollout.promotion(self.wave).node(node)
        return str(planned.get("reboot_rule") or self.rollout.wave(self.wave)["reboot_rule"])

    def _is_starting(self, work: Work, found: Look) -> bool:
        return found.state == "starting" and self.clock.now() < work.at + timedelta(seconds=_START_SECONDS)

    def _stop(self, work: Work) -> None:
        try:
            self.shell.run(work.place, stop_script(work.token), timeout=LOOK_SECONDS)
        except HostError as why:
            work.trouble = str(why)

    def _output(self, work: Work, script: str, seconds: float) -> str:
        """:raises PatchtideError: it printed nothing but errors."""
        answer = self.shell.run(work.place, script, timeout=seconds)
        if answer.rc and not answer.stdout.strip():
            raise PatchtideError(f"the script failed (exit code {answer.rc}): {words(answer.stderr.strip()[-300:])}")
        return answer.stdout[: SIZE + 1]

    def _outputs(self, work: Work, scripts: Sequence[str], seconds: float) -> list[str]:
        """Return the output of each script that ran: the next one runs if the one before it ended with 0.

        :raises PatchtideError: the first one printed nothing but errors.
        """
        mark = f"patchtide-part-{name_of(work.token)}"
        found = from_joined(self._output(work, to_joined(scripts, mark), seconds), mark)
        return [part.stdout for part in found] or [""]


def _said(found: Look) -> str:
    """Return the end of both streams: package managers report the cause in either."""
    return " | ".join(part for text in (found.err, found.out) if (part := " ".join(text.split())[-240:]))
