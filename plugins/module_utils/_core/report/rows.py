# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One row of a report: everything that is told about one node, from plan, journal and scan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from ..executors import NOT_SERVED
from ..model import Status, place_label
from ..nodes import PLANNED, TAGGED
from ..plan.exclude import TROUBLE
from ..rollout.catch_up import is_missed
from ..stamp import from_time
from ..tags import TagKeys
from .story import NodeStory

NOT_STARTED = "not_started"
UNFINISHED = "unfinished"
MISSED = "missed"
EXCLUDED = "excluded"
SCANNED = "scanned"
LABELS: Mapping[str, str] = {
    Status.SUCCEEDED.value: "patched",
    Status.NO_OP.value: "up to date",
    Status.FAILED.value: "failed",
    Status.UNREACHABLE.value: "unreachable",
    Status.TIMED_OUT.value: "timed out",
    Status.CANCELLED.value: "cancelled",
    Status.UNKNOWN.value: "unknown",
    Status.REBOOT_PENDING.value: "reboot pending",
    Status.SKIPPED.value: "skipped",
    MISSED: "missed",
    UNFINISHED: "unfinished",
    NOT_STARTED: "not started",
    NOT_SERVED: "not served",
    EXCLUDED: "excluded",
    SCANNED: "scanned",
}
"""Every status a row can have, in the order in which reports list them."""
TONES: Mapping[str, str] = {
    **{status.value: "bad" for status in Status if status.is_failure},
    Status.SUCCEEDED.value: "good",
    Status.NO_OP.value: "good",
    Status.SKIPPED.value: "held",
    Status.UNKNOWN.value: "unknown",
    Status.REBOOT_PENDING.value: "pending",
    MISSED: "held",
    UNFINISHED: "unknown",
    NOT_SERVED: "unknown",
}
"""How a status is shown: ``good``, ``bad``, ``unknown`` (as urgent as bad), ``pending``, ``held``; else ``idle``."""
_NOT_GOOD = ("bad", "unknown")
COMPLIANT, NON_COMPLIANT, UNKNOWN = "compliant", "non_compliant", "unknown"
SEVERITIES = ("critical", "important", "high", "medium", "low", "informational", "unspecified")
_LOOKED_AT = (Status.SUCCEEDED.value, Status.NO_OP.value)
_BAD_COUNTS: Mapping[str, str] = {
    "missing_count": "missing",
    "failed_count": "failed",
    "held_count": "on hold",
    "installed_pending_reboot_count": "pending reboot",
    "installed_rejected_count": "installed but rejected",
}
_NO_SEVERITY = ("", "none", "unclassified")


@dataclass(slots=True, kw_only=True)
class Row:
    """One node of the report. Patch lists hold ids; ``None`` means "not known", never "no".

    ``open_points`` says in words why the node is not compliant afterwards.
    """

    node_id: str
    host: str = ""
    name: str = ""
    wave: str = ""
    wave_order: int = 0
    executor: str = ""
    account: str = ""
    region: str = ""
    platform: str = ""
    os: str = ""
    patch_group: str = ""
    owner: str = ""
    application: str = ""
    environment: str = ""
    status: str = NOT_STARTED
    code: str = ""
    reason: str = ""
    planned: int = 0
    installed: list[str] = field(default_factory=list)
    severities: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    missing_before: int | None = None
    missing_after: int | None = None
    compliance_before: str = UNKNOWN
    compliance_after: str = UNKNOWN
    open_points: str = ""
    pending_reboot: bool | None = None
    rebooted: bool | None = None
    boot_id_changed: bool | None = None
    kernel_before: str = ""
    kernel_after: str = ""
    started_at: str = ""
    ended_at: str = ""
    minutes: float | None = None
    proof: str = ""
    changes: list[dict[str, str]] = field(default_factory=list)
    differences: list[dict[str, str]] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)
    evidence: dict[str, Any] = field(default_factory=dict)

    @property
    def tone(self) -> str:
        if self.status == EXCLUDED and self.code in TROUBLE:
            return "unknown"
        return TONES.get(self.status, "idle")

    @property
    def label(self) -> str:
        return LABELS.get(self.status, self.status)

    @property
    def title(self) -> str:
        """The name people know the node by."""
        return self.name or self.host or self.node_id

    @property
    def place(self) -> str:
        return place_label(self.account, self.region)

    @property
    def needs_attention(self) -> bool:
        """Whether a person must look: it went wrong, was held, or is not compliant though patched or merely scanned."""
        if self.status == SCANNED:
            return self.compliance_before != COMPLIANT
        return self.tone not in ("good", "idle") or (self.tone == "good" and self.compliance_after != COMPLIANT)

    @property
    def in_rollout(self) -> bool:
        return self.status not in (EXCLUDED, SCANNED, NOT_SERVED)


#: Members that a row takes from its node as they are.
_SHOWN = tuple(item.name for item in fields(Row) if item.name in PLANNED and item.name != "node_id")


def to_row(
    node_id: str,
    known: Mapping[str, Any],
    story: NodeStory | None,
    scan: Mapping[str, Any] | None,
    tags: TagKeys,
) -> Row:
    """Return the row of a node.

    :param known: the plan's or exclusion's entry, or ``{}``.
    :param story: what the journal says, ``None`` if it never names the node.
    :param scan: the node's record of the scan before, ``None`` if it was not scanned.
    """
    result = story.result if story else {}
    sources = (known, result, scan or {})
    row = Row(node_id=node_id, planned=_int(known.get("patch_count")) or 0)
    for name in _SHOWN:
        setattr(row, name, first(name, *sources))
    node_tags = known.get("tags") or (scan or {}).get("tags") or {}
    for name in TAGGED:
        setattr(row, name, first(name, known, {name: node_tags.get(getattr(tags, name))}))
    _fill_before(row, scan)
    row.missing_after, row.compliance_after = row.missing_before, row.compliance_before
    if story:
        _fill_story(row, story)
        row.severities = severities_of(row.installed, known, scan)
    return row


def _fill_before(row: Row, scan: Mapping[str, Any] | None) -> None:
    if scan is None:
        return
    missing = scan.get("missing") or ()
    counts = scan.get("counts") or {}
    row.missing_before = len(missing) if missing or _is_measured(scan) else _int(counts.get("missing_count"))
    row.compliance_before = _compliance(scan, row.missing_before)
    row.open_points = open_points(scan, row.missing_before)
    row.kernel_before = row.kernel_after = first("kernel_after", scan) or first("kernel_before", scan)
    row.pending_reboot = scan.get("pending_reboot")


def _fill_story(row: Row, story: NodeStory) -> None:
    result = story.result
    row.wave = story.wave
    row.findings, row.evidence = story.findings, story.evidence
    row.status, row.code, row.reason = _outcome(story)
    row.installed = list(result.get("installed") or ())
    row.failed = list(result.get("failed") or ())
    row.missing = list(result.get("missing_after") or ())
    row.proof = str(result.get("proof") or "")
    row.changes, row.differences = list(result.get("changes") or ()), list(result.get("differences") or ())
    if row.status not in (Status.SKIPPED.value, MISSED, NOT_STARTED):
        row.started_at, row.ended_at = first("started_at", result) or story.begun_at, first("ended_at", result)
        row.minutes = minutes_between(row.started_at, row.ended_at)
    row.rebooted = result.get("rebooted")
    row.kernel_before = first("kernel_before", result) or row.kernel_before
    row.kernel_after = first("kernel_after", result) or row.kernel_before
    before, after = result.get("boot_id_before"), result.get("boot_id_after")
    row.boot_id_changed = before != after if before and after else None
    if row.status in (Status.SKIPPED.value, MISSED, NOT_STARTED):
        return
    if result.get("pending_reboot") is not None or row.tone in _NOT_GOOD:
        row.pending_reboot = result.get("pending_reboot")
    row.missing_after = _missing_after(row.status, result)
    row.compliance_after = _compliance({**result, "status": row.status}, row.missing_after)
    row.open_points = open_points(result, row.missing_after)


def _outcome(story: NodeStory) -> tuple[str, str, str]:
    """Return status, error code and reason. A result that a later stage should have judged is "unfinished"."""
    result = story.result
    error = result.get("error") or {}
    status = str(result.get("status") or "")
    if status != Status.REBOOT_PENDING.value and is_missed(result):  # that one was patched
        return MISSED, str(error["code"]), str(error["text"])
    if story.held:
        text = first("text", error) or "; ".join(story.findings)
        return Status.SKIPPED.value, str(error.get("code") or "precheck"), text or "skipped by the pre-check"
    if status and (story.decided or TONES.get(status) in _NOT_GOOD):
        return status, str(error.get("code") or ""), str(error.get("text") or "")
    if story.stage in ("", "precheck"):
        return NOT_STARTED, "", ""
    return UNFINISHED, "", f"the journal ends in stage {story.stage}; the outcome is not recorded"


def _missing_after(status: str, result: Mapping[str, Any]) -> int | None:
    counts = result.get("counts") or {}
    counted = _int(counts.get("missing_count"))
    if counted is not None:
        return counted
    if result.get("missing_after") or status in _LOOKED_AT:
        return len(result.get("missing_after") or ())
    return None


def _compliance(record: Mapping[str, Any], missing: int | None) -> str:
    """Judge a record by its state. Without evidence of a state it is "unknown", never "compliant"."""
    if open_points(record, missing):
        return NON_COMPLIANT
    return COMPLIANT if missing is not None and _is_measured(record) else UNKNOWN


def open_points(record: Mapping[str, Any], missing: int | None) -> str:
    """Return what keeps a node from being compliant, such as ``3 missing, 1 installed but rejected``."""
    counts = {name: _int(value) or 0 for name, value in (record.get("counts") or {}).items()}
    counts["missing_count"] = missing or counts.get("missing_count", 0)
    counts["failed_count"] = counts.get("failed_count", 0) or len(record.get("failed") or ())
    parts = [f"{counts[name]} {text}" for name, text in _BAD_COUNTS.items() if counts.get(name)]
    if record.get("pending_reboot") and not counts.get("installed_pending_reboot_count"):
        parts.append("a reboot is pending")
    return ", ".join(parts)


def _is_measured(record: Mapping[str, Any]) -> bool:
    """A failed scan also lists no missing patches; only counts prove that a failed node was looked at."""
    status = str(record.get("status"))
    counted = _int((record.get("counts") or {}).get("missing_count")) is not None
    return status in _LOOKED_AT or (status == Status.FAILED.value and counted)


def severities_of(ids: list[str], known: Mapping[str, Any], scan: Mapping[str, Any] | None) -> dict[str, int]:
    """Count patch ids by severity, as the scan or else the plan knows it; most severe first."""
    named = {str(patch.get("id")): patch for patch in known.get("patches") or ()}
    named.update({str(patch.get("id")): patch for patch in (scan or {}).get("missing") or ()})
    return count_severities(named.get(item, {}) for item in ids)


def count_severities(patches: Any) -> dict[str, int]:
    """Count patches by severity, most severe first."""
    counts: dict[str, int] = {}
    for patch in patches:
        name = severity_of(patch)
        counts[name] = counts.get(name, 0) + 1
    return in_severity_order(counts)


def severity_of(patch: Mapping[str, Any]) -> str:
    """Return the severity in lower case: words for "none" become "unspecified", Red Hat's "moderate" "medium"."""
    name = str(patch.get("severity") or "").lower()
    return "unspecified" if name in _NO_SEVERITY else "medium" if name == "moderate" else name


def in_severity_order(counts: Mapping[str, int]) -> dict[str, int]:
    def rank(name: str) -> tuple[int, str]:
        return (SEVERITIES.index(name) if name in SEVERITIES else len(SEVERITIES), name)

    return {name: counts[name] for name in sorted(counts, key=rank)}


def first(name: str, *sources: Mapping[str, Any]) -> str:
    """Return the first source's text under ``name`` that is not empty, or ""."""
    for source in sources:
        value = source.get(name)
        if value not in (None, "", [], {}):
            return str(value)
    return ""


def minutes_between(start: str, end: str) -> float | None:
    """Return minutes with one decimal; ``None`` where a time is missing or is none."""
    begun, ended = moment(start), moment(end)
    if begun is None or ended is None:
        return None
    return round((ended - begun).total_seconds() / 60, 1)


def moment(text: str | None) -> datetime | None:
    """Read an ISO 8601 time; naive ones are UTC's, what is no time is ``None``."""
    if not text:
        return None
    try:
        found = from_time(text)
        return found if found.tzinfo else from_time(text + "+00:00")
    except ValueError:
        return None


def _int(value: object) -> int | None:
    return int(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None
