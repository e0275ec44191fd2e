# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate by patch: what is released, approved, rejected, installed, missing and held, per system and patch group.

States are those after the rollout, or of the scan where a node was not worked on. Whether a patch is approved is told
by the effective patches of its baselines, which the service lists for Windows only. Elsewhere a patch that a scan calls
missing is approved ("Missing: patches that are approved in the baseline but are not installed", user guide, Patch
compliance states), and one that is installed though rejected is rejected. What nobody says is unknown.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from ..model import place_label
from ..plan.wave import reboot_forecast
from .csv import to_cell
from .rows import SCANNED, Row, severity_of

APPROVED, PENDING, REJECTED, UNKNOWN = "approved", "pending", "rejected", "unknown"
#: PatchStatus.DeploymentStatus of the API.
_APPROVALS: Mapping[str, str] = {
    "APPROVED": APPROVED,
    "EXPLICIT_APPROVED": APPROVED,
    "PENDING_APPROVAL": PENDING,
    "EXPLICIT_REJECTED": REJECTED,
}
#: Members of a scan's record that list patches.
_LISTS = ("missing", "rejected", "held")
STATES = ("installed", "installed_rejected", "missing", "failed", "held")


@dataclass(slots=True, kw_only=True)
class Line:
    """One patch in one patch group of one operating system. The states count nodes; ``installed`` by the rollout.

    ``download_bytes`` is the largest that a node names: architectures differ; ``None`` where none does.
    ``versions`` are changes that nodes showed, old → new.
    """

    os: str
    patch_group: str
    id: str
    title: str = ""
    classification: str = ""
    severity: str = ""
    cve_ids: tuple[str, ...] = ()
    released: str = ""
    approval: str = UNKNOWN
    reboot: str = ""
    download_bytes: int | None = None
    versions: dict[str, None] = field(default_factory=dict)
    installed: int = 0
    installed_rejected: int = 0
    missing: int = 0
    failed: int = 0
    held: int = 0

    def learn(self, patch: Mapping[str, Any]) -> None:
        """Take in what a source knows of the patch; what is known already stays."""
        self.title = self.title or str(patch.get("title") or "")
        self.classification = self.classification or str(patch.get("classification") or "")
        self.severity = severity_of(patch) if self.severity in ("", "unspecified") else self.severity
        self.cve_ids = self.cve_ids or tuple(map(str, patch.get("cve_ids") or ()))
        if (size := patch.get("download_bytes")) is not None:
            self.download_bytes = max(size, self.download_bytes or 0)


@dataclass(slots=True)
class PatchView:
    """``lines`` by patch; ``groups`` the sums of each operating system and patch group."""

    lines: list[Line] = field(default_factory=list)
    groups: list[dict[str, Any]] = field(default_factory=list)


def patch_view(
    rows: Iterable[Row],
    plan: Mapping[str, Any],
    scan: Mapping[str, Any],
    baselines: Sequence[Mapping[str, Any]] = (),
) -> PatchView:
    """Return the estate by patch.

    :param rows: the nodes of a report. :param plan: and :param scan: say what the patches are.
    :param baselines: as ``ssm_patch_baseline_info`` returns them with their effective patches.
    """
    view = _View(baselines)
    sizes: dict[tuple[str, str], int] = {}
    planned = {str(node["node_id"]): node for wave in plan["waves"] for node in wave["nodes"]}
    alike: dict[tuple[Any, ...], tuple[Row, list[int]]] = {}
    for row in rows:
        key = (row.os or row.platform, row.patch_group)
        sizes[key] = sizes.get(key, 0) + 1
        record = scan["nodes"].get(row.node_id) or {}
        if row.status == SCANNED and not baselines and row.node_id not in planned:
            lists = (id(record.get(name)) for name in _LISTS)  # nodes that lack the same patches share them
            alike.setdefault((*key, row.platform, row.missing_after == 0, *lists), (row, [0]))[1][0] += 1
        else:
            view.add(key, row, record, (planned.get(row.node_id) or {}).get("patches") or ())
    for row, (count,) in alike.values():
        view.add((row.os or row.platform, row.patch_group), row, scan["nodes"].get(row.node_id) or {}, (), count)
    lines = sorted(view.lines.values(), key=lambda line: (line.os, line.patch_group, line.id))
    return PatchView(lines=lines, groups=list(_groups(sizes, lines)))


class _View:
    """The lines while they are counted."""

    def __init__(self, baselines: Sequence[Mapping[str, Any]]) -> None:
        self.lines: dict[tuple[str, str, str], Line] = {}
        self._told: set[tuple[str, ...]] = set()
        self._effective = {
            (place_label(item.get("account"), item.get("region")), str(item.get("baseline_id"))): {
                str(patch.get("kb_number") or patch.get("id")): patch for patch in item.get("effective_patches") or ()
            }
            for item in baselines
        }

    def add(
        self,
        key: tuple[str, str],
        row: Row,
        record: Mapping[str, Any],
        planned: Iterable[Mapping[str, Any]],
        nodes: int = 1,
    ) -> None:
        """Count the patches of a node, or of so many that have the same ones."""
        missing, rejected, held = (_by_id(record.get(name)) for name in _LISTS)
        known = {**_by_id(planned), **missing, **rejected, **held}
        worked = bool(row.installed or row.failed or row.missing or row.missing_after == 0)
        states = {
            "installed": row.installed,
            "failed": row.failed,
            "missing": [item for item in (row.missing if worked else missing) if item not in row.failed],
            "installed_rejected": list(rejected),
            "held": list(held),
        }
        used = (row.place, str((record.get("evidence") or {}).get("baseline_id") or ""))
        effective = self._effective.get(used, {})
        for state, ids in states.items():
            for patch_id in dict.fromkeys(ids):
                line = self._line(key, patch_id, known.get(patch_id) or {}, row.platform)
                setattr(line, state, getattr(line, state) + nodes)
                self._judge(line, state, effective.get(patch_id))
        changes = {str(item["id"]): f"{item['old'] or 'none'} \u2192 {item['new'] or 'none'}" for item in row.changes}
        for patch_id in row.installed:  # an id of SSM is name.arch:version, the node's own name.arch
            if change := changes.get(patch_id.partition(":")[0]):
                self._line(key, patch_id, {}, row.platform).versions[change] = None
        for patch_id in {**_by_id(planned), **missing}:  # approved, or no scan would call them missing
            self._judge(self._line(key, patch_id, known[patch_id], row.platform), "missing", effective.get(patch_id))
        if (*key, *used) not in self._told:
            self._told.add((*key, *used))
            for patch_id, patch in effective.items():
                self._judge(self._line(key, patch_id, patch, row.platform), "", patch)

    def _line(self, key: tuple[str, str], patch_id: str, patch: Mapping[str, Any], platform: str) -> Line:
        line = self.lines.get((*key, patch_id))
        if line is None:
            line = self.lines[(*key, patch_id)] = Line(os=key[0], patch_group=key[1], id=patch_id)
            line.reboot = reboot_forecast(platform, [str(patch.get("title") or patch_id)], "if_required")
        line.learn(patch)
        return line

    def _judge(self, line: Line, state: str, effective: Mapping[str, Any] | None) -> None:
        if effective:
            line.released = line.released or str(effective.get("release_date") or "")
            line.approval = _APPROVALS.get(str(effective.get("deployment_status")), line.approval)
        elif line.approval == UNKNOWN:
            line.approval = {"installed_rejected": REJECTED, "missing": APPROVED, "failed": APPROVED}.get(
                state, UNKNOWN
            )


def _by_id(patches: Any) -> dict[str, Mapping[str, Any]]:
    return {str(patch.get("id")): patch for patch in patches or ()}


def _groups(sizes: Mapping[tuple[str, str], int], lines: Iterable[Line]) -> Iterator[dict[str, Any]]:
    """Yield the sums: ``nodes``, how many patches are known, approved, pending and rejected, and the states."""
    members: dict[tuple[str, str], list[Line]] = {key: [] for key in sizes}
    for line in lines:
        members[line.os, line.patch_group].append(line)
    for (system, group), found in sorted(members.items()):
        approvals = [line.approval for line in found]
        yield {
            "os": system,
            "patch_group": group,
            "nodes": sizes[system, group],
            "known": len(found),
            **{name: approvals.count(name) for name in (APPROVED, PENDING, REJECTED)},
            **{name: sum(getattr(line, name) for line in found) for name in STATES},
        }


COLUMNS: Mapping[str, Callable[[Line], Any]] = {
    **{name: attrgetter(name) for name in ("os", "patch_group", "id", "title", "classification", "severity")},
    "cve_ids": lambda line: "; ".join(line.cve_ids),
    "versions": lambda line: "; ".join(line.versions),
    **{name: attrgetter(name) for name in ("released", "approval", "reboot")},
    "download_bytes": lambda line: UNKNOWN if line.download_bytes is None else line.download_bytes,
    **{f"nodes_{name}": attrgetter(name) for name in STATES},
}


def patches_to_csv(view: PatchView) -> Iterator[str]:
    """Yield the lines of ``patches.csv``, header first; cells are safe to open in a spreadsheet."""
    for cells in (list(COLUMNS), *([to_cell(get(line)) for get in COLUMNS.values()] for line in view.lines)):
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerow(cells)
        yield buffer.getvalue()


def patches_to_data(view: PatchView) -> dict[str, Any]:
    """Return the content of ``patches.json``: ``groups`` and ``patches``."""
    return {
        "groups": view.groups,
        "patches": [
            {
                **{name: get(line) for name, get in COLUMNS.items()},
                "cve_ids": list(line.cve_ids),
                "versions": list(line.versions),
                "download_bytes": line.download_bytes,
            }
            for line in view.lines
        ],
    }
