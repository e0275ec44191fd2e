# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assesses many machines of Azure: one call to begin each, and all results by queries of Resource Graph."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ...module_utils._azure.errors import Lost, Throttled
from ...module_utils._azure.patching import is_busy
from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError, ServiceError
from ...module_utils._core.model import Status
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.azure.ports import MachinePort
from ...module_utils._core.work.azure.results import scan_result
from ...module_utils._core.work.azure.runs import Run
from ...module_utils._core.work.final_record import error
from ...module_utils._core.work.packages.listing import PackageRules

#: A machine that is throttled or busy is asked again so often.
_TRIES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessments:
    """:param max_age: results that are not older are taken as they are; machines with periodic assessment have them.
    :param limit: how long to wait for the results, which Resource Graph shows late.
    """

    port: MachinePort
    clock: Clock
    rules: PackageRules
    say: Callable[[str], None]
    max_age: timedelta = timedelta(0)
    limit: timedelta = timedelta(hours=2)
    poll_seconds: float = 60

    def run(self, nodes: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
        """Return a result for each machine: its ``node_id``, ``platform`` and ``state`` are asked for.

        Of one that is deallocated, the last assessment is taken: Azure Resource Graph keeps it for 7 days.
        """
        ids = [node["node_id"] for node in nodes]
        off = {node["node_id"].lower() for node in nodes if node["state"] == "deallocated"}
        oldest = self.clock.now() - self.max_age
        known = self.port.runs(ids, "assessment", False) if (self.max_age or off) and ids else {}
        fresh = off | {node for node, run in known.items() if not run.running and run.started_at >= oldest}
        begun: dict[str, datetime] = {}
        problems: dict[str, PatchtideError] = {}
        for number, node_id in enumerate((item for item in ids if item.lower() not in fresh), 1):
            begun[node_id.lower()] = self.clock.now()
            try:
                self._begin(node_id)
            except PatchtideError as why:
                problems[node_id.lower()] = why
            self.say(f"{number} of {len(ids) - len(fresh)} assessments begun")
        waiting = {node for node in begun if node not in problems}
        runs = self._wait(waiting, begun)
        found = self.port.runs([node for node in ids if node.lower() in {*runs, *fresh}], "assessment", True)
        return [self._result(node, found, begun, problems) for node in nodes]

    def _begin(self, node_id: str) -> None:
        for number in range(_TRIES):
            try:
                self.port.assess(node_id)
                return
            except Lost:
                return  # it may have begun; the results tell
            except Throttled as why:
                pause = max(why.seconds, 1.0)
                problem: ServiceError = why
            except ServiceError as why:
                if not is_busy(why):
                    raise
                pause, problem = self.poll_seconds, why
            if number + 1 == _TRIES:
                raise problem
            self.clock.sleep(pause)

    def _wait(self, waiting: set[str], begun: Mapping[str, datetime]) -> set[str]:
        """Wait until Resource Graph shows the end of all assessments; return the machines whose end it shows."""
        ended: set[str] = set()
        until = self.clock.now() + self.limit
        while waiting - ended and self.clock.now() < until:
            self.clock.sleep(self.poll_seconds)
            runs = self.port.runs(sorted(waiting), "assessment", False)
            ended = {node for node, run in runs.items() if not run.running and run.is_ours(begun[node])}
            self.say(f"{len(ended)} of {len(waiting)} assessments ended")
        return ended

    def _result(
        self,
        node: Mapping[str, str],
        runs: Mapping[str, Run],
        begun: Mapping[str, datetime],
        problems: Mapping[str, PatchtideError],
    ) -> dict[str, Any]:
        key, now = node["node_id"].lower(), to_time(self.clock.now())
        base = {"node_id": node["node_id"], "started_at": to_time(begun[key]) if key in begun else now, "ended_at": now}
        if key in problems:
            why = problems[key]
            return {**base, "status": Status.FAILED.value, "error": error(why.code, str(why))}
        run = runs.get(key)
        if run is None and node["state"] == "deallocated":
            text = "it is deallocated, and Azure has no assessment of the last 7 days: start it, then scan again"
            return {**base, "status": Status.UNKNOWN.value, "error": error("not_assessed", text)}
        if run is None or run.running or (key in begun and not run.is_ours(begun[key])):
            text = f"its assessment did not end within {int(self.limit.total_seconds() // 60)} minutes"
            return {**base, "status": Status.UNKNOWN.value, "error": error("no_end", text)}
        assessed = {"started_at": to_time(run.started_at), "assessed_at": to_time(run.started_at)}
        return {**base, **assessed, **scan_result(run, node["platform"], self.rules, None)}
