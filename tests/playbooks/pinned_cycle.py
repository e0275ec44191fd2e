# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A patch cycle with override lists on the lab's month of new versions, by the collection's playbooks."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from lab.aws.launch import Lab
from tests.playbooks.playing import Played, play

REGION, WEB = "eu-central-1", "222222222222"
BUCKET = "patch-lists"
ACCOUNT = {"name": "web", "id": WEB, "role_arn": f"arn:aws:iam::{WEB}:role/patchtide"}
OPENSSL, TZDATA, CURL, COMMON = "openssl.amd64", "tzdata.amd64", "curl.amd64", "libvirt-common.amd64"


def policy() -> dict[str, Any]:
    """Return a policy whose window opens four days after the lab's month begins."""
    return {
        "version": 1,
        "name": "pinned",
        "estate": {"regions": [REGION], "accounts": [ACCOUNT]},
        "baselines": [
            {
                "name": "debian",
                "operating_system": "DEBIAN",
                "rules": [{"approve_after_days": 0, "enable_non_security": True}],
            }
        ],
        "patch_groups": [{"name": name, "baselines": ["debian"]} for name in ("APP", "VAULT")],
        "windows": [{"name": "friday", "schedule": "cron(0 20 ? * FRI *)", "duration_hours": 4, "cutoff_hours": 1}],
        "patching": {"buckets": {REGION: {"name": BUCKET, "prefix": "pt", "account": WEB}}},
        "prechecks": {"services": "ignore"},
        "waves": [
            {"name": "canary", "size": 1, "window": "friday", "gate": {"unplanned": "allow", "min_sample": 1}},
            {"name": "rest", "window": "friday", "gate": {"unplanned": "allow", "min_sample": 1}},
        ],
    }


@dataclass
class PinnedCycle:
    """One directory with policy, inventory and the files of a run."""

    aws: Lab
    folder: Path
    policy: dict[str, Any] = field(default_factory=policy)
    environment: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.run = self.folder / "run"
        self.aws.reset()
        self.s3 = self.aws.client("s3", REGION, WEB)
        self.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})

    def play(self, playbook: str, *more: str, **variables: Any) -> Played:
        (self.folder / "policy.yml").write_text(yaml.safe_dump(self.policy), encoding="utf-8")
        fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": [REGION], "accounts": [ACCOUNT]}
        fleet["filters"] = {"patch_group": ["APP", "VAULT"]}
        (self.folder / "aws.ssm_fleet.yml").write_text(yaml.safe_dump(fleet), encoding="utf-8")
        given = {"patchtide_policy_file": str(self.folder / "policy.yml"), "patchtide_dir": str(self.run)}
        given |= {"patchtide_window_wait_minutes": 1440, "patchtide_poll_interval": 60, **variables}
        inventory = ["-i", str(self.folder / "aws.ssm_fleet.yml")]
        return play(self.aws, playbook, *inventory, "-e", json.dumps(given), *more, environment=self.environment)

    def prepare(self) -> dict[str, Any]:
        """Apply the policy, scan, plan, and let the days pass until the window opens; returns the plan."""
        for playbook in ("apply_policy", "scan_compliance", "plan_rollout"):
            done = self.play(playbook)
            assert done.status == 0, done.output + done.errors
        plan = self.file("plan.json")
        opens = plan["waves"][0]["window"]["start"]
        self.aws.post("clock", {"set": opens})
        return dict(plan)

    def file(self, name: str) -> Any:
        return json.loads((self.run / name).read_text("utf-8"))

    def journal(self, kind: str) -> list[dict[str, Any]]:
        path = self.run / "journal.jsonl"
        rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []
        return [row["data"] for row in rows if row["kind"] == kind]

    def installs(self, name: str = "") -> set[str]:
        """Return what a machine really got, or all of them, by the lab's ledger."""
        ids = {row["name"]: row["node_id"] for row in self.aws.get("nodes")["nodes"]}
        rows = self.aws.get("ledger")["installs"]
        return {row["patch"] for row in rows if not name or row["node_id"] == ids[name]}
