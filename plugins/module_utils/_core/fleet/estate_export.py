# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns an inventory and the nodes' missing patches into an estate file for the lab. Pure."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..nodes import Candidate
from ..plan.covered import is_by_baseline, system_of
from ..ssm.baselines import NO_APPROVAL_DELAY
from ..tags import TagKeys

SCHEMA = "patchtide/estate/1"
#: Updates of these usually ask for a reboot; the service does not say which ones do.
_REBOOTS = re.compile(r"^(kernel|linux-image|glibc|libc6|systemd|dbus|openssl-libs|linux-firmware)")
_KERNEL = re.compile(r"^(kernel(-default|-core)?|linux-image-.*)$")
#: The service does not say when a patch was released. What it calls missing, a baseline has approved by then.
AGE_DAYS = 30
_PLATFORMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}


@dataclass(slots=True)
class Export:
    """An estate file's data, and what could not be put into it: by reason, the number of nodes."""

    data: dict[str, Any]
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Names:
    """How nodes are called in the file. ``salt``: pseudonyms that cannot be traced without it; "" for real names."""

    salt: str
    keys: TagKeys
    kept_tags: frozenset[str]

    def node(self, node: Candidate, number: int) -> str:
        return f"node-{number:04}" if self.salt else node.name or node.host

    def id(self, node_id: str) -> str:
        if not self.salt:
            return node_id
        prefix = node_id[: node_id.index("-") + 1] if "-" in node_id else "mi-"
        return prefix + hashlib.sha256(f"{self.salt}/{node_id}".encode()).hexdigest()[:17]

    def tags(self, tags: Mapping[str, str], name: str) -> dict[str, str]:
        """Return the tags. With pseudonyms only those that a policy reads are kept, and owners are numbers."""
        if not self.salt:
            return dict(tags)
        found = {key: value for key, value in tags.items() if key in self.kept_tags}
        if owner := found.get(self.keys.owner):
            found[self.keys.owner] = "owner-" + hashlib.sha256(f"{self.salt}/{owner}".encode()).hexdigest()[:6]
        return {**found, "Name": name}


def to_estate(
    nodes: Sequence[Candidate], missing: Mapping[str, Sequence[Mapping[str, Any]] | None], at: str, names: Names
) -> Export:
    """Return the estate of the nodes of Systems Manager.

    :param missing: by node ID the rows of ``to_missing``; ``None`` for a node that was never scanned, which gets every
        patch that other nodes of its system are missing.
    """
    export = Export({"schema": SCHEMA, "exported_at": at, "pseudonyms": bool(names.salt)})
    systems: dict[str, dict[str, Any]] = {}
    groups = []
    for number, node in enumerate(sorted(nodes, key=lambda node: (node.account, node.region, node.node_id)), 1):
        system = system_of(node.platform, node.os, node.os_version)
        if why := _unfit(node, system):
            export.left_out[why] += 1
            continue
        key = re.sub(r"[^a-z0-9.]+", "-", f"{node.os} {node.os_version}".lower()).strip("-")
        rows = missing.get(node.node_id)
        offered = systems.setdefault(key, _system(node, system))["updates"]
        offered |= {row["id"]: _update(row, system) for row in rows or ()}
        groups.append(_group(node, names, number, key, None if rows is None else [row["id"] for row in rows]))
    for group in groups:
        if group["missing"] is None:
            group["missing"] = sorted(systems[group["os"]]["updates"])
    whole = {key: {**row, "updates": list(row["updates"].values())} for key, row in sorted(systems.items())}
    accounts = sorted({group["account"] for group in groups})
    export.data |= {
        "regions": sorted({group["region"] for group in groups}),
        "accounts": [{"id": account, "name": account} for account in accounts],
        "systems": whole,
        "groups": groups,
    }
    return export


def _unfit(node: Candidate, system: str) -> str:
    if node.executor and not is_by_baseline(node):
        return f"reached by the executor {node.executor}, which the rehearsal has no hosts for"
    if not node.account or not node.region:
        return "without account or Region"
    return "" if system else "with an operating system that no patch baseline is for"


def _group(node: Candidate, names: Names, number: int, system: str, missing: Collection[str] | None) -> dict[str, Any]:
    name = names.node(node, number)
    state = {"stopped": True} if node.state in ("stopped", "stopping") else {}
    silent = node.managed and not state and node.ping_status not in ("", "Online")
    return {
        "name": name,
        "id": names.id(node.node_id),
        "count": 1,
        "account": node.account,
        "region": node.region,
        "os": system,
        "source": "ec2" if node.node_id.startswith("i-") else "onprem",
        "tags": names.tags(node.tags, name),
        "missing": None if missing is None else sorted(missing),
        **state,
        **({"offline": True} if silent else {}),
        **({} if node.managed else {"managed": False}),
    }


def _system(node: Candidate, system: str) -> dict[str, Any]:
    return {
        "operating_system": system,
        "platform": _PLATFORMS.get(node.platform, "Linux"),
        "name": node.os or system,
        "version": node.os_version or "1",
        "product": node.os or system,
        "kernel": "1.0.0",
        "repositories": ["https://exported.example/"],
        "base": [],
        "updates": {},
    }


def _update(row: Mapping[str, Any], system: str) -> dict[str, Any]:
    """Return an update of the lab's catalogue from a row of DescribeInstancePatches."""
    common = {
        "classification": row["classification"],
        "severity": row["severity"],
        "age_days": AGE_DAYS,
        "cves": list(row["cve_ids"]),
    }
    if system == "WINDOWS":
        return {"kb": row["id"], "title": row["title"], **common, "reboot": True}
    name, _dot, arch = row["id"].rpartition(".")
    name = name or row["id"]
    version = row["title"].removeprefix(f"{row['id']}:") if row["title"].startswith(f"{row['id']}:") else "0:1.0-2"
    priority = {"priority": "Important"} if system in NO_APPROVAL_DELAY else {"advisory": f"EXPORTED-{row['id']}"}
    marks = {"reboot": True} if _REBOOTS.match(name) else {}
    kernel = {"kernel": True} if _KERNEL.match(name) else {}
    return {"name": name, "arch": arch or "x86_64", "version": version, **common, **priority, **marks, **kernel}
