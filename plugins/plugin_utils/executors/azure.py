# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor ``azure``: Update Manager, Run Command and restart, each machine a piece of work of its own.

Azure Resource Manager has no idempotency token. An assessment, an installation and a restart are sent at most once;
whether a lost one began is told by the machine's last run, its start, and its boot ID. Scripts are managed run
commands, whose name is the token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ...module_utils._azure.errors import Lost, Throttled
from ...module_utils._azure.patching import is_busy
from ...module_utils._core.azure_ids import is_arc
from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import NotFound, PatchtideError, ServiceError
from ...module_utils._core.executors import AZURE, Executor
from ...module_utils._core.model import Status, place_label
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.azure.ports import MachinePort
from ...module_utils._core.work.azure.requests import (
    LEAST_SECONDS,
    command_name,
    install_body,
    probe_script,
    restart_script,
)
from ...module_utils._core.work.azure.results import install_result, scan_result
from ...module_utils._core.work.azure.runs import Run, result, state_of, summary
from ...module_utils._core.work.final_record import error, final_record
from ...module_utils._core.work.node_answer import words
from ...module_utils._core.work.precheck import evaluate_probe, parse_probe, services_mode
from ...module_utils._core.work.probe_packages import packages_mode
from ..rollout.folder import RolloutDir
from .base import Result, Unknown, Work
from .rules import WaveRules
from .ways import script_answer

#: Time limits in seconds of the host probe, and of an assessment.
PROBE_SECONDS, ASSESS_SECONDS = 600, 3600
#: A run that was begun is visible after so many seconds; until then its absence means nothing.
VISIBLE_SECONDS = 600
#: An answer with the old boot ID proves at the deadline that nothing happened if it is not older than this.
_RECENT = timedelta(minutes=10)
#: Pause in seconds before a busy machine is asked again, and how often.
_BUSY_SECONDS, _BUSY_TRIES = 60, 5
_NOTHING = "nothing"
_KINDS = {"patch": "installation", "scan": "assessment"}


@dataclass(slots=True)
class _Seen:
    """What this controller knows of a piece of work besides its handle; another one finds it out again."""

    url: str = ""
    run: Run | None = None
    script: str = ""
    looks: int = 0
    unchanged_at: datetime | None = None  #: when the machine last answered with its old boot ID


@dataclass(slots=True)
class AzureExecutor:
    """Works on the planned machines of a wave.

    :param ports: returns the port of a subscription by its ID.
    """

    rollout: RolloutDir
    wave: str
    rules: WaveRules
    clock: Clock
    ports: Callable[[str], MachinePort]
    row: Executor = AZURE
    poll_seconds: float = 30
    _known: dict[str, _Seen] = field(default_factory=dict)

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        planned = self.rollout.nodes
        return [(place_label(planned[node]["account"], planned[node]["region"]), [node]) for node in nodes]

    def deadline(self, stage: str, at: datetime) -> datetime:
        limits = {"patch": self.rules.install_seconds, "reboot": self.rules.reboot_seconds, "scan": ASSESS_SECONDS}
        return at + timedelta(seconds=limits.get(stage, 0) + 2 * PROBE_SECONDS)

    def begin(self, work: Work) -> str:
        node = work.nodes[0]
        if work.stage in ("precheck", "verify"):
            return self._probe(work, work.stage)
        if work.stage == "patch" and not self._planned(node):
            return _NOTHING
        port = self._port(node)
        if work.stage == "scan":
            self._seen(work).url = self._sent(work, lambda: port.assess(node))
            return "assessment"
        self._check(node)
        if work.stage == "reboot":
            return self._restart(work)
        self._seen(work).url = self._sent(work, lambda: port.install(node, self._install_body(work)))
        return "installation"

    def _install_body(self, work: Work) -> dict[str, Any]:
        """Return the request for what time is left now. :raises PatchtideError: it is too little."""
        node, left = work.nodes[0], (work.deadline - self.clock.now()).total_seconds() - PROBE_SECONDS
        seconds = min(self.rules.install_seconds, left)
        if seconds < LEAST_SECONDS:
            raise PatchtideError(f"less than {LEAST_SECONDS // 60} minutes are left for its installation")
        return install_body(self._platform(node), self._planned(node), seconds)

    def look_up(self, work: Work, *, final: bool) -> str | None:
        node = work.nodes[0]
        if work.stage in ("precheck", "verify"):
            name = command_name(work.token, work.stage)
            found = self._port(node).script(node, name)
            return name if found is not None else None if final else ""
        if work.stage == "patch" and not self._planned(node):
            return _NOTHING
        if work.stage == "reboot":
            began: Any = self._is_restarting(work) or self._has_rebooted(work)
        else:
            began = self._run(work)
        if began:
            return _KINDS.get(work.stage, "restart")
        if self.clock.now() < work.at + timedelta(seconds=VISIBLE_SECONDS):
            raise PatchtideError("whether it began can't be seen yet")
        return None if final else ""

    def poll(self, work: Work) -> list[Result]:
        node = work.nodes[0]
        if work.handle == _NOTHING:
            return self._ended(work, {"status": Status.NO_OP.value, "installed": []})
        found = {
            "precheck": self._poll_precheck,
            "patch": self._poll_install,
            "reboot": self._poll_restart,
            "scan": self._poll_scan,
            "verify": self._poll_verify,
        }[work.stage](work, node)
        work.trouble = ""
        return [] if found is None else self._ended(work, found)

    def service_time(self) -> datetime | None:
        for node in self.rollout.state_of_wave(self.wave).nodes:
            if self.rollout.nodes[node]["executor"] == self.row.name:
                with suppress(PatchtideError):
                    self._port(node).view(node)
                    return self._port(node).service_time()
        return None

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        """Nothing can be cancelled: an installation ends by its own duration (Microsoft.Compute 2024-07-01)."""
        text = str(why) if why else work.trouble or "its time was over, and nobody knows how it ended"
        if work.stage == "precheck":
            finding = {"check": "machine", "ok": False, "text": words(text)}
            unreachable = {"status": Status.UNREACHABLE.value, "error": error("unreachable", text)}
            return self._ended(work, {**unreachable, "outcome": "skip", "findings": [finding], "facts": {}})
        if why is not None:
            code = why.code if isinstance(why, ServiceError) else "refused"
            refused: dict[str, Any] = {"status": Status.FAILED.value, "error": error(code, text)}
            return self._ended(work, {**refused, "rebooted": False} if work.stage == "reboot" else refused)
        if work.stage == "verify":
            return self._ended(work, self._final(work.nodes[0], None))
        unchanged_at = self._seen(work).unchanged_at
        if work.stage == "reboot" and unchanged_at and self.clock.now() - unchanged_at <= _RECENT:
            text = "its boot id did not change"
            return self._ended(
                work, {"status": Status.FAILED.value, "rebooted": False, "error": error("not_rebooted", text)}
            )
        return self._ended(work, {"status": Status.UNKNOWN.value, "error": error("no_end", text)})

    def _check(self, node: str) -> None:
        """:raises PatchtideError: the machine can't be worked on now, as it says itself."""
        view = self._port(node).view(node)
        if is_arc(node):
            status = str((view.get("properties") or {}).get("status") or "")
            if status != "Connected":
                raise PatchtideError(
                    f"the server is not connected to Azure: its status is {words(status or 'unknown')}"
                )
            return
        power, ready = state_of(view)
        if power and power != "running":
            raise PatchtideError(f"the machine is {words(power)}")
        if ready is False:
            raise PatchtideError("the guest agent of the machine does not report")

    def _sent(self, work: Work, send: Callable[[], str]) -> str:
        """Send a request at most once, as soon as the service takes it. :raises Unknown: the answer was lost."""
        for number in range(_BUSY_TRIES):
            work.confirm()
            try:
                return send()
            except Lost as why:
                raise Unknown(str(why)) from why
            except Throttled as why:
                pause = max(why.seconds, 1.0)
                problem: ServiceError = why
            except ServiceError as why:
                if not is_busy(why):
                    raise
                pause, problem = float(_BUSY_SECONDS), why
            if number + 1 == _BUSY_TRIES or self.clock.now() + timedelta(seconds=pause) > work.deadline:
                raise problem
            self.clock.sleep(pause)
        raise AssertionError("unreachable")

    def _probe(self, work: Work, purpose: str, mode: str = "") -> str:
        """Begin the host probe under a name of this work; return the name."""
        node = work.nodes[0]
        mode = mode or purpose
        services = services_mode(mode, self.rules.thresholds) if purpose in ("precheck", "verify") else ""
        packages = packages_mode(mode) if mode in ("precheck", "verify") else ""
        script = probe_script(self._platform(node), services, str(self.rollout.plan["rollout"]), packages)
        name = command_name(work.token, purpose)
        work.confirm()
        self._port(node).run_script(node, str(self.rollout.nodes[node]["region"]), name, script, PROBE_SECONDS)
        return name

    def _answer(self, node: str, name: str) -> tuple[bool, str, str]:
        return script_answer(self._port(node), node, name)

    def _poll_precheck(self, work: Work, node: str) -> dict[str, Any] | None:
        ended, output, problem = self._answer(node, work.handle)
        if not ended:
            return None
        if problem and not output:
            finding = {"check": "probe", "ok": False, "text": words(problem)}
            return {"outcome": "skip", "findings": [finding], "facts": {}}
        return evaluate_probe(output, self.rules.thresholds, executor=self.row).to_dict()

    def _poll_install(self, work: Work, node: str) -> dict[str, Any] | None:
        """Wait for the end of the installation, then for what the machine shows of it."""
        seen = self._seen(work)
        if seen.run is None:
            run = self._run(work)
            if run is None or run.running:
                return None
            seen.run = run
        if not seen.script:
            seen.script = self._probe(work, "proof", "verify")
            return None
        ended, output, _problem = self._answer(node, seen.script)
        if not ended:
            return None
        return install_result(seen.run, self._planned(node), parse_probe(output), self._platform(node))

    def _poll_scan(self, work: Work, node: str) -> dict[str, Any] | None:
        run = self._run(work, patches=True)
        if run is None or run.running or (run.good and run.rows is None):
            return None
        pending = self.rollout.state.nodes[node].results.get("patch", {}).get("pending_reboot")
        rebooted = self.rollout.state.nodes[node].results.get("reboot", {}).get("rebooted")
        return scan_result(run, self._platform(node), self.rules.packages, bool(pending) and not rebooted)

    def _poll_verify(self, work: Work, node: str) -> dict[str, Any] | None:
        ended, output, _problem = self._answer(node, work.handle)
        return self._final(node, parse_probe(output)) if ended else None

    def _final(self, node: str, facts: Mapping[str, Any] | None) -> dict[str, Any]:
        planned = self.rollout.promotion(self.wave).node(node)
        done = self.rollout.state.nodes[node].results
        rule = planned.get("reboot_rule") or self.rollout.wave(self.wave)["reboot_rule"]
        return final_record(planned, done, facts, to_time(self.clock.now()), str(rule)).to_dict()

    def _restart(self, work: Work) -> str:
        node = work.nodes[0]
        if not self._boot_before(node):
            raise PatchtideError("its boot id before the restart is unknown, so that nothing could prove the restart")
        if is_arc(node):
            name = command_name(work.token, "restart")
            work.confirm()
            region, script = str(self.rollout.nodes[node]["region"]), restart_script(self._platform(node))
            try:
                self._port(node).run_script(node, region, name, script, PROBE_SECONDS, once=True)
            except Lost as why:
                raise Unknown(str(why)) from why
            return "restart"

        def send() -> str:
            self._port(node).restart(node)
            return ""

        self._sent(work, send)
        return "restart"

    def _is_restarting(self, work: Work) -> bool:
        """Return whether the script that restarts a server of Azure Arc was accepted."""
        node = work.nodes[0]
        return is_arc(node) and self._port(node).script(node, command_name(work.token, "restart")) is not None

    def _poll_restart(self, work: Work, node: str) -> dict[str, Any] | None:
        boots = self._has_rebooted(work)
        if not boots:
            return None
        if is_arc(node):
            with suppress(PatchtideError):
                self._port(node).forget_script(node, command_name(work.token, "restart"))
        return {"status": Status.SUCCEEDED.value, "rebooted": True, **boots}

    def _has_rebooted(self, work: Work) -> dict[str, str]:
        """Return both boot IDs once they differ. A call asks the machine, the next one takes its answer."""
        node, seen = work.nodes[0], self._seen(work)
        if not seen.script:
            seen.looks += 1
            seen.script = self._probe(work, f"boot{seen.looks}", "look")
            return {}
        ended, output, _problem = self._answer(node, seen.script)
        if not ended:
            return {}
        seen.script, now = "", (parse_probe(output) or {}).get("boot_id")
        before = self._boot_before(node)
        if isinstance(now, str) and now and before:
            if now != before:
                return {"boot_id_before": before, "boot_id_after": words(now, 200)}
            seen.unchanged_at = self.clock.now()
        return {}

    def _boot_before(self, node: str) -> str:
        """Return the boot ID after the installation, or else that of the pre-check."""
        done = self.rollout.state.nodes[node].results
        patched = (done.get("patch", {}).get("evidence") or {}).get("boot_id")
        return str(patched or (done.get("precheck", {}).get("facts") or {}).get("boot_id") or "")

    def _run(self, work: Work, *, patches: bool = False) -> Run | None:
        """Return this work's run as the service shows it now, ``None`` where it shows none that began with it."""
        node, kind, seen = work.nodes[0], _KINDS[work.stage], self._seen(work)
        port = self._port(node)
        if seen.url:
            try:
                body = port.operation(seen.url)
            except NotFound:
                seen.url = ""
            else:
                if body is None:
                    return None
                run = result(body, kind)
                if not patches or run.rows is not None or not run.good:
                    return run
        found = None
        if not is_arc(node) and not patches:
            found = summary(port.view(node), kind)
        else:
            found = port.runs([node], kind, patches).get(node.lower())
        return found if found is not None and found.is_ours(work.at) else None

    def _planned(self, node: str) -> list[Mapping[str, Any]]:
        """Return what to install; the policy may have excluded more patches since the plan was made."""
        rows = self.rollout.promotion(self.wave).node(node)["patches"]
        return [row for row in rows if not self.rules.packages.excludes(str(row["id"]))]

    def _platform(self, node: str) -> str:
        return str(self.rollout.nodes[node]["platform"])

    def _port(self, node: str) -> MachinePort:
        return self.ports(str(self.rollout.nodes[node]["account"]))

    def _seen(self, work: Work) -> _Seen:
        return self._known.setdefault(work.token, _Seen())

    def _ended(self, work: Work, result_of: Mapping[str, Any]) -> list[Result]:
        times = {"started_at": to_time(work.at), "ended_at": to_time(self.clock.now())}
        return [{"node_id": work.nodes[0], **({} if work.stage == "verify" else times), **result_of}]
