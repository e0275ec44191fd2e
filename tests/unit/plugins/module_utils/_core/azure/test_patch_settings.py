# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Azure patches machines by itself: what is changed, what is kept, what a machine can't have."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.azure.patch_settings import PatchSettingsNoun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput

from tests.fakes.azure_resource import FakeResource

VM = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/vm"
ARC = "/subscriptions/s/resourcegroups/rg/providers/microsoft.hybridcompute/machines/arc"
BY_PLATFORM = {"patch_mode": "AutomaticByPlatform"}
NOTHING = dict.fromkeys(("patch_mode", "assessment_mode", "customer_schedules", "hotpatch"))


def machine(kind: str = "windows", **settings: Any) -> FakeResource:
    return FakeResource({"properties": {"osProfile": {f"{kind}Configuration": {"patchSettings": settings, "x": 1}}}})


def applied(port: FakeResource, node: str = VM, **more: Any) -> dict[str, Any]:
    """Return the settings that were written; nothing if none were."""
    noun = PatchSettingsNoun(port, node, {**NOTHING, **more})
    change = noun.plan()
    if not change.changed:
        return {}
    assert noun.apply(change) == change.after
    (kind,) = (port.found or {})["properties"]["osProfile"].values()
    return dict(kind["patchSettings"])


def test_defaults_are_those_of_the_operating_system() -> None:
    assert not applied(machine("windows"), patch_mode="AutomaticByOS", assessment_mode="ImageDefault")
    assert not applied(machine("linux"), patch_mode="ImageDefault")


def test_only_what_is_given_changes() -> None:
    own = {"automaticByPlatformSettings": {"bypassPlatformSafetyChecksOnUserSchedule": True}}
    before = {"patchMode": "AutomaticByPlatform", **own}
    assert applied(machine("linux", **before), assessment_mode="AutomaticByPlatform") == {
        **before, "assessmentMode": "AutomaticByPlatform"
    }  # fmt: skip
    assert not applied(machine("linux", **before), customer_schedules=True)
    assert applied(machine("windows", **before), patch_mode="Manual") == {
        "patchMode": "Manual", "assessmentMode": "ImageDefault"
    }  # fmt: skip


def test_hotpatching_is_written_only_where_it_changes() -> None:
    found = applied(machine(patchMode="AutomaticByPlatform"), hotpatch=True)
    assert found["enableHotpatching"] is True
    assert "enableHotpatching" not in applied(machine(), patch_mode="Manual")


def test_a_server_of_azure_arc_has_no_settings_by_the_platform() -> None:
    found = applied(machine("linux"), ARC, patch_mode="AutomaticByPlatform")
    assert found == {"patchMode": "AutomaticByPlatform", "assessmentMode": "ImageDefault"}


@pytest.mark.parametrize(
    ("kind", "node", "given", "option"),
    [
        ("linux", VM, {"patch_mode": "Manual"}, "patch_mode"),
        ("windows", VM, {"patch_mode": "ImageDefault"}, "patch_mode"),
        ("windows", VM, {"customer_schedules": True}, "customer_schedules"),
        ("linux", ARC, {"patch_mode": "AutomaticByPlatform", "customer_schedules": True}, "customer_schedules"),
        ("linux", VM, {"patch_mode": "AutomaticByPlatform", "hotpatch": True}, "hotpatch"),
        ("windows", VM, {"hotpatch": True}, "hotpatch"),
        (
            "windows",
            VM,
            {"patch_mode": "AutomaticByPlatform", "customer_schedules": True, "hotpatch": True},
            "hotpatch",
        ),
    ],
)
def test_what_a_machine_can_not_have(kind: str, node: str, given: dict[str, Any], option: str) -> None:
    port = machine(kind)
    with pytest.raises(BadInput, match=option):
        applied(port, node, **given)
    assert port.writes == 0


def test_a_machine_that_is_gone() -> None:
    with pytest.raises(BadInput, match="machines"):
        applied(FakeResource())
