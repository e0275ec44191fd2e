# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan carried out by several controllers beside the same plan carried out by one.

    python -m bench split                      10,000 nodes over four controllers, on this machine
    python -m bench split --quick              1,000 nodes
    python -m bench split --nodes 100000 --places 100

All controllers run on this machine, so the wall time says little; CPU and memory of each one are what an execution
node needs. Claims, journals and the shared state are in moto's DynamoDB, which is not part of the figures. Results:
build/bench/split.json.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.stores import DynamoShared
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.split import split_plan
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.stores import choose_stores

from bench.inventory import machine
from bench.rollout import INVENTORY, prepare
from bench.watch import ROOT, Cost, Goal, aws_environment, endpoint, watch

RESULTS = ROOT / "build" / "bench" / "split.json"
#: Of the tables; moto knows no Regions of the bench.
REGION = "eu-central-1"
TABLES = {"claims": {"node_id": "S"}, "journals": {"rollout": "S", "seq": "N"}}


def serve() -> None:
    """Serve moto's DynamoDB, one call after the other: moto's conditional writes are not atomic beside one another."""
    from moto.server import DomainDispatcherApplication, create_backend_app
    from werkzeug.serving import make_server

    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=False)
    print(f"http://127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


@contextmanager
def tables() -> Iterator[str]:
    """Run DynamoDB with the tables; gives its URL."""
    command = [sys.executable, "-m", "bench.split", "--serve"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        for name, keys in TABLES.items():
            client(url).create_table(
                TableName=name,
                AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
                KeySchema=[
                    {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
                ],
                BillingMode="PAY_PER_REQUEST",
            )
        yield url
    finally:
        process.terminate()
        process.wait(10)


def client(url: str) -> Any:
    keys = {"aws_access_key_id": "AKIA111111111111", "aws_secret_access_key": "x"}
    return boto3.client("dynamodb", endpoint_url=url, region_name=REGION, **keys)


def roll_out(folder: Path, above: Path, environment: Mapping[str, str], poll: int, log: Path) -> Cost:
    """Carry out the plan in a directory with the inventory and policy of the directory above."""
    command = ["ansible-playbook", "-i", str(above / "floor.yml"), "patchtide.hybrid.rollout_patches"]
    command += ["-e", f"patchtide_dir={folder}", "-e", f"patchtide_policy_file={above / 'policy.yml'}"]
    command += ["-e", f"patchtide_poll_interval={poll}"]
    return watch(command, {**environment, **INVENTORY, "XDG_STATE_HOME": str(folder / "state")}, log)


def write_children(folder: Path, controllers: int) -> list[Path]:
    """Split the plan in a directory; return the directories of the child plans."""
    found = []
    for child in split_plan(json.loads((folder / "plan.json").read_text("utf-8")), "account_region", controllers):
        path = folder / "parts" / child["part"]["name"]
        path.mkdir(parents=True)
        (path / "plan.json").write_text(json.dumps(child), "utf-8")
        choose_stores(path, f"dynamodb:{REGION}/journals", f"dynamodb:{REGION}/claims", write=True)
        found.append(path)
    return found


def figures(costs: Sequence[Cost]) -> dict[str, float]:
    return {
        "controllers": len(costs),
        "wall_s": round(max(cost.wall_s for cost in costs), 1),
        "cpu_s": round(sum(cost.cpu_s for cost in costs), 1),
        "most_cpu_s": round(max(cost.cpu_s for cost in costs), 1),
        "most_memory_mb": round(max(cost.memory_mb for cost in costs), 1),
    }


def measure(folder: Path, options: argparse.Namespace, controllers: int) -> dict[str, Any]:
    """Carry the plan out with so many controllers; the plan in the directory is new."""
    log = RESULTS.parent
    with endpoint(latency=options.latency, rate=0, burst=1, pace=options.pace) as url, tables() as dynamo:
        environment = {**aws_environment(url), "AWS_ENDPOINT_URL_DYNAMODB": dynamo}
        if controllers == 1:
            choose_stores(folder, f"dynamodb:{REGION}/journals", f"dynamodb:{REGION}/claims", write=True)
            folders = [folder]
        else:
            folders = write_children(folder, controllers)
        logs = [log / f"split-{controllers}-{number}.log" for number in range(len(folders))]
        with ThreadPoolExecutor(len(folders)) as pool:
            rows = zip(folders, logs, strict=True)
            costs = list(pool.map(lambda row: roll_out(row[0], folder, environment, options.poll, row[1]), rows))
        if failed := [str(path) for cost, path in zip(costs, logs, strict=True) if cost.status]:
            raise SystemExit(f"Playbooks failed; their output is in {', '.join(failed)}")
        found: dict[str, Any] = figures(costs)
        if controllers > 1:
            rollout = json.loads((folder / "plan.json").read_text("utf-8"))["rollout"]
            version, shared = DynamoShared(client(dynamo), "claims", rollout).read()
            found["shared_writes"] = version
            found["gates"] = {wave: gate.verdict for wave, gate in shared.gates.items()}
            item = client(dynamo).get_item(TableName="claims", Key={"node_id": {"S": f"split/{rollout}"}})["Item"]
            found["shared_bytes"] = len(item["shared"]["B"])
    return found


def main(arguments: Sequence[str] | None = None) -> list[Goal]:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="1,000 nodes only")
    parser.add_argument("--nodes", type=int, default=10_000)
    parser.add_argument("--places", type=int, default=20)
    parser.add_argument("--controllers", type=int, default=4)
    parser.add_argument("--budget", default="100%", help="nodes out of service at once, in the whole plan")
    parser.add_argument("--latency", default="50-150", help="of every call, in milliseconds")
    parser.add_argument("--poll", type=int, default=15, help="seconds between two looks")
    parser.add_argument("--pace", type=float, default=1.0, help="how long commands take: 0.5 is half as long")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve()
    count = 1000 if options.quick else options.nodes
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    found = {}
    for controllers in (1, options.controllers):
        with tempfile.TemporaryDirectory() as name:
            prepare(Path(name), count, options.places, budgets={"rollout": options.budget})
            found[controllers] = measure(Path(name), options, controllers)
            print(f"{count:,} nodes, {controllers} controllers: {found[controllers]}", flush=True)
    report = {"machine": machine(), "options": {**vars(options), "nodes": count}, "figures": list(found.values())}
    RESULTS.write_text(json.dumps(report, indent=2) + "\n")
    one, several = found[1], found[options.controllers]
    return [
        (f"{count:,} nodes: CPU of the largest of several controllers beside one, %", _share(one, several), 60),
        (f"{count:,} nodes: bytes of the shared state", several["shared_bytes"], 350_000),
    ]


def _share(one: Mapping[str, float], several: Mapping[str, float]) -> int:
    return round(100 * several["most_cpu_s"] / one["cpu_s"])


if __name__ == "__main__":
    main()
