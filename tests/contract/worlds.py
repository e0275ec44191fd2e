# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two worlds that every contract test runs in: in-memory fakes, and the real adapters on the lab."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.baselines import SsmBaselines
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.patch_groups import SsmPatchGroups
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.window_targets import SsmWindowTargets
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.window_tasks import SsmWindowTasks
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.windows import SsmWindows

from tests.fakes.baselines import FakeBaselines, FakePatchGroups
from tests.fakes.windows import FakeWindows, FakeWindowTargets, FakeWindowTasks


@dataclass
class World:
    """The ports of one place. ``Any``: they are protocols, and the tests hold both sides to them."""

    baselines: Any
    patch_groups: Any
    windows: Any
    window_targets: Any
    window_tasks: Any


def fake_world() -> World:
    baselines, windows = FakeBaselines(), FakeWindows()
    return World(baselines, FakePatchGroups(baselines), windows, FakeWindowTargets(windows), FakeWindowTasks(windows))


def lab_world(ssm: Any) -> World:
    """:param ssm: an SSM client of a place of the lab."""
    return World(SsmBaselines(ssm), SsmPatchGroups(ssm), SsmWindows(ssm), SsmWindowTargets(ssm), SsmWindowTasks(ssm))
