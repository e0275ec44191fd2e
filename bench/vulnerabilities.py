# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Importing a million findings: memory and time, for the formats that are read in pieces.

    python -m bench vulnerabilities             a million findings of 5,000 nodes, each format; six minutes
    python -m bench vulnerabilities --quick     50,000 findings

Results: build/bench/vulnerabilities.json.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.inventory import machine
from bench.watch import ROOT, Goal

RESULTS = ROOT / "build" / "bench" / "vulnerabilities.json"
NODES, PATCHES, MOST_MB = 5000, 40, 300
AT = "2026-11-28T00:00:00.000Z"
TEXT = "The remote host is affected by a vulnerability that lets others do what they should not. " * 4


def csv_rows(count: int) -> Iterator[str]:
    """A report of Qualys, machine by machine."""
    yield "IP,DNS,QID,Title,Vuln Status,Severity,Port,Protocol,First Detected,CVE ID,Vendor Reference,Threat\n"
    for at in range(count):
        node, number = at * NODES // count, at % (count // NODES)
        yield (
            f"10.{node // 65536}.{node // 256 % 256}.{node % 256},host-{node}.example.com,{90000 + number},"
            f"Update {number},"
            f"Active,{1 + number % 5},,,05/13/2026 07:08:28,CVE-2026-{1000 + number},KB{5000000 + number},{TEXT}\n"
        )


def xml_rows(count: int) -> Iterator[str]:
    """Detections of the API, and the glossary that names their CVEs."""
    each = count // NODES
    yield "<R><HOST_LIST>\n"
    for node in range(NODES):
        yield f"<HOST><IP>10.0.{node // 256}.{node % 256}</IP><DNS>host-{node}.example.com</DNS><DETECTION_LIST>\n"
        for number in range(each):
            yield (
                f"<DETECTION><QID>{90000 + number}</QID><SEVERITY>{1 + number % 5}</SEVERITY><STATUS>Active</STATUS>"
                f"<RESULTS>{TEXT}</RESULTS><FIRST_FOUND_DATETIME>2026-05-13T07:08:28Z</FIRST_FOUND_DATETIME></DETECTION>\n"
            )
        yield "</DETECTION_LIST></HOST>\n"
    yield "</HOST_LIST><GLOSSARY>\n"
    for number in range(each):
        cve = f"<CVE_ID_LIST><CVE_ID><ID>CVE-2026-{1000 + number}</ID></CVE_ID></CVE_ID_LIST>"
        yield f"<VULN_DETAILS><QID>{90000 + number}</QID>{cve}</VULN_DETAILS>\n"
    yield "</GLOSSARY></R>\n"


def json_rows(count: int) -> Iterator[str]:
    """One answer of Inspector."""
    yield '{"findings": [\n'
    for at in range(count):
        node, number = at * NODES // count, at % (count // NODES)
        package = {
            "name": f"package-{number}",
            "version": "1.0",
            "fixedInVersion": f"1.{number}",
            "packageManager": "OS",
        }
        found = {
            "title": f"CVE-2026-{1000 + number}",
            "description": TEXT,
            "severity": "HIGH",
            "status": "ACTIVE",
            "packageVulnerabilityDetails": {
                "vulnerabilityId": f"CVE-2026-{1000 + number}",
                "vulnerablePackages": [package],
            },
            "resources": [{"id": f"i-{node:017x}", "type": "AWS_EC2_INSTANCE"}],
        }
        yield f"{json.dumps(found)}{',' if at < count - 1 else ''}\n"
    yield "]}\n"


FORMATS: dict[str, Callable[[int], Iterator[str]]] = {
    "qualys_csv": csv_rows,
    "qualys_xml": xml_rows,
    "inspector": json_rows,
}


def scan() -> dict[str, Any]:
    """A scan of the nodes, on each of which so many patches are missing."""
    patches = [
        {
            "id": f"package-{number}.x86_64:1.{number}",
            "title": f"KB{5000000 + number}",
            "cve_ids": [f"CVE-2026-{1000 + number}"],
        }
        for number in range(PATCHES)
    ]
    nodes = {f"i-{node:017x}": {"status": "succeeded", "manager": "dnf", "missing": patches} for node in range(NODES)}
    return {"schema": "patchtide/scan/2", "at": AT, "nodes": nodes, "failed_places": []}


def run_import(folder: Path, kind: str) -> None:
    """Import the file and print what it took. In a process of its own."""
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.estate import Estate, Known
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.record import Importer
    from ansible_collections.patchtide.hybrid.plugins.module_utils._core.vulnerability.remedy import Patches
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import read_scan
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.vulnerability.findings_file import write_if_changed
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.vulnerability.sources import (
        read_enrichment,
        read_sources,
        to_source,
    )

    begin = time.perf_counter()
    nodes = [
        Known(node_id=f"i-{node:017x}", names=(f"host-{node}.example.com",), system="Amazon Linux")
        for node in range(NODES)
    ]
    known = read_scan(folder / "scan.json")
    importer = Importer(AT, Estate(nodes), Patches(known, nodes), read_enrichment(None, None), known)
    notes: dict[str, Any] = {"sources": [], "problems": [], "unread": 0}
    source = to_source({"path": str(folder / kind), "format": kind}, "sources[0]")
    lines = importer.lines(read_sources([source], 0, notes), notes["sources"])
    write_if_changed(folder / "out.jsonl", lines)
    # ru_maxrss would be that of the process that started this one, if it was larger
    peak = int(re.findall(r"VmHWM:\s+([0-9]+)", Path("/proc/self/status").read_text())[0]) // 1024
    took = {
        "peak_mb": peak,
        "wall_s": round(time.perf_counter() - begin, 1),
        "findings": importer.end["summary"]["findings"],
    }
    print(json.dumps({**took, "remediations": importer.end["summary"]["remediations"]}))


def measure(kind: str, count: int) -> dict[str, Any]:
    """Return what the import of so many findings took."""
    from ansible_collections.patchtide.hybrid.plugins.plugin_utils.scan_file import write_scan

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_scan(folder / "scan.json", scan())
        with (folder / kind).open("w") as file:
            file.writelines(FORMATS[kind](count))
        command = [sys.executable, "-m", "bench.vulnerabilities", "--import", str(folder), kind]
        found: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        size = (folder / kind).stat().st_size >> 20
    assert found["findings"] == count, found
    return {**found, "file_mb": size}


def main(arguments: Sequence[str] | None = None) -> list[Goal]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50,000 findings only")
    parser.add_argument("--format", choices=list(FORMATS), help="this format only")
    parser.add_argument("--import", nargs=2, metavar=("FOLDER", "FORMAT"), dest="imported", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.imported:
        run_import(Path(options.imported[0]), options.imported[1])
        return []
    count = 50_000 if options.quick else 1_000_000
    found = {kind: measure(kind, count) for kind in ([options.format] if options.format else FORMATS)}
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps({"machine": machine(), "findings": count, "figures": found}, indent=2) + "\n")
    for kind, took in found.items():
        print(f"{kind:12} {count:,} findings, {took['file_mb']:,} MB: {took['wall_s']} s, {took['peak_mb']} MB")
    return [(f"importing {count:,} findings, {kind}, MB", took["peak_mb"], MOST_MB) for kind, took in found.items()]


if __name__ == "__main__":
    main()
