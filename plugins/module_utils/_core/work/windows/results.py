# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a scan and an install of a Windows host come to, from what the host shows. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ...model import Status
from ..final_record import error
from ..node_answer import words
from ..packages.listing import PackageRules
from .host_state import Entry, HostState
from .hresults import is_over_after_reboot, sentence
from .reboot_sources import reboot_need
from .selection import UpdateRules, to_kb
from .updates import Update, UpdatesAnswer

_SECURITY = frozenset({"security updates", "critical updates"})
#: Entries of each list that a result names.
_MOST = 50


def scan_result(answer: UpdatesAnswer, state: HostState, rules: PackageRules, updates: UpdateRules) -> dict[str, Any]:
    """Return what a search of all categories says, as a scan. Optional updates are none of its selection."""
    if answer.lost or answer.trouble:
        return {"status": Status.FAILED.value, "error": error("search_failed", to_text(answer))}
    need = reboot_need(state.reboot)
    pending = bool(need.pending) or answer.reboot_required
    waiting = _waiting(state) if pending else frozenset()
    wanted = (item for item in answer.selected if _is_wanted(item, rules, updates) and not waiting & set(item.kbs))
    found = sorted(wanted, key=lambda item: (item.name, item.title))  # win_updates has no order
    notes = [{"code": "reboot_source", "text": text} for text in need.doubts]
    return {
        "status": Status.SUCCEEDED.value,
        "missing": [item.to_patch() for item in found],
        "missing_after": [item.name for item in found],
        "failed": [],
        "notes": notes,
        "pending_reboot": pending,
        "reboot_reasons": list(need.reasons),
        "counts": {"missing_count": len(found), "failed_count": 0},
        **({"evidence": {"notes": notes}} if notes else {}),
    }


def _waiting(state: HostState) -> frozenset[str]:
    """Return the KBs that were installed since the boot: whether Windows still offers them until the reboot is not
    documented, and they are not missing."""
    return frozenset(row.kb for row in state.since(state.boot) if row.is_installed) if state.boot else frozenset()


def _is_wanted(update: Update, rules: PackageRules, updates: UpdateRules) -> bool:
    """Updates without a KB can be neither planned nor asked for."""
    if not update.kbs or updates.leave_out(update) or rules.excludes(update.name):
        return False
    return not rules.security_only or bool({item.lower() for item in update.categories} & _SECURITY)


def to_text(answer: UpdatesAnswer) -> str:
    """Return why a search or an install failed, with what helps."""
    known = sentence(answer.hresult) if answer.hresult is not None else ""
    return words("; ".join(part for part in (known, answer.trouble) if part) or "no answer", 500)


def install_result(
    state: HostState, planned: Iterable[str], answer: UpdatesAnswer | None, *, stopped: bool = False
) -> dict[str, Any]:
    """Return what an install that no longer runs came to.

    The history of the host since the claim counts; the answer of win_updates adds what was offered.

    :param planned: what was to be installed. :param answer: ``None`` if this controller did not see the end.
    :param stopped: it was stopped at its limit.
    """
    if state.history is None or state.claim.since is None:
        return {"status": Status.UNKNOWN.value, "error": error("no_proof", "the host does not show its update history")}
    rows = state.since(state.claim.since)
    wanted = list(dict.fromkeys(to_kb(item) for item in planned))
    last = {kb: next((row for row in rows if row.kb == kb), None) for kb in wanted}
    installed = [kb for kb, row in last.items() if row and row.is_installed]
    failed = {kb: row for kb, row in last.items() if row and row.result in (4, 5)}
    before = _installed_before(state, wanted)
    left = [kb for kb in wanted if kb not in installed and kb not in failed and kb not in before]
    withdrawn = [kb for kb in left if answer and not answer.lost and answer.offered and not _is_offered(kb, answer)]
    left = [kb for kb in left if kb not in withdrawn]
    status, why = _judge(failed, left, installed, answer, stopped=stopped)
    return {
        "status": status.value,
        "installed": installed,
        "failed": list(failed),
        "withdrawn": withdrawn,
        "after_reboot": [kb for kb, row in failed.items() if is_over_after_reboot(row.hresult)],
        "pending_reboot": bool(reboot_need(state.reboot).pending),
        "evidence": _evidence(rows, failed, left, wanted, state),
        **({"error": why} if why else {}),
    }


def _judge(
    failed: Mapping[str, Entry],
    left: Sequence[str],
    installed: Sequence[str],
    answer: UpdatesAnswer | None,
    *,
    stopped: bool,
) -> tuple[Status, dict[str, str] | None]:
    if failed:
        return Status.FAILED, error("install_failed", "; ".join(_failures(failed)[:5]))
    names = ", ".join(left[:5])
    if left and stopped:
        return Status.TIMED_OUT, error("not_begun", f"its time was over before these were installed: {names}")
    if left and answer and answer.trouble and not answer.lost:
        return Status.FAILED, error("install_failed", f"not installed: {names}: {to_text(answer)}")
    if left:
        return Status.UNKNOWN, error("no_end", f"the host's history does not show how these ended: {names}")
    return (Status.SUCCEEDED if installed else Status.NO_OP), None


def _failures(failed: Mapping[str, Entry]) -> list[str]:
    return [f"{kb}: {sentence(row.hresult) if row.hresult else row.title}" for kb, row in failed.items()]


def _installed_before(state: HostState, wanted: Sequence[str]) -> list[str]:
    """Return planned KBs that the host had before: a later uninstall counts."""
    newest = {kb: next((row for row in state.history or () if row.kb == kb), None) for kb in wanted}
    return [kb for kb, row in newest.items() if row and row.is_installed]


def _is_offered(kb: str, answer: UpdatesAnswer) -> bool:
    return any(kb in item.kbs for item in answer.offered)


def _evidence(
    rows: Sequence[Entry], failed: Mapping[str, Entry], left: Sequence[str], wanted: Sequence[str], state: HostState
) -> dict[str, Any]:
    need = reboot_need(state.reboot)
    others = [row.kb or row.title for row in rows if row.is_installed and row.kb not in wanted]
    found: Mapping[str, Any] = {
        "failed": dict(zip(failed, _failures(failed), strict=True)),
        "not_begun": list(left[:_MOST]),
        "unplanned": list(dict.fromkeys(others))[:_MOST],
        "reboot_reasons": list(need.reasons),
        "notes": list(need.doubts),
    }
    return {key: value for key, value in found.items() if value}
