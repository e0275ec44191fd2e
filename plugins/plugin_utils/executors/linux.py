# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor ``linux``: hosts over their own connections, each a piece of work of its own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._core.errors import BadInput
from ..controller_action import ControllerAction
from ..rollout.folder import RolloutDir
from .base import ExecutorPort
from .rules import WaveRules


def open_linux(
    action: ControllerAction,
    rollout: RolloutDir,
    options: Mapping[str, Any],
    rules: WaveRules,
    sessions: object,
    task_vars: Mapping[str, Any],
) -> ExecutorPort:
    raise BadInput("executor", "linux", "not yet")
