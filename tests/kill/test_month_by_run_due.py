# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A month of tenants by run_due alone, as a timer runs it, on the lab's clock. It is killed at random moments.

The timeline of the plans is compared with the lab's ledger: every node gets one Install, in its planned night.
``PATCHTIDE_SEED`` chooses the moments.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.agenda import agenda
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import final_results
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from lab.aws.launch import Lab, lab
from lab.aws.sweep import findings
from tests.fakes.fleet_port import FakeClock
from tests.kill.controller import PATCH_NOW
from tests.kill.test_kill_playbook import ROOT

SHORT = os.environ.get("PATCHTIDE_KILL") == "short"
SEED = int(os.environ.get("PATCHTIDE_SEED", "1"))
TICK = timedelta(minutes=5)
AHEAD = timedelta(minutes=30)
#: A run takes half a minute; on a machine that does something else as well, much longer.
LIMIT_SECONDS = 1200
#: How many runs a month takes at most, with those that die.
RUNS = 60
#: After how many records a run is killed; None: not.
DEATHS = (0, 1, 4, 10, 30, None, None, None)
#: How likely it is that another one runs at the same time.
BESIDE = 0 if SHORT else 0.25
CYCLE = "2026-10"
ACCOUNTS = {"contoso": "222222222222", "fabrikam": "333333333333", "litware": "444444444444"}


def tenant(name: str, zone: str, dev: str, prod: str, **more: Any) -> dict[str, Any]:
    """Return a tenant's policy: dev first, a day later prod. Their plans name patches that the lab does not know."""
    windows = [
        {"name": what, "schedule": f"cron({fields})", "duration_hours": 4, "cutoff_hours": 1, "timezone": zone}
        for what, fields in (("dev", dev), ("prod", prod))
    ]
    waves = [
        {"name": what, "window": what, "select": {"tags": {"Environment": what}}, "soak_minutes": soak}
        for what, soak in (("dev", 1440), ("prod", 0))
    ]
    number = ACCOUNTS[name]
    account = {"name": name, "id": number, "role_arn": f"arn:aws:iam::{number}:role/patchtide"}
    return {
        "version": 1,
        "name": name,
        "estate": {"regions": ["eu-central-1"], "accounts": [account]},
        "tags": {"patch_now": PATCH_NOW},
        "windows": windows,
        "waves": waves[1:] if SHORT else waves,
        "patching": {"pin": "baseline"},
        "gates": {"unplanned": "allow", "withdrawn": "allow", "min_sample": 1},
        "drift": {"nodes": None, "patches": None},  # the test has no inventory
        **more,
    }


def tenants() -> dict[str, dict[str, Any]]:
    """Contoso and fabrikam are due at the same time. Contoso starts and drains; fabrikam's prod does not fit into one
    night; litware's owners choose, and one of their windows comes too early."""
    contoso = tenant("contoso", "Europe/Berlin", "0 22 ? * TUE#1 *", "0 22 ? * TUE#4 *")
    contoso |= {"stopped_nodes": {"start": True, "update_agent": False}, "hooks": {"load_balancer": {"drain": True}}}
    fabrikam = tenant("fabrikam", "America/New_York", "0 16 ? * TUE#1 *", "0 1 ? * * *", budgets={"rollout": 1})
    fabrikam["patching"]["expected_minutes"] = {"linux": 60}
    litware = tenant("litware", "Asia/Kolkata", "0 3 ? * TUE#2 *", "0 3 ? * MON#1 *")
    litware["waves"][-1]["window"] = "tag"
    return {"contoso": contoso, "fabrikam": fabrikam, **({} if SHORT else {"litware": litware})}


@dataclass
class Month:
    """Three tenants below one directory, the lab they run on, and what has happened to run_due."""

    root: Path
    aws: Lab
    chance: random.Random
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)
    killed: int = 0

    def now(self) -> datetime:
        return from_time(self.aws.get("clock")["now"])

    def write(self, name: str, document: dict[str, Any]) -> None:
        """Write a tenant's policy and the plan of its nodes."""
        (folder := self.root / name / CYCLE).mkdir(parents=True)
        (self.root / name / "policy.yml").write_text(yaml.safe_dump(document), "utf-8")
        nodes = [to_candidate(row) for row in self.aws.get("nodes")["nodes"] if row["name"].startswith(name)]
        missing = {"status": "succeeded", "missing": [{"id": "curl"}]}
        scan = {"nodes": {node.node_id: missing for node in nodes}, "failed_places": []}
        policy, rollout = to_policy(document), name.encode().hex().ljust(32, "0")
        named = {"created_at": self.aws.get("clock")["now"], "rollout": rollout, "rehearsal": True}
        self.plans[name] = build_plan(nodes, policy, scan, policy_digest=policy.digest, **named)
        (folder / "plan.json").write_text(json.dumps(self.plans[name]), "utf-8")

    def rollouts(self) -> list[RolloutDir]:
        clock = FakeClock(self.now())
        return [RolloutDir(self.root / name / CYCLE, clock) for name in self.plans]

    def records(self) -> int:
        """How many records all journals have."""
        return sum(path.read_bytes().count(b"\n") for path in self.root.glob("*/*/journal.jsonl"))

    def start(self) -> subprocess.Popen[bytes]:
        """Start run_due as a timer does."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        given = {"patchtide_plans": str(self.root), "patchtide_poll_interval": 60}
        with (self.root / "output").open("ab") as output:
            return subprocess.Popen(
                [
                    str(Path(sys.executable).with_name("ansible-playbook")),
                    *("patchtide.hybrid.run_due", "-i", "localhost,", "-e", json.dumps(given)),
                ],
                env={
                    **inherited,
                    **self.aws.environment(),
                    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
                    "ANSIBLE_NOCOLOR": "true",
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def output(self) -> str:
        return (self.root / "output").read_text("utf-8")[-5000:]

    def run(self, records: int | None = None, *, beside: bool = False) -> None:
        """Run it to its end, or kill it, with its workers or alone, a moment after it has written so many records.

        :param beside: whether another one runs at the same time.
        """
        began, until = self.records(), time.monotonic() + LIMIT_SECONDS
        process, *others = (self.start() for _number in range(1 + beside))
        while process.poll() is None and time.monotonic() < until:
            if records is not None and self.records() - began >= records:
                time.sleep(self.chance.random())
                break
            time.sleep(0.02)
        if alive := process.poll() is None:
            self.chance.choice([os.kill, os.killpg])(process.pid, signal.SIGKILL)
        self.killed += alive
        try:
            ended = [item.wait(LIMIT_SECONDS) for item in (process, *others)]
        finally:  # what still runs would go on in the directory of the next test
            for item in (process, *others):
                if item.poll() is None:
                    os.killpg(item.pid, signal.SIGKILL)
        assert ended[0] in (0, *[-signal.SIGKILL] * (records is not None)), self.output()
        assert not any(ended[1:]), self.output()

    def go(self, deaths: Iterable[int | None]) -> None:
        """Pass the month: a run each 5 minutes, without those that find nothing to do."""
        for records in deaths:
            now = self.now()
            found = [agenda(item.state, now, AHEAD).at for item in self.rollouts()]
            if not any(found):
                return
            ticks = -(-(min(filter(None, found)) - now) // TICK)
            self.aws.post("clock", {"set": (now + max(1, ticks) * TICK).isoformat()})
            self.run(records, beside=self.chance.random() < BESIDE)

    def planned(self) -> dict[str, str]:
        """Each node's night by its plan."""
        return {
            node["name"]: f"{name} {wave['name']} {node['night']}"
            for name, plan in self.plans.items()
            for wave in plan["waves"]
            for node in wave["nodes"]
        }

    def tell_nights(self) -> None:
        """Tell the ledger when each node may be patched."""
        nights = self.planned()
        windows = [
            {"name": title, "nodes": [node for node, its in nights.items() if its == title], **times}
            for name, plan in self.plans.items()
            for wave in plan["waves"]
            for night in wave["nights"]
            for title in [f"{name} {wave['name']} {night['number']}"]
            for times in [{"start": night["start"], "end": night["end"]}]
        ]
        self.aws.post("ledger/windows", {"windows": windows})

    def check(self) -> None:
        """Nobody is forgotten, nothing was done twice or at another time, and everything is as it was."""
        for rollout in self.rollouts():
            assert (rollout.state.status, rollout.state.finished) == ("completed", True), self.output()
            assert {item["status"] for item in final_results(rollout.state)} == {"succeeded"}
            assert (rollout.state.intents, rollout.state.prepared) == ({}, {})
        ledger = self.aws.get("ledger")
        assert findings(ledger, self.planned()) == []
        assert {row["name"]: row["window"] for row in ledger["install_runs"]} == self.planned()


def to_candidate(row: dict[str, Any]) -> Candidate:
    platform = "windows" if row["os"].startswith("windows") else "linux"
    kept = {key: row[key] for key in ("node_id", "name", "account", "region", "os", "tags")}
    return Candidate(**kept, host=row["name"], executor="ssm", platform=platform, state=row["power"])


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    with lab(Path(__file__).with_name("tenants.yml")) as running:
        found = Month(tmp_path, running, random.Random(SEED))
        for name, document in tenants().items():
            found.write(name, document)
        found.tell_nights()
        yield found


def test_a_month_by_run_due_alone_is_the_month_of_the_plan(month: Month) -> None:
    """Afterwards run_due is quiet."""
    month.go([4, *[None] * 6] if SHORT else [month.chance.choice(DEATHS) for _number in range(RUNS)])
    month.check()
    assert month.killed > (0 if SHORT else 3), month.killed
    assert len(month.plans["fabrikam"]["waves"][-1]["nights"]) > 1, "it needs more nights"
    said = (month.root / "output").read_text("utf-8")
    assert not re.findall(r"^(?:\[ERROR\]|fatal).*waits for its window", said, re.M), "to be early is no error"
    finished = month.records()
    (month.root / "output").unlink()
    month.run()
    assert month.records() == finished and " changed=0 " in month.output(), month.output()
