# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scan and an install of a directly reached host come to, as results of their stages. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model import Status
from ..detached import Look
from ..final_record import error
from ..node_answer import words
from ..trouble import to_cause
from .listing import Listing, PackageRules
from .proof import Proof, read_proof
from .reboot_need import reconcile

#: Rows of changed packages that a result keeps; their number is always told.
CHANGES = 500
#: Exit codes of ``timeout`` where its limit struck.
_LIMIT = (124, 137)


def scan_result(
    listing: Listing, reboot: Sequence[str], rules: PackageRules, *, rebooted: bool = False
) -> dict[str, Any]:
    """Return what a scan says.

    :param reboot: what the host's sources say about a reboot. :param rebooted: it has just been rebooted, with nothing
        installed since.
    """
    if rules.security_only and listing.security_unknown:
        return {"status": Status.FAILED.value, "error": error("no_security_metadata", listing.security_unknown)}
    need = reconcile(reboot, rebooted=rebooted)
    broken = [words(patch_id, 300) for patch_id in listing.broken]
    notes = [note.to_dict() for note in listing.notes]
    notes += [{"code": "broken", "text": words(f"{key} is {state}", 300)} for key, state in listing.broken.items()]
    notes += [{"code": "reboot_source", "text": words(text, 300)} for text in need.doubts]
    if listing.removals:
        notes.append({"code": "removals", "text": words(f"packages are removed: {', '.join(listing.removals)}", 300)})
    return {
        "status": Status.SUCCEEDED.value,
        "missing": [patch.to_dict() for patch in listing.patches],
        "missing_after": [patch.id for patch in listing.patches],
        "failed": broken,
        "held": [item.to_dict() for item in listing.held],
        "notes": notes,
        "kernels": dict(listing.kernels),
        "forecast": listing.forecast.to_dict(),
        "pending_reboot": bool(need.pending),
        "reboot_reasons": list(need.reasons),
        "counts": {
            "missing_count": len(listing.patches),
            "failed_count": len(broken),
            "held_count": len(listing.held),
        },
        "manager": listing.manager,
    }


def install_result(found: Look, patch_ids: Sequence[str]) -> dict[str, Any]:
    """Return what an install that no longer runs came to, from what the host proves.

    :param found: the last look. :param patch_ids: what was to be installed.
    """
    try:
        proof = read_proof(found.proof, patch_ids)
    except Exception as why:  # a proof that makes no sense proves nothing
        return {"status": Status.UNKNOWN.value, "error": error("no_proof", f"{words(why, 300)}; {_end(found)}")}
    status, problem = _judge(proof, found)
    return {
        "status": status.value,
        "installed": list(proof.installed),
        "failed": list(proof.failed),
        "withdrawn": list(proof.withdrawn),
        "absent": [key for key, (why, _text) in proof.held.items() if why == "absent"],
        "pending_reboot": bool(proof.reboot.pending),
        "changes": [item.to_dict() for item in proof.changes[:CHANGES]],
        "changes_total": len(proof.changes),
        "brought": [f"{item.name}.{item.arch}:{item.new}" for item in proof.brought[:CHANGES]],
        "evidence": _evidence(proof, patch_ids),
        **({"error": problem} if problem else {}),
    }


def _evidence(proof: Proof, patch_ids: Sequence[str]) -> dict[str, Any]:
    """Return what a reader of the record wants to know besides the outcome."""
    found: Mapping[str, Any] = {
        "failed": {key: words(text, 500) for key, text in list(proof.failed.items())[:50]},
        "held": {key: text for key, (_why, text) in list(proof.held.items())[:50]},
        "not_begun": list(proof.left[:50]),
        "removed": list(proof.removed[:50]),
        "unplanned": [f"{item.name}.{item.arch}:{item.new}" for item in proof.unplanned(patch_ids)[:50]],
        "reboot_reasons": list(proof.reboot.reasons),
        "notes": list(proof.notes[:20]),
        "differences": dict(proof.differences),
    }
    return {key: value for key, value in found.items() if value}


def _judge(proof: Proof, found: Look) -> tuple[Status, dict[str, str] | None]:
    if proof.stopped:
        return Status.FAILED, error(*proof.stopped)
    if proof.failed:
        text = "; ".join(f"{key}: {why}" for key, why in list(proof.failed.items())[:5])
        more = f" (and {len(proof.failed) - 5} more)" if len(proof.failed) > 5 else ""
        return _ended_by_limit(found) or Status.FAILED, error("install_failed", f"{text}{more}")
    if found.rc in _LIMIT:
        return Status.TIMED_OUT, error("TimedOut", f"the install was ended at its limit{_during(proof)}; {_end(found)}")
    if proof.unknown or (not proof.is_whole and not proof.left):
        return Status.UNKNOWN, error("no_end", f"nobody knows how the install ended{_during(proof)}; {_end(found)}")
    if proof.left:
        text = f"its time was over before {len(proof.left)} of the updates were begun"
        return Status.TIMED_OUT, error("not_begun", text)
    if proof.broken:
        return Status.FAILED, error("broken_database", f"the package database is broken: {proof.broken}")
    kept = {key: text for key, (why, text) in proof.held.items() if why not in ("downgrade", "absent")}
    if kept:
        text = "; ".join(f"{key}: {why}" for key, why in list(kept.items())[:5])
        return Status.FAILED, error("held", f"updates were not installed: {text}")
    return (Status.SUCCEEDED if proof.changes else Status.NO_OP), None


def _during(proof: Proof) -> str:
    """Name what an interrupted step was to install."""
    names = ", ".join(proof.interrupted[:5])
    return f" while it installed {names}" if names else ""


def _ended_by_limit(found: Look) -> Status | None:
    return Status.TIMED_OUT if found.rc in _LIMIT else None


def _end(found: Look) -> str:
    """Return exit code and last words of both streams."""
    code = f"exit code {found.rc}: " if found.rc is not None else ""
    return f"{code}{to_cause((*found.err.splitlines(), *found.out.splitlines()))}"
