# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wave of many nodes through the playbook rollout_patches: what the controller costs, and how long it says nothing.

    python -m bench rollout              10,000 nodes in 20 account-Regions, about six minutes
    python -m bench rollout --quick      1,000 nodes
    python -m bench rollout --rate 10    every call throttled at 10 a second, account, Region and operation

Nothing is left out: pre-check, install, reboots, scan, final look, gate, report. Results: build/bench/rollout.json.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bench import nodes, sdk
from bench.inventory import machine
from bench.watch import ROOT, Cost, Goal, aws_environment, compile_installed, control, endpoint, watch

RESULTS = ROOT / "build" / "bench" / "rollout.json"
LOG = RESULTS.with_suffix(".log")
#: Seconds of a task in which nothing happens.
WAITED = 15
NOTHING: list[dict[str, Any]] = [
    {"hosts": "localhost", "gather_facts": False, "tasks": [{"ansible.builtin.meta": "noop"}]}
]
PROGRESS = re.compile(r"^\S+: .*\b\d+ done .*of \d+")


INVENTORY = {
    "ANSIBLE_INVENTORY_PLUGINS": str(ROOT / "bench" / "plugins" / "inventory"),
    "ANSIBLE_INVENTORY_ENABLED": "floor",
}


def bare(folder: Path) -> Cost:
    """Measure an ansible-playbook that reads the inventory and does nothing."""
    (folder / "nothing.yml").write_text(yaml.safe_dump(NOTHING))
    compile_installed()
    return watch(["ansible-playbook", "-i", str(folder / "floor.yml"), str(folder / "nothing.yml")], INVENTORY)


def waiting(folder: Path) -> float:
    """Return the CPU seconds that Ansible takes for each second of a task: it asks its worker a thousand times."""
    costs = []
    for seconds in (0, WAITED):
        play = {**NOTHING[0], "connection": "local", "tasks": [{"ansible.builtin.wait_for": {"timeout": seconds}}]}
        (folder / "waiting.yml").write_text(yaml.safe_dump([play]))
        command = ["ansible-playbook", "-i", str(folder / "floor.yml"), str(folder / "waiting.yml")]
        costs.append(watch([*command, "-e", f"ansible_python_interpreter={sys.executable}"], INVENTORY).cpu_s)
    return max(0.0, (costs[1] - costs[0]) / WAITED)


def prepare(folder: Path, count: int, places: int, **more: Any) -> None:
    """Write inventory, policy, and the frozen plan of one wave. :param more: members of the policy."""
    where = nodes.places(places)
    buckets = {region: {"name": f"lists-{region}"} for _account, region in where}
    more["patching"] = {"buckets": buckets, **more.get("patching", {})}
    labels = [f"{account}/{region}" for account, region in where]
    inventory = {"plugin": "floor", "nodes": count // len(where), "places": labels, "online": True}
    (folder / "floor.yml").write_text(yaml.safe_dump(inventory))
    (folder / "policy.yml").write_text(yaml.safe_dump(nodes.policy(where, **more)))
    (folder / "plan.json").write_text(json.dumps(nodes.plan(list(nodes.candidates(count, where)), where, **more)))


def roll_out(folder: Path, environment: Mapping[str, str], poll: int, log: Path | None = None) -> Cost:
    """Carry the plan in the directory out. :param environment: in which AWS or the hosts are reached."""
    command = ["ansible-playbook", "-i", str(folder / "floor.yml"), "patchtide.hybrid.rollout_patches"]
    command += ["-e", f"patchtide_dir={folder}", "-e", f"patchtide_policy_file={folder / 'policy.yml'}"]
    claims = {"XDG_STATE_HOME": str(folder / "state")}  # each rollout begins without what an earlier one has left
    return watch([*command, "-e", f"patchtide_poll_interval={poll}"], {**environment, **INVENTORY, **claims}, log)


def figures(cost: Cost, before: Cost, counted: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Return what was measured, with what was set out to reach."""
    calls = {name: number for name, number in counted["calls"].items() if not name.startswith("throttled")}
    looks = calls.get("ListCommandInvocations", 0)
    lines = [found for _at, line in cost.lines if (found := PROGRESS.match(line.strip()))]
    return {
        **cost.figures(),
        "bare_memory_mb": round(before.memory_mb, 1),
        "bare_rss_mb": round(before.rss_mb, 1),
        "bare_cpu_s": round(before.cpu_s, 1),
        "memory_over_bare_mb": round(cost.memory_mb - before.memory_mb, 1),
        "rss_over_bare_mb": round(cost.rss_mb - before.rss_mb, 1),
        "calls": calls,
        "throttled": counted["calls"].get("throttled", 0),
        "sent": counted["sent"],
        "calls_per_node_and_poll": round(looks / max(1, counted["node_looks"]), 4),
        "all_calls_per_node_and_poll": round(sum(calls.values()) / max(1, counted["node_looks"]), 4),
        "proof_calls_per_node": round(counted["proofs"] / count, 3),
        "all_calls_per_node": round(sum(calls.values()) / count, 2),
        "progress_lines": len(lines),
    }


TARGETS = (
    ("memory over Ansible's own, MB", "memory_over_bare_mb", 300),
    ("calls per node and poll", "calls_per_node_and_poll", 0.06),
    ("calls per node for the proof", "proof_calls_per_node", 1),
    ("longest silence, s", "silence_s", 30),
    ("CPU s over Ansible's own", "cpu_over_bare_s", 50),
)


def show(found: Mapping[str, Any], title: str) -> None:
    """Print what was measured."""
    print(f"\n{title}")
    for name, key, wanted in TARGETS:
        print(f"  {name:36}{found[key]:>10}   wanted: at most {wanted}")
    print(f"  {'  after the line':36}   {found['silence_after'][:80]}")
    print(f"  {'  most memory at':36}   {found['memory_at'][:80]}")
    print(f"  {'forks, processes at once':36}{found['forks']:>10}   {found['processes']}")
    print(f"  {'wall s, CPU s':36}{found['wall_s']:>10}   {found['cpu_s']}")
    print(f"  {'  of it Ansible: start, waiting':36}{found['bare_cpu_s']:>10}   {found['bare_waiting_cpu_s']}")
    alone = ", ".join(f"{name} {number}" for name, number in found["sdk_cpu_s"].items())
    print(f"  {'  botocore alone for its calls':36}{round(sum(found['sdk_cpu_s'].values()), 1):>10}   {alone}")
    calls = found["all_calls_per_node"], found["all_calls_per_node_and_poll"]
    print(f"  {'all calls per node, and poll':36}{calls[0]:>10}   {calls[1]}")
    print(f"  {'sum of RSS over the bare one, MB':36}{found['rss_over_bare_mb']:>10}")
    print(f"  {'lines of progress':36}{found['progress_lines']:>10}")
    print(f"  calls: {', '.join(f'{name} {number}' for name, number in sorted(found['calls'].items()))}", flush=True)


def main(arguments: Sequence[str] | None = None) -> list[Goal]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 nodes only")
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--places", type=int, default=20)
    parser.add_argument("--latency", default="50-150", help="of every call, in milliseconds")
    parser.add_argument("--rate", type=float, default=0, help="calls a second per place and operation; 0: no limit")
    parser.add_argument("--poll", type=int, default=15, help="seconds between two looks")
    parser.add_argument("--pace", type=float, default=1.0, help="how long commands take: 0.5 is half as long")
    parser.add_argument("--keep", help="a directory for plan, journal and report; a temporary one otherwise")
    options = parser.parse_args(arguments)
    count = 1000 if options.quick else options.nodes
    title = f"{count:,} nodes in {options.places} account-Regions" + (f", {options.rate:g}/s" * bool(options.rate))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    report: dict[str, Any] = {"machine": machine(), "options": {**vars(options), "nodes": count}}
    service = {"latency": options.latency, "rate": options.rate, "burst": max(1, options.rate), "pace": options.pace}
    with tempfile.TemporaryDirectory() as name, endpoint(**service) as url:
        folder = Path(options.keep or name)
        folder.mkdir(exist_ok=True)
        prepare(folder, count, options.places)
        before = bare(folder)
        cost = roll_out(folder, aws_environment(url), options.poll, LOG)
        found = figures(cost, before, control(url, "calls"), count)
        found["bare_waiting_cpu_s"] = round(waiting(folder) * cost.wall_s, 1)
        found["cpu_over_bare_s"] = round(cost.cpu_s - before.cpu_s - found["bare_waiting_cpu_s"], 1)
        found["sdk_cpu_s"] = sdk.seconds(url, found["calls"])
        found["journal_mb"] = round((folder / "journal.jsonl").stat().st_size / 2**20, 1)
    report["figures"] = found
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    show(found, title)
    if cost.status:
        raise SystemExit(f"The playbook failed; its output is in {LOG.relative_to(ROOT)}")
    print(f"\nFigures in {RESULTS.relative_to(ROOT)}, output of the playbook in {LOG.name} beside it")
    return [(f"{count:,} nodes: {name}", found[key], wanted) for name, key, wanted in TARGETS]


if __name__ == "__main__":
    main()
