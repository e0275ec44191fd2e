# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the host probe on the host of the play; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.executors import LINUX
from ..module_utils._core.work.host_probe import to_probe
from ..module_utils._core.work.precheck import PrecheckRules, evaluate_probe
from ..plugin_utils.executors.direct import DirectAction


class ActionModule(DirectAction):
    """Only reads the host, and compares what it finds with the thresholds."""

    SPEC: ClassVar[dict[str, Any]] = {"thresholds": {"type": "dict", "default": {}}}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rules = PrecheckRules.from_dict(options["thresholds"], "thresholds.")
        found = evaluate_probe(self.shell(to_probe("linux")), rules, executor=LINUX)
        return {"changed": False, **found.to_dict()}
