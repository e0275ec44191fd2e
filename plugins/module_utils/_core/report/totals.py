# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sums over the rows of a report: compliance, groups, patches, reboots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..lists.per_object import PerObject
from .rows import (
    COMPLIANT,
    LABELS,
    NON_COMPLIANT,
    SEVERITIES,
    UNKNOWN,
    Row,
    in_severity_order,
    severity_of,
)

DIMENSIONS: Mapping[str, Callable[[Row], str]] = {
    "executor": lambda row: row.executor,
    "platform": lambda row: row.os or row.platform,
    "account": lambda row: row.account,
    "region": lambda row: row.region,
    "patch_group": lambda row: row.patch_group,
    "environment": lambda row: row.environment,
    "application": lambda row: row.application,
    "owner": lambda row: row.owner,
}
TOP_PATCHES = 50


def count_status(rows: Iterable[Row]) -> dict[str, int]:
    """Count rows by status, in the order of ``LABELS``, without those that do not occur."""
    counts: dict[str, int] = {}
    for row in rows:
        counts[row.status] = counts.get(row.status, 0) + 1
    known = [name for name in LABELS if name in counts]
    return {name: counts[name] for name in [*known, *sorted(set(counts) - set(known))]}


def count_compliance(rows: Sequence[Row]) -> dict[str, Any]:
    """Return nodes by compliance before and after, and the missing patches on both sides."""

    def states(get: Callable[[Row], str]) -> dict[str, Any]:
        found = [get(row) for row in rows]
        counts: dict[str, Any] = {name: found.count(name) for name in (COMPLIANT, NON_COMPLIANT, UNKNOWN)}
        return {**counts, "percent": percent(counts[COMPLIANT], len(found))}

    return {
        "nodes": len(rows),
        "before": states(lambda row: row.compliance_before),
        "after": states(lambda row: row.compliance_after),
        "missing_before": sum(row.missing_before or 0 for row in rows),
        "missing_after": sum(row.missing_after or 0 for row in rows),
        "missing_unknown": sum(row.missing_after is None for row in rows),
    }


def percent(part: int, whole: int) -> float | None:
    """Return a percentage cut (not rounded) to one decimal, so that 100 means all; ``None`` of nothing."""
    return (part * 1000 // whole) / 10 if whole else None


def group_rows(rows: Sequence[Row]) -> dict[str, list[dict[str, Any]]]:
    """Return one line per value of every dimension in which at least one row has a value."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for name, get in DIMENSIONS.items():
        members: dict[str, list[Row]] = {}
        for row in rows:
            members.setdefault(get(row), []).append(row)
        if any(members):
            groups[name] = [_group(key, members[key]) for key in sorted(members)]
    return groups


def _group(key: str, rows: Sequence[Row]) -> dict[str, Any]:
    compliance = count_compliance(rows)
    return {
        "key": key,
        "nodes": len(rows),
        "tones": count_tones(rows),
        "installed": sum(len(row.installed) for row in rows),
        **{name: compliance["after"][name] for name in (COMPLIANT, NON_COMPLIANT, UNKNOWN)},
        "percent_before": compliance["before"]["percent"],
        "percent_after": compliance["after"]["percent"],
    }


def sum_patches(rows: Sequence[Row], plan: Mapping[str, Any], scan: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was installed, what failed, what was and is missing, by severity, and the most installed patches."""
    installed: dict[str, int] = {}
    by_severity: dict[str, int] = {}
    for row in rows:
        for patch_id in row.installed:
            installed[patch_id] = installed.get(patch_id, 0) + 1
        for name, count in row.severities.items():
            by_severity[name] = by_severity.get(name, 0) + count
    return {
        "planned": sum(row.planned for row in rows),
        "installed": sum(installed.values()),
        "distinct": len(installed),
        "failed": sum(len(row.failed) for row in rows),
        "by_severity": in_severity_order(by_severity),
        "missing_by_severity": _missing_severities(scan),
        "top": _top(installed, _catalogue(installed, plan, scan)),
    }


def _missing_severities(scan: Mapping[str, Any]) -> dict[str, int]:
    counted = PerObject(lambda patches: Counter(map(severity_of, patches)))
    found: Counter[str] = Counter()
    for node in scan["nodes"].values():
        if missing := node.get("missing"):
            found.update(counted(missing))
    return in_severity_order(found)


def _catalogue(
    ids: Mapping[str, int], plan: Mapping[str, Any], scan: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """Return what is known about these patches; the scan knows more than the plan."""
    known: dict[str, Mapping[str, Any]] = {}
    for wave in plan["waves"]:
        for node in wave["nodes"]:
            known.update({patch["id"]: patch for patch in node["patches"] if patch.get("id") in ids})
    for node in scan["nodes"].values():
        known.update({patch["id"]: patch for patch in node.get("missing") or () if patch.get("id") in ids})
    return known


def _top(installed: Mapping[str, int], catalogue: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    lines = []
    for patch_id, nodes in installed.items():
        patch = catalogue.get(patch_id, {})
        severity = severity_of(patch)
        cves = [str(cve) for cve in patch.get("cve_ids") or ()]
        title = str(patch.get("title") or "")
        lines.append({"id": patch_id, "title": title, "severity": severity, "nodes": nodes, "cve_ids": cves})

    def rank(line: Mapping[str, Any]) -> tuple[int, int, str]:
        severity = line["severity"]
        return (SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES), -line["nodes"], line["id"])

    return sorted(lines, key=rank)[:TOP_PATCHES]


def sum_reboots(rows: Iterable[Row]) -> dict[str, int]:
    """Return how many nodes rebooted, changed their kernel, and still wait for a reboot."""
    counts = {"rebooted": 0, "kernel_changed": 0, "pending": 0}
    for row in rows:
        counts["rebooted"] += bool(row.rebooted)
        counts["kernel_changed"] += bool(row.kernel_before and row.kernel_before != row.kernel_after)
        counts["pending"] += bool(row.pending_reboot)
    return counts


def count_tones(rows: Iterable[Row]) -> dict[str, int]:
    """Return the numbers a reader looks for first; ``outside`` are nodes that the rollout has nothing to do with."""
    counts = dict.fromkeys(("good", "bad", "unknown", "pending", "held", "not_started", "outside"), 0)
    for row in rows:
        counts[row.tone if row.tone != "idle" else "not_started" if row.in_rollout else "outside"] += 1
    return counts


def sum_differences(rows: Iterable[Row]) -> dict[str, dict[str, Any]]:
    """Count differences from the plan by code: on how many nodes, and of each patch on how many."""
    nodes, patches = Counter[str](), dict[str, Counter[str]]()
    for row in rows:
        nodes.update({str(item["code"]) for item in row.differences})
        for item in row.differences:
            patches.setdefault(str(item["code"]), Counter())[str(item["id"])] += 1
    return {code: {"nodes": nodes[code], "patches": dict(patches[code].most_common())} for code in sorted(nodes)}
