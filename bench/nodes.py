# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The estate of the rollout's benchmarks: nodes, their scan, a policy, and the plan that follows from them."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import (
    SCHEMA,
    pack_scan,
    seal_scan,
    unpack_scan,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy

from bench import commands
from bench.endpoint import Estate
from bench.hosts import UPDATES, host_name, update

ACCOUNTS = tuple(f"{number}" * 12 for number in range(1, 6))
AT = "2026-12-01T22:00:00.000Z"
ROLLOUT = "5eed" * 8
#: Different patches of all nodes, and different lists of them.
KNOWN, GROUPS = 400, 64


def places(count: int) -> list[tuple[str, str]]:
    """Return so many pairs of account and Region: five accounts where there are enough."""
    accounts = ACCOUNTS[: max(1, min(len(ACCOUNTS), count // 4))]
    regions = count // len(accounts)
    return [(account, f"eu-bench-{number}") for account in accounts for number in range(1, regions + 1)]


def policy(where: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
    """Return the policy as a user would write it."""
    accounts = list(dict.fromkeys(account for account, _region in where))
    return {
        "version": 1,
        "name": "bench",
        "estate": {
            "regions": list(dict.fromkeys(region for _account, region in where)),
            "accounts": [
                {"name": f"a{number[0]}", "id": number, "role_arn": f"arn:aws:iam::{number}:role/patchtide"}
                for number in accounts
            ],
        },
        "waves": [{"name": "all"}],
        **more,
    }


def candidates(count: int, where: list[tuple[str, str]]) -> Iterator[Candidate]:
    """Yield the nodes as the inventory gives them."""
    estate = Estate(count // len(where))
    for account, region in where:
        for number in range(estate.nodes):
            tags = estate.tags(number)
            node_id = estate.node_id(account, region, number)
            yield Candidate(
                node_id=node_id,
                host=node_id,
                name=tags["Name"],
                executor="ssm",
                platform=commands.platform_of(node_id),
                os="Amazon Linux" if number % 4 < 3 else "Microsoft Windows Server 2022 Datacenter",
                account=account,
                region=region,
                zone=f"{region}{'abc'[number % 3]}",
                patch_group=tags["Patch Group"],
                application=tags["Application"],
                state="running",
                ping_status="Online",
                tags=tags,
                groups=frozenset(("ssm", "managed", f"app{number % 40}")),
            )


def hosts(count: int) -> Iterator[Candidate]:
    """Yield hosts that are reached directly."""
    for number in range(count):
        name = host_name(number)
        yield Candidate(node_id=name, host=name, name=name, executor="linux", platform="linux")


def scan(nodes: list[Candidate], patches: int = 0) -> dict[str, Any]:
    """Return what ``scan_compliance`` would have found. :param patches: on each node; 0: as the endpoint says."""
    content = {
        "schema": SCHEMA,
        "at": AT,
        "failed_places": [],
        "nodes": {n.node_id: _record(n, patches) for n in nodes},
    }
    return seal_scan(pack_scan(content))


def _record(node: Candidate, patches: int) -> dict[str, Any]:
    listed = many_patches(node.node_id, patches) if patches else _patches(node)
    missing = [
        {
            "id": key,
            "title": title,
            "classification": "Security",
            "severity": ("Critical", "Important", "Medium")[number % 3],
            "state": "MISSING",
            "cve_ids": [f"CVE-2026-{1000 + number}"],
        }
        for number, (key, title) in enumerate(listed)
    ]
    return {
        "node_id": node.node_id,
        "executor": node.executor,
        "account": node.account,
        "region": node.region,
        "platform": node.platform,
        "status": "succeeded",
        "evidence": {"baseline_id": commands.BASELINE},
        "counts": {"missing_count": len(missing), "installed_count": 300, "failed_count": 0},
        "missing": missing,
        "missing_after": [item["id"] for item in missing],
        "failed": [],
        "pending_reboot": False,
    }


def many_patches(node_id: str, count: int) -> list[tuple[str, str]]:
    """Return so many of the 400 patches of a year, the same ones on each 64th node."""
    first = zlib.crc32(node_id.encode()) % GROUPS
    numbers = ((first + 7 * number) % KNOWN for number in range(count))
    return [(f"package-{number}.x86_64", f"package-{number}.x86_64:1.{number}-{number}.el9_4") for number in numbers]


def _patches(node: Candidate) -> list[tuple[str, str]]:
    if node.executor == "linux":
        return [(update(number), update(number)) for number in range(UPDATES)]
    return commands.patches(node.node_id)


def plan(nodes: list[Candidate], where: list[tuple[str, str]], **more: Any) -> dict[str, Any]:
    """Return the frozen plan of these nodes."""
    complete = check_policy(policy(where, **more))
    found = unpack_scan(scan(nodes), "scan.json")
    return build_plan(nodes, complete, found, policy_digest=complete.digest, created_at=AT, rollout=ROLLOUT)
