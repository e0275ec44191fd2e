# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""azure_fleet beside ssm_fleet: the same number of machines, the CPU seconds of one parse.

    python -m bench azure            10,000 machines, three times in turn
    python -m bench azure --quick    1,000 machines, once

Resource Graph is canned: pages of 1,000 rows from memory, over TLS, in a thread with 100 ms before each answer; its CPU
is not counted, because each parse is a process of its own (``measure.py``).
"""

from __future__ import annotations

import argparse
import json
import os
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import yaml

from bench.inventory import ROOT, Scenario, endpoint, inventories
from lab.azure.certificates import write_certificates

PAGE, LATENCY = 1000, 0.1
SUBSCRIPTIONS = [f"22222222-bbbb-4bbb-8bbb-00000000000{number}" for number in range(1, 5)]


def row(number: int) -> dict[str, Any]:
    """A machine as the query projects it: every fifth is a server of Azure Arc, every fourth runs Windows."""
    subscription, windows, arc = SUBSCRIPTIONS[number % len(SUBSCRIPTIONS)], number % 4 == 0, number % 5 == 0
    name = f"app{number % 40}-{number:05}"
    kind = "Microsoft.HybridCompute/machines" if arc else "Microsoft.Compute/virtualMachines"
    system = "Windows" if windows else "Linux"
    both = {
        "id": f"/subscriptions/{subscription}/resourceGroups/rg-{number % 50}/providers/{kind}/{name}",
        "name": name,
        "type": kind.lower(),
        "subscriptionId": subscription,
        "location": "westeurope",
        "zones": None if arc else [str(number % 3 + 1)],
        "tags": {
            "Name": name,
            "Patch Group": f"group-{number % 30}",
            "Maintenance Window": "night",
            "Application": f"app{number % 40}",
            "Environment": ("dev", "test", "prod")[number % 3],
            "Owner": f"team-{number % 25}@example.com",
        },
        "vmId": f"00000000-0000-4000-8000-{number:012}",
    }
    own = {
        "arcOsType": system.lower(),
        "arcOsName": system,
        "arcOsVersion": "10.0.20348",
        "status": "Connected",
        "agentVersion": "1.47.02876.001",
        "arcName": name,
        "vmUuid": f"00000000-0000-4000-9000-{number:012}",
    }
    compute = {
        "size": "Standard_D2s_v5",
        "osType": system,
        "osName": system.lower(),
        "osVersion": "10.0.20348",
        "powerState": "PowerState/running",
        "computerName": name,
        "scaleSet": None,
        "linuxMode": None if windows else "ImageDefault",
        "windowsMode": "AutomaticByPlatform" if windows else None,
        "windowsBypass": True if windows else None,
    }
    empty = dict.fromkeys((*own, *compute, "linuxBypass", "hotpatch"))
    return {**both, **empty, **(own if arc else compute)}


@contextmanager
def canned(count: int, folder: Path) -> Iterator[tuple[str, Path, list[str]]]:
    """Serve a token, the subscriptions and the pages; gives the URL, its authority's certificate and the calls."""
    rows = [json.dumps(row(number)) for number in range(count)]
    calls: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if "openid-configuration" in self.path:
                here = f"{url}/t"
                names = ("issuer", "token_endpoint", "authorization_endpoint")
                self._answer(json.dumps(dict.fromkeys(names, f"{here}/oauth2/v2.0/token")))
                return
            listed = [{"subscriptionId": item, "displayName": item[-1], "tenantId": "t"} for item in SUBSCRIPTIONS]
            self._answer(json.dumps({"value": [{**item, "state": "Enabled"} for item in listed]}))

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path.endswith("/token"):
                self._answer(json.dumps({"token_type": "Bearer", "expires_in": 3600, "access_token": "x"}))
                return
            body = json.loads(raw)
            mine = rows if body["query"].startswith("resources") else []
            begin = int(body["options"].get("$skipToken", 0))
            more = f', "$skipToken": "{begin + PAGE}"' if begin + PAGE < len(mine) else ""
            data = ", ".join(mine[begin : begin + PAGE])
            self._answer(f'{{"totalRecords": {len(mine)}, "resultTruncated": "false", "data": [{data}]{more}}}')

        def _answer(self, text: str) -> None:
            calls.append(self.path)
            time.sleep(LATENCY)
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: Any) -> None:
            pass

    ca, certificate = write_certificates(folder, "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    url = f"https://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield url, ca, calls
    finally:
        server.shutdown()


def measure(file: Path) -> dict[str, Any]:
    """Parse one inventory file in a process of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "AZURE_", "ANSIBLE_"))}
    environment = {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"),
        "ANSIBLE_INVENTORY_ENABLED": "patchtide.hybrid.ssm_fleet,patchtide.hybrid.azure_fleet",
        "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "1",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'build' / 'tree'}",
    }
    command = [sys.executable, "-m", "bench.measure", str(file)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{file.name}: {done.stderr[-2000:]}")
    return dict(json.loads(done.stdout.splitlines()[-1]))


def main(arguments: Sequence[str] | None = None) -> list[tuple[str, float, float]]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 machines, once")
    options = parser.parse_args(arguments)
    count, repeats = (1_000, 1) if options.quick else (10_000, 3)
    scenario, runs = Scenario(count, 1), dict[str, list[Mapping[str, Any]]]()
    with (
        tempfile.TemporaryDirectory() as place,
        endpoint(scenario, "50-150") as aws,
        canned(count, Path(place)) as (url, ca, calls),
    ):
        login = {"client_id": "c", "secret": "s", "tenant": "t", "arm_endpoint": url, "authority": url}
        fleet = {"plugin": "patchtide.hybrid.azure_fleet", "ca_bundle": str(ca), **login}
        azure = Path(place) / "bench.azure_fleet.yml"
        azure.write_text(yaml.safe_dump(fleet), "utf-8")
        files = {"ssm_fleet": inventories(scenario, aws, Path(place))["ssm_fleet"], "azure_fleet": azure}
        for _ in range(repeats):
            for name, file in files.items():
                runs.setdefault(name, []).append(measure(file))
                assert runs[name][-1]["hosts"] == count, runs[name][-1]
        queries = sum("resources" in path for path in calls) // repeats
    figures = {
        name: {key: statistics.median(run[key] for run in found) for key in found[0]} for name, found in runs.items()
    }
    for name, found in figures.items():
        print(f"{name:14}{found['cpu_s']:8.2f} s of CPU{found['wall_s']:8.1f} s{found['peak_mb']:8.0f} MB")
    print(f"{queries} queries of Resource Graph; load {os.getloadavg()[0]:.0f}")
    ratio = round(figures["azure_fleet"]["cpu_s"] / figures["ssm_fleet"]["cpu_s"], 2)
    return [(f"{count:,} machines: CPU of azure_fleet over ssm_fleet", ratio, 1.5)]


if __name__ == "__main__":
    main()
