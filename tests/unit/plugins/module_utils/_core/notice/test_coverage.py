# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings of enroll_nodes: each owner learns of their own machines, also of those that no inventory has."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Select
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.coverage import (
    coverage_notices,
    to_coverage,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.notice.model import Notice

from tests.fakes.fleet_port import START
from tests.fakes.plans import candidate

FINDING = {"code": "agent_silent", "what": "its agent is silent", "fix": "Restart it."}


def row(name: str, owner: str, findings: int = 1) -> dict[str, Any]:
    found = {"node_id": f"i-{name}", "name": name, "account": "1", "region": "eu-west-1", "owner": owner}
    return {**found, "state": "open", "repairs": [], "waiting": "", "findings": [FINDING] * findings}


def notices(*rows: dict[str, Any]) -> list[Notice]:
    return coverage_notices(to_coverage(rows, START), [candidate("i-known", tags={"Owner": "web"})], "Owner", "p")


def test_an_owner_learns_of_their_own_machines_alone() -> None:
    (found,) = notices(row("known", "stale"), row("new", "web"), row("db", "data"), row("fine", "web", findings=0))
    mine = found.only(Select(tags={"Owner": ("web",)}))
    assert mine and [node.node_id for node in mine.nodes] == ["i-known", "i-new"], "the inventory's tags count"
    assert mine.points == dict.fromkeys(("i-known", "i-new"), "its agent is silent. Restart it.")
    assert mine.to_data()["title"] == "p: 2 nodes that the next plan would miss or cannot patch"
    assert found.only(Select(tags={"Owner": ("nobody",)})) is None


def test_the_same_day_has_the_same_key_and_no_findings_are_no_notice() -> None:
    (one,), (other,) = notices(row("a", "web")), notices(row("a", "web"), row("b", "web"))
    assert one.key == other.key and one.at == START
    assert notices(row("fine", "web", findings=0)) == []


OURS = {"schema": "patchtide/coverage/1", "at": "2026-01-01T00:00:00Z", "nodes": []}


@pytest.mark.parametrize("data", [[], {}, {**OURS, "schema": "x"}, {**OURS, "at": "never"}, {**OURS, "nodes": [1]}])
def test_another_file_is_refused(data: Any) -> None:
    with pytest.raises(BadInput, match="patchtide/coverage/1"):
        coverage_notices(data, (), "Owner", "p")
