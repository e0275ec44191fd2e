# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every task file that a policy names is part of what is approved."""

from __future__ import annotations

import hashlib
from dataclasses import fields
from pathlib import Path

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.run_rules import HOOK_FILES, Hooks
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.named_files import hash_named_files


def test_all_hooks_are_hashed(tmp_path: Path) -> None:
    assert set(HOOK_FILES) == {item.name for item in fields(Hooks)} - {"load_balancer"}
    for name in HOOK_FILES:
        (tmp_path / f"{name}.yml").write_text(name)
    policy = to_policy({"version": 1, "name": "p", "hooks": {name: f"{name}.yml" for name in HOOK_FILES}})
    expected = {f"hooks.{name}: {name}.yml": hashlib.sha256(name.encode()).hexdigest() for name in HOOK_FILES}
    assert hash_named_files(policy, tmp_path) == expected
    (tmp_path / "after_gate.yml").unlink()
    assert hash_named_files(policy, tmp_path)["hooks.after_gate: after_gate.yml"] == ""
