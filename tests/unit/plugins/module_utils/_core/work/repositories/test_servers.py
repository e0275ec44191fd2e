# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch servers of a policy: what is refused before anything begins."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import RepositoryRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.servers import (
    PatchServer,
    server_mistakes,
)

WAVES = ("dev", "test", "prod")
WSUS = {"kind": "wsus", "address": "wsus-01", "targets": {"dev": "Dev", "prod": "Prod"}, "kbs": ["KB5070884"]}
SATELLITE = {
    "kind": "satellite",
    "address": "https://satellite.example.com",
    "targets": {"dev": "Dev", "prod": "Prod"},
    "organization": "Contoso",
    "content_view": "rhel9",
    "version": "12.0",
}


def wrong(data: dict[str, Any]) -> list[str]:
    return [item.option for item in server_mistakes([read(PatchServer, data)], WAVES, "servers")]


def test_servers_that_are_right() -> None:
    assert wrong(WSUS) == wrong({**WSUS, "kbs": []}) == wrong(SATELLITE) == []


@pytest.mark.parametrize(
    ("base", "change", "option"),
    [
        (WSUS, {"kind": "sccm"}, "kind"),
        (WSUS, {"address": "https://wsus.example.com:8531"}, "address"),
        (WSUS, {"kbs": ["KB5070884", "5070885"]}, "kbs[1]"),
        (WSUS, {"kbs": ["KB5070884.*"]}, "kbs[0]"),
        (WSUS, {"version": "12.0"}, "version"),
        (WSUS, {"targets": {}}, "targets"),
        (WSUS, {"targets": {"dve": "Dev"}}, "targets.dve"),
        (WSUS, {"targets": {"dev": " "}}, "targets.dev"),
        (WSUS, {"targets": {"prod": "All", "dev": "ALL"}}, "targets.prod"),  # dev's updates would be prod's at once
        (SATELLITE, {"address": "satellite.example.com"}, "address"),
        (SATELLITE, {"address": "https://me:secret@satellite.example.com"}, "address"),
        (SATELLITE, {"version": ""}, "version"),
        (SATELLITE, {"content_view": ""}, "content_view"),
        (SATELLITE, {"organization": ""}, "organization"),
        (SATELLITE, {"kbs": ["KB5070884"]}, "kbs"),
    ],
)
def test_a_mistake_is_named(base: dict[str, Any], change: dict[str, Any], option: str) -> None:
    assert wrong({**base, **change}) == [f"servers[0].{option}"]


def test_the_group_of_a_node_is_that_of_its_wave_and_server() -> None:
    servers = [SATELLITE, {**WSUS, "select": {"groups": ["windows"]}}]
    rules = read(RepositoryRules, {"servers": servers})
    mine = Candidate(node_id="a", host="a", groups=("windows",))
    assert (rules.group_of(mine, "dev"), rules.group_of(mine, "prod"), rules.group_of(mine, "test")) == (
        "Dev",
        "Prod",
        "",
    )
    assert rules.group_of(Candidate(node_id="b", host="b"), "dev") == ""
