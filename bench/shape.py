# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a rollout's cost and pace depend on its shape: ten waves beside one, a node that hangs, a service that throttles.

    python -m bench shape            2,000 nodes, a quarter of an hour
    python -m bench shape --quick    400 nodes

Results: build/bench/shape.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.inventory import machine
from bench.rollout import bare, prepare, roll_out
from bench.watch import ROOT, Cost, Goal, aws_environment, control, endpoint

RESULTS = ROOT / "build" / "bench" / "shape.json"
LATENCY = "50-150"
#: Minutes after which the install of the node that hangs is given up.
HUNG_MINUTES = 3


def measure(count: int, places: int, poll: int, service: Mapping[str, Any], **policy: Any) -> dict[str, Any]:
    """Carry one rollout out; return what it cost and what the service counted."""
    with tempfile.TemporaryDirectory() as name, endpoint(latency=LATENCY, **service) as url:
        folder = Path(name)
        prepare(folder, count, places, **policy)
        before = bare(folder)
        cost = roll_out(folder, aws_environment(url), poll, RESULTS.with_suffix(".log"))
        counted = control(url, "calls")
    _check(cost)
    return {**cost.figures(), "more_cpu_s": round(cost.cpu_s - before.cpu_s, 1), **counted}


def _check(cost: Cost) -> None:
    if cost.status:
        raise SystemExit("\n".join(["the playbook failed", *(line for _at, line in cost.lines[-30:])]))


def waves(count: int) -> list[Goal]:
    """Ten waves beside one, of the same nodes."""
    service = {"pace": 0.1}
    one = measure(count, 4, 5, service)
    share = [{"name": f"wave{number}", "size": f"{number * 10}%"} for number in range(1, 10)]
    ten = measure(count, 4, 5, service, waves=[*share, {"name": "rest"}])
    print(
        f"  one wave {one['wall_s']} s, CPU {one['cpu_s']} s; ten {ten['wall_s']} s, CPU {ten['cpu_s']} s", flush=True
    )
    return [
        ("ten waves over one, CPU", round(ten["cpu_s"] / one["cpu_s"], 2), 1.3),
        ("ten waves over one, CPU without Ansible's own start", round(ten["more_cpu_s"] / one["more_cpu_s"], 2), 1.3),
    ]


def hung() -> list[Goal]:
    """A node whose install never ends beside 49 others; how long those wait for their reboot."""
    patching = {"execution_timeout_minutes": HUNG_MINUTES, "delivery_timeout": 30}
    found = measure(50, 1, 15, {"pace": 0.7, "hung": 1}, patching=patching)
    after = sorted(found["reboots_after_s"])
    print(f"  reboots after installs: {after}", flush=True)
    return [
        ("a hung node: the others' install to reboot, median s", round(statistics.median(after), 1), 45),
        ("a hung node: the others' install to reboot, longest s", after[-1], 60),
    ]


def pacing(count: int) -> list[Goal]:
    """Five calls a second for each operation of an account-Region."""
    calls = measure(count, 4, 15, {"pace": 0.5, "rate": 5, "burst": 5})["calls"]
    asked = {name: number for name, number in calls.items() if not name.startswith("throttled")}
    refused = {name: round(100 * calls.get(f"throttled {name}", 0) / asked[name]) for name in asked}
    print(f"  calls {asked}, refused in percent {refused}", flush=True)
    share = round(100 * calls.get("throttled", 0) / sum(asked.values()), 1)
    return [
        ("5 calls a second: refused of all calls, %", share, 10),
        ("5 calls a second: refused of SendCommand, %", refused["SendCommand"], 10),
    ]


def main(arguments: Sequence[str] | None = None) -> list[Goal]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="400 nodes only")
    parser.add_argument("--only", choices=("waves", "hung", "pacing"))
    options = parser.parse_args(arguments)
    count = 400 if options.quick else 2000
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    parts = {"waves": lambda: waves(count), "hung": hung, "pacing": lambda: pacing(count)}
    rows = [row for name, part in parts.items() if options.only in (None, name) for row in part()]
    RESULTS.write_text(json.dumps({"machine": machine(), "nodes": count, "rows": rows}, indent=2) + "\n")
    for title, figure, wanted in rows:
        print(f"  {title:56}{figure:>9}   wanted: at most {wanted}")
    return rows


if __name__ == "__main__":
    main()
