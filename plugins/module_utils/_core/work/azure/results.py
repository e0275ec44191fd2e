# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stages on machines of Azure come to, from what the service says and what the machine shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...model import Status
from ..final_record import error
from ..packages.listing import PackageRules
from ..packages_changed import is_patch, read_changes
from .runs import Run, install_status, missing

#: Rows of changed packages that a result keeps.
_CHANGES = 500


def scan_result(run: Run, platform: str, rules: PackageRules, pending: bool | None) -> dict[str, Any]:
    """Return what an assessment says. :param pending: whether a reboot is pending, as far as another source knows."""
    if not run.good:
        return {"status": Status.FAILED.value, "error": error("assessment_failed", run.error or run.status)}
    if run.rows is None:
        why = error("no_patches", "the assessment ended, and the service shows no list of its patches")
        return {"status": Status.UNKNOWN.value, "error": why}
    found = missing(run, platform, rules)
    reboot = run.reboot_pending if run.reboot_pending is not None else pending
    return {
        "status": Status.SUCCEEDED.value,
        "missing": found,
        "missing_after": [row["id"] for row in found],
        "failed": [],
        "pending_reboot": bool(reboot),
        "counts": {"missing_count": len(found), "failed_count": 0},
        "evidence": {"activity_id": run.activity_id},
    }


def install_result(
    run: Run, patches: Sequence[Mapping[str, Any]], facts: Mapping[str, Any] | None, platform: str
) -> dict[str, Any]:
    """Return what an installation that ended came to.

    :param patches: the plan's, that it was asked for. :param facts: the host probe's document after it, ``None`` if the
        machine did not answer: then nobody knows.
    """
    seen = read_changes(facts)
    evidence = {**run.to_evidence(), **({"boot_id": facts["boot_id"]} if facts and facts.get("boot_id") else {})}
    more: dict[str, Any] = {"evidence": evidence, "pending_reboot": bool((facts or {}).get("pending_reboot"))}
    if run.reboot_pending:
        more["pending_reboot"] = True
    if seen is None:
        text = "the installation ended, and the machine does not show what it brought in"
        return {
            **more,
            "status": Status.UNKNOWN.value,
            "error": error("no_proof", f"{text}; {run.error or run.status}"),
        }
    changes, whole = seen
    by_title = platform != "windows"
    here = [
        str(row["id"])
        for row in patches
        if any(is_patch(item, str(row["id"]), str(row.get("title") or ""), by_title=by_title) for item in changes)
    ]
    absent = [str(row["id"]) for row in patches if str(row["id"]) not in here]
    more.update(installed=here, changes=[item.to_dict() for item in changes[:_CHANGES]], changes_total=len(changes))
    said = install_status(run)
    if said is Status.UNKNOWN:
        return {**more, "status": said.value, "error": error("no_end", f"its status is {run.status}")}
    if absent and not whole:
        text = "the machine's list of changed packages is cut, so not all planned ones can be found in it"
        return {**more, "status": Status.UNKNOWN.value, "error": error("cut_proof", text)}
    if absent and (said is Status.FAILED or run.counts.get("failedPatchCount", 0)):
        text = run.error or f"not installed: {', '.join(absent[:5])}"
        return {**more, "status": Status.FAILED.value, "failed": absent, "error": error("install_failed", text)}
    if absent and run.exceeded:
        text = f"its time was over before {len(absent)} of the updates were begun"
        return {**more, "status": Status.TIMED_OUT.value, "error": error("not_begun", text)}
    if said is Status.FAILED:
        return {**more, "status": Status.FAILED.value, "error": error("install_failed", run.error or run.status)}
    return {**more, "status": (Status.SUCCEEDED if changes else Status.NO_OP).value}
