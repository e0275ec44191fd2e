# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Inventory plugins side by side: ssm_fleet, amazon.aws.aws_ec2 and a floor that only adds hosts, variables and groups.

    python -m bench inventory            the table of the README, about ten minutes
    python -m bench inventory --quick    1,000 nodes only
    python -m bench inventory --all      also aws_ec2 and --list at 50,000 nodes and more; hours

Each figure is the median of the repeats, each repeat a process of its own, the plugins in turn so that a busy
moment of the machine meets all of them. Results: build/bench/inventory.json.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "build" / "bench" / "inventory.json"
ACCOUNTS = tuple(f"{number}" * 12 for number in range(1, 6))


@dataclass(frozen=True)
class Scenario:
    """So many nodes, evenly in so many account-Regions; every fifth is hybrid where ``hybrid`` says so."""

    nodes: int
    places: int
    hybrid: bool = False
    rate: float = 0.0
    #: Whether aws_ec2 takes part (a minute or more at 10,000 nodes) and whether --list is measured as well.
    ec2: bool = False
    listing: bool = False

    @property
    def title(self) -> str:
        kind = " with hybrid nodes" if self.hybrid else ""
        limit = f", {self.rate:g} calls/s" if self.rate else ""
        return f"{self.nodes:,} nodes{kind} in {self.places} account-Regions{limit}"


STANDARD = (
    Scenario(1_000, 1, ec2=True, listing=True),
    Scenario(1_000, 20, ec2=True),
    Scenario(10_000, 1, ec2=True, listing=True),
    Scenario(10_000, 20, ec2=True),
    Scenario(10_000, 100),
    Scenario(10_000, 20, hybrid=True),
    Scenario(10_000, 20, hybrid=True, rate=5.0),
    Scenario(50_000, 20),
    Scenario(100_000, 100),
)
#: From this size on aws_ec2 runs once, and beyond it everything does.
MANY = 10_000
#: The built-in groups of ssm_fleet as a user of aws_ec2 would write them.
EQUAL_GROUPS = [
    {"key": "'windows' if platform | default('') == 'windows' else 'linux'", "prefix": "platform"},
    {"key": "'ssm'", "prefix": "executor"},
    {"key": "tags['Patch Group']", "prefix": "patch_group"},
    {"key": "owner_id", "prefix": "account"},
    {"key": "placement.region", "prefix": "region"},
    {"key": "state.name", "prefix": "state"},
    {"key": "'managed'", "prefix": "", "separator": ""},
]

#: Beside the built-in groups, which those of aws_ec2 above equal: a variable and two kinds of groups, none by Jinja.
OWN_GROUPS = {
    "compose": {"short": "patchtide_name | upper"},
    "keyed_groups": [{"key": "patchtide_tags['Patch Group']", "prefix": "pg"}],
    "groups": {"windows": "patchtide_platform == 'windows'"},
}


def places_of(scenario: Scenario) -> tuple[list[str], list[str]]:
    """Return (accounts, Regions): one account up to 20 places, five beyond."""
    accounts = list(ACCOUNTS if scenario.places > 20 else ACCOUNTS[:1])
    return accounts, [f"eu-bench-{number}" for number in range(1, scenario.places // len(accounts) + 1)]


def inventories(scenario: Scenario, url: str, place: Path) -> dict[str, Path]:
    """Write an inventory file for every contestant; return them by name."""
    accounts, regions = places_of(scenario)
    access = {"endpoint_url": url, "access_key": f"AKIA{ACCOUNTS[0]}", "secret_key": "x"}
    roles = [f"arn:aws:iam::{account}:role/bench" for account in accounts]
    ec2_regions = [f"eu-bench-{number}" for number in range(1, scenario.places + 1)]
    ec2 = {"plugin": "amazon.aws.aws_ec2", "regions": ec2_regions, "hostnames": ["instance-id"], **access}
    fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": regions, **access}
    fleet = fleet if len(accounts) == 1 else {**fleet, "accounts": roles}
    labels = [f"{account}/{region}" for account in accounts for region in regions]
    floor = {"plugin": "floor", "nodes": scenario.nodes // scenario.places, "places": labels}
    found = {
        "floor, names": ("names.floor.yml", {**floor, "style": "names"}),
        "floor, names and groups": ("grouped.floor.yml", {**floor, "style": "grouped"}),
        "floor": ("floor.yml", floor),
        "ssm_fleet": ("bench.ssm_fleet.yml", fleet),
        "ssm_fleet, compose": ("compose.ssm_fleet.yml", {**fleet, **OWN_GROUPS}),
        "ssm_fleet, Jinja": ("jinja.ssm_fleet.yml", {**fleet, "compose": {"short": "patchtide_name is defined"}}),
    }
    if not scenario.hybrid:
        found["aws_ec2"] = ("plain.aws_ec2.yml", ec2)
        equal = {**ec2, "keyed_groups": EQUAL_GROUPS}
        found["aws_ec2, equal groups"] = ("groups.aws_ec2.yml", equal)
        compose = {**equal, "compose": {"short": "tags.Name | upper"}}
        found["aws_ec2, groups, compose"] = ("compose.aws_ec2.yml", compose)
    for file, content in found.values():
        (place / file).write_text(yaml.safe_dump(content))
    return {name: place / file for name, (file, _content) in found.items()}


@contextmanager
def endpoint(scenario: Scenario, latency: str) -> Iterator[str]:
    """Run the canned endpoint; gives its URL."""
    command = [sys.executable, "-m", "bench.endpoint", "--nodes", str(scenario.nodes // scenario.places)]
    command += ["--hybrid", "5" if scenario.hybrid else "0", "--latency", latency]
    command += ["--rate", str(scenario.rate), "--burst", str(max(1.0, scenario.rate))]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().strip()
    finally:
        process.terminate()
        process.wait(10)


def measure(file: Path, listing: bool, url: str) -> dict[str, Any]:
    """Run one contestant once in a process of its own."""
    _control(url, "reset")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ANSIBLE_"))},
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
        "ANSIBLE_INVENTORY_PLUGINS": str(ROOT / "bench" / "plugins" / "inventory"),
        "ANSIBLE_INVENTORY_ENABLED": "patchtide.hybrid.ssm_fleet,amazon.aws.aws_ec2,floor",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'tree'}",
    }
    command = [sys.executable, "-m", "bench.measure", str(file), *(["--list"] if listing else [])]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{file.name}: {done.stderr[-2000:]}")
    return {**json.loads(done.stdout.splitlines()[-1]), **_control(url, "calls")}


def compare(scenario: Scenario, listing: bool, repeats: int, latency: str, everything: bool) -> list[dict[str, Any]]:
    """Return one row per contestant."""
    runs: dict[str, list[dict[str, Any]]] = {}
    with endpoint(scenario, latency) as url, tempfile.TemporaryDirectory() as place:
        files = inventories(scenario, url, Path(place))
        for _ in range(repeats):
            for name, file in files.items():
                if name.startswith("aws_ec2") and not (scenario.ec2 or everything):
                    continue
                if name.startswith("aws_ec2") and runs.get(name) and scenario.nodes >= MANY:
                    continue  # once is a minute or two
                runs.setdefault(name, []).append(measure(file, listing, url))
    return [_row(scenario, listing, name, found) for name, found in runs.items()]


def _row(scenario: Scenario, listing: bool, name: str, runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    middle = {key: round(statistics.median(run[key] for run in runs), 3) for key in ("wall_s", "cpu_s", "peak_mb")}
    last = runs[-1]
    if last["hosts"] != scenario.nodes:
        raise RuntimeError(f"{name}: {last['hosts']} hosts instead of {scenario.nodes}")
    return {
        "scenario": scenario.title,
        "nodes": scenario.nodes,
        "places": scenario.places,
        "hybrid": scenario.hybrid,
        "rate": scenario.rate,
        "what": "--list" if listing else "parse",
        "plugin": name,
        "repeats": len(runs),
        **middle,
        "groups": last["groups"],
        "calls": {} if name.startswith("floor") else last["calls"],
        "slowest_chain_s": last["slowest_chain_s"] if name == "ssm_fleet" else None,
        "asking_s": None if name.startswith("floor") else last["asking_s"],
    }


def _control(url: str, path: str) -> dict[str, Any]:
    with urllib.request.urlopen(f"{url}/bench/{path}") as answer:
        return dict(json.load(answer))


def machine() -> dict[str, Any]:
    """What the figures came from."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    packages = ("ansible-core", "botocore", "boto3")
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "load": os.getloadavg()[0],
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def targets(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what was set out to reach, and how far it is."""

    def find(
        nodes: int, places: int, plugin: str, what: str = "parse", hybrid: bool = False
    ) -> Mapping[str, Any] | None:
        wanted = (nodes, places, plugin, what, hybrid, 0.0)
        keys = ("nodes", "places", "plugin", "what", "hybrid", "rate")
        return next((row for row in rows if tuple(row[key] for key in keys) == wanted), None)

    found: dict[str, Any] = {}
    grouped, names = (find(10_000, 1, name) for name in ("floor, names and groups", "floor, names"))
    ours, floor, ec2 = (find(10_000, 1, name) for name in ("ssm_fleet", "floor", "aws_ec2, equal groups"))
    if ours and floor:
        found["10,000 nodes: CPU of parse over the floor (wanted: at most 1.5)"] = round(
            ours["cpu_s"] / floor["cpu_s"], 2
        )
    if ours and names and grouped:
        found["10,000 nodes: CPU of parse over names alone"] = round(ours["cpu_s"] / names["cpu_s"], 2)
        found["10,000 nodes: CPU of parse over names and groups"] = round(ours["cpu_s"] / grouped["cpu_s"], 2)
    if ours and ec2:
        found["10,000 nodes: CPU of aws_ec2 over ours (wanted: at least 15)"] = round(ec2["cpu_s"] / ours["cpu_s"], 1)
    composed, ec2 = (find(10_000, 1, name) for name in ("ssm_fleet, compose", "aws_ec2, groups, compose"))
    if composed and ec2:
        found["10,000 nodes with compose: CPU of aws_ec2 over ours"] = round(ec2["cpu_s"] / composed["cpu_s"], 1)
    regions = find(1_000, 20, "ssm_fleet")
    if regions:
        chain = regions["slowest_chain_s"]
        wanted = "over the slowest single chain of calls (wanted: at most 3)"
        found[f"20 Regions of 50 nodes: first call to last answer {wanted}"] = round(regions["asking_s"] / chain, 2)
        found["20 Regions of 50 nodes: whole parse over the same chain"] = round(regions["wall_s"] / chain, 2)
    most = find(100_000, 100, "ssm_fleet")
    if most:
        found["100,000 nodes: peak memory in MB (wanted: at most 1,500)"] = most["peak_mb"]
    return found


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the table."""
    head = f"{'':30}{'':8}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'calls':>7}"
    for title in dict.fromkeys(row["scenario"] for row in rows):
        print(f"\n{title}\n{head}", flush=True)
        for row in rows:
            if row["scenario"] == title:
                calls = sum(number for name, number in row["calls"].items() if not name.startswith("throttled"))
                figures = f"{row['wall_s']:9.2f}{row['cpu_s']:9.2f}{row['peak_mb']:9.0f}{calls:7}"
                print(f"  {row['plugin']:28}{row['what']:8}{figures}")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 nodes only, once")
    parser.add_argument("--all", action="store_true", help="leave nothing out, however long it takes")
    parser.add_argument("--parse-only", action="store_true", help="without --list")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--latency", default="50-150", help="of every call, in milliseconds")
    options = parser.parse_args(arguments)
    scenarios = STANDARD[:2] if options.quick else STANDARD
    repeats = 1 if options.quick else options.repeats
    rows: list[dict[str, Any]] = []
    report = {"machine": machine(), "latency_ms": options.latency, "rows": rows}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    for scenario in scenarios:
        both = (scenario.listing or options.all) and not options.parse_only
        listings = [False, True] if both else [False]
        for listing in listings:
            fewer = 1 if scenario.nodes > MANY else repeats
            found = compare(scenario, listing, fewer, options.latency, options.all)
            rows.extend(found)
            show(found)
            report["targets"] = targets(rows)
            RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    print()
    for what, figure in targets(rows).items():
        print(f"{what}: {figure}")
    print(f"\nFigures in {RESULTS.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
