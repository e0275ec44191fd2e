# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch policies of Quick Setup, by the parameters of their associations and the tags of their nodes."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.patch_policies import (
    is_patch_policy,
    policies_of,
)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        (["s3://aws-quicksetup-patchpolicy-111122223333-v4t88/baseline_overrides.json"], True),
        (["s3://our-baselines/override.json"], False),
        ([""], False),
    ],
)
def test_a_policys_association_reads_its_baselines_from_quick_setups_bucket(
    override: list[str], expected: bool
) -> None:
    assert is_patch_policy({"Operation": ["Install"], "BaselineOverride": override}) is expected
    assert not is_patch_policy({"Operation": ["Scan"]})


def test_a_node_may_be_in_several_policies() -> None:
    tags = {"QSConfigName-07fbk": "Linux", "QSConfigName-8l8fj": "Report", "QSConfig": "x", "Name": "web"}
    assert policies_of(tags) == {"QSConfigName-07fbk": "Linux", "QSConfigName-8l8fj": "Report"}
