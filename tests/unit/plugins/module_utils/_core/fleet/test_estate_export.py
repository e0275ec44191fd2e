# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An exported estate has every managed node with what it is missing, and with pseudonyms no name of it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.fleet.estate_export import (
    Export,
    Names,
    to_estate,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys

KEPT = frozenset({"PatchGroup", "Owner", "Environment"})
TAGS = {"Name": "shop-db-1", "Owner": "jane.doe", "PatchGroup": "DB", "Secret": "s3"}


def node(number: int, **members: Any) -> Candidate:
    given = {"executor": "ssm", "platform": "linux", "os": "Ubuntu", "os_version": "22.04", "ping_status": "Online"}
    where = {"account": "111122223333", "region": "eu-central-1", "tags": TAGS, "name": "shop-db-1"}
    return Candidate(node_id=f"i-{number:017}", host=f"h{number}", **{**given, **where, **members})


def row(patch: str, title: str = "", **members: Any) -> dict[str, Any]:
    given = {"classification": "Security", "severity": "Important", "cve_ids": ["CVE-2026-1"]}
    return {"id": patch, "title": title or patch, **given, **members}


def export(*nodes: Candidate, missing: dict[str, Any] | None = None, salt: str = "") -> Export:
    return to_estate(nodes, missing or {}, "2026-06-01T00:00:00Z", Names(salt, TagKeys(), KEPT))


def test_what_a_node_is_missing_becomes_its_systems_updates() -> None:
    first, second = node(1), node(2)
    found = export(
        first, second, missing={first.node_id: [row("libc6.amd64", "libc6.amd64:2.35-1")], second.node_id: []}
    ).data
    (update,) = found["systems"]["ubuntu-22.04"]["updates"]
    assert (update["name"], update["arch"], update["version"]) == ("libc6", "amd64", "2.35-1")
    assert update["reboot"] and update["priority"] == "Important" and "advisory" not in update
    assert [group["missing"] for group in found["groups"]] == [["libc6.amd64"], []]
    assert [group["id"] for group in found["groups"]] == [first.node_id, second.node_id]


def test_a_node_that_was_never_scanned_lacks_all_that_others_of_its_system_lack() -> None:
    first, second, other = node(1), node(2), node(3, os="Red Hat Enterprise Linux", os_version="9")
    found = export(first, second, other, missing={first.node_id: [row("a.amd64"), row("b.amd64")], other.node_id: []})
    assert [group["missing"] for group in found.data["groups"]] == [["a.amd64", "b.amd64"], ["a.amd64", "b.amd64"], []]


def test_windows_updates_keep_number_and_title() -> None:
    one = node(1, platform="windows", os="Microsoft Windows Server 2022 Datacenter", os_version="10.0.20348")
    (system,) = export(one, missing={one.node_id: [row("KB5031234", "Cumulative {x}")]}).data["systems"].values()
    assert system["platform"] == "Windows" and system["updates"][0]["kb"] == "KB5031234"


def test_states_become_those_of_the_lab_and_what_cannot_be_rehearsed_is_counted() -> None:
    nodes = [node(1, state="stopped"), node(2, ping_status="ConnectionLost"), node(3, managed=False)]
    nodes += [node(4, executor="linux"), node(5, os="Plan 9", platform="linux"), node(6, account="")]
    found = export(*nodes, missing={})
    marks = [{key for key in ("stopped", "offline", "managed") if key in group} for group in found.data["groups"]]
    assert marks == [{"stopped"}, {"offline"}, {"managed"}]
    assert sorted(found.left_out.values()) == [1, 1, 1] and "executor linux" in " ".join(found.left_out)


def test_pseudonyms_hide_names_ids_owners_and_other_tags() -> None:
    data = export(node(1), node(2), salt="pepper").data
    text = json.dumps(data)
    assert not [word for word in ("shop-db-1", "jane", "Secret", "s3", node(1).node_id) if word in text]
    tags = data["groups"][0]["tags"]
    assert tags["PatchGroup"] == "DB" and tags["Name"] == "node-0001" and tags["Owner"].startswith("owner-")
    assert data["groups"][0]["tags"]["Owner"] == data["groups"][1]["tags"]["Owner"]
    assert export(node(1), salt="other").data["groups"][0]["id"] != data["groups"][0]["id"]
    assert export(node(1)).data["groups"][0]["tags"] == TAGS
