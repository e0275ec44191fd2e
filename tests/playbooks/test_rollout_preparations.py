# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a rollout does to nodes besides patching them, and what a person may decide, as users run it.

Covers TM-17 to TM-20, TM-22, MO-5 to MO-9. What happened is asked of the lab's ledger.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab, lab
from tests.playbooks.playing import Played, play

HERE = Path(__file__).parent
ACCOUNT = {"name": "shared", "id": "111111111111", "role_arn": "arn:aws:iam::111111111111:role/patchtide"}
HOOK = """---
- name: Note what happens
  ansible.builtin.lineinfile:
    path: "{{ patchtide_dir }}/hooks.log"
    line: "%s {{ patchtide_hook_wave }} {{ patchtide_hook_nodes | map(attribute='name') | sort | join(',') }}"
    create: true
    mode: "0600"
"""
#: Notes what the gate decided and fails, as when the ticket system is down.
GATE_HOOK = (
    HOOK.split("{{ patchtide_hook_nodes")[0] % "after_gate"
    + """{{ patchtide_hook_verdict }}"
    create: true
    mode: "0600"

- name: Fail
  ansible.builtin.fail:
    msg: no ticket system answers
"""
)
POLICY: dict[str, Any] = {
    "version": 1,
    "name": "preparations",
    "tags": {"patch_now": "ssm-patch-now", "last_patched": "LastPatched"},
    "estate": {"regions": ["eu-central-1"], "accounts": [ACCOUNT]},
    "baselines": [{"name": "al2023", "operating_system": "AMAZON_LINUX_2023", "rules": [{"approve_after_days": 0}]}],
    "patch_groups": [{"name": "WEB", "baselines": ["al2023"]}],
    "windows": [{"name": "night", "schedule": "cron(0 20 ? * * *)", "duration_hours": 8, "cutoff_hours": 1}],
    "waves": [
        {"name": "dev", "select": {"tags": {"Environment": "dev"}}, "window": "night"},
        {"name": "prod", "window": "night"},
    ],
    "patching": {"pin": "baseline"},  # a stopped node has no scan, so no list can name its patches
    "stopped_nodes": {"start": True},
    "budgets": {"cluster": 1},
    "hooks": {
        "load_balancer": {"drain": True},
        **{name: f"{name}.yml" for name in ("before_wave", "after_wave", "before_nodes", "after_nodes", "after_gate")},
    },
}


@pytest.fixture(scope="module")
def small() -> Iterator[Lab]:
    with lab(HERE / "preparations_estate.yml") as running:
        yield running


class Night:
    """A directory with policy, hooks and inventory, on a lab as new."""

    def __init__(self, aws: Lab, folder: Path) -> None:
        self.aws, self.folder, self.run = aws, folder, folder / "run"
        self.policy = deepcopy(POLICY)
        for name in ("before_wave", "after_wave", "before_nodes", "after_nodes"):
            (folder / f"{name}.yml").write_text(HOOK % name, encoding="utf-8")
        (folder / "after_gate.yml").write_text(GATE_HOOK, encoding="utf-8")
        fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": ["eu-central-1"]}
        (folder / "aws.ssm_fleet.yml").write_text(yaml.safe_dump(fleet), encoding="utf-8")

    def play(self, playbook: str, *more: str, **variables: Any) -> Played:
        (self.folder / "policy.yml").write_text(yaml.safe_dump(self.policy), encoding="utf-8")
        given = {"patchtide_policy_file": str(self.folder / "policy.yml"), "patchtide_dir": str(self.run)}
        given |= {"patchtide_window_wait_minutes": 1440, "patchtide_poll_interval": 60, **variables}
        return play(self.aws, playbook, "-i", str(self.folder / "aws.ssm_fleet.yml"), "-e", json.dumps(given), *more)

    def prepare(self) -> None:
        for playbook in ("scan_compliance", "plan_rollout"):
            done = self.play(playbook)
            assert done.status == 0, done.output + done.errors

    def steer(self, decision: str, **more: Any) -> Played:
        given = {"patchtide_decision": decision, "patchtide_reason": "CHG0040007", **more}
        return self.play("steer_rollout", **given)

    def file(self, name: str) -> Any:
        return json.loads((self.run / name).read_text("utf-8"))

    def kinds(self) -> list[str]:
        return [json.loads(line)["kind"] for line in (self.run / "journal.jsonl").read_text("utf-8").splitlines()]

    def status(self, name: str) -> str:
        rows = self.file("report/nodes.json") if (self.run / "report/nodes.json").exists() else []
        return next((row["status"] for row in rows if row["name"] == name), "")

    def ledger(self) -> dict[str, Any]:
        return dict(self.aws.get("ledger"))

    def installs(self) -> dict[str, str]:
        """When each node was sent its last Install, by name."""
        names = {row["node_id"]: row["name"] for row in self.aws.get("nodes")["nodes"]}
        sent = [row for row in self.ledger()["commands"] if row["parameters"].get("Operation") == ["Install"]]
        return {names[node]: row["at"] for row in sent for node in row["nodes"]}

    def fail(self, name: str, **fault: Any) -> None:
        self.aws.post("faults", {"node": name, **fault})


@pytest.fixture
def night(small: Lab, tmp_path: Path) -> Night:
    small.reset()
    hour = int(small.get("clock")["now"][11:13])
    small.post("clock", {"advance": 3600 * ((30 - hour) % 24)})  # six in the morning
    return Night(small, tmp_path)


def test_everything_that_was_prepared_is_restored(night: Night) -> None:
    night.prepare()
    done = night.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    ledger = night.ledger()
    assert [row["name"] for row in ledger["starts"]] == ["spare-01"] == [row["name"] for row in ledger["stops"]]
    window = night.file("plan.json")["waves"][0]["window"]["start"]
    assert ledger["starts"][0]["at"] < window < night.installs()["spare-01"] < ledger["stops"][0]["at"]
    targets = [(row["action"], row["name"]) for row in ledger["targets"]]
    assert sorted(targets[:2]) == [("deregister", "web-01"), ("deregister", "web-02")]
    assert sorted(targets[2:]) == [("register", "web-01"), ("register", "web-02")]
    decided = [line for line in (night.run / "hooks.log").read_text("utf-8").splitlines() if "after_gate" in line]
    assert decided == ["after_gate dev promote", "after_gate prod promote"]
    assert "after_gate.yml failed: no ticket system answers. The rollout goes on." in done.output
    nodes = {row["name"]: row for row in night.aws.get("nodes")["nodes"]}
    assert len(nodes) == 8
    for row in nodes.values():
        assert not {"ssm-patch-now", "PatchtideStarted"} & set(row["tags"])
        assert row["tags"]["LastPatched"] == window[:10]
    assert nodes["spare-01"]["power"] in ("stopping", "stopped")
    again = night.play("rollout_patches")
    assert (again.status, again.changed) == (0, 0), again.output


@pytest.mark.slow
def test_a_cluster_gives_up_one_member_at_a_time_and_hooks_go_around(night: Night) -> None:
    night.prepare()
    assert [wave["turns"] for wave in night.file("plan.json")["waves"]] == [1, 3]
    checked = night.play("rollout_patches", "--check")
    assert checked.status == 0 and not night.ledger()["starts"], checked.output + checked.errors
    assert not (night.run / "hooks.log").exists() or night.ledger()["installs"] == []
    done = night.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    at = night.installs()
    assert len({at["db-01"], at["db-02"], at["db-03"]}) == 3
    lines = (night.run / "hooks.log").read_text("utf-8").splitlines()
    prod = [line.split(" ") for line in lines if " prod " in line]
    assert [row[0] for row in prod] == ["before_wave", *["before_nodes", "after_nodes"] * 3, "after_wave", "after_gate"]
    assert sorted(",".join(row[2] for row in prod if row[0] == "after_nodes").split(",")) == sorted(
        ["alone-01", "alone-02", "db-01", "db-02", "db-03"]
    )


@pytest.mark.slow
def test_a_failed_member_holds_the_other_members_of_its_cluster(night: Night) -> None:
    night.policy["waves"] = [{"name": "prod", "select": {"tags": {"Environment": "prod"}}, "window": "night"}]
    night.policy["gates"] = {"max_failure_rate": "90%", "max_skipped_rate": "90%"}
    night.prepare()
    order = sorted(night.file("plan.json")["waves"][0]["nodes"], key=lambda node: node["turn"])
    first = next(node for node in order if node["cluster"])
    night.fail(first["name"], fail_patches=["*"])
    done = night.play("rollout_patches")
    held = {row["name"] for row in night.file("catch_up.json")["nodes"] if row["code"] == "missed_budget"}
    assert held == {"db-01", "db-02", "db-03"} - {first["name"]}, done.output
    assert not held & set(night.installs())
    assert "cluster orders: 1 of 3 nodes are out of service" in done.output


@pytest.mark.slow
def test_a_failed_install_is_tried_again_as_often_as_the_policy_says(night: Night) -> None:
    night.policy["waves"] = [{"name": "web", "select": {"applications": ["web"]}, "window": "night"}]
    night.policy["patching"] = {"pin": "baseline", "retries": {"execution": 1}}
    night.prepare()
    night.fail("web-01", fail_patches=["*"])
    done = night.play("rollout_patches")
    sent = [row for row in night.ledger()["commands"] if row["parameters"].get("Operation") == ["Install"]]
    names = {row["node_id"]: row["name"] for row in night.aws.get("nodes")["nodes"]}
    assert sorted(names[node] for row in sent for node in row["nodes"]) == ["web-01", "web-01", "web-02"]
    assert "1 to be tried again" in done.output
    assert len({row["comment"] for row in sent}) == len(sent)


@pytest.mark.slow
def test_a_paused_wave_is_steered_by_a_person(night: Night) -> None:
    night.policy["waves"] = [
        {"name": "web", "select": {"applications": ["web"]}, "window": "night", "gate": {"min_sample": 5}},
        {"name": "alone", "select": {"applications": ["alone"]}, "window": "night"},
    ]
    night.prepare()
    night.fail("web-01", fail_patches=["*"])
    done = night.play("rollout_patches")
    assert done.status != 0 and "web gate: PAUSE" in done.output, done.output + done.errors
    assert night.steer("dance").status != 0 and night.steer("promote", patchtide_reason="").status != 0
    night.fail("web-01", fail_patches=[])
    told = night.steer("retry", patchtide_wave="web")
    assert told.status == 0 and "web paused" in told.output, told.output + told.errors
    again = night.steer("retry", patchtide_wave="web")
    assert again.status != 0 and "no node of wave web has failed or was missed" in again.error()
    assert night.steer("skip", patchtide_wave="alone", patchtide_nodes=[node_id(night, "alone-02")]).status == 0
    done = night.play("rollout_patches")
    assert done.status == 0 and "web gate: PROMOTE" in done.output, done.output + done.errors
    assert "alone-02" not in night.installs() and set(night.installs()) == {"web-01", "web-02", "alone-01"}
    decisions = [row for row in journal(night) if row["kind"] == "decision"]
    assert [(row["data"]["action"], row["data"]["reason"]) for row in decisions] == [
        ("retry", "CHG0040007"),
        ("skip", "CHG0040007"),
    ]


@pytest.mark.slow
def test_an_abort_gives_back_and_is_final(night: Night) -> None:
    night.policy["gates"] = {"min_sample": 9}
    night.prepare()
    night.fail("web-01", fail_patches=["*"])
    elsewhere = night.folder / "static.yml"  # the hooks that restore run on the controller all the same
    elsewhere.write_text("all: {hosts: {localhost: {ansible_connection: ssh, ansible_host: 192.0.2.1}}}")
    assert night.play("rollout_patches", "-i", str(elsewhere)).status != 0
    log = (night.run / "hooks.log").read_text("utf-8")
    assert "after_wave dev" in log and log.index("after_wave dev") < log.index("after_gate dev pause")
    assert night.steer("abort").changed == 1 and "aborted already" in night.steer("abort").error()
    promoted = night.steer("promote", patchtide_wave="dev")
    assert promoted.status != 0 and "the rollout is aborted, and that is final" in promoted.error()
    done = night.play("rollout_patches")
    assert done.status != 0 and night.kinds()[-1] == "rollout_finished"
    assert night.steer("promote", patchtide_wave="dev").status != 0
    assert {row["name"]: row["power"] for row in night.aws.get("nodes")["nodes"]}["spare-01"] in ("stopping", "stopped")


@pytest.mark.slow
def test_missed_nodes_are_caught_up_on_by_the_next_plan(night: Night) -> None:
    night.policy["gates"] = {"max_skipped_rate": "100%"}
    night.prepare()
    night.fail("alone-01", offline=True)
    done = night.play("rollout_patches")
    assert done.status == 0, done.output + done.errors
    missed = night.file("catch_up.json")["nodes"]
    assert [(row["name"], row["code"]) for row in missed] == [("alone-01", "missed_offline")]
    assert "1 nodes were missed" in done.output
    night.fail("alone-01", offline=False)
    night.policy["waves"] = [{"name": "missed", "select": {"missed": True}, "window": "night"}]
    first, night.run = night.run, night.folder / "next"
    assert night.play("scan_compliance").status == 0
    assert night.play("plan_rollout", patchtide_catch_up=str(first / "catch_up.json")).status == 0
    assert [node["name"] for node in night.file("plan.json")["waves"][0]["nodes"]] == ["alone-01"]


def node_id(night: Night, name: str) -> str:
    return next(str(row["node_id"]) for row in night.aws.get("nodes")["nodes"] if row["name"] == name)


def journal(night: Night) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (night.run / "journal.jsonl").read_text("utf-8").splitlines()]
