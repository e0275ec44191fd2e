# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts that are reached directly: our whole rollout beside a playbook of facts, apt and stat on the same stand-ins.

    python -m bench direct            50, 200 and 1,000 hosts, about twenty minutes
    python -m bench direct --quick    10 and 50 hosts

One process (``hosts.py``) answers for the hosts, so that what they do is in nobody's figures; the ssh clients are real,
and their connections are open already. The playbook has pipelining and 25 forks. What a further host costs is the
difference between two sizes. Results: build/bench/direct.json.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml

from bench import nodes
from bench.hosts import COUNTER
from bench.inventory import machine
from bench.rollout import INVENTORY, bare, roll_out
from bench.watch import ROOT, Cost, Goal, clean_environment, watch

RESULTS = ROOT / "build" / "bench" / "direct.json"
SIZES = (50, 200, 1000)
FLOOR = {
    "hosts": "all",
    "gather_facts": True,
    "vars": {"ansible_python_interpreter": "/usr/bin/python3"},
    "tasks": [
        {"name": "Upgrade", "ansible.builtin.apt": {"upgrade": "dist"}},
        {"name": "See whether to reboot", "ansible.builtin.stat": {"path": "/var/run/reboot-required"}},
    ],
}
TARGETS = {"cpu": ("CPU over the playbook's", 0.5), "memory": ("memory over Ansible's own, MB a host", 1.0)}
#: The same of what a further host costs.
FURTHER = {**TARGETS, "forks": ("forks besides ssh", 0.0)}


def facts(folder: Path) -> Path:
    """Write down what the module setup says of this machine: as much as of any."""
    command = ["ansible", "localhost", "-c", "local", "-m", "ansible.builtin.setup", "--tree", str(folder / "facts")]
    subprocess.run(command, check=True, capture_output=True, env=clean_environment())
    return folder / "facts" / "localhost"


@contextmanager
def hosts_of(folder: Path, count: int, pace: float) -> Iterator[dict[str, str]]:
    """Run so many hosts; gives the environment in which Ansible reaches them."""
    sockets = folder / "hosts"
    sockets.mkdir()
    command = [sys.executable, "-m", "bench.hosts", "--folder", str(sockets), "--hosts", str(count)]
    command += ["--facts", str(facts(folder)), "--pace", str(pace)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        process.stdout.readline()
        shared = f"-F none -o ControlMaster=no -o ControlPath={sockets}/%h"
        yield {"ANSIBLE_SSH_ARGS": shared, "ANSIBLE_PIPELINING": "1", "ANSIBLE_TIMEOUT": "60"}
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(sockets)


def calls(environment: Mapping[str, str]) -> dict[str, int]:
    """Return how often the hosts were asked for what."""
    command = ["ssh", *environment["ANSIBLE_SSH_ARGS"].split(), COUNTER, "calls"]
    done = subprocess.run(command, check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return dict(json.loads(done.stdout))


def prepare(folder: Path, count: int) -> None:
    """Write inventory, policy, the frozen plan of one wave, and the playbook beside it."""
    where = nodes.places(1)
    (folder / "floor.yml").write_text(yaml.safe_dump({"plugin": "floor", "hosts": count}))
    (folder / "policy.yml").write_text(yaml.safe_dump(nodes.policy(where)))
    (folder / "plan.json").write_text(json.dumps(nodes.plan(list(nodes.hosts(count)), where)))
    (folder / "play.yml").write_text(yaml.safe_dump([FLOOR]))


def compare(count: int, pace: float, forks: int) -> dict[str, Any]:
    """Measure both on so many hosts."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder, count)
        before = bare(folder)
        found: dict[str, Any] = {"hosts": count, "bare_cpu_s": round(before.cpu_s, 1)}
        with hosts_of(folder, count, pace) as environment:
            command = ["ansible-playbook", "-i", str(folder / "floor.yml"), "--forks", str(forks)]
            floor = watch([*command, str(folder / "play.yml")], {**environment, **INVENTORY})
            found["floor"] = _figures("facts, apt and stat", floor, before, calls(environment))
        with hosts_of(folder, count, pace) as environment:
            ours = roll_out(folder, environment, 15, RESULTS.with_suffix(f".{count}.log"))
            found["ours"] = _figures("ours, the whole rollout", ours, before, calls(environment))
    found["cpu"] = round(ours.cpu_s / floor.cpu_s, 2)
    found["memory"] = round(found["ours"]["memory_over_bare_mb"] / count, 2)
    return found


def further(small: Mapping[str, Any], large: Mapping[str, Any]) -> dict[str, float]:
    """Return what a further host costs, from the rows of two sizes."""

    def more(way: str, value: Callable[[Mapping[str, Any]], float]) -> float:
        return (value(large[way]) - value(small[way])) / (large["hosts"] - small["hosts"])

    return {
        "cpu": round(more("ours", lambda row: row["cpu_s"]) / more("floor", lambda row: row["cpu_s"]), 2),
        "memory": round(more("ours", lambda row: row["memory_over_bare_mb"]), 2),
        "forks": round(more("ours", lambda row: row["forks"] - row["asked"]["connections"]), 2),
    }


def _figures(name: str, cost: Cost, before: Cost, asked: Mapping[str, int]) -> dict[str, Any]:
    if cost.status:
        raise SystemExit("\n".join([f"{name} failed", *(line for _at, line in cost.lines[-30:])]))
    over = {"memory_over_bare_mb": round(cost.memory_mb - before.memory_mb, 1), "asked": dict(asked)}
    return {"way": name, **cost.figures(), **over}


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the table."""
    head = ("hosts", "wall s", "CPU s", "MB more", "forks", "of it ssh")
    print(f"\n  {'':26}" + "".join(f"{word:>10}" for word in head))
    for row in rows:
        for item in (row["floor"], row["ours"]):
            values = (row["hosts"], item["wall_s"], item["cpu_s"], item["memory_over_bare_mb"], item["forks"])
            print(f"  {item['way']:26}" + "".join(f"{value:>10}" for value in (*values, item["asked"]["connections"])))


def goals(rows: Sequence[Mapping[str, Any]]) -> list[Goal]:
    """Return what was reached: by each size as a whole, and by a further host."""
    found = [
        (f"{row['hosts']} hosts: {title}", row[key], most) for row in rows for key, (title, most) in TARGETS.items()
    ]
    for small, large in pairwise(rows):
        costs, name = further(small, large), f"a further host, {small['hosts']} to {large['hosts']}"
        found += [(f"{name}: {title}", costs[key], most) for key, (title, most) in FURTHER.items()]
    return found


def main(arguments: Sequence[str] | None = None) -> list[Goal]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="10 and 50 hosts")
    parser.add_argument("--hosts", type=int, nargs="*", default=SIZES)
    parser.add_argument("--forks", type=int, default=25, help="of the playbook; ours has no use for any")
    parser.add_argument("--pace", type=float, default=0.5, help="how long installs and reboots take")
    options = parser.parse_args(arguments)
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    rows = []
    for count in (10, 50) if options.quick else options.hosts:
        rows.append(compare(count, options.pace, options.forks))
        RESULTS.write_text(json.dumps({"machine": machine(), "rows": rows}, indent=2) + "\n")
    show(rows)
    return goals(rows)


if __name__ == "__main__":
    main()
