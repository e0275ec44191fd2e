# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a later wave gets is what an earlier one has proven, whatever the policy names."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.read import read
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.servers import to_promote
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE, Rollout, initial
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.servers import PatchServer

from tests.fakes.plans import completed

WAVES = ("dev", "test", "prod")
LCU, NET = "KB5990101", "KB5990102"


def server(**more: Any) -> PatchServer:
    targets = {"prod": "Prod", "test": "Test", "dev": "Dev"}
    return read(PatchServer, {"kind": "wsus", "address": "wsus-01", "targets": targets, **more})


def after_dev(status: str, *installed: str) -> Rollout:
    """A rollout whose plan has no nodes for the wave test, in which the node of dev has ended."""
    waves = [{"name": name, "nodes": [{"node_id": f"{name}-1"}], "reboot_rule": "never"} for name in ("dev", "prod")]
    state = initial(completed(waves))
    state.nodes["dev-1"].stage = DONE
    state.nodes["dev-1"].results = {"verify": {"node_id": "dev-1", "status": status, "installed": [*installed]}}
    return state


def kbs(state: Rollout, wave: str, **more: Any) -> tuple[list[str], list[str]]:
    (step,) = to_promote([server(**more)], WAVES, state, wave)
    return step["kbs"], step["not_proven"]


def test_the_first_wave_gets_what_the_policy_names() -> None:
    state = after_dev("failed")
    assert kbs(state, "dev", kbs=[NET, LCU]) == ([LCU, NET], [])
    assert kbs(state, "dev") == ([], [])


@pytest.mark.parametrize(
    ("status", "installed", "named", "given", "not_proven"),
    [
        ("succeeded", [LCU, NET], [], [LCU, NET], []),
        ("succeeded", [LCU, NET], [LCU], [LCU], []),
        ("succeeded", [LCU, "openssl"], [LCU, NET], [LCU], [NET]),
        ("succeeded", [], [LCU], [], [LCU]),
        ("failed", [LCU], [LCU], [], [LCU]),
        ("unknown", [LCU], [], [], []),
    ],
)
def test_a_later_wave_gets_what_an_earlier_one_has_proven(
    status: str, installed: list[str], named: list[str], given: list[str], not_proven: list[str]
) -> None:
    assert kbs(after_dev(status, *installed), "prod", kbs=named) == (given, not_proven)


def test_a_later_wave_is_no_first_one_because_the_plan_lacks_those_before() -> None:
    state = initial(completed([{"name": "prod", "nodes": [{"node_id": "prod-1"}], "reboot_rule": "never"}]))
    assert kbs(state, "prod", kbs=[LCU]) == ([], [LCU])


def test_groups_of_later_waves_are_named_whether_or_not_the_plan_has_them() -> None:
    state = after_dev("succeeded")
    (dev,), (prod,) = (to_promote([server()], WAVES, state, wave) for wave in ("dev", "prod"))
    assert dev["later"] == ["Test", "Prod"] and prod["later"] == []
    assert (dev["kind"], dev["address"], dev["target"]) == ("wsus", "wsus-01", "Dev")


def test_a_satellite_promotes_one_version_through_all_waves() -> None:
    given = {"organization": "Contoso", "content_view": "rhel9", "version": "12.0", "targets": {"dev": "Dev"}}
    satellite = server(kind="satellite", address="https://s.example", **given)
    state = after_dev("succeeded")
    step = {"kind": "satellite", "address": "https://s.example", "target": "Dev"}
    wanted = {**step, "organization": "Contoso", "content_view": "rhel9", "version": "12.0"}
    assert (
        to_promote([satellite], WAVES, state, "dev") == [wanted] and to_promote([satellite], WAVES, state, "prod") == []
    )
