# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollouts that share nodes, and a rollout whose journal is in DynamoDB."""

from __future__ import annotations

import json
import signal
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.journal_check import (
    examine,
    replay,
)

from lab.aws.launch import Lab
from tests.kill.conftest import HELD, Night, is_install
from tests.kill.controller import MOMENTS, Death, controller


def table(aws: Lab, name: str, **keys: str) -> str:
    """Make an empty table; return how the options name it."""
    kinds = [{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()]
    roles = [{"AttributeName": key, "KeyType": role} for key, role in zip(keys, ("HASH", "RANGE"), strict=False)]
    client = aws.client("dynamodb")
    client.create_table(TableName=name, AttributeDefinitions=kinds, KeySchema=roles, BillingMode="PAY_PER_REQUEST")
    return f"dynamodb:eu-central-1/{name}"


@pytest.mark.parametrize("number", [8, 30])
def test_journal_in_dynamodb_is_resumed_in_an_empty_directory(night: Night, number: int, tmp_path: Path) -> None:
    journal = table(night.aws, "journal", rollout="S", seq="N")
    death = Death(number, MOMENTS[number % 2 * 2])
    assert controller(night.folder, night.environment, death, journal=journal) == -signal.SIGKILL
    assert not (night.folder / "journal.jsonl").exists()
    (night.folder / "stores.json").unlink()  # a new container has the plan alone
    assert controller(night.folder, night.environment, journal=journal) == 0
    night.check()


@pytest.mark.parametrize("kind", ["file", "dynamodb"])
def test_two_controllers_at_once_on_the_same_nodes(night: Night, tmp_path: Path, kind: str) -> None:
    claims = table(night.aws, "claims", node_id="S") if kind == "dynamodb" else f"file:{tmp_path}/shared/claims.json"
    folders = [tmp_path / "a", tmp_path / "b"]
    for folder in folders:
        folder.mkdir()
        plan = seal({**night.plan, "rollout": f"{folder.name * 32}"})
        (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(lambda folder: controller(folder, night.environment, claims=claims), folders))
    assert ended == [0, 0]
    owners = Counter(node for folder in folders for node in worked_on(folder))
    installs = Counter(row["node_id"] for row in sent_to(night) if row["name"] != HELD)
    assert installs and set(installs.values()) == {1} == set(owners.values())
    assert set(installs) <= set(owners)


def sent_to(night: Night) -> list[dict[str, str]]:
    names = {node["node_id"]: node["name"] for wave in night.plan["waves"] for node in wave["nodes"]}
    commands = [row for row in night.aws.get("ledger")["commands"] if is_install(row)]
    return [{"node_id": node, "name": names[node]} for row in commands for node in row["nodes"]]


def worked_on(folder: Path) -> list[str]:
    """Return the nodes that a rollout claimed, by its journal."""
    found = examine((folder / "journal.jsonl").read_bytes())
    state, damage = replay(json.loads((folder / "plan.json").read_text("utf-8")), found.records)
    assert found.damage is None and damage is None
    return [node for wave in state.waves.values() for node in wave.claimed]
