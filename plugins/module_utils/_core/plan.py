# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: a frozen list of what will happen, known by its digest. Nothing runs that is not in the plan."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from .calendars import Calendar, freeze_during, open_part
from .canonical import to_digest, without
from .errors import BadInput
from .exception_guard import ExceptionGuard
from .journal import from_time
from .schedule import Occurrence
from .waves import Candidate, assign, matches

SCHEMA = "patchtide/plan/1"
#: Packages whose update takes effect with a reboot only; Windows updates nearly always need one.
_REBOOT = re.compile(
    r"^(kernel|linux-(image|modules|azure|aws|generic)|glibc|libc6|systemd|dbus|openssl-libs|microcode)"
)


def reboot_forecast(platform: str, patch_names: Sequence[str], rule: str) -> str:
    """Say whether the node will reboot: ``yes``, ``no`` or ``unknown`` (the executor decides from the node's state)."""
    if rule == "never":
        return "no"
    if rule in ("always", "if_patched"):
        return "yes"
    if not patch_names:
        return "unknown"
    if platform == "windows" or any(_REBOOT.match(name.lower()) for name in patch_names):
        return "yes"
    return "unknown"


def exclusion(
    node: Candidate, scan: Mapping[str, Any] | None, policy: Mapping[str, Any], unscanned: str | None
) -> tuple[str, str] | None:
    """Return (code, reason) if the node is left out, before waves are formed.

    :param scan: the node's record in the scan.
    :param unscanned: why the scan has no record of it.
    """
    for rule in policy.get("exclude") or []:
        if matches(node, rule.get("select") or {}):
            return "policy", rule.get("reason") or "excluded by the policy"
    if not node.executor or (node.executor == "ssm" and not node.managed):
        return "unmanaged", "not a managed node: Systems Manager does not know it"
    if node.state and node.state not in ("running", "Online"):
        return "stopped", f"the instance is {node.state}"
    if node.executor == "ssm" and node.ping_status and node.ping_status != "Online":
        return "offline", f"its agent is not online ({node.ping_status})"
    if scan is None:
        return "not_scanned", unscanned or "the scan has no record of it"
    if scan["status"] not in ("succeeded", "no_op"):
        text = (scan.get("error") or {}).get("text") or scan["status"]
        return "scan_failed", f"its scan did not succeed: {text}"
    if _patch_count(scan) == 0 and not scan.get("pending_reboot"):
        return "nothing_to_install", "no approved patch is missing"
    return None


def _patch_count(scan: Mapping[str, Any]) -> int:
    listed = len(scan.get("missing") or ())
    counts = scan.get("counts") or {}
    return listed or int(counts.get("missing_count", 0)) + int(counts.get("failed_count", 0))


def build_plan(
    nodes: Sequence[Candidate],
    policy: Mapping[str, Any],
    scan: Mapping[str, Any],
    *,
    policy_digest: str,
    windows: Mapping[str, Mapping[str, str] | None],
    created_at: str,
    rehearsal: bool = False,
    guard: ExceptionGuard | None = None,
    calendars: Sequence[Calendar] = (),
) -> dict[str, Any]:
    """Freeze what will happen.

    :param policy: complete, as ``policy_info`` returns it.
    :param scan: the content of ``scan.json``.
    :param windows: by window name the occurrence ``{"name", "start", "end", "cutoff_at"}`` that the rollout uses.
    :param guard: exceptions. A node with one in force in a wave's window may be in a later wave, else it is left out.
    :param calendars: freezes. A wave whose window is frozen as a whole loses its nodes, in part it gets a note.
    :returns: the plan (docs/formats.md). Its digest leaves out ``created_at``, so the same world gives the same plan.
    """
    records = scan.get("nodes") or {}
    lost = {item["place"]: item["error"]["message"] for item in scan.get("failed_places") or []}
    eligible, excluded = [], []
    for node in sorted(nodes, key=lambda item: item.node_id):
        why = exclusion(node, records.get(node.node_id), policy, lost.get(f"{node.account}/{node.region}"))
        if why:
            excluded.append(_excluded(node, *why))
        else:
            eligible.append(node)
    spans = _spans(policy["waves"], windows, created_at) if guard or calendars else []
    held: dict[str, str] = {}
    taken, left = assign(eligible, policy["waves"], policy["name"], _allowed(guard, spans, held))
    excluded += [
        _excluded(node, "exception", held[node.node_id])
        if node.node_id in held
        else _excluded(node, "no_wave", "no wave of the policy selects it")
        for node in left
    ]
    notes: dict[int, str] = {}
    for index, (start, end) in enumerate(spans):
        note, closed = freeze_note(calendars, start, end)
        if closed:
            excluded += [_excluded(node, "freeze", note) for node in taken[index]]
            taken[index] = []
        if note:
            notes[index + 1] = note
    waves = [
        {
            **_wave(order, wave, members, policy, records, windows),
            **({"notes": [notes[order]]} if order in notes else {}),
        }
        for order, (wave, members) in enumerate(zip(policy["waves"], taken, strict=True), 1)
    ]
    return seal(
        {
            "schema": SCHEMA,
            "created_at": created_at,
            "rehearsal": rehearsal,
            "policy": {"name": policy["name"], "digest": policy_digest},
            "waves": waves,
            "excluded": sorted(excluded, key=lambda item: (item["code"], item["node_id"])),
            "totals": _totals(waves, excluded),
        }
    )


def wave_span(window: Mapping[str, str] | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the window's time, or this moment where a wave has none."""
    return (from_time(window["start"]), from_time(window["end"])) if window else (now, now + timedelta(minutes=1))


def _spans(
    waves: Sequence[Mapping[str, Any]], windows: Mapping[str, Mapping[str, str] | None], at: str
) -> list[tuple[datetime, datetime]]:
    return [wave_span(windows.get(wave.get("window") or ""), from_time(at)) for wave in waves]


def _allowed(
    guard: ExceptionGuard | None, spans: Sequence[tuple[datetime, datetime]], held: dict[str, str]
) -> Callable[[Candidate, int], bool]:
    """Return whether a wave may have a node; why not is noted in ``held``."""
    questions = [guard.during(start, end) for start, end in spans] if guard else []

    def allowed(node: Candidate, index: int) -> bool:
        why = questions[index](node) if questions else None
        if why:
            held.setdefault(node.node_id, why)
        return why is None

    return allowed


def freeze_note(calendars: Sequence[Calendar], start: datetime, end: datetime) -> tuple[str, bool]:
    """Return what freezes do to ``[start, end)`` ("" if nothing), and whether they take all of it."""
    if not calendars or not (freeze := freeze_during(calendars, start, end)).frozen:
        return "", False
    closed = open_part(calendars, Occurrence(start=start, end=end, cutoff_at=end)) is None
    return f"frozen {'as a whole' if closed else 'in part'}: {'; '.join(freeze.reasons)}", closed


def seal(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan with its digest and the rollout's name that follows from it."""
    digest = to_digest(without(plan, "digest", "rollout", "created_at"))
    return {**plan, "digest": digest, "rollout": digest[:12]}


def check_plan(plan: Mapping[str, Any]) -> None:
    """Check that a plan read from a file is whole and unchanged.

    :raises BadInput: it is not a plan, or was edited after its digest was made.
    """
    if plan.get("schema") != SCHEMA:
        raise BadInput("plan", plan.get("schema"), f"a plan of the schema {SCHEMA}")
    if seal(plan)["digest"] != plan.get("digest"):
        raise BadInput("plan", plan.get("digest"), "the digest of its content; the plan was changed after it was made")


def _wave(
    order: int,
    wave: Mapping[str, Any],
    members: Sequence[Candidate],
    policy: Mapping[str, Any],
    records: Mapping[str, Any],
    windows: Mapping[str, Mapping[str, str] | None],
) -> dict[str, Any]:
    rule = wave.get("reboot") or policy["reboot"]["rule"]
    minutes = policy["patching"]["expected_minutes"]
    window = windows.get(wave["window"]) if wave.get("window") else None
    return {
        "name": wave["name"],
        "order": order,
        "window": dict(window) if window else None,
        "gate": {**policy["gates"], **(wave.get("gate") or {})},
        "soak_minutes": wave.get("soak_minutes") or 0,
        "reboot_rule": rule,
        "nodes": [
            _node(node, records[node.node_id], _override(node, policy["reboot"]), rule, minutes) for node in members
        ],
    }


def _override(node: Candidate, reboot: Mapping[str, Any]) -> str | None:
    """Return the reboot rule that the policy gives this node, before its wave's."""
    overrides = reboot.get("overrides") or ()
    return next((str(item["rule"]) for item in overrides if matches(node, item["select"])), None)


def _node(
    node: Candidate, scan: Mapping[str, Any], own_rule: str | None, wave_rule: str, minutes: Mapping[str, int]
) -> dict[str, Any]:
    patches = [
        {key: patch.get(key, "") for key in ("id", "title", "severity", "classification")}
        for patch in scan.get("missing") or []
    ]
    return {
        **{
            key: getattr(node, key)
            for key in (
                "node_id",
                "host",
                "name",
                "executor",
                "platform",
                "os",
                "account",
                "region",
                "patch_group",
                "state",
            )
        },
        "tags": dict(node.tags),
        "patch_count": _patch_count(scan),
        "patches": patches,
        "counts_before": dict(scan.get("counts") or {}),
        **({"reboot_rule": own_rule} if own_rule else {}),
        "reboot": reboot_forecast(
            node.platform, [patch["title"] or patch["id"] for patch in patches], own_rule or wave_rule
        ),
        "expected_minutes": minutes.get(node.platform, minutes.get("linux", 15)),
    }


def _excluded(node: Candidate, code: str, reason: str) -> dict[str, str]:
    return {"node_id": node.node_id, "host": node.host, "name": node.name, "code": code, "reason": reason}


def _totals(waves: Sequence[Mapping[str, Any]], excluded: Sequence[object]) -> dict[str, int]:
    nodes = [node for wave in waves for node in wave["nodes"]]
    return {
        "nodes": len(nodes),
        "patches": sum(node["patch_count"] for node in nodes),
        "reboots": sum(node["reboot"] == "yes" for node in nodes),
        "excluded": len(excluded),
    }
