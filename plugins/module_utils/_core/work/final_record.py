# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Final records: determined by a node's state after the work, whatever the exit codes were."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..lists.planned import is_pinned
from ..model import NodeResult, Status
from ..nodes import IDENTITY
from .node_answer import words
from .proof import MOST, Proof, Row, prove


def error(code: str, text: str) -> dict[str, str]:
    """Return the ``error`` member of a record."""
    return {"code": words(code, 100), "text": words(text)}


def is_pending(counts: Mapping[str, int]) -> bool:
    """Return whether patches wait for a reboot."""
    return counts.get("installed_pending_reboot_count", 0) > 0


def must_reboot(rule: str, *, pending: bool, patched: bool) -> bool:
    """Apply a reboot rule: ``never``, ``if_required``, ``always`` or ``if_patched``."""
    return {"never": False, "always": True, "if_patched": patched, "if_required": pending}[rule]


def held_record(node: Mapping[str, Any], precheck: Mapping[str, Any], at: str) -> NodeResult:
    """Return the final record of a node that the pre-check skipped: it was never changed."""
    failing = [item for item in precheck.get("findings", []) if not item["ok"]]
    code = f"precheck_{failing[0]['check']}" if failing else "precheck"
    text = "; ".join(str(item["text"]) for item in failing) or "held by the pre-check"
    return NodeResult(**_identity(node), status=Status.SKIPPED, started_at=at, ended_at=at, error=error(code, text))


def lost_record(node: Mapping[str, Any], status: Status, code: str, text: str, at: str) -> NodeResult:
    """Return the final record of a node that was lost on the way."""
    return NodeResult(**_identity(node), status=status, ended_at=at, error=error(code, text))


def final_record(
    node: Mapping[str, Any],
    results: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Any] | None,
    at: str,
    reboot_rule: str = "if_required",
    listed: Iterable[Row] = (),
) -> NodeResult:
    """Return the node's final record from the results of its stages and its present facts.

    :param node: the plan's node; its patches are what was missing before.
    :param results: stage to result, as in the journal.
    :param facts: the probe's document after the work; ``None`` if the node did not answer.
    :param listed: IDs and titles of the node's list.
    """
    before = results.get("precheck", {}).get("facts") or {}
    patch, scan, reboot = (results.get(stage, {}) for stage in ("patch", "scan", "reboot"))
    after = facts or {}
    counts = scan.get("counts") or patch.get("counts") or {}
    missing, failed = tuple(scan.get("missing_after") or ()), tuple(scan.get("failed") or patch.get("failed") or ())
    seen = Status(scan["status"]).is_good if scan else False  # else it is unknown which are installed
    proof = prove(node, results, facts, listed) if seen else Proof(source="")
    installed = (
        tuple(item for item in proof.installed if item not in failed) if seen else tuple(patch.get("installed") or ())
    )
    pending = bool(scan.get("pending_reboot", is_pending(counts)) or after.get("pending_reboot"))
    record = {
        **_identity(node),
        "started_at": patch.get("started_at") or scan.get("started_at"),
        "ended_at": at,
        "installed": installed,
        "failed": failed,
        "missing_after": missing,
        "pending_reboot": pending,
        "rebooted": bool(reboot.get("rebooted")) or _came_back(reboot, before, after),
        "boot_id_before": _text(before.get("boot_id")),
        "boot_id_after": _text(after.get("boot_id")),
        "kernel_before": _text(before.get("kernel")),
        "kernel_after": _text(after.get("kernel")),
        "counts": counts,
        "proof": proof.source,
        "changes": tuple(proof.changes),
        "differences": tuple(proof.differences[:MOST]),
        "differences_total": len(proof.differences),
        "evidence": {stage: results[stage]["evidence"] for stage in results if results[stage].get("evidence")},
    }
    down = _services_down(after)
    if down:
        record["evidence"] = {**record["evidence"], "verify": {"services_down": down}}
    required = down if before.get("services") != "record" else []
    rejected = _more_rejected(node, counts)
    by_plan = node.get("patches") or is_pinned(node) or node.get("deferred")
    open_planned = proof.missing if by_plan else list(missing)
    if counts.get("missing_count", 0) > len(missing):
        open_planned = [*missing, "patches that it did not name"]
    status, why = _judge(record, results, facts, reboot_rule, _down_text(required, after), open_planned, rejected)
    return NodeResult(**record, status=status, error=why)


def _more_rejected(node: Mapping[str, Any], counts: Mapping[str, int]) -> int:
    """Return by how many the installed rejected patches have increased since before the work."""
    before = int((node.get("counts_before") or {}).get("installed_rejected_count", 0))
    return max(0, counts.get("installed_rejected_count", 0) - before)


def _text(value: object) -> str | None:
    """Return a fact as text; a node may answer anything."""
    return words(value, 200) if isinstance(value, str) else None


def _came_back(reboot: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether a reboot with an unknown outcome happened: the node has another boot ID."""
    old, new = before.get("boot_id"), after.get("boot_id")
    return reboot.get("status") == Status.UNKNOWN.value and bool(old and new and old != new)


def _services_down(facts: Mapping[str, Any]) -> list[str]:
    """Return the services that ran before the work and do not run now, as far as the probe names them."""
    found = facts.get("services_down")
    return [words(name, 80) for name in found[:20]] if isinstance(found, list) else []


def _down_text(names: Sequence[str], facts: Mapping[str, Any]) -> str:
    """Return the sentence about services that are down, ``""`` if none has to run."""
    if not names:
        return ""
    total = facts.get("services_down_total")
    more = total - len(names) if isinstance(total, int) else 0
    return f"services that ran before do not run: {', '.join(names)}" + (f" and {more} more" if more > 0 else "")


def _judge(
    record: Mapping[str, Any],
    results: Mapping[str, Mapping[str, Any]],
    facts: Mapping[str, Any] | None,
    rule: str,
    down: str,
    missing: Sequence[str],
    rejected: int,
) -> tuple[Status, dict[str, str] | None]:
    """
    :param down: the sentence about services that have to run and do not. :param missing: what is planned and still
        missing; what was approved since does not count. :param rejected: patches that came in though they are rejected.
    """
    patch, scan, reboot = (results.get(stage, {}) for stage in ("patch", "scan", "reboot"))
    if unsettled := unsettled_install(patch, scan):
        return Status.UNKNOWN, unsettled
    for stage, result in (("patch", patch), ("scan", scan)):
        status = Status(result.get("status", Status.FAILED.value)) if result else None
        if status in (Status.UNREACHABLE, Status.CANCELLED, Status.SKIPPED) or (
            stage == "scan" and status and not status.is_good
        ):
            return status, dict(result.get("error") or error(f"{stage}_{status.value}", f"{stage}: {status.value}"))
    if not scan or facts is None:
        return Status.UNKNOWN, error("not_verified", "the node's state after the work could not be read")
    lost = reboot.get("status") == Status.UNKNOWN.value
    # how the install ended was not known, so that no reboot followed; the scan says what it left behind
    not_begun = not reboot and patch.get("status") == Status.UNKNOWN.value and record["pending_reboot"]
    put_off = reboot.get("status") == Status.REBOOT_PENDING.value or (not_begun and rule != "never")
    checks = (
        (record["counts"].get("failed_count", 0) or record["failed"], "patch_failed", "patches failed to install"),
        (missing, "still_missing", "patches are still missing"),
        (rejected, "installed_rejected", f"patches that the baseline rejects were installed ({rejected})"),
        (
            not put_off and not lost and reboot.get("status") not in (None, "succeeded", "no_op"),
            "reboot_failed",
            "the reboot did not succeed",
        ),
        (
            record["rebooted"] and record["boot_id_before"] == record["boot_id_after"],
            "not_rebooted",
            "its boot id did not change",
        ),
        (down, "services_down", down),
        (
            record["pending_reboot"] and rule != "never" and not put_off and not (lost and not record["rebooted"]),
            "pending_reboot",
            "a reboot is still pending",
        ),
    )
    for bad, code, text in checks:
        if bad and code == "services_down":
            return Status.FAILED, error(code, text)
        if bad:
            names = ", ".join(list(dict.fromkeys((*record["failed"], *missing)))[:5])
            detail = (patch.get("error") or reboot.get("error") or {}).get("text", "")
            said = ": ".join(part for part in (text, names, detail) if part)
            return Status.FAILED, error(code, f"{said}; {down}" if down else said)
    if lost and not record["rebooted"]:
        return Status.UNKNOWN, dict(reboot.get("error") or error("reboot_unknown", "nobody knows how its reboot ended"))
    if put_off:
        return Status.REBOOT_PENDING, dict(reboot.get("error") or error("reboot_pending", "its reboot was put off"))
    return (Status.SUCCEEDED if record["installed"] or record["rebooted"] else Status.NO_OP), None


def unsettled_install(patch: Mapping[str, Any], scan: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the error of an install whose end nobody knows, and which the scan after it could not settle."""
    if patch.get("status") != Status.UNKNOWN.value or not scan or Status(scan["status"]).is_good:
        return None
    why, then = (result.get("error") or {} for result in (patch, scan))
    text = f"how its install ended is unknown: {why.get('text') or 'no answer'}"
    return error(str(why.get("code") or "no_end"), f"{text}; the scan after it: {then.get('text') or scan['status']}")


def _identity(node: Mapping[str, Any]) -> dict[str, Any]:
    return {name: node.get(name) or None for name in IDENTITY} | {
        "node_id": node["node_id"],
        "executor": node["executor"],
    }
