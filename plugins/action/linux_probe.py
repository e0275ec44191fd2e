# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the host probe on the host of the play; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..module_utils._core.executors import LINUX
from ..module_utils._core.work.host_probe import to_probe
from ..module_utils._core.work.precheck import PrecheckRules, evaluate_probe, ways_of
from ..plugin_utils.executors.direct import DirectAction


class ActionModule(DirectAction):
    """Only reads the host, and compares what it finds with the thresholds."""

    SPEC: ClassVar[dict[str, Any]] = {
        "thresholds": {"type": "dict", "default": {}},
        "endpoints": {"type": "list", "elements": "str", "default": []},
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        rules = PrecheckRules.from_dict(options["thresholds"], "thresholds.")
        output = self.shell(to_probe("linux", endpoints=options["endpoints"]))
        found = evaluate_probe(output, rules, executor=LINUX)
        ways = {"ways": ways_of(output)} if options["endpoints"] else {}
        return {"changed": False, **found.to_dict(), **ways}
