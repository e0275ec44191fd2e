# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated machine of Azure: what Update Manager, Run Command and the power calls do to it."""

from __future__ import annotations

import fnmatch
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from lab.aws.catalogue import OperatingSystem, Patch
from lab.aws.clock import to_iso
from lab.aws.ledger import Ledger
from lab.aws.node import Node
from lab.aws.simulation import Simulation

from .answers import Refused
from .estate import MachineSpec

#: "Update Manager reserves 10 minutes for reboots and starts nothing with less than 25 minutes left" for windows of
#: maintenance configurations (Microsoft Learn, "About Azure Update Manager", maintenance window). The Linux extension
#: keeps 15 minutes for a reboot and 5 for each package (LinuxPatchExtension, Constants.py).
REBOOT_RESERVE, PACKAGE_RESERVE = timedelta(minutes=15), timedelta(minutes=5)
#: Classes of updates by the catalogue's classification: of Linux (Critical, Security, Other) and of Windows.
_WINDOWS = {
    "SecurityUpdates": "Security",
    "CriticalUpdates": "Critical",
    "UpdateRollups": "UpdateRollUp",
    "DefinitionUpdates": "Definition",
    "ServicePacks": "ServicePack",
    "FeaturePacks": "FeaturePack",
    "Tools": "Tools",
    "Updates": "Updates",
}


@dataclass(slots=True)
class Operation:
    """A long-running operation, as its URL shows it."""

    operation_id: str
    kind: str
    started: datetime
    done: bool = False
    body: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    #: ends when it was asked for so often, whatever the clock says; 0 for those that end by the clock
    at_look: int = 0
    then: Callable[[], None] = lambda: None


@dataclass(slots=True)
class RunCommand:
    """A managed run command of a machine."""

    name: str
    script: str
    timeout: int
    state: str = "Pending"
    exit_code: int | None = None
    output: str = ""
    error: str = ""
    started: datetime | None = None
    ended: datetime | None = None
    data: dict[str, Any] = field(default_factory=dict)


class Machine:
    """The state of a machine. All calls run under the world's lock, at the simulation's now."""

    def __init__(self, spec: MachineSpec, system: OperatingSystem, sim: Simulation, ledger: Ledger) -> None:
        self.spec, self.sim, self.ledger = spec, sim, ledger
        self.node = Node(spec.node, system, sim, ledger)
        self.faults: dict[str, Any] = dict(spec.faults)
        self.resource_id = spec.node.node_id
        self.patch_mode, self.bypass, self.hotpatch = spec.patch_mode, spec.bypass, spec.hotpatch
        self.assessment_mode, self.reboot_setting = "ImageDefault", ""
        self.assessment: dict[str, Any] | None = None
        self.installation: dict[str, Any] | None = None
        self.patches: dict[str, list[dict[str, Any]]] = {}
        self.running: Operation | None = None
        self.commands: dict[str, RunCommand] = {}
        #: deallocated, and not only shut down
        self.deallocated = spec.node.stopped
        if spec.assessed is not None:
            began = sim.now - timedelta(hours=spec.assessed)
            self._assessed(Operation(str(uuid.uuid5(uuid.NAMESPACE_URL, spec.node.node_id)), "assessPatches", began))

    def set_patching(self, settings: Mapping[str, Any]) -> None:
        """Change the settings of patching; members that are missing keep their value."""
        mode = settings.get("patchMode", self.patch_mode)
        hotpatch = settings.get("enableHotpatching", self.hotpatch)
        given = settings.get("automaticByPlatformSettings") or {}
        bypass = given.get("bypassPlatformSafetyChecksOnUserSchedule", self.bypass)
        if given and mode != "AutomaticByPlatform":
            raise Refused(400, "InvalidParameter", "automaticByPlatformSettings needs patchMode AutomaticByPlatform.")
        if hotpatch and (mode != "AutomaticByPlatform" or bypass):
            text = "Hotpatching needs patchMode AutomaticByPlatform without bypassPlatformSafetyChecksOnUserSchedule."
            raise Refused(400, "InvalidParameter", text)
        self.patch_mode, self.hotpatch = mode, hotpatch
        self.bypass = bypass if mode == "AutomaticByPlatform" else False
        self.assessment_mode = settings.get("assessmentMode", self.assessment_mode)
        self.reboot_setting = given.get("rebootSetting", self.reboot_setting)

    @property
    def power(self) -> str:
        """The code of the power state, without ``PowerState/``."""
        state = self.node.power
        if state == "stopped":
            return "deallocated" if self.deallocated else "stopped"
        if state == "stopping":
            return "deallocating" if self.deallocated else "stopping"
        return {"pending": "starting"}.get(state, state)

    @property
    def is_arc(self) -> bool:
        return self.spec.kind == "arc"

    @property
    def arc_status(self) -> str:
        return self.faults["arc_status"] or ("Connected" if self.node.ping_status == "Online" else "Disconnected")

    @property
    def agent_answers(self) -> bool:
        return self.node.answers and not self.faults["agent_down"]

    def offered(self) -> list[Patch]:
        """Updates that are missing and on offer now; on Linux the candidate of each package alone, which is its newest
        version (LinuxPatchExtension, AptitudePackageManager.py: apt-get -s dist-upgrade)."""
        found: dict[str, Patch] = {}
        for item in sorted(self.node.system.updates, key=lambda item: item.released):
            held = self.node.installed.get(item.patch_id)
            is_newer = held is None or held.patch.released < item.released
            if is_newer and item.offered(self.sim.now) and not item.dependency:
                found[item.patch_id] = item
        return [item for item in self.node.system.updates if found.get(item.patch_id) is item]

    def classes(self, patch: Patch) -> list[str]:
        if self.node.is_windows:
            return [_WINDOWS.get(patch.classification, "Updates")]
        return ["Security" if patch.is_security else "Other"]

    def assess(self, operation: Operation) -> None:
        """Look for updates: about a minute."""
        self.running = operation
        self.assessment = {"status": "InProgress", "id": operation.operation_id, "start": self.sim.now}
        self.sim.after(self.node.seconds(30, 90, f"assess {operation.operation_id}"), self._assessed, operation)

    def _assessed(self, operation: Operation) -> None:
        rows = [self._available(item, operation) for item in self.offered()]
        failed = bool(self.node.faults["repos_down"])
        security = sum("Security" in row["classifications"] or "Critical" in row["classifications"] for row in rows)
        self.assessment = {
            "status": "Failed" if failed else "Succeeded",
            "id": operation.operation_id,
            "start": operation.started,
            "end": self.sim.now,
            "security": 0 if failed else security,
            "other": 0 if failed else len(rows) - security,
            "rows": [] if failed else rows,
            "error": _error("PACKAGE_MANAGER_FAILURE", "The package repositories did not answer.") if failed else None,
        }
        self._end(operation, self.assessment_body())

    def assessment_body(self) -> dict[str, Any]:
        """VirtualMachineAssessPatchesResult, or MachineAssessPatchesResult, which has counts instead of patches."""
        found = self.assessment or {}
        body: dict[str, Any] = {
            "status": found.get("status", "Unknown"),
            "assessmentActivityId": found.get("id"),
            "rebootPending": self.node.pending_reboot,
            "startDateTime": to_iso(found["start"]) if found else None,
        }
        rows = found.get("rows", [])
        if self.is_arc:
            counts = dict.fromkeys(("security", "critical", "definition", "updateRollup", "featurePack"), 0)
            counts.update(dict.fromkeys(("servicePack", "tools", "updates", "other"), 0))
            for row in rows:
                name = row["classifications"][0]
                counts[name[0].lower() + name[1:].replace("RollUp", "Rollup")] += 1
            service = "WU" if self.node.is_windows else {"apt": "APT"}.get(self._manager, self._manager.upper())
            return {
                **body,
                "availablePatchCountByClassification": counts,
                "lastModifiedDateTime": to_iso(found.get("end") or found["start"]),
                "startedBy": "User",
                "patchServiceUsed": service,
                "osType": self.node.system.platform,
                "errorDetails": found.get("error"),
            }
        return {
            **body,
            "criticalAndSecurityPatchCount": found.get("security", 0),
            "otherPatchCount": found.get("other", 0),
            "availablePatches": rows,
            "error": found.get("error"),
        }

    @property
    def _manager(self) -> str:
        system = self.node.system.baseline_os
        return "apt" if system in ("UBUNTU", "DEBIAN") else "Zypper" if system == "SUSE" else "yum"

    def _available(self, patch: Patch, operation: Operation) -> dict[str, Any]:
        windows = self.node.is_windows
        return {
            "patchId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{patch.patch_id} {patch.version}")),
            "name": patch.title if windows else patch.name,
            "version": "" if windows else patch.version,
            "kbId": patch.name.removeprefix("KB") if windows else None,
            "classifications": self.classes(patch),
            "rebootBehavior": "CanRequestReboot" if patch.needs_reboot else "NeverReboots" if windows else "Unknown",
            "activityId": operation.operation_id,
            "publishedDate": to_iso(patch.released) if windows else None,
            "lastModifiedDateTime": to_iso(self.sim.now),
            "assessmentState": "Available",
        }

    def install(self, operation: Operation, wanted: Mapping[str, Any], seconds: float) -> None:
        """Install what the request selects, one update after the other, while time is left."""
        self.running = operation
        found = self.offered()
        self.installation = {
            "status": "InProgress",
            "id": operation.operation_id,
            "start": self.sim.now,
            "run": str((wanted.get("linuxParameters") or {}).get("maintenanceRunId") or ""),
            "rows": {},
            "exceeded": False,
            "reboot": "NotNeeded",
        }
        facts = {"account": self.spec.node.account, "region": self.spec.node.region, "executor": "azure"}
        self.installation["ledger"] = self.ledger.install_begins(self.node, facts, self.sim.now)
        selected = []
        for item in found:
            state = select(self, item, wanted)
            self.installation["rows"][item.patch_id] = (item, state)
            if state == "Pending":
                selected.append(item)
        end = self.sim.now + timedelta(seconds=seconds)
        if self.faults["stuck"]:
            self.sim.after(seconds, self._cut, operation)
        else:
            self.sim.after(20, self._next, operation, selected, end, wanted["rebootSetting"])

    def _cut(self, operation: Operation) -> None:
        """End a run that hangs with its duration, the only thing that does: there is no call that cancels it."""
        assert self.installation is not None
        self.installation["exceeded"] = True
        self._installed(operation, "Never", failed=True)

    def _next(self, operation: Operation, left: list[Patch], end: datetime, reboot: str) -> None:
        assert self.installation is not None
        if self.running is not operation:
            return
        reserve = PACKAGE_RESERVE + (REBOOT_RESERVE if reboot != "Never" else timedelta(0))
        if left and self.sim.now + reserve > end:
            self.installation["exceeded"], left = True, []
        if not left or self.node.faults["repos_down"] or not self.node.is_up:
            self._installed(operation, reboot)
            return
        patch, *rest = left
        for item in self.node.system.updates:
            if item.name in patch.needs and item.patch_id not in self.node.installed:
                self.node.install(item, awaits_reboot=item.needs_reboot)
        good = self.node.install(patch, awaits_reboot=patch.needs_reboot)
        self.installation["rows"][patch.patch_id] = (patch, "Installed" if good else "Failed")
        self.sim.after(self.node.seconds(10, 40, patch.patch_id), self._next, operation, rest, end, reboot)

    def _installed(self, operation: Operation, reboot: str, *, failed: bool = False) -> None:
        found = self.installation
        assert found is not None
        states = [state for _patch, state in found["rows"].values()]
        needs = self.node.pending_reboot
        found["reboot"] = "Required" if needs and reboot == "Never" else "NotNeeded"
        found["end"] = self.sim.now
        failed = failed or "Failed" in states or bool(self.node.faults["repos_down"])
        # With Never and a pending reboot the run ends with warnings (LinuxPatchExtension, PatchInstaller.py).
        warned = found["exceeded"] or found["reboot"] == "Required"
        found["status"] = "Failed" if failed else "CompletedWithWarnings" if warned else "Succeeded"
        found["error"] = _error("OPERATION_FAILED", "Updates could not be installed.") if failed else None
        self.ledger.install_ends(found["ledger"], found["status"], self.sim.now)
        if needs and reboot in ("Always", "IfRequired"):
            found["reboot"] = "Started"
            self.node.reboot(lambda: self._rebooted(operation))
            return
        self._end(operation, self.installation_body())

    def _rebooted(self, operation: Operation) -> None:
        assert self.installation is not None
        self.installation["reboot"] = "Completed"
        self._end(operation, self.installation_body())

    def installation_body(self) -> dict[str, Any]:
        """VirtualMachineInstallPatchesResult, or MachineInstallPatchesResult, which has counts alone."""
        found = self.installation or {}
        counts = self.counts()
        body = {
            "status": found["status"],
            "installationActivityId": found["id"],
            "rebootStatus": found["reboot"],
            "maintenanceWindowExceeded": found["exceeded"],
            **counts,
            "startDateTime": to_iso(found["start"]),
        }
        if self.is_arc:
            return {
                **body,
                "lastModifiedDateTime": to_iso(found.get("end") or found["start"]),
                "startedBy": "User",
                "patchServiceUsed": "WU" if self.node.is_windows else "APT",
                "osType": self.node.system.platform,
                "errorDetails": found.get("error"),
            }
        return {**body, "patches": self.installed_rows(), "error": found.get("error")}

    def counts(self) -> dict[str, int]:
        states = [state for _patch, state in (self.installation or {}).get("rows", {}).values()]
        return {
            f"{name[0].lower()}{name[1:]}PatchCount": states.count(name)
            for name in ("Excluded", "NotSelected", "Pending", "Installed", "Failed")
        }

    def installed_rows(self) -> list[dict[str, Any]]:
        windows = self.node.is_windows
        return [
            {
                "patchId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{patch.patch_id} {patch.version}")),
                "name": patch.title if windows else patch.name,
                "version": "" if windows else patch.version,
                "kbId": patch.name.removeprefix("KB") if windows else None,
                "classifications": self.classes(patch),
                "installationState": state,
            }
            for patch, state in (self.installation or {}).get("rows", {}).values()
        ]

    def _end(self, operation: Operation, body: dict[str, Any]) -> None:
        operation.done, operation.body = True, body
        if self.running is operation:
            self.running = None

    def power_call(self, verb: str, operation: Operation) -> None:
        """start, restart, powerOff or deallocate."""
        if verb == "restart":
            self.node.reboot(lambda: self._end(operation, {}))
            return
        if verb == "start":
            self.deallocated = False
            self.node.start()
        else:
            self.deallocated = verb == "deallocate"
            self.node.stop()
        self.sim.after(40, self._end, operation, {})

    def run(self, command: RunCommand, act: Callable[[Machine, RunCommand], None]) -> None:
        """Begin a managed run command; it waits for an agent that does not answer until its time is over."""
        self.commands[command.name] = command
        self.sim.after(8, self._deliver, command, act, self.sim.now + timedelta(seconds=command.timeout))

    def _deliver(self, command: RunCommand, act: Callable[[Machine, RunCommand], None], until: datetime) -> None:
        if not self.agent_answers:
            if self.sim.now >= until:
                command.state, command.ended = "TimedOut", self.sim.now
            else:
                self.sim.after(15, self._deliver, command, act, until)
            return
        command.state, command.started = "Running", self.sim.now
        act(self, command)


def select(machine: Machine, patch: Patch, wanted: Mapping[str, Any]) -> str:
    """Return ``Pending`` for an update that the request selects, else ``Excluded`` or ``NotSelected``.

    Masks of Linux are ``name`` or ``name=version`` with * and ? (LinuxPatchExtension, PackageFilter.py: fnmatch; a
    version counts for includes only). Those of Windows are numbers of KBs without the letters.
    """
    if machine.node.is_windows:
        given = wanted.get("windowsParameters") or {}
        number = patch.name.removeprefix("KB")
        if number in (given.get("kbNumbersToExclude") or ()):
            return "Excluded"
        if given.get("excludeKbsRequiringReboot") and patch.needs_reboot:
            return "Excluded"
        if number in (given.get("kbNumbersToInclude") or ()):
            return "Pending"
    else:
        given = wanted.get("linuxParameters") or {}
        if any(fnmatch.fnmatchcase(patch.name, mask) for mask in given.get("packageNameMasksToExclude") or ()):
            return "Excluded"
        full = f"{patch.name}={patch.version}"
        masks = given.get("packageNameMasksToInclude") or ()
        if any(fnmatch.fnmatchcase(full if "=" in mask else patch.name, mask) for mask in masks):
            return "Pending"
    chosen = given.get("classificationsToInclude") or ()
    return "Pending" if set(chosen) & set(machine.classes(patch)) else "NotSelected"


def _error(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "message": message, "details": [{"code": code, "message": message}]}
