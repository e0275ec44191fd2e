# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asks nodes themselves for their ways; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, ClassVar

from ..module_utils._core.connectivity.from_nodes import SITE, checks_of, endpoints, way_of_repositories
from ..module_utils._core.connectivity.judge import summarize
from ..module_utils._core.executors import LINUX, SSM
from ..module_utils._core.nodes import PREFIX
from ..module_utils._core.work.precheck import PrecheckRules
from ..module_utils._core.work.ssm.stagerun import Stage
from ..module_utils._core.work.ssm.stages import PrecheckStage, probe_request
from ..plugin_utils.executors.ssm_action import SsmAction

_SECONDS = 300
#: Variable of a host with the result of linux_probe.
PROBED = f"{PREFIX}way_probe"


class ActionModule(SsmAction):
    """Nodes of Systems Manager by a command, direct Linux hosts by what linux_probe found on them before."""

    SPEC: ClassVar[dict[str, Any]] = {
        **SsmAction.SPEC,
        "endpoints": {"type": "list", "elements": "str", "default": []},
        "internet": {"type": "bool", "default": True},
    }

    def stage(self, options: Mapping[str, Any]) -> Stage:
        return PrecheckStage(PrecheckRules(), ways=True)

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        urls = endpoints(options["region_of_nodes"], options["endpoints"], internet=options["internet"])
        return probe_request(platform, _SECONDS, endpoints=urls)

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        done = super().act(options, task_vars)
        found = {str(row["node_id"]): row for row in done["results"]}
        nodes = [_row(host, task_vars["hostvars"][host], found) for host in options["hosts"]]
        checks = checks_of(nodes, internet=options["internet"])
        rows = [asdict(check) for check in checks]
        return {"changed": False, "checks": rows, **summarize(checks), "failed_places": done["failed_places"]}


def _row(host: str, seen: Mapping[str, Any], found: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return a node with what it says; ``why`` it says nothing."""
    executor = seen.get(f"{PREFIX}executor")
    tags = seen.get(f"{PREFIX}tags") or {}
    place = "/".join(str(seen[key]) for key in (f"{PREFIX}account", f"{PREFIX}region") if seen.get(key))
    row = {"name": seen.get(f"{PREFIX}name") or host, "site": tags.get(SITE) or place or "direct hosts"}
    answer: Mapping[str, Any] = {}
    why = f"hosts of the executor {executor} are not asked here" if executor else "no executor, so it is not asked"
    if executor == SSM.name:
        answer, why = found.get(str(seen.get(f"{PREFIX}node_id")), {}), "its agent does not answer"
    elif executor == LINUX.name:
        answer, why = seen.get(PROBED) or {}, "there is no connection to it"
    said = [str(item["text"]) for item in answer.get("findings", []) if not item["ok"] and item["check"] == "agent"]
    ways = list(answer.get("ways", []))
    ways += way_of_repositories(answer["findings"]) if answer.get("facts") else []
    return {**row, "ways": ways, "why": "; ".join(said) or why}
