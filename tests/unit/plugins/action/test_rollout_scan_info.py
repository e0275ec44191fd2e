# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""rollout_scan_info: who is scanned, how, and why others are not."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from ansible_collections.patchtide.hybrid.plugins.action.rollout_scan_info import ActionModule


def find(args: dict[str, Any] | None = None, /, **hosts: dict[str, Any]) -> dict[str, Any]:
    hostvars = {name: {f"patchtide_{key}": value for key, value in facts.items()} for name, facts in hosts.items()}
    task = Mock(args=args or {}, check_mode=False, diff=False, async_val=0, environment=[])
    variables = {"groups": {"all": list(hostvars)}, "hostvars": hostvars}
    result: dict[str, Any] = ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars=variables)
    return result


SSM = {"executor": "ssm", "node_id": "i-1", "ping_status": "Online"}


def test_hosts_by_how_they_are_scanned() -> None:
    found = find(web2=SSM, web1=SSM, db={"executor": "linux"}, localhost={})
    assert (found["ssm_hosts"], found["direct_hosts"], found["unscanned"]) == (["web1", "web2"], ["db"], [])
    assert not found["changed"]


def test_why_a_host_is_not_scanned() -> None:
    found = find(
        db={"executor": "linux"},
        lost={**SSM, "name": "web-01", "ping_status": "ConnectionLost"},
        new={"executor": "ssm"},
        unmanaged={"node_id": "i-2"},
        unknown={**SSM, "managed": False},
    )
    assert (found["direct_hosts"], found["ssm_hosts"]) == (["db"], [])
    assert {row["host"]: row["reason"] for row in found["unscanned"]} == {
        "lost": "its agent is not online (ConnectionLost)",
        "new": "its agent is not online (never seen)",
        "unknown": "not managed by Systems Manager",
        "unmanaged": "not managed by Systems Manager",
    }
    assert found["unscanned"][0]["name"] == "web-01"


HOSTS: dict[str, dict[str, Any]] = {"web": SSM, "typo": {**SSM, "executor": "sms"}, "win": {"executor": "wsus"}}


def test_hosts_that_nobody_serves_are_named() -> None:
    found = find(**HOSTS)
    assert (found["ssm_hosts"], found["unscanned"]) == (["web"], [])
    told = [(row["host"], row["executor"], row["code"]) for row in found["not_served"]]
    assert told == [("typo", "sms", "not_served"), ("win", "wsus", "not_served")]
    assert found["not_served_message"].startswith("2 hosts can be neither scanned nor patched. executor 'sms'")


def test_those_that_the_policy_excludes_are_no_error() -> None:
    exclude = [{"select": {"nodes": ["win", "typo"]}, "reason": "patched by hand"}]
    found = find({"policy": {"exclude": exclude}}, **HOSTS)
    assert (found["not_served"], found["not_served_message"]) == ([], "")
    assert [(row["host"], row["reason"]) for row in found["unscanned"]] == [
        ("typo", "patched by hand"),
        ("win", "patched by hand"),
    ]


def test_an_inventory_without_nodes_is_refused() -> None:
    found = find(localhost={}, unmanaged={"node_id": "i-2"})
    assert found["failed"] and found["error"]["code"] == "EmptyInventory"


def test_a_host_is_in_the_first_wave_that_selects_it() -> None:
    waves = [{"name": "dev", "select": {"nodes": ["web"]}}, {"name": "prod", "select": {"nodes": ["web", "y"]}}]
    policy = {"version": 1, "name": "p", "waves": [*waves, {"name": "rest", "select": {"nodes": ["db"]}}]}
    found = find({"policy": policy}, web={"executor": "linux"}, db={"executor": "linux"}, x={"executor": "linux"})
    assert found["direct_waves"] == {"db": "rest", "web": "dev", "x": ""}
