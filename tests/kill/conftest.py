# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout of three waves on a small lab of its own, and what its ledger must show after every death."""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal import Record
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_check import (
    examine,
    replay,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import Rollout, final_results
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare.power import STARTED_TAG

from lab.aws.launch import Lab, lab
from lab.aws.sweep import findings
from tests.contract.executor_worlds import PLANNED
from tests.fakes.plans import completed
from tests.fakes.stub_host import StubShell
from tests.kill.controller import LAST_PATCHED, PATCH_NOW

HERE = Path(__file__).parent
WAVES = ("canary", "early", "late")
HELD = "late-02"
SPARE, LAST = "spare-01", "late-plant-01"
GATE = {"max_failure_rate": 0.5, "budget": None, "min_sample": 1}


@dataclass
class Night:
    """One rollout: its directory and the lab it runs on."""

    folder: Path
    aws: Lab
    plan: dict[str, Any]
    #: Names of the hosts that are reached directly.
    hosts: tuple[str, ...] = ()

    @property
    def environment(self) -> dict[str, str]:
        return self.aws.environment()

    def lose(self, *calls: int) -> None:
        """Lose the answers of these SendCommands: they are carried out, nobody hears of it."""
        rules = [{"kind": "lose_response", "operation": "SendCommand", "nth": nth, "times": 1} for nth in calls]
        self.aws.post("faults", {"rules": rules})

    def records(self) -> tuple[Record, ...]:
        found = examine((self.folder / "journal.jsonl").read_bytes())
        assert found.damage is None, found.damage
        return found.records

    def state(self) -> Rollout:
        state, damage = replay(self.plan, self.records())
        assert damage is None, damage
        return state

    def findings(self, *left: str) -> list[str]:
        """Return what is wrong by the lab's own ledger; nodes in ``left`` need no Install."""
        nodes = [node for wave in self.plan["waves"] for node in wave["nodes"] if node["executor"] == "ssm"]
        planned = {node["name"] for node in nodes} - {HELD, *left}
        return findings(self.aws.get("ledger"), planned, lasting=(LAST_PATCHED,))

    def check(self) -> None:
        """What must hold however often the controller died: by the lab's own ledger, not by our word."""
        state, ledger = self.state(), self.aws.get("ledger")
        assert (state.status, state.finished, state.intents) == ("completed", True, {})
        assert {item["node_id"] for item in final_results(state)} == set(state.nodes), "no node is forgotten"
        names = {node["node_id"]: node["name"] for wave in self.plan["waves"] for node in wave["nodes"]}
        sent = Counter(names[node] for row in ledger["commands"] if is_install(row) for node in row["nodes"])
        assert sent == dict.fromkeys(set(names.values()) - {HELD}, 1), "one Install each, none for the one held"
        comments = Counter(row["comment"] for row in ledger["commands"])
        assert set(comments.values()) == {1}, f"sent twice: {[key for key, n in comments.items() if n > 1]}"
        self.check_restored(ledger)
        assert self.findings() == []
        done = Counter((row["name"], row["patch"]) for row in ledger["installs"])
        assert done and set(done.values()) == {1}
        assert max(Counter(row["name"] for row in ledger["reboots"]).values()) == 1
        statuses = {names[item["node_id"]]: item["status"] for item in final_results(state)}
        assert statuses == {**dict.fromkeys(names.values(), "succeeded"), HELD: "skipped"}

    def check_restored(self, ledger: dict[str, Any]) -> None:
        """Nothing left started, tagged or out of its load balancer; only what we started was stopped."""
        assert self.state().prepared == {}
        assert {row["name"] for row in ledger["starts"]} == {SPARE} == {row["name"] for row in ledger["stops"]}
        nodes = {row["name"]: row for row in self.aws.get("nodes")["nodes"]}
        assert nodes[SPARE]["power"] in ("stopping", "stopped")
        for name, row in nodes.items():
            assert not {PATCH_NOW, STARTED_TAG} & set(row["tags"]), name
            assert (LAST_PATCHED in row["tags"]) == (name != HELD), name
        last = {row["name"]: row["action"] for row in ledger["targets"]}
        assert last == dict.fromkeys(("early-us-01", "early-us-02"), "register")


def is_install(row: dict[str, Any]) -> bool:
    return row["document"] == "AWS-RunPatchBaseline" and row["parameters"]["Operation"] == ["Install"]


@pytest.fixture(scope="session")
def small() -> Iterator[Lab]:
    with lab(estate=HERE / "estate.yml") as running:
        yield running


@pytest.fixture
def night(small: Lab, tmp_path: Path) -> Night:
    """A plan for a window that is open, on a lab as new."""
    small.reset()
    return _written(Night(tmp_path, small, _plan(small)))


@pytest.fixture
def mixed(small: Lab, tmp_path: Path) -> Night:
    """A wave of two service nodes and two hosts that are reached directly."""
    small.reset()
    hosts = ("host-01", "host-02")
    for name in hosts:
        StubShell(tmp_path / "hosts" / name, "apt")
    return _written(Night(tmp_path, small, _plan(small, WAVES[:1], hosts), hosts))


def _written(night: Night) -> Night:
    """Write the plan where its rollout is, and tell the ledger of its window."""
    (night.folder / "plan.json").write_text(json.dumps(night.plan), "utf-8")
    window = night.plan["waves"][0]["window"]
    night.aws.post("ledger/windows", {"windows": [{name: window[name] for name in ("name", "start", "end")}]})
    return night


def _plan(aws: Lab, names: Sequence[str] = WAVES, hosts: Sequence[str] = ()) -> dict[str, Any]:
    now = from_time(aws.get("clock")["now"])
    times = {"start": now, "cutoff_at": now + timedelta(hours=46), "end": now + timedelta(hours=48)}
    window = {"name": "night", **{key: to_time(value) for key, value in times.items()}}
    nodes = [*(_node(row) for row in aws.get("nodes")["nodes"]), *map(_host, hosts)]
    waves = [
        {
            "name": name,
            "order": order,
            "window": window,
            "gate": GATE,
            "soak_minutes": 5,
            "turns": 2 if name == WAVES[-1] else 1,
            "nodes": [node for node in nodes if node["tags"]["Wave"] == name],
        }
        for order, name in enumerate(names, 1)
    ]
    policy = {"name": "kill", "digest": "0" * 64}
    named = {"rollout": secrets.token_hex(16), "created_at": to_time(now)}
    return completed(waves, rehearsal=True, policy=policy, totals={"nodes": len(nodes)}, **named)


def _host(name: str) -> dict[str, Any]:
    more = {
        "os": "debian-12",
        "tags": {"Wave": WAVES[0]},
        "host": name,
        "executor": "linux",
        "platform": "linux",
        "patch_group": "",
    }
    more |= {
        "patch_count": 1,
        "patches": [{"id": PLANNED, "title": "openssl 3.0.17"}],
        "reboot": "unknown",
        "state": "running",
    }
    more |= {"expected_minutes": 15, "turn": 1, "start": False, "reboot_rule": "always"}
    return {"node_id": name, "name": name, "account": "", "region": "", **more}


def _node(row: dict[str, Any]) -> dict[str, Any]:
    platform = "windows" if row["os"].startswith("windows") else "linux"
    kept = {key: row[key] for key in ("node_id", "name", "account", "region", "os", "tags")}
    more = {"host": row["name"], "executor": "ssm", "platform": platform, "patch_group": "", "state": row["power"]}
    more |= {"patch_count": 1, "patches": [], "reboot": "unknown", "expected_minutes": 15}
    return {**kept, **more, "turn": 2 if row["name"] == LAST else 1, "start": row["power"] == "stopped"}
