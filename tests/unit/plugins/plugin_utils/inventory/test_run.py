# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which executor an inventory prefers: its own option, or the policy."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.errors import PolicyError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.run import executor_order


def order(folder: Path, names: list[str], policy_file: str = "") -> list[str]:
    options = {"executor_order": names, "policy_file": policy_file}
    return list(executor_order(options.__getitem__, str(folder / "inventory" / "x.azure_fleet.yml")))


def write(folder: Path, names: str) -> str:
    (folder / "inventory").mkdir()
    (folder / "policy.yml").write_text(f"version: 1\nname: p\nestate: {{executor_order: {names}}}\n", "utf-8")
    return "../policy.yml"


def test_the_policy_of_the_inventory_decides(tmp_path: Path) -> None:
    policy = write(tmp_path, "[azure, ssm]")
    assert order(tmp_path, [], policy) == ["azure", "ssm"] == order(tmp_path, ["azure", "ssm"], policy)
    assert order(tmp_path, [], str(tmp_path / "policy.yml")) == ["azure", "ssm"]
    assert order(tmp_path, ["ssm"]) == ["ssm"] and order(tmp_path, []) == []


def test_two_orders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"'azure', 'ssm'.* as in the policy of policy_file, or only one of the two"):
        order(tmp_path, ["ssm", "azure"], write(tmp_path, "[azure, ssm]"))


def test_mistakes_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"executor_order\[1\]: 'sms' is not valid"):
        order(tmp_path, ["azure", "sms"])
    with pytest.raises(PolicyError, match=r"executor_order\[1\].*did you mean 'ssm'"):
        order(tmp_path, [], write(tmp_path, "[azure, sms]"))
    with pytest.raises(BadInput, match="a readable policy file"):
        order(tmp_path, [], "nowhere.yml")
