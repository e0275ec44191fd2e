# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches 100 real hosts of three package managers in one wave: one hangs, one is broken, one vanishes.

It fails unless the report tells what happened on each of them, and the hosts themselves say the same. Needs root;
``python -m bench.real_hosts --count 12`` for a few.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import resource
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import yaml

from lab.hosts.estate import Host
from lab.hosts.families import BREAK, PACKAGES
from lab.hosts.fleet import Fleet, Wish

ROOT = Path(__file__).parents[1]
FAMILIES = tuple(PACKAGES)
#: By number, so that each is of another family.
HANGS, BROKEN, VANISHES = 0, 1, 2
TROUBLES = {
    HANGS: "echo 'pre-invoke=sleep 7200' >/etc/dpkg/dpkg.cfg.d/hang",
    BROKEN: f"touch {BREAK}",
}
INSTALLED = {
    "apt": "dpkg-query -W -f '${Version}' patchtide-toy-agent",
    "dnf": "rpm -q --qf '%{VERSION}' patchtide-toy-agent",
    "zypper": "rpm -q --qf '%{VERSION}' patchtide-toy-agent",
}
POLICY = {
    "version": 1,
    "name": "plant",
    "estate": {"accounts": []},
    "patching": {
        "security_only": True,
        "expected_minutes": {"linux": 5},
        "execution_timeout_minutes": 4,
        "delivery_timeout": 60,
    },
    "waves": [{"name": "all", "select": {"patch_groups": ["PLANT"]}}],
    "gates": {"max_failure_rate": "50%", "max_unknown": "50%"},
    "exceptions": {"ledger": "exceptions.json"},
}


def run(count: int) -> int:
    """Bring the hosts up, patch them, print what it took and what is wrong; return the exit status."""
    run_id = secrets.token_hex(4)  # an earlier run's claims hold its nodes for a day
    hosts = [
        Host(
            name=f"{FAMILIES[number % 3]}-{number:03}",
            family=FAMILIES[number % 3],
            variables=_variables(f"{number:03}-{run_id}"),
        )
        for number in range(count)
    ]
    fleet = Fleet("bench")
    try:
        began = time.monotonic()
        fleet.up(Wish(hosts=hosts, packages="toy"))
        print(f"{count} hosts are up after {time.monotonic() - began:.0f} s", flush=True)
        for number, trouble in TROUBLES.items():
            _on(fleet, hosts[number].name, trouble)
        with tempfile.TemporaryDirectory() as folder:
            return _cycle(fleet, hosts, Path(folder))
    finally:
        fleet.down()


def _variables(node_id: str) -> dict[str, Any]:
    return {"patchtide_node_id": node_id, "patchtide_patch_group": "PLANT", "patchtide_tags": {"Owner": "plant"}}


def _cycle(fleet: Fleet, hosts: list[Host], folder: Path) -> int:
    (folder / "policy.yml").write_text(yaml.safe_dump(POLICY))
    (folder / "exceptions.json").write_text('{"version": 1, "exceptions": []}')
    directory = folder / "run"
    variables = {"patchtide_policy_file": str(folder / "policy.yml"), "patchtide_dir": str(directory)}
    for playbook in ("scan_compliance", "plan_rollout", "rollout_patches"):
        stopped = threading.Event()
        killer = threading.Thread(target=_vanish, args=(fleet, hosts[VANISHES], directory / "journal.jsonl", stopped))
        if playbook == "rollout_patches":
            killer.start()
        status, seconds, cpu, output = _play(fleet, playbook, variables)
        stopped.set()
        print(f"{playbook}: {seconds:.0f} s, {cpu:.1f} s of CPU, status {status}", flush=True)
        # Three of the hosts do not succeed, so neither does the rollout's exit status.
        if status and playbook != "rollout_patches":
            print(output[-3000:])
            return 1
    with (directory / "report" / "nodes.csv").open(newline="") as report:
        problems = _differences(fleet, hosts, {row["host"]: row for row in csv.DictReader(report)})
    print("\n".join(problems) or "the report tells what happened on each host, and the hosts say the same")
    return 1 if problems else 0


def _play(fleet: Fleet, playbook: str, variables: dict[str, str]) -> tuple[int, float, float, str]:
    command = ["ansible-playbook", f"patchtide.hybrid.{playbook}", "-i", str(fleet.inventory)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    log = ROOT / "build" / "bench" / f"{playbook}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w") as output:
        done = subprocess.run(
            [str(Path(sys.executable).with_name(command[0])), *command[1:], "-e", json.dumps(variables)],
            env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return done.returncode, time.monotonic() - began, cpu, log.read_text()


def _vanish(fleet: Fleet, host: Host, journal: Path, stopped: threading.Event) -> None:
    """Cut a host's power as soon as its install is announced."""
    while not stopped.wait(0.05):
        lines = journal.read_text().splitlines() if journal.exists() else []
        if any(
            '"intent"' in line and '"patch"' in line and host.variables["patchtide_node_id"] in line for line in lines
        ):
            fleet.kill(host.name)
            return


def _differences(fleet: Fleet, hosts: list[Host], rows: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return where the report is not what must have happened, or not what a host says of itself."""
    special = {hosts[HANGS].name: "failed", hosts[BROKEN].name: "failed", hosts[VANISHES].name: "unknown"}
    found = [f"{host.name} is not in the report" for host in hosts if host.name not in rows]
    with ThreadPoolExecutor(16) as pool:
        versions = list(pool.map(lambda host: _on(fleet, host.name, INSTALLED[host.family]), hosts))
    for host, version in zip(hosts, versions, strict=True):
        row = rows.get(host.name, {})
        wanted, outcome = special.get(host.name, "succeeded"), row.get("status")
        if outcome != wanted:
            found.append(f"{host.name}: the report says {outcome}, not {wanted}: {row.get('reason') or row}")
        if (version == "1.1") != (wanted == "succeeded"):
            found.append(f"{host.name}: it has {version or 'no answer'}, and the report says {outcome}")
    print(f"outcomes: {dict(Counter(row['status'] for row in rows.values()))}")
    for name in special:
        print(f"{name}: {rows.get(name, {}).get('status')}: {rows.get(name, {}).get('reason')}")
    return found


def _on(fleet: Fleet, name: str, command: str) -> str:
    machine = next(item for item in fleet.machines() if item.host.name == name)
    done = subprocess.run(
        [*fleet.ssh(machine), command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.real_hosts", description="Patch real hosts in one wave.")
    parser.add_argument("--count", type=int, default=100, help="how many hosts, at least 3 (default: 100)")
    sys.exit(run(max(3, parser.parse_args().count)))
