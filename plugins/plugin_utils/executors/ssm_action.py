# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared by the Run Command actions: connection, nodes, and one stage on named nodes, outside of a rollout."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from ...module_utils._ansible.clock import find_clock
from ...module_utils._ansible.spec import PLACES
from ...module_utils._aws.run_command import SsmFleet
from ...module_utils._core.errors import BadInput
from ...module_utils._core.executors import SSM
from ...module_utils._core.failed_places import failed_place
from ...module_utils._core.nodes import ADDRESS, PREFIX, texts
from ...module_utils._core.work.ssm.commands import Chunk, InvalidNodes, comment_of, deadline, split
from ...module_utils._core.work.ssm.ports import CommandRequest, FleetPort
from ...module_utils._core.work.ssm.stagerun import Stage, StageRun
from ..aws_options import accounts_of, aws_spec, node_places, to_sessions
from ..controller_action import ControllerAction
from ..progress import Throttle
from ..workers import gather


class SsmAction(ControllerAction):
    """A stage of Run Command on ``nodes`` or on inventory ``hosts``."""

    SPEC: ClassVar[dict[str, Any]] = {
        "accounts": PLACES["accounts"],
        "nodes": {"type": "list", "elements": "dict"},
        "hosts": {"type": "list", "elements": "str"},
        "poll_interval": {"type": "int", "default": 15},
        "delivery_timeout": {"type": "int", "default": 600},
        "execution_timeout": {"type": "int", "default": 7200},
        "max_concurrency": {"type": "str", "default": "100%"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_one_of": [("nodes", "hosts")],
        "mutually_exclusive": [("nodes", "hosts")],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def stage(self, options: Mapping[str, Any]) -> Stage:
        """Return the stage; the hook of each action."""
        raise NotImplementedError

    def request(self, options: Mapping[str, Any], platform: str, token: str) -> tuple[str, dict[str, list[str]]]:
        """Return (document, parameters) for nodes of a platform and ``region_of_nodes``; the hook of each action."""
        raise NotImplementedError

    def writes(self, options: Mapping[str, Any]) -> bool:
        """Return whether this stage changes nodes."""
        return False

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if not 30 <= options["delivery_timeout"] <= 2592000:  # SendCommand, TimeoutSeconds
            raise BadInput("delivery_timeout", options["delivery_timeout"], "30 to 2592000 seconds")
        nodes = _from_inventory(options["hosts"], task_vars) if options["hosts"] is not None else options["nodes"]
        for index, node in enumerate(nodes):
            if missing := [name for name in ADDRESS if not node.get(name)]:
                raise BadInput(f"nodes[{index}].{missing[0]}", node.get(missing[0]), "a text that is not empty")
        if self.check_mode:
            nothing: dict[str, Any] = {"results": [], "failed_places": []}
            due = [node["node_id"] for node in nodes]
            return {"changed": self.writes(options), **_summary([]), **nothing, "due": due}
        run = self._run(options, nodes)
        chunks = self._chunks(options, nodes, run)
        results = run.begin(chunks) + run.wait(chunks)
        refused = {
            item.place: item.error.to_dict()
            for item in chunks
            if item.error and not item.command_id and not isinstance(item.error, InvalidNodes)
        }
        return {
            "changed": self.writes(options),
            **_summary(results),
            "results": results,
            "failed_places": [failed_place(place, why) for place, why in sorted(refused.items())],
            "due": [],
        }

    def _run(self, options: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> StageRun:
        return StageRun(
            stage=self.stage(options),
            ports=self._ports(options, nodes),
            clock=find_clock(),
            gather=gather,
            progress=Throttle(self.say),
            poll_seconds=options["poll_interval"],
        )

    def _ports(self, options: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> dict[str, FleetPort]:
        sessions = to_sessions(options)
        places = node_places([(node["account"], node["region"]) for node in nodes], accounts_of(options))
        return {place.label: SsmFleet(place, sessions) for place in places}

    def _chunks(self, options: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]], run: StageRun) -> list[Chunk]:
        now = run.clock.now()
        chunks = []
        for number, (place, platform, ids) in enumerate(split(nodes), 1):
            token = f"{now:%Y%m%dT%H%M%S}/adhoc.{number}"
            given = {**options, "region_of_nodes": place.rpartition("/")[2]}
            chunks.append(
                Chunk(
                    token=token,
                    place=place,
                    request=self._request(given, platform, token, ids),
                    intended_at=now,
                    deadline=deadline(now, options["delivery_timeout"], options["execution_timeout"]),
                )
            )
        return chunks

    def _request(self, options: Mapping[str, Any], platform: str, token: str, ids: Sequence[str]) -> CommandRequest:
        document, parameters = self.request(options, platform, hashlib.sha256(token.encode()).hexdigest()[:24])
        return CommandRequest(
            document=document,
            parameters=parameters,
            node_ids=tuple(ids),
            comment=comment_of(token),
            delivery_timeout=options["delivery_timeout"],
            max_concurrency=options["max_concurrency"],
        )


def _from_inventory(hosts: Sequence[str], task_vars: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the hosts that Run Command can reach now: managed, running, and with an agent that responds."""
    found: list[dict[str, Any]] = []
    for host in hosts:
        seen = task_vars["hostvars"][host]
        if seen.get(f"{PREFIX}executor") == SSM.name and seen.get(f"{PREFIX}ping_status") == "Online":
            found.append({**texts(seen, ADDRESS, PREFIX)})
    return found


def _summary(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    counts: dict[str, int] = {}
    for item in results:
        key = str(item.get("status") or item.get("outcome"))
        counts[key] = counts.get(key, 0) + 1
    return {"counts": counts}
