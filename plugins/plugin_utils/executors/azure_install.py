# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Installs chosen updates on machines of Azure outside of rollouts: assessed, chosen, sent once, followed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from ...module_utils._azure.errors import Lost
from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import NotFound, PatchtideError
from ...module_utils._core.model import Status
from ...module_utils._core.work.azure.ports import MachinePort
from ...module_utils._core.work.azure.requests import install_body
from ...module_utils._core.work.azure.runs import Run, install_status, result
from ...module_utils._core.work.final_record import error
from .azure_scan import Assessments

#: How long after its duration an installation may take to show its end.
_LATE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which missing updates are installed: those of a class, and those whose package or KB matches a pattern.

    :param reboot: ``Never``, ``IfRequired`` or ``Always``. :param seconds: the maximum duration.
    """

    classifications: tuple[str, ...]
    include: tuple[str, ...]
    reboot: str
    seconds: int

    def of(self, missing: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Return the chosen updates."""
        wanted = {name.casefold() for name in self.classifications}
        return [
            row
            for row in missing
            if wanted & {name.strip().casefold() for name in str(row["classification"]).split(",")}
            or any(fnmatchcase(str(row["id"]), pattern) for pattern in self.include)
        ]


@dataclass(slots=True)
class _Begun:
    url: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Installations:
    """:param assessments: reads what is missing, with the port and the clock that are used here as well.
    :param predict: only says what would be installed.
    """

    assessments: Assessments
    choice: Choice
    predict: bool

    def run(self, nodes: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Return a result for each machine; see the module ``azure_vm_patch`` for its members."""
        rows = [self._chosen(row) for row in self.assessments.run(nodes)]
        if self.predict:
            return rows
        platforms = {node["node_id"]: node["platform"] for node in nodes}
        begun: dict[str, _Begun] = {}
        for row in rows:
            if row["selected"]:
                begun |= self._begin(row, platforms[row["node_id"]])
        self._follow({row["node_id"]: row for row in rows}, begun)
        return rows

    def _chosen(self, scan: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a machine lacks, and what of it is chosen; nothing of one that could not be assessed."""
        base = {"node_id": scan["node_id"], "changed": False, "missing": [], "selected": []}
        if scan["status"] != Status.SUCCEEDED.value:
            return {**base, "status": scan["status"], "error": scan["error"]}
        chosen = self.choice.of(scan["missing"])
        more = {"missing": scan["missing"], "selected": chosen, "changed": bool(chosen)}
        return {**base, **more, "status": (Status.SUCCEEDED if chosen else Status.NO_OP).value}

    def _begin(self, row: dict[str, Any], platform: str) -> dict[str, _Begun]:
        at = self._clock.now()
        try:
            body = {**install_body(platform, row["selected"], self.choice.seconds), "rebootSetting": self.choice.reboot}
            return {row["node_id"]: _Begun(self._port.install(row["node_id"], body), at)}
        except Lost:
            return {row["node_id"]: _Begun("", at)}  # it may have begun; its last run tells
        except PatchtideError as why:
            row.update(changed=False, status=Status.FAILED.value, error=error(why.code, str(why)))
            return {}

    def _follow(self, rows: Mapping[str, dict[str, Any]], begun: dict[str, _Begun]) -> None:
        """Wait for the end of all installations, and note it."""
        until = self._clock.now() + timedelta(seconds=self.choice.seconds) + _LATE
        while begun and self._clock.now() < until:
            self._clock.sleep(self.assessments.poll_seconds)
            for node_id in list(begun):
                run = self._run(node_id, begun[node_id])
                if run is not None and not run.running:
                    _note(rows[node_id], run)
                    del begun[node_id]
            self.assessments.say(f"{len(begun)} installations have not ended")
        for node_id in begun:
            text = "nobody knows whether it began or how it ended: read its last installation in Azure"
            rows[node_id].update(status=Status.UNKNOWN.value, error=error("no_end", text))

    def _run(self, node_id: str, begun: _Begun) -> Run | None:
        if begun.url:
            try:
                body = self._port.operation(begun.url)
                return result(body, "installation") if body is not None else None
            except NotFound:
                begun.url = ""
            except PatchtideError:
                return None  # asked again
        try:
            run = self._port.runs([node_id], "installation", False).get(node_id.lower())
        except PatchtideError:
            return None
        return run if run is not None and run.is_ours(begun.at) else None

    @property
    def _port(self) -> MachinePort:
        return self.assessments.port

    @property
    def _clock(self) -> Clock:
        return self.assessments.clock


def _note(row: dict[str, Any], run: Run) -> None:
    """Note what an installation came to. Without counts nobody knows whether it changed something."""
    installed = run.counts.get("installedPatchCount")
    row.update(
        status=install_status(run).value,
        changed=installed is None or installed > 0,
        counts=dict(run.counts),
        activity_id=run.activity_id,
        pending_reboot=run.reboot_pending,
    )
    if not run.good:
        row["error"] = error("install_failed", run.error or run.status)
