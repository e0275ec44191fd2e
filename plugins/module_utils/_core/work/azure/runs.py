# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what Azure says of assessments and installations: bodies, instance views, rows of Resource Graph. Pure.

Members are those of Microsoft.Compute 2024-07-01 and Microsoft.HybridCompute 2022-12-27. A summary names the start
``startTime``, a result ``startDateTime``. Counts alone prove nothing: what came in is what the machine itself shows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from ...model import Status
from ...stamp import from_time
from ..node_answer import BadAnswer, words
from ..packages.listing import PackageRules

#: States of a run that has not ended; NotStarted stands in rows of Resource Graph alone.
_RUNNING = frozenset({"InProgress", "NotStarted"})
_ENDED = frozenset({"Succeeded", "CompletedWithWarnings", "Failed"})
#: Rows of patches that are read of one machine.
MOST = 5000
_COUNTS = (
    "installedPatchCount",
    "failedPatchCount",
    "pendingPatchCount",
    "notSelectedPatchCount",
    "excludedPatchCount",
)
#: The controller's clock and the service's differ by less, or no rollout begins.
_SKEW = timedelta(minutes=2)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d{1,12})?(Z|[+-]\d\d:\d\d)?")
_SECURITY = frozenset({"security", "critical", "security updates", "critical updates"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One assessment or installation. ``rows`` are its patches, ``None`` where the source has none.

    :param running: it has not ended. :param status: the service's word. :param reboot_pending: ``None`` if unknown.
    """

    activity_id: str
    status: str
    started_at: datetime
    running: bool
    exceeded: bool = False
    reboot_pending: bool | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    rows: tuple[Mapping[str, Any], ...] | None = None

    @property
    def good(self) -> bool:
        return self.status in ("Succeeded", "CompletedWithWarnings")

    def is_ours(self, begun: datetime) -> bool:
        """Tell whether it began with the request that was sent at ``begun``. There is no token that would."""
        return self.started_at >= begun - _SKEW

    def to_evidence(self) -> dict[str, Any]:
        """Return what a record keeps of it."""
        found = {"activity_id": self.activity_id, "status": self.status, **self.counts}
        return {**found, "window_exceeded": True} if self.exceeded else found


def summary(view: Mapping[str, Any], kind: str) -> Run | None:
    """Return the last run that an instance view tells of. It is absent until the patch extension ran once.

    :param kind: ``assessment`` or ``installation``. :raises BadAnswer: it makes no sense.
    """
    name = "availablePatchSummary" if kind == "assessment" else "lastPatchInstallationSummary"
    found = _mapping(_mapping(view.get("patchStatus")).get(name))
    return _run(found, found.get("startTime"), kind) if found else None


def result(body: Mapping[str, Any], kind: str) -> Run:
    """Return the run that the body of a finished operation describes. :raises BadAnswer: it makes no sense."""
    run = _run(body, body.get("startDateTime"), kind)
    rows = body.get("availablePatches") if kind == "assessment" else body.get("patches")
    return _with(run, rows) if isinstance(rows, Sequence) and not isinstance(rows, str) else run


def graph_runs(rows: Iterable[Mapping[str, Any]], kind: str) -> dict[str, Run]:
    """Return the newest run of each machine, by its ID in lower case, from rows of Resource Graph with their patches.

    Rows of patches are ``{machine}/patch…Results/{run}/softwarePatches/{number}``. What makes no sense is left out.
    """
    word = "/patchassessmentresults/" if kind == "assessment" else "/patchinstallationresults/"
    runs: dict[str, tuple[str, Run]] = {}
    patches: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        machine, _word, rest = str(row.get("id") or "").lower().partition(word)
        run_id, _slash, patch = rest.partition("/")
        data = _mapping(row.get("properties"))
        if patch:
            patches.setdefault(f"{machine} {run_id}", []).append(data)
            continue
        try:
            run = _run(
                {**data, "installationActivityId": data.get("installationActivityId") or run_id},
                data.get("startDateTime"),
                kind,
            )
        except BadAnswer:
            continue
        if machine not in runs or run.started_at > runs[machine][1].started_at:
            runs[machine] = run_id, run
    return {machine: _with(run, patches.get(f"{machine} {run_id}", ())) for machine, (run_id, run) in runs.items()}


def missing(run: Run, platform: str, rules: PackageRules) -> list[dict[str, Any]]:
    """Return the patches of an assessment as the scan has them; what the policy excludes is left out.

    On Linux the ID is the name of the package, and the title has the version; on Windows the ID is the KB. Some
    distributions have no classes of updates (LinuxPatchExtension issues 67, 318).
    """
    found = []
    for row in (run.rows or ())[:MOST]:
        name, version = _text(row, "patchName", "name"), _text(row, "version")
        classes = [str(item) for item in row.get("classifications") or () if isinstance(item, str)]
        security = any(item.lower() in _SECURITY for item in classes)
        if rules.security_only and not security:
            continue
        if platform == "windows":
            number = _text(row, "kbId")
            # Some updates have no number (AzureUpdateManagerTools issue 4): they can be neither pinned nor asked for.
            key, title = (f"KB{number}" if number else ""), name
        else:
            key, title = name, f"{name}:{version}"
        if not key or rules.excludes(key):
            continue
        more = {"classification": words(", ".join(classes), 100), "severity": "", "state": "MISSING", "cve_ids": []}
        found.append({"id": words(key, 200), "title": words(title, 300), **more})
    return found


def state_of(view: Mapping[str, Any]) -> tuple[str, bool | None]:
    """Return the power code of an instance view (``running``), and whether the guest agent is ready.

    ``""`` and ``None`` where it does not say: PowerState may be missing (azure-sdk-for-python issue 3406).
    """
    codes = [str(item.get("code") or "") for item in _rows(view.get("statuses"))]
    power = next((code.partition("/")[2] for code in codes if code.startswith("PowerState/")), "")
    agent = _rows(_mapping(view.get("vmAgent")).get("statuses"))
    ready = any(str(item.get("displayStatus")) == "Ready" for item in agent) if agent else None
    return power, ready


def install_status(run: Run | None) -> Status:
    """Return what an installation came to by the service's own word alone."""
    if run is None or run.status not in _ENDED:
        return Status.UNKNOWN
    return Status.SUCCEEDED if run.good else Status.FAILED


def _run(data: Mapping[str, Any], started: object, kind: str) -> Run:
    status = _text(data, "status")
    if status not in _RUNNING | _ENDED:
        raise BadAnswer(f"the {kind} has the status {words(status, 40)!r}")
    activity = _text(data, "assessmentActivityId" if kind == "assessment" else "installationActivityId")
    return Run(
        activity_id=words(activity, 100),
        status=status,
        started_at=_time(started, kind),
        running=status in _RUNNING,
        exceeded=data.get("maintenanceWindowExceeded") is True,
        reboot_pending=_reboot(data),
        counts={name: _count(data[name]) for name in _COUNTS if data.get(name) is not None},
        error=_error(data),
    )


def _with(run: Run, rows: Iterable[Any]) -> Run:
    return replace(run, rows=tuple(row for row in rows if isinstance(row, Mapping)))


def _reboot(data: Mapping[str, Any]) -> bool | None:
    if isinstance(data.get("rebootPending"), bool):
        return bool(data["rebootPending"])
    said = data.get("rebootStatus")
    return {"Required": True, "NotNeeded": False, "Completed": False}.get(str(said)) if said else None


def _error(data: Mapping[str, Any]) -> str:
    found = _mapping(data.get("error") or data.get("errorDetails"))
    first = next(iter(_rows(found.get("details"))), {})
    text = _text(found, "message") or _text(first, "message")
    code = _text(found, "code") or _text(first, "code")
    return words(": ".join(part for part in (code, text) if part), 300)


def _time(value: object, kind: str) -> datetime:
    """Read a time, whose fraction has seven digits; one without a zone is UTC."""
    found = _TIME.fullmatch(str(value or ""))
    try:
        if not found:
            raise ValueError
        return from_time(f"{found[1]}{(found[2] or 'Z').replace('Z', '+00:00')}")
    except ValueError as why:
        raise BadAnswer(f"the {kind} began at {words(value, 40)!r}, expected a time") from why


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
        raise BadAnswer(f"a number of patches is {words(value, 40)!r}")
    return value


def _text(data: Mapping[str, Any], *names: str) -> str:
    return next((str(data[name]) for name in names if data.get(name)), "")


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, (list, tuple)) else []
