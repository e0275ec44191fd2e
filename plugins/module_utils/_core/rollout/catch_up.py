# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Missed nodes: planned, but never changed for an external reason. They are listed for the next plan.

A missed node's final record is ``skipped`` with a code that begins with ``missed_``: it was never changed, so it is
not a failure. The gate pauses a wave with too many of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..model import NodeResult, Status, place_label
from ..nodes import NAMED
from ..work.final_record import held_record, lost_record, unsettled_install
from ..work.ssm.statuses import NEVER_BEGAN, NOT_VALID, REFUSED
from .state import LOST, Rollout, final_results

SCHEMA = "patchtide/catch-up/1"
PREFIX = "missed_"
#: Status details of a command that never arrived (SSM user guide, "Understanding command statuses").
_UNDELIVERED = frozenset({"Undeliverable", NEVER_BEGAN})
#: Text for a command that the service, or the place, refused: nothing ran.
_REFUSED = {REFUSED: "refused", NOT_VALID: "gone"}
#: Nodes that other rules skipped, and that may be patched another day.
_LATER = frozenset({"freeze", "executor_fault"})


def lost_after(node: Mapping[str, Any], stage: str, result: Mapping[str, Any], at: str) -> NodeResult:
    """Return the final record of a node that was lost at a stage; it is missed if nothing had been changed on it."""
    why = result.get("error") or {}
    status, code = Status(result["status"]), str(why.get("code") or f"{stage}_{result['status']}")
    untouched = stage in ("precheck", "patch") and not result.get("ran_before")
    if code in _UNDELIVERED and untouched:
        status, code = Status.SKIPPED, f"{PREFIX}{'offline' if stage == 'precheck' else 'undeliverable'}"
    elif code in _REFUSED and untouched:
        status, code = Status.SKIPPED, f"{PREFIX}{_REFUSED[code]}"
    return lost_record(node, status, code, str(why.get("text") or result["status"]), at)


def final_without_look(node: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]], at: str) -> NodeResult | None:
    """Return the final record of a node that its pre-check refused or that was lost at a stage.

    :param results: stage to result so far. :returns: ``None`` if the node itself must be checked.
    """
    precheck = results.get("precheck", {})
    if precheck.get("outcome") == "skip" and not precheck.get("status"):
        return held_record(node, precheck, at)
    if unsettled := unsettled_install(results.get("patch", {}), results.get("scan", {})):
        return lost_record(node, Status.UNKNOWN, unsettled["code"], unsettled["text"], at)
    for stage in ("precheck", "patch", "reboot", "scan"):
        if results.get(stage, {}).get("status") in LOST:
            return lost_after(node, stage, results[stage], at)
    return None


def _code(record: Mapping[str, Any]) -> str:
    return str((record.get("error") or {}).get("code") or "")


def is_missed(record: Mapping[str, Any]) -> bool:
    """Return whether a final record is that of a missed node."""
    status, code = record.get("status"), _code(record)
    later = status == Status.SKIPPED.value and (code.startswith(PREFIX) or code in _LATER)
    return later or status == Status.REBOOT_PENDING.value


def refused_places(state: Rollout) -> list[str]:
    """Return the account-Regions that refused work and whose nodes were missed for that reason."""
    missed = [state.planned[row["node_id"]] for row in final_results(state) if _code(row) == f"{PREFIX}refused"]
    return sorted({place_label(node["account"], node["region"]) for node in missed})


def catch_up(state: Rollout, at: str) -> dict[str, Any]:
    """Return the list of missed nodes, ``catch_up.json``.

    :returns: ``schema``, ``rollout``, ``at`` and ``nodes``: ``node_id, host, name, wave, code, reason`` of each.
    """
    nodes = [
        {
            **{name: state.planned[record["node_id"]][name] for name in NAMED},
            "wave": state.nodes[record["node_id"]].wave,
            "code": record["error"]["code"],
            "reason": record["error"]["text"],
        }
        for record in final_results(state)
        if is_missed(record)
    ]
    return {"schema": SCHEMA, "rollout": state.plan["rollout"], "at": at, "nodes": nodes}
