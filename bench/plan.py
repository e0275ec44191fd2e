# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Planning a hundred thousand nodes: what the plan itself costs, and what a playbook that plans costs.

    python -m bench plan                        100,000 nodes, 40 patches missing on each; with a playbook 10,000
    python -m bench plan --playbook 100000      the playbook with as many; Ansible's own part takes minutes
    python -m bench plan --quick                10,000 nodes, no playbook

Each step is told apart, in a process of its own: making the inputs, reading the scan, the plan, its text, its page,
its file. Results: build/bench/plan.json.
"""

from __future__ import annotations

import argparse
import gc
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.canonical import to_lines
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.text import plan_to_text
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.files import write_pieces
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.large_json import collector_paused
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.report.html import render_plan_html
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import read_scan

from bench import nodes
from bench.inventory import machine
from bench.watch import ROOT, clean_environment, watch

RESULTS = ROOT / "build" / "bench" / "plan.json"
OWN = [sys.executable, "-m", "bench.plan"]
PATCHES = 40
PLACES = 100
#: A canary, a tenth, and the rest, with limits and an order: what a plan of this size would ask for.
WAVES = [
    {"name": "canary", "size": "1%"},
    {"name": "early", "select": {"tags": {"Environment": ["dev", "test"]}}, "size": "20%"},
    {"name": "rest"},
]


def steps(count: int, patches: int, folder: Path) -> list[dict[str, Any]]:
    """Plan in this process; return what each step took and the memory after it."""
    found: list[dict[str, Any]] = []

    def step(name: str, work: Callable[[], Any]) -> Any:
        gc.collect()
        before, begun, cpu = _resident(), time.perf_counter(), time.process_time()
        _forget_peak()
        result = work()
        figures = {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}
        memory = {"before_mb": before, "peak_mb": _peak(), "after_mb": _resident()}
        found.append({"step": name, **{key: round(value, 2) for key, value in {**figures, **memory}.items()}})
        return result

    where = nodes.places(PLACES)
    policy = check_policy(nodes.policy(where, waves=WAVES))
    members = step("the inventory's nodes", lambda: list(nodes.candidates(count, where)))
    subprocess.run([*OWN, "--scan", str(count), str(patches), str(folder)], cwd=ROOT, check=True)
    size = (folder / "scan.json").stat().st_size / 2**20
    scan = step("reading scan.json", lambda: read_scan(folder / "scan.json"))
    plan = step("the plan", lambda: _plan(members, policy, scan))
    assert plan["totals"]["nodes"] == count, plan["totals"]
    step("its text", lambda: plan_to_text(plan))
    step("its page", lambda: len(render_plan_html(plan)))
    step("writing plan.json", lambda: write_pieces(folder / "plan.json", to_lines(plan)))
    found[1]["file_mb"], found[-1]["file_mb"] = round(size), round((folder / "plan.json").stat().st_size / 2**20)
    return found


def write_estate(count: int, patches: int, folder: Path) -> None:
    """Write the scan of so many nodes. In a process of its own: the memory of making it is nobody's."""
    members = list(nodes.candidates(count, nodes.places(PLACES)))
    write_pieces(folder / "scan.json", to_lines(nodes.scan(members, patches), 2))


def _plan(members: list[Candidate], policy: Policy, scan: Any) -> dict[str, Any]:
    """As the action does it."""
    with collector_paused():
        return build_plan(
            members, policy, scan, policy_digest=policy.digest, created_at=nodes.AT, rollout=nodes.ROLLOUT
        )


def _status(name: str) -> float:
    rows = Path("/proc/self/status").read_text().splitlines()
    return next(int(row.split()[1]) / 1024 for row in rows if row.startswith(f"{name}:"))


def _resident() -> float:
    return _status("VmRSS")


def _peak() -> float:
    return _status("VmHWM")


def _forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def playbook(count: int, folder: Path) -> dict[str, Any]:
    """Measure the playbook plan_rollout on an inventory from memory, and one that only reads the inventory."""
    where = nodes.places(PLACES)
    labels = [f"{account}/{region}" for account, region in where]
    inventory = {"plugin": "floor", "nodes": count // PLACES, "places": labels, "online": True}
    (folder / "floor.yml").write_text(yaml.safe_dump(inventory))
    (folder / "policy.yml").write_text(yaml.safe_dump(nodes.policy(where, waves=WAVES)))
    (folder / "scan.json").write_text(json.dumps(nodes.scan(list(nodes.candidates(count, where)))))
    (folder / "nothing.yml").write_text(yaml.safe_dump([{"hosts": "localhost", "gather_facts": False, "tasks": []}]))
    environment = {
        "ANSIBLE_INVENTORY_PLUGINS": str(ROOT / "bench" / "plugins" / "inventory"),
        "ANSIBLE_INVENTORY_ENABLED": "floor",
    }
    base = ["ansible-playbook", "-i", str(folder / "floor.yml")]
    bare = watch([*base, str(folder / "nothing.yml")], environment)
    command = [*base, "patchtide.hybrid.plan_rollout", "-e", f"patchtide_dir={folder}"]
    cost = watch([*command, "-e", f"patchtide_policy_file={folder / 'policy.yml'}"], environment)
    if cost.status:
        raise SystemExit("\n".join(line for _at, line in cost.lines[-30:]))
    return {"nodes": count, "inventory_alone": bare.figures(), "planning": cost.figures()}


def show(rows: Sequence[dict[str, Any]], count: int) -> None:
    """Print the table."""
    print(f"\nPlanning {count:,} nodes in {PLACES} account-Regions")
    print(f"  {'':28}{'wall s':>9}{'CPU s':>9}{'before MB':>11}{'peak MB':>9}{'after MB':>10}")
    for row in rows:
        seconds, memory = f"{row['wall_s']:9.2f}{row['cpu_s']:9.2f}", f"{row['before_mb']:11.0f}{row['peak_mb']:9.0f}"
        print(f"  {row['step']:28}{seconds}{memory}{row['after_mb']:10.0f}")
    plan = next(row for row in rows if row["step"] == "the plan")
    print(f"  the plan: {plan['wall_s']} s (wanted: at most 5)", end="")
    print(f", {plan['peak_mb'] - plan['before_mb']:.0f} MB over its inputs (wanted: at most 500)", flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--nodes", type=int, default=100_000)
    parser.add_argument("--patches", type=int, default=PATCHES, help="missing on each node")
    parser.add_argument("--playbook", type=int, default=10_000, help="nodes of the playbook; 0: no playbook")
    parser.add_argument("--steps", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--scan", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.scan:
        write_estate(int(options.scan[0]), int(options.scan[1]), Path(options.scan[2]))
        return
    count = 10_000 if options.quick else options.nodes
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        if options.steps:
            print(json.dumps(steps(count, options.patches, Path(name))))
            return
        report: dict[str, Any] = {"machine": machine(), "nodes": count}
        own = [*OWN, "--steps", "--nodes", str(count), "--patches", str(options.patches)]
        environment = {**clean_environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'build' / 'tree'}"}
        done = subprocess.run(own, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
        report["steps"] = json.loads(done.stdout.splitlines()[-1])
        show(report["steps"], count)
        if options.playbook and not options.quick:
            report["playbook"] = found = playbook(options.playbook, Path(name))
            print(f"\nplan_rollout with {options.playbook:,} hosts, and the same inventory with a playbook of no tasks")
            for title in ("planning", "inventory_alone"):
                row = found[title]
                print(f"  {title:20} wall {row['wall_s']} s, CPU {row['cpu_s']} s, memory {row['memory_mb']} MB")
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print(f"\nFigures in {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
