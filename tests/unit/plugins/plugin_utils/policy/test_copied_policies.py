# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Policies that people copy are safe to copy: a plan of the estate that each of them describes has no warning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.pinning import check_lists
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import load_policy

ROOT = Path(__file__).parents[5]
SYSTEMS = {
    "AMAZON_LINUX_2023": ("Amazon Linux", "2023", "linux"),
    "REDHAT_ENTERPRISE_LINUX": ("Red Hat Enterprise Linux", "9.6", "linux"),
    "SUSE": ("SLES", "15.6", "linux"),
    "UBUNTU": ("Ubuntu", "22.04", "linux"),
    "WINDOWS": ("Microsoft Windows Server 2022 Datacenter", "10.0.20348", "windows"),
}
ENVIRONMENTS = {"DEV": ("dev", "test"), "STAGING": ("staging",), "PROD": ("prod",), "ONPREM": ("prod",)}
NODES_PER_SYSTEM = 8


def documented(path: str) -> str:
    """Return the first whole policy of a Markdown file."""
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / path).read_text(), re.S)
    return next(text for text in blocks if "version: 1" in text)


def estate(policy: Policy) -> Iterator[Candidate]:
    """Yield nodes of every patch group and every system that the policy has a baseline for."""
    accounts = [account.id for account in policy.estate.accounts] or ["111122223333"]
    systems = {baseline.name: baseline.operating_system for baseline in policy.baselines}
    for group in policy.patch_groups:
        for name in group.baselines or [""]:
            system, version, platform = SYSTEMS[systems.get(name, "UBUNTU")]
            for index in range(NODES_PER_SYSTEM):
                ident = f"i-{group.name}-{name}-{index}"
                environments = ENVIRONMENTS[group.name.rpartition("-")[2]]
                tags = {"Environment": environments[index % len(environments)], "Application": "shop"}
                yield Candidate(
                    node_id=ident,
                    host=ident,
                    executor="ssm" if name else "linux",
                    platform=platform,
                    os=system,
                    os_version=version,
                    account=accounts[index % len(accounts)],
                    region="eu-central-1",
                    zone="eu-central-1a",
                    patch_group=group.name,
                    application="shop",
                    state="running",
                    ping_status="Online",
                    tags={**tags, "Role": "standby"},
                    groups=frozenset({"all", "aws_ec2"}),
                )


@pytest.mark.parametrize("path", ["docs/policy.md", "examples/policy.yml", "lab/policy.yml"])
def test_a_policy_that_people_copy_plans_without_a_warning(tmp_path: Path, path: str) -> None:
    text = documented(path) if path.endswith(".md") else (ROOT / path).read_text()
    (tmp_path / "policy.yml").write_text(text)
    policy = load_policy(tmp_path / "policy.yml")
    nodes = list(estate(policy))
    scan = {node.node_id: {"status": "succeeded", "missing": [{"id": "curl", "title": "curl 8"}]} for node in nodes}
    plan = build_plan(
        nodes,
        policy,
        {"nodes": scan, "failed_places": []},
        policy_digest=policy.digest,
        created_at="2026-12-01T12:00:00Z",
    )
    check_lists(plan["lists"])
    assert plan["warnings"] == []
    assert all(wave["nodes"] for wave in plan["waves"])
    assert path == "lab/policy.yml" or policy.exceptions.ledger
