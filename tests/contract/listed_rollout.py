# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout by override lists on the lab: planned, driven and judged by the production code, without Ansible."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.run_command import SsmFleet
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import (
    GateDecision,
    GateRules,
    WaveTally,
    decide,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.differences import count_differences
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.pinning import check_lists
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Preparations
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import final_results
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.precheck import PrecheckRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import Chunk, deadline, split
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import CommandRequest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import StageRun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import ScanStage, baseline_request
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.courses import Courses
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.driver import WORKED, Driver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import Notes
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import Opening
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.permits import Permits
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.pins import Pins, to_store
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.progress_line import WaveProgress
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.rules import WaveRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.ssm import SsmExecutor
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from lab.aws.launch import Lab
from tests.contract.executor_worlds import LabClock
from tests.contract.node_worlds import sessions_of
from tests.fakes.driving import FakeWatch, NothingToStart
from tests.fakes.events import started
from tests.fakes.fleet_port import gather

REGION, WEB, HOME = "eu-central-1", "222222222222", "111111111111"
BUCKET = "patch-lists"
DAY = 86_400
#: The inventory's name of an operating system, by a part of the catalogue's.
SYSTEMS = {"windows": "Windows", "sles": "SLES", "debian": "Debian"}


@dataclass
class ListedRollout:
    """The steps of a patch cycle for the nodes of a lab whose names begin with one of ``names``."""

    aws: Lab
    folder: Path
    names: Sequence[str] = ("app",)
    policy: dict[str, Any] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
    owner: str = WEB  #: account of the bucket

    def __post_init__(self) -> None:
        self.aws.reset()
        self.clock = LabClock(self.aws)
        self.nodes = {
            row["name"]: row for row in self.aws.get("nodes")["nodes"] if row["name"].startswith(tuple(self.names))
        }
        self.sessions = sessions_of(self.aws, self.owner)
        self.fleet = SsmFleet(Place(region=REGION, account=WEB), sessions_of(self.aws, WEB), pause=lambda seconds: None)
        self.s3 = self.aws.client("s3", REGION, self.owner)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.ssm = self.aws.client("ssm", REGION, WEB)
        self.scan: dict[str, Any] = {}

    def baseline(self, group: str, system: str, days: int = 0, **more: Any) -> str:
        """Let a group's baseline approve everything that is older than some days."""
        rule = {"PatchFilterGroup": {"PatchFilters": []}, "ApproveAfterDays": days, "EnableNonSecurity": days == 0}
        request = {"ApprovalRules": {"PatchRules": [rule]}, **more}
        made = self.ssm.create_patch_baseline(Name=f"test-{group}", OperatingSystem=system, **request)["BaselineId"]
        self.ssm.register_patch_baseline_for_patch_group(BaselineId=made, PatchGroup=group)
        return str(made)

    def pass_days(self, days: float) -> None:
        self.clock.sleep(days * DAY)

    def scan_nodes(self) -> dict[str, Any]:
        rows = [{**row, "platform": _platform(row)} for row in self.nodes.values()]
        run = StageRun(
            stage=ScanStage(details=True),
            ports={self.fleet.place.label: self.fleet},
            clock=self.clock,
            gather=gather,
            progress=lambda line: None,
        )
        chunks = []
        for number, (place, _platform_name, ids) in enumerate(split(rows)):
            document, parameters = baseline_request("Scan", str(uuid.uuid4()))
            request = CommandRequest(document=document, parameters=parameters, node_ids=ids, comment=f"scan {number}")
            now = self.clock.now()
            chunks.append(
                Chunk(
                    token=f"{number}", place=place, request=request, intended_at=now, deadline=deadline(now, 600, 3600)
                )
            )
        results = run.begin(chunks) + run.wait(chunks)
        self.scan = {"at": to_time(self.clock.now()), "nodes": {row["node_id"]: row for row in results}}
        self.scan["failed_places"] = []
        return self.scan

    def plan(self) -> dict[str, Any]:
        """Scan, and write the plan."""
        patching = {"buckets": {REGION: {"name": BUCKET, "prefix": "pt"}}, **self.policy.pop("patching", {})}
        waves = self.policy.pop("waves", [{"name": "all"}])
        self.settings = to_policy({"name": "p", "waves": waves, "patching": patching, **self.policy})
        candidates = [
            Candidate(
                node_id=row["node_id"],
                host=row["name"],
                name=row["name"],
                executor="ssm",
                platform=_platform(row),
                os=next(name for part, name in SYSTEMS.items() if part in row["os"]),
                account=WEB,
                region=REGION,
                patch_group=row["patch_group"],
                state="running",
                ping_status="Online",
                tags=row["tags"],
            )
            for row in self.nodes.values()
        ]
        given = {"policy_digest": "d", "created_at": to_time(self.clock.now()), "rollout": uuid.uuid4().hex}
        plan = build_plan(candidates, self.settings, self.scan_nodes(), **given)
        check_lists(plan["lists"])
        (self.folder / "plan.json").write_text(json.dumps(plan), "utf-8")
        rollout = RolloutDir(self.folder, self.clock)
        rollout.record(started(rollout.plan["digest"]))
        return plan

    def driver(self, wave: str) -> Driver:
        rollout = self.rollout = RolloutDir(self.folder, self.clock)
        tempo, notes = Tempo(self.clock, rehearsal=True), Notes(rollout, self.lines.append)
        rules = WaveRules(thresholds=PrecheckRules(services="ignore"))
        executor = SsmExecutor(
            rollout=rollout, wave=wave, rules=rules, clock=self.clock, ports=lambda place: self.fleet
        )
        pins = Pins(rollout, wave, to_store(self.settings, {"accounts": []}, self.sessions, rollout.path))
        permits = Permits(rollout, wave, FakeWatch(), pins, tempo, notes)  # type: ignore[arg-type]  # a fake watch
        return Driver(
            rollout=rollout,
            wave=wave,
            courses=Courses(rollout, wave, {"ssm": executor}, permits, tempo, notes),
            permits=permits,
            preparer=lambda what: NothingToStart(rollout, wave, {}, self.lines.append),
            opening=Opening(rollout, self.lines.append, pins=pins),
            tempo=tempo,
            notes=notes,
            preparations=Preparations([]),
            progress=WaveProgress(wave, lambda line: None),
            turn=1,
        )

    def run(self, wave: str = "all") -> dict[str, Mapping[str, Any]]:
        """Work through a wave; returns the final records by the nodes' names."""
        self.driver(wave).run(WORKED)
        return self.records(wave)

    def records(self, wave: str = "all") -> dict[str, Mapping[str, Any]]:
        names = {row["node_id"]: name for name, row in self.nodes.items()}
        return {names[str(item["node_id"])]: item for item in final_results(self.rollout.state, [wave])}

    def gate(self, wave: str = "all", earlier: Sequence[str] = ()) -> GateDecision:
        found = final_results(self.rollout.state, [wave])
        tally = WaveTally.from_statuses(len(self.rollout.wave(wave)["nodes"]), [str(item["status"]) for item in found])
        differences = count_differences(found, final_results(self.rollout.state, list(earlier)))
        return decide(GateRules.from_dict(self.rollout.wave(wave)["gate"]), tally, differences=differences)

    def installs(self, name: str = "") -> set[str]:
        """What the lab's machines really got."""
        rows = self.aws.get("ledger")["installs"]
        wanted = self.nodes[name]["node_id"] if name else ""
        return {row["patch"] for row in rows if wanted in ("", row["node_id"])}

    def fault(self, name: str, **faults: Any) -> None:
        self.aws.post("faults", {"node": self.nodes[name]["node_id"], **faults})


def _platform(row: Mapping[str, Any]) -> str:
    return "windows" if "windows" in str(row["os"]) else "linux"


def codes(record: Mapping[str, Any]) -> set[str]:
    """Return code and patch of each difference: ``unplanned curl.amd64``."""
    return {f"{item['code']} {item['id']}" for item in record["differences"]}
