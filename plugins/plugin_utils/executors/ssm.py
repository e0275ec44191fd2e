# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor ``ssm``: Run Command and Patch Manager on chunks of nodes of one account-Region and platform."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import SSM, Executor
from ...module_utils._core.lists.pins import EVERYTHING
from ...module_utils._core.lists.planned import is_pinned
from ...module_utils._core.model import Status, place_label
from ...module_utils._core.rollout.promotion import Promotion
from ...module_utils._core.rollout.state import NOT_BEGUN
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.precheck import services_mode
from ...module_utils._core.work.probe_packages import packages_mode
from ...module_utils._core.work.proof import Row, rows_of
from ...module_utils._core.work.ssm.commands import Ambiguous, Chunk, comment_of, deadline, find_command, send, split
from ...module_utils._core.work.ssm.ports import CommandRequest, FleetPort
from ...module_utils._core.work.ssm.stagerun import ChunkStage, Stage
from ...module_utils._core.work.ssm.stages import (
    InstallStage,
    PrecheckStage,
    RebootStage,
    ScanStage,
    VerifyStage,
    baseline_request,
    probe_request,
    reboot_request,
)
from ...module_utils._core.work.ssm.windows_updates import WindowsUpdatesStage, windows_updates_request
from ..rollout.folder import RolloutDir
from .base import Result, Unknown, Work
from .rules import WaveRules

#: Time limits in seconds of the host probe's script, and of a scan with AWS-RunPatchBaseline.
PROBE_SECONDS, SCAN_SECONDS = 300, 3600
#: Handle of an install that does not begin because nothing is planned for its nodes.
_NOTHING = "nothing"


@dataclass(slots=True)
class SsmExecutor:
    """Works on the planned nodes of a wave over Systems Manager.

    :param ports: gives the port of an account-Region by its label; opened when it is first needed.
    """

    rollout: RolloutDir
    wave: str
    rules: WaveRules
    clock: Clock
    ports: Callable[[str], FleetPort]
    row: Executor = SSM
    poll_seconds: float = 15
    _chunks: dict[str, Chunk] = field(default_factory=dict)
    _stages: dict[str, Stage] = field(default_factory=dict)
    #: The rows of the plan's lists by name.
    _rows: dict[str, tuple[Row, ...]] = field(default_factory=dict)

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        groups: dict[tuple[str, bool], list[Mapping[str, Any]]] = {}
        for node in nodes:
            address = self._address(node) if stage == "patch" else ""
            kind = address, stage == "patch" and self._takes_everything(node)
            groups.setdefault(kind, []).append(self.rollout.nodes[node])
        return [(place, ids) for _kind, found in sorted(groups.items()) for place, _platform, ids in split(found)]

    def _address(self, node: str) -> str:
        """Return the key of a node's list: all nodes of a command install from the same list."""
        listed = self._promotion.list_of(node)
        return str(listed["address"]) if listed else _NOTHING if is_pinned(self.rollout.nodes[node]) else ""

    def _takes_everything(self, node: str) -> bool:
        """Return whether a node installs whatever it is offered: the plan says so, whatever the policy says now."""
        return self.rollout.nodes[node].get("pin") == EVERYTHING

    @property
    def _promotion(self) -> Promotion:
        return self.rollout.promotion(self.wave)

    def _has_nothing(self, work: Work) -> bool:
        """Return whether no patch is planned for the nodes and a list excludes everything else."""
        return work.stage == "patch" and self._address(work.nodes[0]) == _NOTHING

    def deadline(self, stage: str, at: datetime) -> datetime:
        return deadline(at, self.rules.delivery_seconds, self._seconds(stage))

    def begin(self, work: Work) -> str:
        if self._has_nothing(work):
            return _NOTHING
        self._chunks.pop(work.token, None)  # of a look-up that did not find it
        chunk = self._chunk(work)
        try:
            chunk.command_id = send(
                chunk, self.ports(work.place), look_first=False, clock=self.clock, confirm=work.confirm
            )
        except Ambiguous as why:
            raise Unknown(str(why)) from why
        return chunk.command_id

    def look_up(self, work: Work, *, final: bool) -> str | None:
        if self._has_nothing(work):
            return _NOTHING
        chunk = self._chunk(work)
        chunk.command_id = find_command(chunk, self.ports(work.place), self.clock)
        return chunk.command_id or (None if final else "")

    def poll(self, work: Work) -> list[Result]:
        if self._has_nothing(work):
            return self._nothing(work)
        chunk = self._chunk(work)
        found = self._on_chunk(work).look(chunk, self.ports(work.place))
        if chunk.error and chunk.waiting and not found:
            raise chunk.error
        work.trouble = str(chunk.error) if chunk.error and chunk.waiting else ""
        if not chunk.waiting:
            self._forget(work)
        return [*found, *_unsent(chunk)]

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        if self._has_nothing(work):
            return self._nothing(work)
        chunk, port, stage = self._chunk(work), self.ports(work.place), self._on_chunk(work)
        found = stage.give_up(chunk, port) if why is None else stage.refused(chunk, why, port)
        self._forget(work)
        return [*found, *_unsent(chunk)]

    def _forget(self, work: Work) -> None:
        """Release what was kept of work whose nodes all have their results: a wave has hundreds of such pieces."""
        self._chunks.pop(work.token, None)
        self._stages.pop(work.token, None)

    def _nothing(self, work: Work) -> list[Result]:
        at = to_time(self.clock.now())
        result = {"status": Status.NO_OP.value, "started_at": at, "ended_at": at, "installed": []}
        return [{"node_id": node, **result} for node in work.nodes]

    def service_time(self) -> datetime | None:
        for node in self.rollout.state_of_wave(self.wave).nodes:
            planned = self.rollout.nodes[node]
            if planned["executor"] == self.row.name:
                return self.ports(place_label(planned["account"], planned["region"])).service_time()
        return None

    def begun(self, work: Work) -> int:
        """Return how many of its nodes were at work at the last poll."""
        return 0 if self._has_nothing(work) else self._chunk(work).begun

    def _on_chunk(self, work: Work) -> ChunkStage:
        if work.token not in self._stages:
            self._stages[work.token] = self._stage(work)
        return ChunkStage(self._stages[work.token], self.clock)

    def _stage(self, work: Work) -> Stage:
        if work.stage == "verify":
            results = {node: self.rollout.state.nodes[node].results for node in work.nodes}
            rule = str(self.rollout.wave(self.wave)["reboot_rule"])
            if not self._rows:
                self._rows.update((str(item["name"]), rows_of(item["patches"])) for item in self.rollout.plan["lists"])
            nodes = {node: self._promotion.node(node) for node in work.nodes}
            return VerifyStage(nodes, results, rule, lambda: to_time(self.clock.now()), self._rows)
        planned = {node: self.rollout.nodes[node] for node in work.nodes}
        made: dict[str, Callable[[], Stage]] = {
            "precheck": lambda: PrecheckStage(self.rules.thresholds),
            "patch": lambda: self._install_stage(planned),
            "reboot": RebootStage,
            "scan": lambda: ScanStage(planned={node: self._not_arrived(node) for node in planned}),
        }
        return made[work.stage]()

    def _install_stage(self, planned: Mapping[str, Mapping[str, Any]]) -> Stage:
        if self._takes_everything(next(iter(planned))):
            return WindowsUpdatesStage()
        return InstallStage({node: row.get("pending_before") or () for node, row in planned.items()})

    def _not_arrived(self, node: str) -> list[str]:
        """Return the IDs of planned patches that the install did not install, as far as it reported them."""
        patch = self.rollout.state.nodes[node].results.get("patch", {})
        arrived = frozenset(rows_of(patch.get("arrived")))
        rows = rows_of(self._promotion.node(node).get("patches"))
        by_id = frozenset(patch_id for patch_id, _title in arrived)
        windows = self.rollout.nodes[node]["platform"] == "windows"
        return [row[0] for row in rows if (row[0] not in by_id if windows else row not in arrived)]

    def _chunk(self, work: Work) -> Chunk:
        if work.token not in self._chunks:
            self._chunks[work.token] = Chunk(
                token=work.token,
                place=work.place,
                request=self._request(work),
                intended_at=work.at,
                deadline=work.deadline,
                command_id=work.handle or None,
            )
        return self._chunks[work.token]

    def _request(self, work: Work) -> CommandRequest:
        platform = str(self.rollout.nodes[work.nodes[0]]["platform"])
        document, parameters = self._document(work, platform)
        return CommandRequest(
            document=document,
            parameters=parameters,
            node_ids=work.nodes,
            comment=comment_of(work.token),
            delivery_timeout=self.rules.delivery_seconds,
            max_concurrency=str(self.rules.max_concurrency),
        )

    def _document(self, work: Work, platform: str) -> tuple[str, Mapping[str, list[str]]]:
        key, thresholds = str(self.rollout.plan["rollout"]), self.rules.thresholds
        if work.stage in ("precheck", "verify"):
            services, packages = services_mode(work.stage, thresholds), packages_mode(work.stage)
            return probe_request(platform, PROBE_SECONDS, services, key, packages)
        if work.stage == "reboot":
            token = hashlib.sha256(work.token.encode()).hexdigest()[:24]
            return reboot_request(platform, token, self.rules.reboot_seconds)
        if work.stage == "scan":
            return baseline_request("Scan", work.snapshot_id)
        if self._takes_everything(work.nodes[0]):
            return windows_updates_request()
        return baseline_request("Install", work.snapshot_id, self._address(work.nodes[0]))

    def _seconds(self, stage: str) -> int:
        limits = {"patch": self.rules.install_seconds, "reboot": self.rules.reboot_seconds, "scan": SCAN_SECONDS}
        return limits.get(stage, PROBE_SECONDS)


def _unsent(chunk: Chunk) -> list[Result]:
    """Return the results of nodes that did not get the command because of another node: they are due again."""
    return [{"node_id": node, "status": NOT_BEGUN} for node in chunk.unsent]
