# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executor ``ssm``: Run Command and Patch Manager on chunks of nodes of one account-Region and platform."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.executors import SSM, Executor
from ...module_utils._core.model import place_label
from ...module_utils._core.rollout.state import NOT_BEGUN
from ...module_utils._core.stamp import to_time
from ...module_utils._core.work.precheck import services_mode
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
from ..rollout.folder import RolloutDir
from .base import Result, Unknown, Work
from .rules import WaveRules

#: Seconds that the host probe's script may run, and a scan of AWS-RunPatchBaseline.
PROBE_SECONDS, SCAN_SECONDS = 300, 3600


@dataclass(slots=True)
class SsmExecutor:
    """Works on the planned nodes of a wave.

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

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        return [(place, ids) for place, _platform, ids in split([self.rollout.nodes[node] for node in nodes])]

    def deadline(self, stage: str, at: datetime) -> datetime:
        return deadline(at, self.rules.delivery_seconds, self._seconds(stage))

    def begin(self, work: Work) -> str:
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
        chunk = self._chunk(work)
        chunk.command_id = find_command(chunk, self.ports(work.place), self.clock)
        return chunk.command_id or (None if final else "")

    def poll(self, work: Work) -> list[Result]:
        chunk = self._chunk(work)
        found = self._on_chunk(work).look(chunk, self.ports(work.place))
        if chunk.error and chunk.waiting and not found:
            raise chunk.error
        work.trouble = str(chunk.error) if chunk.error and chunk.waiting else ""
        return [*found, *_unsent(chunk)]

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        chunk, port, stage = self._chunk(work), self.ports(work.place), self._on_chunk(work)
        found = stage.give_up(chunk, port) if why is None else stage.refused(chunk, why, port)
        return [*found, *_unsent(chunk)]

    def service_time(self) -> datetime | None:
        for node in self.rollout.state_of_wave(self.wave).nodes:
            planned = self.rollout.nodes[node]
            if planned["executor"] == self.row.name:
                return self.ports(place_label(planned["account"], planned["region"])).service_time()
        return None

    def begun(self, work: Work) -> int:
        """Return how many of its nodes were at work at the last look."""
        return self._chunk(work).begun

    def _on_chunk(self, work: Work) -> ChunkStage:
        if work.token not in self._stages:
            self._stages[work.token] = self._stage(work)
        return ChunkStage(self._stages[work.token], self.clock)

    def _stage(self, work: Work) -> Stage:
        if work.stage == "verify":
            results = {node: self.rollout.state.nodes[node].results for node in work.nodes}
            rule = str(self.rollout.wave(self.wave)["reboot_rule"])
            return VerifyStage(self.rollout.nodes, results, rule, lambda: to_time(self.clock.now()))
        made: dict[str, Callable[[], Stage]] = {
            "precheck": lambda: PrecheckStage(self.rules.thresholds),
            "patch": InstallStage,
            "reboot": RebootStage,
            "scan": ScanStage,
        }
        return made[work.stage]()

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
            return probe_request(platform, PROBE_SECONDS, services_mode(work.stage, thresholds), key)
        if work.stage == "reboot":
            token = hashlib.sha256(work.token.encode()).hexdigest()[:24]
            return reboot_request(platform, token, self.rules.reboot_seconds)
        return baseline_request("Install" if work.stage == "patch" else "Scan")

    def _seconds(self, stage: str) -> int:
        limits = {"patch": self.rules.install_seconds, "reboot": self.rules.reboot_seconds, "scan": SCAN_SECONDS}
        return limits.get(stage, PROBE_SECONDS)


def _unsent(chunk: Chunk) -> list[Result]:
    """Return the results of nodes that the command was not sent to, because of another one: they are due again."""
    return [{"node_id": node, "status": NOT_BEGUN} for node in chunk.unsent]
