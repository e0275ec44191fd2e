# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cycle on the lab: check, run, again; mistakes, places that fail, a wave that goes bad, a kill, AWX's runner.

What happened is asked of the lab's ledger, never of the code under test. The tests share two labs and their clocks, so
each makes a directory, a policy and a plan of its own; `make demo-abort` plays the bad day on the large estate.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab, lab
from tests.fakes.receivers import WebReceiver, web_receiver
from tests.playbooks.playing import ROOT, Played, play

REGIONS = ["eu-central-1", "us-east-1"]
WEB, DATA = "222222222222", "333333333333"
HOSTILE = '<script>alert("web-dev-02")</script>'
#: Everything that changes something there; what is not named here only reads.
WRITES = ("Create", "Update", "Delete", "Register", "Deregister", "Put", "Add", "Remove", "Send", "Start", "Stop")


@pytest.fixture(scope="module")
def small() -> Iterator[Lab]:
    with lab(Path(__file__).with_name("rollout_estate.yml")) as running:
        yield running


@pytest.fixture
def receiver() -> Iterator[WebReceiver]:
    with web_receiver() as found:
        yield found


@dataclass
class Cycle:
    """One directory with policy, inventory and the files of a run."""

    aws: Lab
    folder: Path
    policy: dict[str, Any] = field(default_factory=lambda: deepcopy(POLICY))

    def options(self) -> list[str]:
        (self.folder / "policy.yml").write_text(yaml.safe_dump(self.policy), encoding="utf-8")
        accounts = [row for row in self.policy["estate"]["accounts"] if row["id"] != "111111111111"]
        fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": REGIONS, "accounts": accounts}
        (self.folder / "aws.ssm_fleet.yml").write_text(yaml.safe_dump(fleet), encoding="utf-8")
        variables = {
            "patchtide_policy_file": str(self.folder / "policy.yml"),
            "patchtide_dir": str(self.folder / "run"),
            "patchtide_window_wait_minutes": 1440,
        }
        return ["-i", str(self.folder / "aws.ssm_fleet.yml"), "-e", json.dumps(variables)]

    def play(self, playbook: str, *more: str) -> Played:
        return play(self.aws, playbook, *self.options(), *more)

    def prepare(self) -> None:
        for playbook in ("scan_compliance", "plan_rollout"):
            done = self.play(playbook)
            assert done.status == 0, done.output + done.errors

    def file(self, name: str) -> Any:
        return json.loads((self.folder / "run" / name).read_text("utf-8"))

    def journal(self) -> list[dict[str, Any]]:
        text = (self.folder / "run" / "journal.jsonl").read_text("utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def installs(self) -> Counter[str]:
        """How often each node was sent an Install, by the ledger."""
        sent = [row for row in self.aws.get("ledger")["commands"] if row["parameters"].get("Operation") == ["Install"]]
        return Counter(node for row in sent for node in row["nodes"])

    def writes(self) -> Counter[str]:
        calls = [row for row in self.aws.get("ledger")["calls"] if row["service"] == "ssm"]
        return Counter({row["operation"]: row["count"] for row in calls if row["operation"].startswith(WRITES)})


def policy() -> dict[str, Any]:
    data = dict(yaml.safe_load((ROOT / "lab" / "policy.yml").read_text("utf-8")))
    kept = {"rehearsal-amazon-linux-2023": "WEB", "rehearsal-ubuntu-22.04": "WEB", "rehearsal-windows": "WIN"}
    kept["rehearsal-rhel-9"] = "DB"
    data["baselines"] = [row for row in data["baselines"] if row["name"] in kept]
    groups = {name: [key for key, group in kept.items() if group == name] for name in ("WEB", "WIN", "DB")}
    data["patch_groups"] = [{"name": name, "baselines": names} for name, names in groups.items()]
    data["windows"] = data["windows"][:1]
    gate = {"max_failure_rate": "20%", "min_sample": 1}
    canary = {"name": "canary", "select": {"tags": {"Environment": "dev"}}, "window": "rehearsal-night", "gate": gate}
    data["waves"] = [canary, {"name": "production", "window": "rehearsal-night"}]
    return data


POLICY = policy()


@pytest.fixture
def cycle(small: Lab, tmp_path: Path) -> Cycle:
    """A fresh estate, on the evening of the next working day, before the window opens."""
    small.reset()
    now = str(small.get("clock")["now"])
    day = int(now[8:10])
    if day > 1 or int(now[11:13]) >= 18:
        small.post("clock", {"set": next_evening(now)})
    return Cycle(small, tmp_path)


def next_evening(now: str) -> str:
    from datetime import datetime, timedelta

    moment = datetime.fromisoformat(now.replace("Z", "+00:00")).replace(hour=15, minute=0, second=0) + timedelta(days=1)
    while moment.weekday() > 4:
        moment += timedelta(days=1)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_the_cycle_and_again(cycle: Cycle) -> None:
    assert cycle.play("apply_policy").status == 0
    cycle.prepare()
    plan = cycle.file("plan.json")
    planned = {node["node_id"] for wave in plan["waves"] for node in wave["nodes"]}
    assert [len(wave["nodes"]) for wave in plan["waves"]] == [3, 7]

    checked_before = cycle.writes()
    checked = cycle.play("rollout_patches", "--check")
    assert checked.status == 0 and checked.changed > 0, checked.output + checked.errors
    assert cycle.writes() == checked_before and not (cycle.folder / "run" / "journal.jsonl").exists()

    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    assert cycle.installs() == Counter(planned)
    assert "canary gate: PROMOTE" in done.output and "production gate: PROMOTE" in done.output

    before, lines = cycle.writes(), len(cycle.journal())
    again = cycle.play("rollout_patches")
    assert (again.status, again.changed) == (0, 0), again.output
    assert cycle.writes() == before and len(cycle.journal()) == lines
    assert cycle.play("report_compliance").changed == 0
    summary = cycle.file("report/summary.json")
    assert summary["conclusion"]["title"] in done.output
    harmless(cycle)


def harmless(cycle: Cycle) -> None:
    """Names and tags of the estate are text, nothing else: in the report, in the table, in the plan."""
    html = (cycle.folder / "run" / "report" / "index.html").read_text("utf-8")
    assert HOSTILE not in html and "web-dev-02" in html
    rows = list(csv.reader((cycle.folder / "run" / "report" / "nodes.csv").open(encoding="utf-8-sig", newline="")))
    assert len(rows) == 11 and len({len(row) for row in rows}) == 1
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]
    assert any("{{ 7*7 }}" in cell for row in rows for cell in row)
    plan = json.dumps(cycle.file("plan.json"))
    assert "{{ 7*7 }}" in plan and '"49"' not in plan


def test_a_mistake_in_the_policy_is_one_message_and_changes_nothing(cycle: Cycle) -> None:
    cycle.policy["waves"][0]["size"] = "150%"
    for playbook in ("scan_compliance", "plan_rollout", "rollout_patches"):
        done = cycle.play(playbook)
        assert done.status != 0
        assert "waves[0].size" in done.error() and "150%" in done.error()
        assert (done.output + done.errors).count("[ERROR]") == 1
    assert not cycle.writes() and not (cycle.folder / "run").exists()


@pytest.mark.slow
def test_an_account_that_refuses_the_scan_is_told_and_the_others_go_on(cycle: Cycle) -> None:
    cycle.prepare()
    cycle.aws.post("faults", {"rules": [{"kind": "deny", "operation": "SendCommand", "account": DATA}]})
    cycle.aws.post("ledger/reset")
    scanned = cycle.play("scan_compliance")
    assert scanned.status != 0
    assert f"{DATA}/us-east-1" in scanned.error() and "AccessDenied" in scanned.error()
    assert cycle.play("plan_rollout").status == 0
    plan = cycle.file("plan.json")
    assert [(row["name"][:7], row["code"]) for row in plan["excluded"]] == [("db-prod", "scan_failed")] * 2
    assert {node["account"] for wave in plan["waves"] for node in wave["nodes"]} == {WEB}


@pytest.mark.slow
def test_an_account_that_refuses_after_the_plan_costs_its_nodes_only(cycle: Cycle) -> None:
    cycle.prepare()
    cycle.aws.post("faults", {"rules": [{"kind": "deny", "operation": "SendCommand", "account": DATA}]})
    done = cycle.play("rollout_patches")
    assert done.status != 0 and f"{DATA}/us-east-1 refused work" in done.output
    planned = {n["node_id"]: n["account"] for w in cycle.file("plan.json")["waves"] for n in w["nodes"]}
    assert cycle.installs() == Counter(node for node, account in planned.items() if account == WEB)
    assert "AccessDenied" in done.output + json.dumps(cycle.journal())


@pytest.mark.parametrize("trouble", ["region", "role"])
def test_a_region_down_and_a_role_denied_are_told_and_the_others_are_scanned(cycle: Cycle, trouble: str) -> None:
    if trouble == "region":
        cycle.aws.post("faults", {"rules": [{"kind": "down", "region": "us-east-1"}]})
        reached = {f"{WEB}/eu-central-1"}
    else:
        cycle.policy["estate"]["accounts"][2]["role_arn"] = f"arn:aws:iam::{DATA}:role/patchtide-denied"
        reached = {f"{WEB}/eu-central-1", f"{WEB}/us-east-1"}
    done = cycle.play("scan_compliance")
    cycle.aws.post("faults", {"reset": True})
    nodes = cycle.file("scan.json")["nodes"].values()
    assert {f"{row['account']}/{row['region']}" for row in nodes if row["status"] == "succeeded"} == reached
    assert f"{DATA}/us-east-1" in done.output + done.errors
    assert done.status != 0, done.output + done.errors


def test_a_canary_wave_that_goes_bad_closes_the_gate(cycle: Cycle, receiver: WebReceiver) -> None:
    hook = {"name": "ops", "severity": "warning", "webhook": {"url": receiver.url}}
    unset = {"name": "unset", "webhook": {"url": "${PATCHTIDE_TEST_UNSET}"}}  # a broken route changes nothing
    cycle.policy["notices"] = {"rehearsals": True, "routes": [hook, unset]}
    cycle.prepare()
    for node in cycle.file("plan.json")["waves"][0]["nodes"]:
        cycle.aws.post("faults", {"node": node["node_id"], "fail_patches": ["*"]})
    done = cycle.play("rollout_patches")
    assert done.status != 0 and "canary gate: ABORT" in done.output
    assert "unset: not sent: webhook.url: '${PATCHTIDE_TEST_UNSET}'" in done.output
    canary, production = ({n["node_id"] for n in wave["nodes"]} for wave in cycle.file("plan.json")["waves"])
    assert set(cycle.installs()) == canary and not production & set(cycle.installs())
    assert cycle.journal()[-1]["data"]["status"] == "aborted"
    summary = json.dumps(cycle.file("report/summary.json"))
    assert "aborted" in summary.lower() and "failed" in summary.lower()
    again = cycle.play("rollout_patches")
    assert again.status != 0 and set(cycle.installs()) == canary, "an aborted rollout stays aborted"
    notices = [json.loads(body) for _headers, body in receiver.requests]
    assert [item["kind"] for item in notices] == ["aborted", "finished"], "each once, also after the second run"
    assert {node["node_id"] for node in notices[0]["nodes"] if node["point"]} == canary


def start(cycle: Cycle) -> subprocess.Popen[str]:
    given = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    more = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "patchtide.hybrid.rollout_patches"]
    return subprocess.Popen(
        [*command, *cycle.options()],
        env={**given, **cycle.aws.environment(), **more},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )


@pytest.mark.slow
def test_killed_in_the_middle_and_run_again_installs_nothing_twice(cycle: Cycle) -> None:
    cycle.prepare()
    process = start(cycle)
    path, end = cycle.folder / "run" / "journal.jsonl", time.monotonic() + 120
    while not (path.exists() and '"stage":"patch","token"' in path.read_text("utf-8")):
        assert process.poll() is None and time.monotonic() < end, "the rollout never came to an install"
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)
    done = cycle.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    planned = Counter(node["node_id"] for wave in cycle.file("plan.json")["waves"] for node in wave["nodes"])
    assert cycle.installs() == planned
    rows = cycle.journal()
    assert [row["seq"] for row in rows] == list(range(1, len(rows) + 1))
    assert [row["prev"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]
    assert "resumed" in {row["kind"] for row in rows}


@pytest.mark.slow
def test_under_ansible_runner_as_in_awx(cycle: Cycle, tmp_path: Path) -> None:
    """AWX runs playbooks by ansible-runner: progress must be in its events as it comes, and the status must be told."""
    runner = pytest.importorskip("ansible_runner")
    cycle.prepare()
    (tmp_path / "runner").mkdir()
    extra = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"}
    seen: list[dict[str, Any]] = []
    result = runner.run(
        private_data_dir=str(tmp_path / "runner"),
        playbook="patchtide.hybrid.rollout_patches",
        cmdline=" ".join(f"'{option}'" if " " in option else option for option in cycle.options()),
        envvars={**cycle.aws.environment(), **extra, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        event_handler=lambda event: bool(seen.append(event)) or True,
        quiet=True,
    )
    text = "\n".join(str(event.get("stdout", "")) for event in seen)
    assert (result.status, result.rc) == ("successful", 0), text
    assert "canary: " in text and " patching" in text and " done of 3" in text and "production gate: PROMOTE" in text
    assert {"playbook_on_start", "runner_on_ok", "playbook_on_stats"} <= {event["event"] for event in seen}
