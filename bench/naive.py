# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The same install on the same nodes three ways: a task per host that sends and waits, our one task, our whole rollout.

    python -m bench naive                500 nodes, the naive playbook with 25 forks; about fifteen minutes
    python -m bench naive --nodes 100    a hundred nodes, a few minutes

The naive playbook has what it can have: a module of its own in which sending and waiting is one task, roles assumed
once per host, and more forks than Ansible's default of 5. Results: build/bench/naive.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from bench.inventory import machine
from bench.rollout import INVENTORY, bare, prepare, roll_out
from bench.watch import ROOT, Cost, aws_environment, control, endpoint, watch

RESULTS = ROOT / "build" / "bench" / "naive.json"
ROLE = "arn:aws:iam::{{ patchtide_account }}:role/patchtide"
NAIVE = {
    "hosts": "all",
    "gather_facts": False,
    "connection": "local",
    "vars": {"ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    "tasks": [
        {
            "name": "Patch and wait",
            "naive_patch": {
                "node_id": "{{ patchtide_node_id }}",
                "region": "{{ patchtide_region }}",
                "role_arn": ROLE,
                "poll": "{{ poll }}",
            },
        }
    ],
}
ONE_TASK = {
    "hosts": "localhost",
    "gather_facts": False,
    "tasks": [
        {
            "name": "Patch and wait",
            "patchtide.hybrid.ssm_patch": {
                "operation": "Install",
                "hosts": "{{ groups['all'] }}",
                "accounts": "{{ accounts }}",
                "poll_interval": "{{ poll }}",
            },
            "register": "patched",
            "no_log": True,
        },
        {"name": "Show how many", "ansible.builtin.debug": {"msg": "{{ patched.counts }}"}},
    ],
}


def play(folder: Path, content: Mapping[str, Any], url: str, poll: int, forks: int) -> Cost:
    """Run a playbook of one play on the estate."""
    (folder / "play.yml").write_text(yaml.safe_dump([dict(content)]))
    accounts = yaml.safe_load((folder / "policy.yml").read_text())["estate"]["accounts"]
    (folder / "more.json").write_text(json.dumps({"poll": poll, "accounts": accounts}))
    command = ["ansible-playbook", "-i", str(folder / "floor.yml"), "-e", f"@{folder / 'more.json'}"]
    environment = {**aws_environment(url), **INVENTORY, "ANSIBLE_LIBRARY": str(ROOT / "bench" / "plugins" / "modules")}
    return watch([*command, "--forks", str(forks), str(folder / "play.yml")], environment)


def row(name: str, cost: Cost, before: Cost, counted: Mapping[str, Any]) -> dict[str, Any]:
    """Return one line of the table."""
    if cost.status:
        raise SystemExit("\n".join([f"{name} failed", *(line for _at, line in cost.lines[-30:])]))
    calls = sum(number for operation, number in counted["calls"].items() if not operation.startswith("throttled"))
    more = {"memory_over_bare_mb": round(cost.memory_mb - before.memory_mb, 1), "all_calls": calls}
    return {"way": name, **cost.figures(), **more, "calls": counted["calls"], "sent": counted["sent"]}


COLUMNS = {
    "wall_s": "wall s",
    "cpu_s": "CPU s",
    "memory_over_bare_mb": "MB more",
    "forks": "forks",
    "processes": "at once",
    "all_calls": "calls",
    "silence_s": "silence s",
}


def show(rows: Sequence[Mapping[str, Any]], title: str) -> None:
    """Print the table, and how many times as much the naive playbook takes."""
    print(f"\n{title}\n  {'':44}" + "".join(f"{head:>11}" for head in COLUMNS.values()))
    for item in rows:
        print(f"  {item['way']:44}" + "".join(f"{item[key]:>11}" for key in COLUMNS))
    for item in rows[1:]:
        ratios = (rows[0][key] / max(item[key], 0.1) for key in COLUMNS)
        print(f"  {'the first over ' + item['way']:44}" + "".join(f"{ratio:>11.1f}" for ratio in ratios))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100 nodes only")
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--places", type=int, default=20)
    parser.add_argument("--forks", type=int, default=25, help="of the naive playbook; ours has no use for any")
    parser.add_argument("--latency", default="50-150", help="of every call, in milliseconds")
    parser.add_argument("--poll", type=int, default=15, help="seconds between two looks")
    parser.add_argument(
        "--pace", type=float, default=0.5, help="how long commands take: an install 10 to 45 s by default"
    )
    options = parser.parse_args(arguments)
    count = 100 if options.quick else options.nodes
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as name, endpoint(latency=options.latency, pace=options.pace) as url:
        folder = Path(name)
        prepare(folder, count, options.places)
        before = bare(folder)
        for way in (f"a task per host, {options.forks} forks", "ours, one task", "ours, the whole rollout"):
            control(url, "reset")
            if way.startswith("a task"):
                cost = play(folder, NAIVE, url, options.poll, options.forks)
            elif way == "ours, one task":
                cost = play(folder, ONE_TASK, url, options.poll, 5)
            else:
                cost = roll_out(folder, aws_environment(url), options.poll)
            rows.append(row(way, cost, before, control(url, "calls")))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    report = {"machine": machine(), "options": {**vars(options), "nodes": count}, "rows": rows}
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    show(rows, f"Installing on {count:,} nodes in {options.places} account-Regions")
    print(f"\nFigures in {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
