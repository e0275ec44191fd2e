# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What botocore alone costs for the calls of a rollout: the CPU of one call of each operation, one after the other.

The calls go to the endpoint that has served the rollout, and ask for what it asked for. The client has botocore's
defaults; nothing reads its answers. Run as a process of its own, which prints milliseconds by operation as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from bench.endpoint import Estate
from bench.nodes import places
from bench.watch import ROOT, aws_environment, clean_environment

_COMMAND = "00000000-0000-4000-8000-000000000000"
_REPEATS = 30


def seconds(url: str, calls: Mapping[str, int]) -> dict[str, float]:
    """Return the seconds of CPU that so many calls of each operation take botocore."""
    command = [sys.executable, "-m", "bench.sdk"]
    environment = {**clean_environment(), **aws_environment(url)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    costs = json.loads(done.stdout)
    return {name: round(costs[name] * calls[name] / 1000, 1) for name in costs if name in calls}


def measure() -> dict[str, float]:
    """Return milliseconds of CPU by operation."""
    import boto3

    account, region = places(1)[0]
    nodes = [Estate(50).node_id(account, region, number) for number in range(50)]
    client = boto3.client("ssm", region_name=region)
    pending = [{"Key": "State", "Values": ["Failed", "InstalledPendingReboot"]}]
    command = {"DocumentName": "AWS-RunPatchBaseline", "Parameters": {"Operation": ["Scan"]}, "MaxErrors": "100%"}

    def look(number: int) -> Any:
        details = bool(number % 2)  # every second stage reads what the node printed
        return client.list_command_invocations(CommandId=_COMMAND, Details=details, MaxResults=50)

    made: dict[str, Callable[[int], Any]] = {
        "DescribeInstancePatches": lambda number: client.describe_instance_patches(
            InstanceId=nodes[number % len(nodes)], Filters=pending, MaxResults=100
        ),
        "ListCommandInvocations": look,
        "DescribeInstancePatchStates": lambda number: client.describe_instance_patch_states(
            InstanceIds=nodes[:14], MaxResults=50
        ),
        "SendCommand": lambda number: client.send_command(**command, InstanceIds=nodes),
    }
    costs = {}
    for name, call in made.items():
        call(0)
        begun = time.process_time()
        for number in range(_REPEATS):
            call(number)
        costs[name] = round((time.process_time() - begun) / _REPEATS * 1000, 3)
    return costs


if __name__ == "__main__":
    print(json.dumps(measure()))
