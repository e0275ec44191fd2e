# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many calls of Azure Resource Manager a scan and an installation cost (azure-api.md: patch operations are few)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.patching import Machines
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.azure_scan import Assessments
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Work

from lab.azure.launch import AzureLab
from tests.contract.azure_lab import PLANT, SHOP, connect
from tests.contract.executor_worlds import AzureClock, azure_world


def made(lab: AzureLab) -> dict[str, int]:
    """Return how often each operation was called, whatever the case of its name."""
    found: Counter[str] = Counter()
    for row in lab.get("ledger")["calls"]:
        found[row["operation"].lower()] += row["count"]
    return dict(found)


def running(lab: AzureLab) -> list[dict[str, Any]]:
    """Return the machines that can be assessed: instances of scale sets can't."""
    rows = lab.get("machines")["machines"]
    return [row for row in rows if row["power"] == "running" and "pool" not in row["name"]]


def test_a_scan_costs_one_call_for_each_machine_and_pages_for_all(azure: AzureLab) -> None:
    """Polls ask for all machines at once; the results are two queries, one page each for 1,000 rows."""
    machines = [
        row for row in azure.get("machines")["machines"] if row["power"] == "running" and "pool" not in row["name"]
    ]
    port, polls = Machines(connect(azure)), list[int]()

    class Counting(Machines):
        def runs(self, node_ids: Any, kind: str, patches: bool) -> Any:
            polls.append(len(node_ids))
            return port.runs(node_ids, kind, patches)

    work = Assessments(
        port=Counting(connect(azure)),
        clock=AzureClock(azure),
        rules=PackageRules(),
        say=lambda text: None,
        poll_seconds=60,
    )
    rows = work.run([{"node_id": row["id"], "platform": "linux", "state": "running"} for row in machines])
    assert {row["status"] for row in rows} == {"succeeded"} and len(rows) == len(machines) == 7
    found = made(azure)
    patches = sum(len(row["offered"]) for row in machines)
    pages = 2 + (patches - 1) // 1000
    assert found.pop("post assesspatches") == len(machines)
    assert found.pop("post resources") <= (len(polls) - 1) + pages
    assert found == {}, "nothing else is asked"
    assert len({row["id"].split("/")[2] for row in machines} & {SHOP, PLANT}) == 2


def test_assessments_that_exist_cost_pages_alone(azure: AzureLab) -> None:
    test_a_scan_costs_one_call_for_each_machine_and_pages_for_all(azure)
    before = made(azure)
    machines = [
        row for row in azure.get("machines")["machines"] if row["power"] == "running" and "pool" not in row["name"]
    ]
    work = Assessments(
        port=Machines(connect(azure)),
        clock=AzureClock(azure),
        rules=PackageRules(),
        say=lambda text: None,
        max_age=timedelta(hours=24),
    )
    rows = work.run([{"node_id": row["id"], "platform": "linux", "state": "running"} for row in machines])
    assert {row["status"] for row in rows} == {"succeeded"}
    after = made(azure)
    assert after["post assesspatches"] == before["post assesspatches"]
    assert after["post resources"] - before["post resources"] == 3


def test_an_installation_costs_one_call_and_its_polls(azure: AzureLab, tmp_path: Path) -> None:
    """Besides: one look at the state before it, and the proof, a run command that is deleted afterwards."""
    world = azure_world(tmp_path, azure, "az-web-01")
    before, port = made(azure), world.fresh()
    now: datetime = world.clock.now()
    work = Work(
        stage="patch",
        attempt=1,
        token="r w/patch/1.0",
        place="",
        nodes=(world.node,),
        at=now,
        deadline=port.deadline("patch", now),
    )
    work.handle, polls = port.begin(work), 0
    while not port.poll(work):
        polls += 1
        world.clock.sleep(30)
    found = Counter(made(azure))
    found.subtract(before)
    assert found["post installpatches"] == 1 and found["get instanceview"] == 1
    assert (found["put runcommands"], found["delete runcommands"]) == (1, 1)
    assert found["get operation"] + found["get runcommands"] <= polls + 1
    named = ("post installpatches", "get instanceview", "put runcommands", "delete runcommands", "get operation")
    assert +found == Counter({name: found[name] for name in (*named, "get runcommands")})
