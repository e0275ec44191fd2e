# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a plan affects, how far it is pinned and what can be undone: sums over its nodes for its approvers. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..executors import find
from ..lists.pins import BASELINE, PINS
from ..model import place_label
from .rows import count_severities, in_severity_order, severity_of

Node = Mapping[str, Any]
#: Patches of a plan that its page lists.
TOP_PATCHES = 50
_UNDO: Mapping[str, str] = {
    "linux": "Install an older version of a package by hand, while a repository offers it; boot the previous kernel.",
    "windows": "Uninstall an update by hand, except servicing stack updates and those that are marked as permanent.",
    "macos": "Nothing without a backup.",
}
_NO_UNDO = "Not known for this platform."


@dataclass(slots=True)
class _Sum:
    """What is planned for a group of nodes."""

    nodes: int = 0
    patches: int = 0
    critical: int = 0
    reboots: int = 0
    waves: dict[str, None] = field(default_factory=dict)

    def add(self, wave: str, node: Node, critical: int) -> None:
        self.nodes += 1
        self.patches += int(node.get("patch_count") or 0)
        self.critical += critical
        self.reboots += node.get("reboot") == "yes"
        self.waves[wave] = None

    def to_dict(self, key: str) -> dict[str, Any]:
        numbers = {name: getattr(self, name) for name in ("nodes", "patches", "critical", "reboots")}
        return {"key": key, **numbers, "waves": list(self.waves)}


def affected(plan: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return by dimension what is planned for each of its values, the largest group first.

    Dimensions in which no node has a value are left out; "" is the group of nodes without one.
    """
    dimensions = _dimensions(plan.get("tags") or {})
    sums: dict[str, dict[str, _Sum]] = {name: {} for name in dimensions}
    for wave in plan["waves"]:
        for node in wave["nodes"]:
            critical = count_severities(node["patches"]).get("critical", 0)
            for name, get in dimensions.items():
                sums[name].setdefault(get(node), _Sum()).add(str(wave["name"]), node, critical)
    return {
        name: [groups[key].to_dict(key) for key in sorted(groups, key=lambda key: (-groups[key].nodes, key))]
        for name, groups in sums.items()
        if any(groups)
    }


def _dimensions(keys: Mapping[str, str]) -> dict[str, Callable[[Node], str]]:
    def tag(name: str) -> Callable[[Node], str]:
        return lambda node: str((node.get("tags") or {}).get(keys.get(name) or "") or "")

    return {
        "owner": tag("owner"),
        "application": tag("application"),
        "environment": tag("environment"),
        "patch group": lambda node: str(node.get("patch_group") or ""),
        "baseline": baseline_text,
        "operating system": lambda node: str(node.get("os") or node.get("platform") or ""),
        "account-Region": lambda node: place_label(node.get("account"), node.get("region")),
    }


def baseline_text(node: Node) -> str:
    """Return what decides which patches the node gets: the policy's baseline, or the one that its scan used."""
    row = find(str(node.get("executor")))
    if row is None or not row.by_baseline:
        return "none, the package rules of the policy"
    used = str(node.get("baseline_id") or "").rpartition("/")[2]
    if name := str(node.get("baseline") or ""):
        return name
    return f"{used}, not of this policy" if used else "not known, not of this policy"


def pin_of(node: Node) -> str:
    """Return how far the node's install is bound to the plan, a key of ``PINS``."""
    return str(node.get("pin") or BASELINE)


def pinned(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return how many nodes are bound to the plan, and how far: ``executor, pin, certain, open, nodes``."""
    counts = Counter((str(node.get("executor")), pin_of(node)) for node in _nodes(plan))
    return [
        {"executor": executor, "pin": pin, "certain": certain, "open": left_open, "nodes": count}
        for (executor, pin), count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        for certain, left_open in (PINS.get(pin, ("", "")),)
    ]


def content_open(plan: Mapping[str, Any]) -> list[str]:
    """Return the planned KBs whose content can change without a new number."""
    return sorted({str(name) for node in _nodes(plan) for name in node.get("content_open") or ()})


_FORECASTS = (
    ("removes", "Packages removed"),
    ("downgrades", "Packages downgraded"),
    ("adds", "New packages"),
    ("kept_back", "Kept back, because installing them removes packages (patching.allow_removals)"),
)


def forecasts(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what the installs change besides the planned patches: ``what``, ``names`` with their number of nodes, and
    on how many nodes this is ``known`` and ``unknown``. The size to download has ``bytes`` instead of names.

    Systems Manager does not say what an install would remove, add or download; package managers over SSH partly do.
    """
    nodes = [node for node in _nodes(plan) if node["patches"] or node.get("start") or node.get("forecast")]
    found = []
    for name, what in _FORECASTS:
        known = [node["forecast"][name] for node in nodes if name in (node.get("forecast") or {})]
        if name == "kept_back" and not known:
            continue
        counts = Counter(str(item) for items in known for item in items)
        names = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        unknown = 0 if name == "kept_back" else len(nodes) - len(known)
        found.append({"what": what, "names": names, "known": len(known), "unknown": unknown})
    sizes = [node["forecast"]["download_bytes"] for node in nodes if "download_bytes" in (node.get("forecast") or {})]
    size = {"what": "Download", "names": [], "bytes": sum(sizes), "known": len(sizes)}
    return [*found, {**size, "unknown": len(nodes) - len(sizes)}] if nodes else []


def undoable(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what can be undone, by platform: ``platform, text, nodes``.

    Sources: dnf(8) and apt-get(8) install an older version only while a repository has it, and keep earlier kernels;
    Microsoft Support, "How to uninstall a Windows update": some can't be; Apple Support: macOS has no downgrade.
    """
    counts = Counter(str(node.get("platform") or "linux") for node in _nodes(plan))
    return [
        {"platform": platform, "text": _UNDO.get(platform, _NO_UNDO), "nodes": count}
        for platform, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]


def planned_patches(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every patch of the plan, most severe first: what is known of it, its nodes and their systems."""
    names = ("id", "title", "severity", "classification")
    found: dict[str, dict[str, Any]] = {}
    for node in _nodes(plan):
        for patch in node["patches"]:
            entry = found.get(str(patch.get("id")))
            if entry is None:
                known = {name: str(patch.get(name) or "") for name in names}
                entry = known | {"severity": severity_of(patch), "nodes": 0, "cve_ids": {}, "systems": {}}
                found[known["id"]] = entry
            entry["nodes"] += 1
            entry["systems"][str(node.get("os") or node.get("platform") or "")] = None
            entry["cve_ids"].update(dict.fromkeys(map(str, patch.get("cve_ids") or ())))
    ranks = {name: rank for rank, name in enumerate(in_severity_order(count_severities(found.values())))}
    order = sorted(found.values(), key=lambda item: (ranks[severity_of(item)], -item["nodes"], item["id"]))
    return [{**item, **{name: list(item[name]) for name in ("cve_ids", "systems")}} for item in order]


def times_of(plan: Mapping[str, Any]) -> tuple[str, str]:
    """Return when the first window of a wave with nodes opens and the last one ends; "" without windows."""
    windows = [wave["window"] for wave in plan["waves"] if wave["nodes"] and wave.get("window")]
    starts, ends = (sorted(str(window[name]) for window in windows) for name in ("start", "end"))
    return (starts[0], ends[-1]) if windows else ("", "")


def without_baseline(plan: Mapping[str, Any]) -> list[Node]:
    """Return the nodes that no baseline of the policy covers."""
    return [node for node in _nodes(plan) if node.get("baseline") == ""]


def _nodes(plan: Mapping[str, Any]) -> Iterator[Node]:
    return (node for wave in plan["waves"] for node in wave["nodes"])
