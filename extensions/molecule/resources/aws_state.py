# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the simulated AWS holds, read with boto3 alone: ``missing NODE…`` or ``declared``, as one JSON document."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from lab.aws.launch import Lab

PLACES = [
    (account, region)
    for account in ("111111111111", "222222222222", "333333333333")
    for region in ("eu-central-1", "us-east-1")
]


def main(question: str, nodes: list[str]) -> None:
    lab = Lab(os.environ["AWS_ENDPOINT_URL"], "111111111111", os.environ["AWS_ACCESS_KEY_ID"])
    clients = [lab.client("ssm", region, account) for account, region in PLACES]
    answer = _missing(clients, nodes) if question == "missing" else [_declared(client) for client in clients]
    print(json.dumps(answer))


def _missing(clients: list[Any], nodes: list[str]) -> list[int]:
    """Missing patches of the nodes, a number for each that any account knows."""
    states = [
        state
        for client in clients
        for state in client.describe_instance_patch_states(InstanceIds=nodes)["InstancePatchStates"]
    ]
    return [state["MissingCount"] for state in states]


def _declared(client: Any) -> dict[str, Any]:
    baselines = client.describe_patch_baselines(Filters=[{"Key": "OWNER", "Values": ["Self"]}])["BaselineIdentities"]
    windows = client.describe_maintenance_windows()["WindowIdentities"]
    groups = client.describe_patch_groups()["Mappings"]
    tasks = [
        task
        for window in windows
        for task in client.describe_maintenance_window_tasks(WindowId=window["WindowId"])["Tasks"]
    ]
    return {
        "baselines": sorted(baseline["BaselineName"] for baseline in baselines),
        "windows": sorted(window["Name"] for window in windows),
        "patch_groups": sorted({group["PatchGroup"] for group in groups}),
        "tasks": len(tasks),
    }


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
