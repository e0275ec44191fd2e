# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Months of an estate on three clouds and on premises, as runs of a history, in the time of the rows themselves.

Weekly scans, a rollout each month, a ledger, findings before and after the last rollout. Equal seeds, equal rows.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import DATASETS, Part
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import Run, limit_run

PLACES = (
    ("111111111111", "eu-central-1", "ssm"),
    ("222222222222", "us-east-1", "ssm"),
    ("3b1f4c0e-0000-4000-8000-000000000001", "westeurope", "azure"),
    ("project-7", "europe-west3", "linux"),
    ("", "", "windows"),
)
OWNERS = ("payments", "retail", "platform", "analytics")
SYSTEMS = ("Ubuntu 24.04", "RHEL 9", "Windows Server 2022", "SLES 15")
SEVERITIES = ("critical", "important", "medium", "low")
LIMITS = {"stale": 10, "sla_critical": 14, "sla_important": 30, "sla_medium": 90}


def time_of(day: date, hour: int = 6) -> str:
    return f"{day.isoformat()}T{hour:02}:00:00.000Z"


@dataclass
class Estate:
    """:param size: number of nodes. :param weeks: number of scans, the last one on ``last``.

    :param apart: days from one scan to the next.
    """

    size: int
    weeks: int
    seed: int = 1
    last: date = date(2026, 11, 27)
    apart: int = 7
    missing: dict[int, dict[str, dict[str, Any]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def runs(self) -> Iterator[Run]:
        """Yield the runs in the order of time."""
        first = self.last - timedelta(days=self.apart * (self.weeks - 1))
        yield limit_run(LIMITS, time_of(first))
        for week in range(self.weeks):
            day = first + timedelta(days=self.apart * week)
            self._age(week)
            yield self._run(f"scan-{day}", "scan", time_of(day), list(self._scan(day)))
            if week % 4 == 3 or week == self.weeks - 1:
                night = day if week == self.weeks - 1 else day + timedelta(days=1)
                rollout = f"{week:032x}"
                rows = list(self._rollout(rollout, night))
                yield self._run(f"rollout-{rollout}", "rollout", time_of(night, 20), rows)
        yield self._run("exceptions-1", "exceptions", time_of(self.last), list(self._exceptions()))
        for number, day in enumerate((self.last - timedelta(days=7), self.last)):
            yield self._run(f"findings-{number}", "findings", time_of(day), list(self._findings(number, day)))

    def _run(self, run_id: str, kind: str, at: str, rows: list[tuple[Part, dict[str, Any]]]) -> Run:
        return Run(run_id=run_id, kind=kind, observed_at=at, as_of=at, rows=rows)

    def node(self, index: int) -> dict[str, Any]:
        place = PLACES[index % len(PLACES)]
        names = {"node_id": f"node-{index:05}", "host": f"host-{index:05}", "name": "", "executor": place[2]}
        names |= {"platform": "windows" if index % 4 == 2 else "linux", "os": SYSTEMS[index % 4]}
        names |= {"patch_group": f"PG-{index % 3}", "owner": OWNERS[index * 7 % 4], "environment": "production"}
        return {**names, "application": f"app-{index % 9}"}

    def _age(self, week: int) -> None:
        """New patches appear each week; a node that never gets them keeps them."""
        for index in range(self.size):
            have = self.missing.setdefault(index, {})
            for _number in range(self.random.choice((0, 0, 0, 1, 1, 2))):
                name = f"patch-{week:02}-{self.random.randrange(6)}"
                severity = SEVERITIES[sum(map(ord, name)) % 4]
                have[name] = {"patch_id": name, "title": f"Update {name}", "classification": "Security"}
                have[name] |= {"severity": severity, "cve_ids": f"CVE-2026-{1000 + week}"}

    def _scan(self, day: date) -> Iterator[tuple[Part, dict[str, Any]]]:
        states: dict[tuple[str, str, str], dict[str, Any]] = {}
        for index in range(self.size):
            node, place = self.node(index), PLACES[index % len(PLACES)]
            where = (place[0], place[1], day.isoformat())
            if index % 97 == 5 and day.month % 2:
                continue  # the inventory did not have it
            problem = self.random.choice(("unmanaged", "stale_ping")) if self.random.random() < 0.03 else ""
            unseen = self.random.random() < 0.02
            for text in dict.fromkeys([*([problem] if problem else []), *(["not_scanned"] if unseen else [])] or [""]):
                more = {"state": "running", "problem": text, "text": "", "managed": not problem}
                yield Part("coverage", *where), {**node, **more}
            if unseen:
                continue
            failed = self.random.random() < 0.02
            have = {} if failed else self.missing[index]
            row = {"status": "failed" if failed else "scanned", "open_points": f"{len(have)} missing" if have else ""}
            row |= {"compliance": "unknown" if failed else "non_compliant" if have else "compliant", "kernel": "6.1"}
            row |= {"code": "timeout" if failed else "", "reason": "", "missing": None if failed else len(have)}
            yield Part("nodes", *where), {**node, **row, "pending_reboot": self.random.random() < 0.05}
            for patch in have.values():
                yield Part("patches", *where), {"node_id": node["node_id"], **patch, "state": "missing"}
                key = (node["os"], node["patch_group"], patch["patch_id"])
                counts = states.setdefault(key, {**patch, "os": key[0], "patch_group": key[1], "nodes_missing": 0})
                counts["nodes_missing"] += 1
        for counts in states.values():
            zeros = dict.fromkeys(DATASETS["patch_states"].columns, 0)
            more = {"released": f"{day}T00:00:00Z", "approval": self.random.choice(("approved", "pending", "unknown"))}
            yield Part("patch_states", "", "", day.isoformat()), {**zeros, **counts, **more}

    def _rollout(self, rollout: str, day: date) -> Iterator[tuple[Part, dict[str, Any]]]:
        dt, bad = day.isoformat(), 0
        members = [index for index in range(self.size) if index % 10 != 3 and self.random.random() < 0.9]
        for index in members:
            node, place = self.node(index), PLACES[index % len(PLACES)]
            have, failed = list(self.missing[index]), self.random.random() < 0.04
            bad += failed
            row = dict.fromkeys(DATASETS["rollout_nodes"].columns, "") | node
            row |= {"rollout": rollout, "wave": "broad", "status": "failed" if failed else "succeeded"}
            row |= {"tone": "bad" if failed else "good", "code": "PatchFailed" if failed else "", "planned": len(have)}
            row |= {"compliance_before": "non_compliant" if have else "compliant", "kernel_before": "6.1"}
            row |= {"compliance_after": "non_compliant" if failed else "compliant", "kernel_after": "6.2"}
            row |= {"installed": 0 if failed else len(have), "failed": len(have) if failed else 0}
            row |= {"missing_before": len(have), "missing_after": len(have) if failed else 0, "rebooted": not failed}
            row |= {"pending_reboot": False, "minutes": 12.5, "ended_at": time_of(day, 22)}
            yield Part("rollout_nodes", place[0], place[1], dt), row
            for name in have:
                blank = dict.fromkeys(DATASETS["rollout_patches"].columns, "")
                result = {"rollout": rollout, "node_id": node["node_id"], "patch_id": name}
                result |= {"severity": self.missing[index][name]["severity"]}
                released = day - timedelta(days=self.random.randrange(40))
                result |= {"result": "failed" if failed else "installed", "released": released.isoformat()}
                yield Part("rollout_patches", place[0], place[1], dt), {**blank, **result}
            if not failed:
                self.missing[index] = {}
        row = {"rollout": rollout, "digest": "d", "policy": "production", "operator": "dana", "status": "completed"}
        row |= {"headline": f"{len(members) - bad} patched", "planned_at": time_of(day), "as_of": time_of(day, 23)}
        row |= {"started_at": time_of(day, 20), "ended_at": time_of(day, 23), "journal_head": "h", "warnings": 0}
        row |= {"nodes": len(members), "excluded": self.size - len(members), "hands_on_steps": 3, "by_schedule": 1}
        yield Part("rollouts", "", "", dt), {**row, "minutes": 180.0, "waiting_minutes": 42.5, "rehearsal": False}
        wave = {"rollout": rollout, "wave": "broad", "state": "finished", "window_start": time_of(day, 20)}
        wave |= {"window_end": time_of(day, 23), "started_at": time_of(day, 20), "ended_at": time_of(day, 23)}
        wave |= {"wave_order": 1, "nodes": len(members), "good": len(members) - bad, "bad": bad, "minutes": 180.0}
        yield Part("waves", "", "", dt), {**wave, "unknown": 0, "held": 0, "pending": 0}
        gate = {"rollout": rollout, "wave": "broad", "judged_at": time_of(day, 23), "verdict": "promote"}
        yield Part("gates", "", "", dt), {**gate, "reasons": f"{bad} of {len(members)} nodes failed.", "numbers": "{}"}
        act = {"rollout": rollout, "act": "approve", "decided_by": "ana", "decided_at": time_of(day, 12)}
        yield Part("decisions", "", "", dt), {**act, "source": "trust", "wave": "broad", "reason": "reviewed"}

    def _exceptions(self) -> Iterator[tuple[Part, dict[str, Any]]]:
        for number, days in enumerate((-3, 0, 2, 6, 7, 8, 30)):
            until, dt = self.last + timedelta(days=days), self.last.isoformat()
            row = {"ledger": "exceptions.json", "exception_id": f"EX-{number}", "selects": "{}", "reason": "audit"}
            row |= {"valid_from": (until - timedelta(days=20)).isoformat(), "valid_until": until.isoformat()}
            row |= {"requested_by": "ana", "decided_by": "bo", "decided_at": time_of(self.last, 3), "note": ""}
            yield (
                Part("exceptions", "", "", dt),
                {**row, "status": "rejected" if number == 4 else "approved", "nodes": 1},
            )
            node, place = self.node(number), PLACES[number % len(PLACES)]
            named = {name: node[name] for name in ("node_id", "name", "owner", "application", "environment")}
            named |= {"ledger": "exceptions.json", "exception_id": f"EX-{number}"}
            yield Part("exception_nodes", place[0], place[1], dt), named

    def _findings(self, number: int, day: date) -> Iterator[tuple[Part, dict[str, Any]]]:
        for index in range(0, self.size, 3):
            if number == 1 and index % 11 == 0:
                continue  # vanished
            node, place = self.node(index), PLACES[index % len(PLACES)]
            row = dict.fromkeys(DATASETS["findings"].columns, "")
            row |= {
                "source": "qualys",
                "finding_id": f"QID-{index % 5}",
                "node_id": node["node_id"],
                "severity": "high",
            }
            row |= {
                "finding_key": f"{index:016x}",
                "machine": node["host"],
                "status": "fixed" if number == 1 and index % 2 else "open",
                "epss": 0.5,
            }
            row |= {"cves": f"CVE-2026-{index % 5} CVE-2026-99", "remediation": "patch", "cvss": 9.8}
            row |= {name: node[name] for name in ("owner", "application", "environment")}
            yield Part("findings", place[0], place[1], day.isoformat()), row
