# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch compliance: verdicts and sums."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Patch
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.compliance import (
    NodeCompliance,
    read_compliance,
    summarise,
    to_status,
)

BAD = NodeCompliance(node_id="i-1", status="non_compliant", patch_group="web", counts={"missing_count": 2})
GOOD = NodeCompliance(node_id="i-2", status="compliant", patch_group="web", counts={"missing_count": 0})


class FakeCompliance:
    """A ``CompliancePort`` of three nodes, one of them never scanned; records whose patches were asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Sequence[str]]] = []

    def node_ids(self) -> list[str]:
        return ["i-1", "i-2", "i-3"]

    def of_nodes(self, node_ids: Sequence[str]) -> list[NodeCompliance]:
        return [node for node in (BAD, GOOD) if node.node_id in node_ids]

    def of_group(self, patch_group: str) -> list[NodeCompliance]:
        return [node for node in (BAD, GOOD) if node.patch_group == patch_group]

    def patches(self, wanted: Sequence[tuple[str, Sequence[str]]]) -> list[list[Patch]]:
        self.asked += wanted
        return [[Patch(id="KB1", severity="Critical")] for _unused in wanted]


@pytest.mark.parametrize(
    ("counts", "status"),
    [
        ({"missing_count": 0, "installed_count": 9}, "compliant"),
        ({"missing_count": 1}, "non_compliant"),
        ({"failed_count": 1}, "non_compliant"),
        ({"installed_pending_reboot_count": 1}, "non_compliant"),
        ({"installed_rejected_count": 1}, "non_compliant"),
        ({"available_security_update_count": 1}, "compliant"),
        ({"available_security_update_count": 1, "security_non_compliant_count": 1}, "non_compliant"),
    ],
)
def test_verdict_over_counts(counts: dict[str, int], status: str) -> None:
    assert to_status(counts) == status


def test_node_never_scanned_is_unknown_not_left_out() -> None:
    nodes = read_compliance(FakeCompliance(), None, None, [])
    assert [(node.node_id, node.status) for node in nodes][2] == ("i-3", "unknown")


def test_groups_do_not_drag_all_nodes_in() -> None:
    assert read_compliance(FakeCompliance(), None, ["web"], []) == [BAD, GOOD]
    assert read_compliance(FakeCompliance(), None, ["none"], []) == []


def test_patches_are_asked_only_of_nodes_that_have_some() -> None:
    port = FakeCompliance()
    nodes = read_compliance(port, None, None, ["missing", "failed"])
    assert port.asked == [("i-1", ["Missing"])]
    assert summarise(nodes)["listed_severities"] == {"Critical": 1}


def test_sums_per_patch_group() -> None:
    summary = summarise([BAD, GOOD, NodeCompliance(node_id="i-3")])
    assert (summary["nodes"], summary["unknown"], summary["counts"]["missing_count"]) == (3, 1, 2)
    assert summary["patch_groups"]["web"]["non_compliant"] == 1
