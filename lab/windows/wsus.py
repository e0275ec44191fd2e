# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated WSUS server: computer groups, approvals, and what its computers are offered. Pure.

The role's scripts do not run here: each is recognised by what it calls, and does what Microsoft Learn says of these
calls (Microsoft.UpdateServices.Administration, "IUpdateServer", "IUpdate", "IComputerTargetGroup").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Every computer is in it, and every group below it ("Managing WSUS Client Computers and WSUS Computer Groups").
ALL = "All Computers"


@dataclass(slots=True)
class Held:
    """An update that the server has. ``approved``: names of groups for which its install is approved."""

    kb: str
    title: str
    approved: set[str] = field(default_factory=set)
    declined: bool = False
    superseded: bool = False
    state: str = "Ready"


@dataclass(slots=True)
class Wsus:
    """The server. ``parents``: groups by name, each with the groups that contain it. ``upstream``: what the next
    synchronization brings."""

    parents: dict[str, list[str]] = field(default_factory=lambda: {ALL: []})
    updates: list[Held] = field(default_factory=list)
    upstream: list[Held] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    replica: bool = False
    build: str = "20348"
    revision: int = 4297
    scripts: list[str] = field(default_factory=list)
    #: names of computers in some groups that need an update, by its KB; what the computers have reported
    needs: Callable[[str, Sequence[str]], list[str]] = lambda _kb, _groups: []

    def offers(self, group: str, kb: str) -> bool:
        """Tell whether computers of a group find an update: approvals are inherited, and nothing else is offered
        ("Approving Updates")."""
        own = {group, *self.parents.get(group, ())} if group in self.parents else {"Unassigned Computers", ALL}
        return any(item.kb == kb and not item.declined and item.approved & own for item in self.updates)

    def run(self, script: str, given: Mapping[str, Any], *, dry: bool) -> dict[str, Any]:
        """Return what win_powershell returns of a script. One that does not support check mode is skipped there.

        :raises LookupError: the lab does not know the script.
        """
        if dry and "SupportsShouldProcess = $true" not in script:
            return {"changed": False, "skipped": True, "msg": "the script does not support check mode"}
        for mark, does in _SCRIPTS.items():
            if mark in script:
                changed, result = does(self, given, dry)
                if not dry:
                    self.scripts.append(mark)
                return {"changed": changed, "result": result, "output": [], "error": []}
        raise LookupError(script[:200])

    def _synchronize(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
        if dry:
            return True, {"result": "NotStarted", "error": "", "new_updates": 0}
        new, self.upstream = self.upstream, []
        self.updates += new
        return bool(new), {"result": "Succeeded", "error": "", "new_updates": len(new)}

    def _approve(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
        if given["Group"] not in self.parents:
            raise LookupError(f"no group {given['Group']}")
        rows = []
        for item in (held for kb in given["Kbs"] for held in self.updates if held.kb == kb):
            new = not item.declined and given["Group"] not in item.approved
            about = {"kb": item.kb, "id": item.kb, "title": item.title, "state": item.state, "declined": item.declined}
            rows.append({**about, "superseded": item.superseded, "before": sorted(item.approved), "approved": new})
            if new and not dry:
                item.approved.add(given["Group"])
        return any(row["approved"] for row in rows), {"updates": rows}

    def _needed(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
        groups = [name for name in given["Groups"] if name in self.parents]
        found = [item for kb in given["Kbs"] for item in self.updates if item.kb == kb and not item.declined]
        rows = [
            {
                "kb": item.kb,
                "title": item.title,
                "classification": "Security Updates",
                "severity": "Critical",
                "computers": self.needs(item.kb, groups),
            }
            for item in found
            if groups
        ]
        return False, {"updates": rows}

    def _decline(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
        """Never one that is approved ("Invoke-WsusServerCleanup")."""
        old = [item for item in self.updates if item.superseded and not item.approved and not item.declined]
        for item in old if not dry else []:
            item.declined = True
        return bool(old) and not dry, {"declined": 0 if dry else len(old)}

    def _state(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, dict[str, Any]]:
        return False, {
            "build": self.build,
            "revision": self.revision,
            "replica": self.replica,
            "client_targeting": "Client",
            "groups": [{"name": name, "parents": above} for name, above in self.parents.items()],
            "rules": self.rules,
            "synchronizing": "NotProcessing",
            "last_result": "Succeeded",
            "last_end": "2026-11-01T02:00:00.0000000Z",
            "to_download": 0,
            "computers": [],
        }


#: What a script has in it, and what it does; the first that fits.
_SCRIPTS: Mapping[str, Callable[[Wsus, Mapping[str, Any], bool], tuple[bool, dict[str, Any]]]] = {
    "StartSynchronization": Wsus._synchronize,
    "GetUpdateInstallationInfoPerComputerTarget": Wsus._needed,
    "SearchUpdates": Wsus._approve,
    "DeclineSupersededUpdates": Wsus._decline,
    "GetComputerTargetGroups": Wsus._state,
}
