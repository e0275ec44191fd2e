# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assessments, installations, run commands and restarts of virtual machines and of Azure Arc servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .._core.azure_ids import is_arc
from .._core.errors import NotFound, ServiceError
from .._core.work.azure.requests import command_body
from .._core.work.azure.runs import Run, graph_runs
from . import graph
from .arm import Answer, Arm
from .errors import Lost
from .machines import COMPUTE_API, HYBRID_API

#: Run commands of Azure Arc servers.
HYBRID_SCRIPT_API = "2024-07-10"
_TABLES = {"assessment": "patchassessmentresources", "installation": "patchinstallationresources"}
#: Machines that are asked for by their IDs; of more, the rows of whole subscriptions cost fewer calls.
_FEW = 3


class Machines:
    """The machines of a tenant's subscriptions. Thread-safe."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm
        self._time: datetime | None = None

    def view(self, node_id: str) -> Mapping[str, Any]:
        what = f"read the state of {_name(node_id)}"
        if is_arc(node_id):
            return self._seen(self._arm.get(node_id, HYBRID_API, what)).data
        return self._seen(self._arm.get(f"{node_id}/instanceView", COMPUTE_API, what)).data

    def assess(self, node_id: str) -> str:
        return self._begin(f"{node_id}/assessPatches", node_id, None, f"assess {_name(node_id)}")

    def install(self, node_id: str, body: Mapping[str, Any]) -> str:
        return self._begin(f"{node_id}/installPatches", node_id, body, f"install on {_name(node_id)}")

    def restart(self, node_id: str) -> None:
        self._begin(f"{node_id}/restart", node_id, None, f"restart {_name(node_id)}")

    def operation(self, url: str) -> Mapping[str, Any] | None:
        answer = self._seen(self._arm.follow(url, "read the state of an operation"))
        return None if answer.status == 202 else answer.data

    def runs(self, node_ids: Sequence[str], kind: str, patches: bool) -> Mapping[str, Run]:
        return graph_runs(self._rows(node_ids, kind, patches), kind)

    def _rows(self, node_ids: Sequence[str], kind: str, patches: bool) -> Iterator[Mapping[str, Any]]:
        """Yield the rows of some machines: asked for one by one if they are few, else all of their subscriptions."""
        wanted = {node_id.lower() for node_id in node_ids}
        places = sorted({node_id.split("/")[2] for node_id in wanted})
        texts = [node_id.replace("\\", "\\\\").replace("'", "\\'") for node_id in sorted(wanted)]
        few = [f" | where id startswith '{text}/'" for text in texts] if len(wanted) <= _FEW else [""]
        # By equality of types, rows of patches are missed (AzureUpdateManagerTools issue 1).
        for end in ("results", "results/softwarepatches") if patches else ("results",):
            for where in few:
                query = (
                    f"{_TABLES[kind]} | where type endswith 'patch{kind}{end}'{where} "
                    "| project id, type, properties | order by id asc"
                )
                for row in graph.rows(self._arm, query, places, f"query the last {kind}s"):
                    if str(row.get("id") or "").lower().partition(f"/patch{kind}results/")[0] in wanted:
                        yield row

    def run_script(
        self, node_id: str, location: str, name: str, script: str, seconds: int, *, once: bool = False
    ) -> None:
        path, api = self._command(node_id, name)
        what, body = f"run a script on {_name(node_id)}", command_body(location, script, seconds)
        if once:
            self._seen(self._arm.act(path, api, body, what, method="PUT"))
        else:
            self._seen(self._arm.write("PUT", path, api, body, what))

    def script(self, node_id: str, name: str) -> Mapping[str, Any] | None:
        path, api = self._command(node_id, name)
        try:
            query = {} if is_arc(node_id) else {"$expand": "instanceView"}
            found = self._seen(self._arm.get(path, api, f"read the script on {_name(node_id)}", query)).data
        except NotFound:
            return None
        view = (found.get("properties") or {}).get("instanceView")
        return view if isinstance(view, Mapping) else {}

    def forget_script(self, node_id: str, name: str) -> None:
        path, api = self._command(node_id, name)
        self._arm.write("DELETE", path, api, None, f"delete the script on {_name(node_id)}")

    def service_time(self) -> datetime | None:
        return self._time

    def _command(self, node_id: str, name: str) -> tuple[str, str]:
        return f"{node_id}/runCommands/{name}", HYBRID_SCRIPT_API if is_arc(node_id) else COMPUTE_API

    def _begin(self, path: str, node_id: str, body: Mapping[str, Any] | None, what: str) -> str:
        answer = self._seen(self._arm.act(path, HYBRID_API if is_arc(node_id) else COMPUTE_API, body, what))
        if answer.status not in (200, 202):
            raise Lost(what, f"HTTP{answer.status}", "the answer is neither 200 nor 202")
        return answer.headers.get("location", "")

    def _seen(self, answer: Answer) -> Answer:
        with suppress(ValueError, TypeError):
            self._time = parsedate_to_datetime(answer.headers["date"]) if "date" in answer.headers else self._time
        return answer


def _name(node_id: str) -> str:
    return node_id.rpartition("/")[2]


def is_busy(error: ServiceError) -> bool:
    """Tell whether a machine has another operation in progress: every 409 that no lock causes counts as such."""
    return (
        error.code in ("OperationNotAllowed", "Conflict", "HCRP409", "HTTP409") and "progress" in error.detail.lower()
    )
