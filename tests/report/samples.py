# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample runs for report tests and screenshots: an estate, its scan, its plan and the journal of its rollout.

    PYTHONPATH=build/tree:. python tests/report/samples.py completed build/report-samples/completed

writes ``scan.json``, ``plan.json`` and ``journal.jsonl`` of that run into the directory.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Event,
    Intent,
    Outcome,
    RolloutFinished,
    RolloutStarted,
    Sent,
    WaveFinished,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import GateRules, WaveTally, decide
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import SCHEMA as SCAN_SCHEMA
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import seal_scan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import Record, next_record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time

from tests.fakes import plans
from tests.report.estate import HOSTILE, estate

START = datetime(2026, 11, 17, 22, 0, tzinfo=timezone.utc)
_REFUSED = {"code": "AccessDenied", "message": "not authorized to perform sts:AssumeRole on PatchtideRole"}
SILENT = {"place": "999900001111/eu-west-1", "error": _REFUSED}


@dataclass
class Run:
    """What a run leaves behind. ``records`` is a list so that tests can cut it anywhere."""

    scan: dict[str, Any]
    plan: dict[str, Any]
    records: list[Record] = field(default_factory=list)

    def note(self, event: Event, minutes: float = 0.2) -> None:
        """Append a journal record, some minutes after the one before."""
        last = self.records[-1] if self.records else None
        at = from_time(last.at) if last else START
        self.records.append(next_record(last, event.kind, event.to_data(), at + timedelta(minutes=minutes)))

    def write(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in (("scan.json", seal_scan(self.scan)), ("plan.json", self.plan)):
            (directory / name).write_text(json.dumps(data, ensure_ascii=False), "utf-8")
        lines = "".join(record.to_line() + "\n" for record in self.records)
        (directory / "journal.jsonl").write_text(lines, "utf-8")


def scan_of(nodes: Sequence[Mapping[str, Any]], extra: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return the ``scan.json`` of these nodes; one place could not be asked."""
    found = {}
    for node in [*nodes, *extra]:
        missing = [{**patch, "state": "Missing"} for patch in node["patches"]]
        record = {
            key: node[key] for key in ("node_id", "executor", "account", "region", "platform", "os", "name", "tags")
        }
        counts = {"missing_count": len(missing), "installed_count": 412, "failed_count": 0}
        record.update(
            status="succeeded", counts=counts, pending_reboot=False, missing=missing, kernel_after=_kernel(node, 0)
        )
        found[node["node_id"]] = record
    return {
        "schema": SCAN_SCHEMA,
        "at": to_time(START - timedelta(hours=6)),
        "nodes": found,
        "failed_places": [SILENT],
    }


def plan_of(
    nodes: Sequence[Mapping[str, Any]], sizes: Sequence[int] = (6, 18), rehearsal: bool = False
) -> dict[str, Any]:
    """Return a sealed plan of three waves: canary, early and broad."""
    cuts = [0, sizes[0], sizes[0] + sizes[1], len(nodes)]
    gate = {"max_failure_rate": 0.1, "min_sample": 3, "confidence": 0.9, "max_failures": None, "budget": "10%"}
    gate |= {"max_skipped_rate": 0.5, "health_checks": []}
    waves = []
    for order, name in enumerate(("canary", "early", "broad"), 1):
        begin = START + timedelta(hours=2 * (order - 1))
        window = {"name": f"prod-{name}", "start": to_time(begin), "end": to_time(begin + timedelta(hours=2))}
        window["timezone"] = "Europe/Berlin"
        window["cutoff_at"] = to_time(begin + timedelta(minutes=90))
        members = list(nodes[cuts[order - 1] : cuts[order]])
        wave = {"name": name, "window": window, "gate": gate, "nodes": members}
        waves.append({**wave, "capacity": _capacity(40, 90, len(members))})
    return plans.completed(
        waves,
        rollout=hashlib.sha256(f"{len(nodes)}".encode()).hexdigest()[:32],
        created_at=to_time(START - timedelta(hours=5)),
        rehearsal=rehearsal,
        policy={"name": "production", "digest": hashlib.sha256(b"policy").hexdigest()},
        scan={"at": to_time(START - timedelta(hours=6)), "digest": hashlib.sha256(b"scan").hexdigest()},
        failed_places=[SILENT],
        exceptions={"ledger": "exceptions.json"},
        approval={"required": True},
        totals=_totals(nodes),
    )


def steered_plan() -> dict[str, Any]:
    """Return a plan with turns, stopped nodes, health checks, too little time, an emptied wave and warnings."""
    plan = plan_of(estate(24))
    canary, early, broad = plan["waves"]
    frozen = "completely frozen: Quarter end (until 2026-12-01)"
    for index, node in enumerate(early["nodes"]):
        node |= {"turn": index // 6 + 1, "zone": f"eu-central-1{'abc'[index % 3]}", "cluster": "checkout"}
    for node in early["nodes"][:2]:
        node |= {"state": "stopped", "start": True, "patches": [], "patch_count": 0, "reboot_rule": "always"}
    canary |= {"turns": 1, "capacity": _capacity(40, 90, 6), "notes": ["partly frozen: Deployment"]}
    canary["gate"] = {**canary["gate"], "health_checks": [{"name": "shop answers"}, {"name": "queue is short"}]}
    early |= {"turns": 3, "capacity": _capacity(120, 90, 6, 6)}
    broad |= {"turns": 1, "capacity": {**_capacity(0, 90, 0), "text": "no nodes"}, "emptied": frozen, "notes": [frozen]}
    rules = {
        "retries": {"delivery": 2, "execution": 1},
        "budgets": {"rollout": "25%", "wave": None, "zone": 6, "cluster": 1},
    }
    warnings = [
        f"Wave broad has no nodes, so its gate will pause: {frozen}.",
        f"Wave early does not fit: {early['capacity']['text']}.",
    ]
    return seal({**plan, "rules": rules, "warnings": warnings})


def _capacity(needed: int, usable: int, lanes: int, late: int = 0) -> dict[str, Any]:
    text = f"18 nodes, {lanes} at a time, need {needed} minutes; the window has {usable} before its cutoff"
    return {
        "needed_minutes": needed,
        "usable_minutes": usable,
        "concurrency": lanes,
        "fits": not late,
        "too_late": late,
        "text": f"{text}: {late} nodes do not fit" if late else text,
    }


def _totals(nodes: Sequence[Mapping[str, Any]], excluded: int = 0) -> dict[str, int]:
    reboots = sum(node["reboot"] == "yes" for node in nodes)
    return {
        "nodes": len(nodes),
        "patches": sum(node["patch_count"] for node in nodes),
        "reboots": reboots,
        "excluded": excluded,
    }


def exclude(plan: Mapping[str, Any], left_out: Sequence[tuple[Mapping[str, Any], str, str]]) -> dict[str, Any]:
    entries = [
        {"node_id": node["node_id"], "host": node["host"], "name": node["name"], "code": code, "reason": reason}
        for node, code, reason in left_out
    ]
    return seal({**plan, "excluded": entries, "totals": {**plan["totals"], "excluded": len(entries)}})


def _kernel(node: Mapping[str, Any], generation: int) -> str:
    return (
        "10.0.20348"
        if node["platform"] == "windows"
        else f"6.1.{115 + 4 * generation}-{130 + generation}.{node['os'][:2].lower()}"
    )


def result_of(node: Mapping[str, Any], at: datetime, **wrong: Any) -> dict[str, Any]:
    """Return a node's final record: everything installed, unless ``wrong`` says otherwise."""
    kernel = any("kernel" in patch["id"] for patch in node["patches"])
    rebooted = kernel or node["platform"] == "windows"
    ident = hashlib.sha256(node["node_id"].encode()).hexdigest()
    result = {
        **{key: node[key] for key in ("node_id", "executor", "account", "region", "platform")},
        "status": "succeeded",
        "started_at": to_time(at),
        "ended_at": to_time(at + timedelta(minutes=node["expected_minutes"] * (0.5 + int(ident[:2], 16) / 256))),
        "installed": [patch["id"] for patch in node["patches"]],
        "failed": [],
        "missing_after": [],
        "pending_reboot": False,
        "rebooted": rebooted,
        "boot_id_before": ident[:32],
        "boot_id_after": ident[32:] if rebooted else ident[:32],
        "kernel_before": _kernel(node, 0),
        "kernel_after": _kernel(node, 1 if kernel else 0),
        "counts": {"missing_count": 0, "installed_count": 420, "failed_count": 0},
        "evidence": {"snapshot_id": f"{ident[:8]}-{ident[8:12]}-4{ident[12:15]}-8{ident[15:18]}-{ident[18:30]}"},
        "error": None,
    }
    return {**result, **wrong}


def failed(node: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    one = node["patches"][0]["id"]
    text = f"1 patch failed to install: {one}: post-install script exited with 1"
    counts = {"missing_count": 0, "failed_count": 1}
    rest = [patch["id"] for patch in node["patches"][1:]]
    return result_of(
        node,
        at,
        status="failed",
        failed=[one],
        installed=rest,
        counts=counts,
        error={"code": "PatchFailed", "text": text},
    )


def lost(node: Mapping[str, Any], at: datetime) -> dict[str, Any]:
    text = "the agent did not come back within 30 minutes after the reboot"
    error = {"code": "AgentLost", "text": text}
    return result_of(node, at, status="unreachable", pending_reboot=None, counts={}, boot_id_after=None, error=error)


def held(node: Mapping[str, Any], _at: datetime) -> dict[str, Any]:
    record = {key: node[key] for key in ("node_id", "executor", "account", "region", "platform")}
    error = {"code": "precheck_disk", "text": "/ has 212 MiB free, the policy asks for 2048 MiB"}
    return {**record, "status": "skipped", "installed": [], "failed": [], "missing_after": [], "error": error}


Ending = Callable[[Mapping[str, Any], datetime], dict[str, Any]]


def roll(run: Run, outcomes: Mapping[str, Ending]) -> Run:
    """Journal the whole rollout: ``outcomes`` by node id where a node does not succeed; the gates are the real ones."""
    plan = run.plan
    count = sum(len(wave["nodes"]) for wave in plan["waves"])
    started = RolloutStarted(
        rollout=plan["rollout"],
        plan_digest=plan["digest"],
        policy_digest=plan["policy"]["digest"],
        operator="dana@ops-runner-2",
        controller="ops-runner-2",
        rehearsal=plan["rehearsal"],
        waves=tuple(wave["name"] for wave in plan["waves"]),
        node_count=count,
    )
    run.note(started, 0)
    failed_before = 0
    for wave in plan["waves"]:
        statuses = _roll_wave(run, wave, outcomes)
        rules = GateRules.from_dict(wave["gate"])
        tally = WaveTally.from_statuses(len(wave["nodes"]), statuses, earlier_failed=failed_before, rollout_total=count)
        failed_before += tally.failed
        gate = decide(rules, tally).to_event(wave["name"])
        run.note(gate, 10)
        if gate.verdict == "abort":
            run.note(RolloutFinished(status="aborted", reason=f"gate after {wave['name']}"))
        if gate.verdict != "promote":
            return run
        run.note(WaveFinished(wave=wave["name"]))
    run.note(RolloutFinished(status="completed", reason=""))
    return run


def _roll_wave(run: Run, wave: Mapping[str, Any], outcomes: Mapping[str, Ending]) -> list[str]:
    name, nodes = wave["name"], wave["nodes"]
    now = from_time(run.records[-1].at)
    opens = from_time(wave["window"]["start"])
    run.note(WaveStarted(wave=name), max((opens - now).total_seconds() / 60, 0) + 2)
    run.note(Claimed(wave=name, nodes=tuple(node["node_id"] for node in nodes)))
    finals = {
        node["node_id"]: outcomes.get(node["node_id"], result_of)(node, from_time(run.records[-1].at)) for node in nodes
    }
    going = list(nodes)
    for stage, minutes in (("precheck", 1), ("patch", 12), ("reboot", 18), ("scan", 3), ("verify", 1)):
        due = nodes if stage == "verify" else going
        results = [_stage_result(stage, finals[node["node_id"]]) for node in due]
        _journal_stage(run, name, stage, due, results, minutes)
        ended = {
            item["node_id"] for item in results if item.get("outcome") == "skip" or item.get("status") == "unreachable"
        }
        going = [node for node in going if node["node_id"] not in ended]
    return [str(final["status"]) for final in finals.values()]


def _journal_stage(
    run: Run, wave: str, stage: str, nodes: Sequence[Mapping[str, Any]], results: Sequence[Any], minutes: float
) -> None:
    for place, members in _places(nodes):
        token = f"{run.plan['rollout']}/{wave}/{stage}/{place}/1"
        run.note(Intent(wave=wave, stage=stage, attempt=1, nodes=tuple(members), token=token), 0.02)
        if place and stage != "verify":
            ident = hashlib.sha256(token.encode()).hexdigest()
            command = f"{ident[:8]}-{ident[8:12]}-4{ident[13:16]}-9{ident[17:20]}-{ident[20:32]}"
            sent = Sent(wave=wave, stage=stage, token=token, place=place, command_id=command, nodes=tuple(members))
            run.note(sent, 0.02)
    run.note(Outcome(wave=wave, stage=stage, results=tuple(results)), minutes)


def _places(nodes: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    places: dict[str, list[str]] = {}
    for node in nodes:
        label = f"{node['account']}/{node['region']}" if node["executor"] == "ssm" else ""
        places.setdefault(label, []).append(node["node_id"])
    yield from sorted(places.items())


def _stage_result(stage: str, final: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a stage says about a node that ends as ``final`` does."""
    node_id = final["node_id"]
    if stage == "verify":
        return dict(final)
    if stage == "precheck":
        hold = final["status"] == "skipped"
        text = final["error"]["text"] if hold else "/ has 9120 MiB free"
        findings = [
            {"check": "disk", "ok": not hold, "text": text},
            {"check": "agent", "ok": True, "text": "is online"},
        ]
        return {"node_id": node_id, "outcome": "skip" if hold else "pass", "findings": findings, "facts": {}}
    lost_here = final["status"] == "unreachable" and stage == "reboot"
    status = (
        "unreachable" if lost_here else "failed" if final["status"] == "failed" and stage == "patch" else "succeeded"
    )
    return {"node_id": node_id, "status": status, "evidence": {}}


def completed(count: int = 60, names: Sequence[str] = (), rehearsal: bool = False) -> Run:
    """A rollout that ends well: one node held by the disk check, three failures in the last waves, four excluded."""
    nodes = estate(count + 4, names)
    extra, nodes = nodes[-4:], nodes[:-4]
    extra[0]["patches"], extra[0]["patch_count"] = [], 0
    scan = scan_of(nodes, extra[:2])
    reasons = (
        ("nothing_to_install", "no approved patch is missing"),
        ("policy", "quarter-end freeze of the ledger, until 2026-11-30"),
        ("offline", "the agent is not online (ConnectionLost)"),
        ("unmanaged", "not managed by Systems Manager"),
    )
    left_out = [(node, code, reason) for node, (code, reason) in zip(extra, reasons, strict=True)]
    run = Run(scan, exclude(plan_of(nodes, rehearsal=rehearsal), left_out))
    outcomes: dict[str, Ending] = {nodes[9]["node_id"]: held}
    outcomes |= {nodes[14]["node_id"]: failed, nodes[33]["node_id"]: lost, nodes[41]["node_id"]: failed}
    return roll(run, outcomes)


def aborted(count: int = 60) -> Run:
    """A rollout whose canary wave goes bad: the gate closes and nothing else is touched."""
    nodes = estate(count)
    run = Run(scan_of(nodes), plan_of(nodes))
    outcomes: dict[str, Ending] = {nodes[0]["node_id"]: failed, nodes[2]["node_id"]: lost, nodes[4]["node_id"]: failed}
    outcomes[nodes[3]["node_id"]] = held
    return roll(run, outcomes)


def paused() -> Run:
    nodes = estate(60)
    return roll(Run(scan_of(nodes), plan_of(nodes)), {nodes[1]["node_id"]: lost})


def hostile() -> Run:
    """Names, reasons and patch titles that attack HTML, templates, spreadsheets and terminals."""
    return completed(60, HOSTILE, rehearsal=True)


def unfinished() -> Run:
    """A controller killed in the middle of the second wave."""
    run = completed()
    cut = next(
        record.seq
        for record in run.records
        if isinstance(event := record.event(), Intent) and (event.wave, event.stage) == ("early", "scan")
    )
    del run.records[cut - 1 :]
    return run


def large(count: int = 10_000) -> Run:
    return completed(count)


RUNS: Mapping[str, Callable[[], Run]] = {
    "completed": completed,
    "aborted": aborted,
    "paused": paused,
    "hostile": hostile,
    "unfinished": unfinished,
    "large": large,
}

if __name__ == "__main__":
    RUNS[sys.argv[1]]().write(Path(sys.argv[2]))
