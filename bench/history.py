# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a large scan and its rows in the history, beside DuckDB with the same rows.

    python -m bench history                    25,000 nodes with 40 missing patches each: a million rows
    python -m bench history --nodes 100000     four million rows
    python -m bench history --quick            5,000 nodes

DuckDB gets the finished rows as lines of JSON and writes the same partitions of Parquet, sorted, with one thread, as
the history does; and it counts what the report has. Ours begins with scan.json. Results: build/bench/history.json.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from bench.inventory import machine
from bench.plan import PATCHES, PLACES
from bench.watch import ROOT, Goal, clean_environment

RESULTS = ROOT / "build" / "bench" / "history.json"
MOST_MB, MOST_TIMES = 600, 3
NOW = "2026-12-02T00:00:00.000Z"
#: What the report says of a scan, by DuckDB: compliance by group, the nodes in order, patches by group.
_REPORT = (
    "SELECT os, patch_group, compliance, count(*), sum(missing) FROM nodes GROUP BY ALL",
    "COPY (SELECT * FROM nodes ORDER BY missing DESC, name, node_id) TO '{folder}/nodes.csv' (FORMAT csv)",
    "COPY (SELECT n.os, n.patch_group, p.patch_id, max(p.title), max(p.severity), count(*) FROM patches AS p "
    "JOIN nodes AS n ON n.node_id = p.node_id GROUP BY ALL ORDER BY ALL) TO '{folder}/patches.csv' (FORMAT csv)",
)


def write_rows(folder: Path) -> None:
    """Write the rows of the scan as lines of JSON, for DuckDB."""
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import scan_run
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import read_scan

    files = {name: (folder / f"{name}.jsonl").open("w") for name in ("nodes", "patches")}
    for part, row in scan_run(read_scan(folder / "scan.json"), {}, TagKeys()).rows:
        if part.dataset in files:
            place = {"account": part.account, "region": part.region, "dt": part.dt}
            files[part.dataset].write(f"{json.dumps({**row, **place})}\n")
    for file in files.values():
        file.close()


def by_duckdb(what: str, folder: Path) -> Callable[[], None]:
    """Return what lets DuckDB do it."""
    import duckdb
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.datasets import DATASETS

    def work() -> None:
        (folder / "duck").mkdir(exist_ok=True)
        database = duckdb.connect(
            config={"threads": 1, "memory_limit": "600MB", "temp_directory": str(folder / "spill")}
        )
        for name in ("nodes", "patches"):
            known = DATASETS[name]
            typed = {**known.columns, **dict.fromkeys(("account", "region", "dt"), "varchar")}
            columns = ", ".join(f"{key}: '{kind}'" for key, kind in typed.items())
            read = f"read_json('{folder / name}.jsonl', format='newline_delimited', columns={{{columns}}})"
            if what == "dataset":
                database.execute(
                    f"COPY (SELECT * FROM {read} ORDER BY account, region, {', '.join(known.key)}) "
                    f"TO '{folder / 'duck' / name}' "
                    "(FORMAT parquet, COMPRESSION zstd, PARTITION_BY (account, region, dt))"
                )
            else:
                database.execute(f"CREATE TABLE {name} AS SELECT * FROM {read}")
        for query in _REPORT if what == "report" else ():
            database.execute(query.format(folder=folder)).fetchall()

    return work


def ours(what: str, folder: Path) -> Callable[[], None]:
    """Return what does the same as the actions rollout_report and publish_history with scan.json, without the page."""
    from ansible_collections.patchtide.hybrid.plugins.action.rollout_report import render
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import scan_run
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.model import build_report
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.tags import TagKeys
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import read_scan

    def work() -> None:
        scan = read_scan(folder / "scan.json")
        if what == "report":
            for name, text in render(build_report(None, (), scan), None, ["json", "csv"]).items():
                (folder / f"report-{name}").write_text(text)
            return
        store = HistoryDirectory(folder / "history")
        publish(store, scan_run(scan, {}, TagKeys()), find_format(store, "parquet", True), NOW)

    return work


def measure(who: str, what: str, folder: Path) -> dict[str, float]:
    """Run one of them in a process of its own."""
    command = [sys.executable, "-m", "bench.history", "--run", who, what, str(folder)]
    environment = {**clean_environment(), "PYTHONPATH": f"{ROOT}:{ROOT / 'build' / 'tree'}"}
    done = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def run(who: str, what: str, folder: Path) -> None:
    work = (by_duckdb if who == "duckdb" else ours)(what, folder)
    begun, cpu = time.perf_counter(), time.process_time()
    work()
    peak = int(re.findall(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text())[0]) / 1024
    took = {"cpu_s": time.process_time() - cpu, "wall_s": time.perf_counter() - begun, "peak_mb": peak}
    print(json.dumps({name: round(value, 1) for name, value in took.items()}))


def main(arguments: Sequence[str] | None = None) -> list[Goal]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="5,000 nodes")
    parser.add_argument("--nodes", type=int, default=25_000)
    parser.add_argument("--run", nargs=3, metavar=("WHO", "WHAT", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        run(options.run[0], options.run[1], Path(options.run[2]))
        return []
    count = 5000 if options.quick else options.nodes
    found: dict[str, dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        own = [sys.executable, "-m", "bench.plan", "--scan", str(count), str(PATCHES), name]
        subprocess.run(own, cwd=ROOT, check=True)
        subprocess.run([sys.executable, "-c", _WRITE, name], cwd=ROOT, check=True)
        for what in ("report", "dataset"):
            found[what] = {who: measure(who, what, folder) for who in ("duckdb", "ours")}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": machine(), "nodes": count, "figures": found}, indent=2) + "\n")
    print(f"\n{count:,} nodes with {PATCHES} missing patches each, in {PLACES} account-Regions")
    goals: list[Goal] = []
    for what, rows in found.items():
        for who, took in rows.items():
            print(f"  {what:8} {who:8} {took['cpu_s']:8.1f} s of CPU {took['wall_s']:8.1f} s {took['peak_mb']:8.0f} MB")
        times = round(rows["ours"]["cpu_s"] / rows["duckdb"]["cpu_s"], 1)
        goals.append((f"{what} of {count:,} nodes: times the CPU of DuckDB", times, MOST_TIMES))
        goals.append((f"{what} of {count:,} nodes, MB", rows["ours"]["peak_mb"], MOST_MB))
    return goals


_WRITE = "import sys, pathlib; from bench.history import write_rows; write_rows(pathlib.Path(sys.argv[1]))"

if __name__ == "__main__":
    main()
