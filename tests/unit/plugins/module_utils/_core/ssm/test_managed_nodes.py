# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid nodes and service settings: what would change."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.managed_nodes import plan_managed_nodes
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.service_settings import (
    ServiceSetting,
    ServiceSettingNoun,
)

NODE = "mi-0123456789abcdef0"


def test_another_role_is_a_change_the_same_is_none() -> None:
    assert plan_managed_nodes({NODE: "old"}, [NODE], "new", present=True).after == {NODE: "new"}
    assert not plan_managed_nodes({NODE: "old"}, [NODE], "old", present=True).changed


def test_node_that_is_not_registered_can_have_no_role() -> None:
    with pytest.raises(BadInput, match="registered in this account-Region"):
        plan_managed_nodes({}, [NODE], "new", present=True)
    assert not plan_managed_nodes({}, [NODE], None, present=False).changed


class FakeSettings:
    """A ``ServiceSettingPort`` of one setting whose default is ``standard``."""

    def __init__(self, value: str) -> None:
        self.value = value

    def read(self, setting_id: str) -> ServiceSetting:
        return ServiceSetting(setting_id=setting_id, value=self.value, is_default=self.value == "standard")

    def update(self, setting_id: str, value: str) -> None:
        self.value = value

    def reset(self, setting_id: str) -> ServiceSetting:
        self.value = "standard"
        return self.read(setting_id)


@pytest.mark.parametrize(
    ("have", "state", "value", "changed"),
    [
        ("standard", "present", "advanced", True),
        ("advanced", "present", "advanced", False),
        ("advanced", "absent", None, True),
        ("standard", "absent", None, False),
    ],
)
def test_setting_is_set_and_reset(have: str, state: str, value: str | None, changed: bool) -> None:
    port = FakeSettings(have)
    noun = ServiceSettingNoun(port, {"setting_id": "/ssm/managed-instance/tier", "value": value, "state": state})
    change = noun.plan()
    assert change.changed is changed
    if changed:
        noun.apply(change)
    assert port.value == (value or "standard")
