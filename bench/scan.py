# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scanning an estate with the playbook scan_compliance: what a node costs in memory, CPU and calls.

    python -m bench scan             2,000 nodes, ten patches missing on each
    python -m bench scan --quick     400 nodes

Results: build/bench/scan.json.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.inventory import machine
from bench.rollout import INVENTORY, bare, prepare
from bench.watch import ROOT, aws_environment, control, endpoint, watch

RESULTS = ROOT / "build" / "bench" / "scan.json"


def measure(count: int, places: int) -> dict[str, Any]:
    """Scan so many nodes; return the figures of a node."""
    with tempfile.TemporaryDirectory() as name, endpoint(latency="50-150", pace=0.3) as url:
        folder = Path(name)
        prepare(folder, count, places)
        before = bare(folder)
        command = ["ansible-playbook", "-i", str(folder / "floor.yml"), "patchtide.hybrid.scan_compliance"]
        command += ["-e", f"patchtide_dir={folder}", "-e", f"patchtide_policy_file={folder / 'policy.yml'}"]
        command += ["-e", "patchtide_poll_interval=15"]
        cost = watch(command, {**aws_environment(url), **INVENTORY}, RESULTS.with_suffix(".log"))
        if cost.status:
            raise SystemExit("\n".join(["the playbook failed", *(line for _at, line in cost.lines[-30:])]))
        scanned = json.loads((folder / "scan.json").read_text())["nodes"].values()
        calls = {name: n for name, n in control(url, "calls")["calls"].items() if not name.startswith("throttled")}
    assert sum(item["status"] == "succeeded" for item in scanned) == count
    per_node = {
        "memory over Ansible's own, kB a node": round(1024 * (cost.memory_mb - before.memory_mb) / count),
        "CPU over Ansible's own, ms a node": round(1000 * (cost.cpu_s - before.cpu_s) / count, 1),
        "calls a node": round(sum(calls.values()) / count, 2),
    }
    return {**cost.figures(), "calls": calls, "per_node": per_node}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="400 nodes only")
    options = parser.parse_args(arguments)
    count = 400 if options.quick else 2000
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    found = measure(count, 4)
    RESULTS.write_text(json.dumps({"machine": machine(), "nodes": count, "figures": found}, indent=2) + "\n")
    print(f"\nScanning {count:,} nodes: {found['wall_s']} s, CPU {found['cpu_s']} s, silent for {found['silence_s']} s")
    for title, figure in found["per_node"].items():
        print(f"  {title:48}{figure:>10}")
    print(f"  calls: {', '.join(f'{name} {number}' for name, number in sorted(found['calls'].items()))}")


if __name__ == "__main__":
    main()
