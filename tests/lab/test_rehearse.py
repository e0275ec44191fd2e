# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rehearsal takes policy and estate as they are, refuses what it cannot use, and says what it leaves out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.estate import load_estate
from lab.rehearsal_page import summarize, to_page
from lab.rehearse import FAULTS, Rehearsal, main, paused_wave, prepare

SYSTEM = {
    "operating_system": "UBUNTU",
    "platform": "Linux",
    "name": "Ubuntu",
    "version": "22.04",
    "product": "Ubuntu22.04",
    "kernel": "5.15",
    "repositories": [],
    "base": [],
    "updates": [{"name": "libssl3", "arch": "amd64", "version": "3.0.2", "age_days": 30, "priority": "Important"}],
}


def group(number: int, **members: Any) -> dict[str, Any]:
    where = {"account": "222222222222", "region": "eu-central-1", "os": "ubuntu-22.04", "source": "ec2"}
    own = {"name": f"web-{number}", "id": f"i-{number:017}", "count": 1, "tags": {"PatchGroup": "WEB"}}
    return {**where, **own, "missing": ["libssl3.amd64"], **members}


def estate(*groups: dict[str, Any]) -> dict[str, Any]:
    accounts = [{"id": "222222222222", "name": "222222222222"}]
    return {
        "regions": ["eu-central-1"],
        "accounts": accounts,
        "systems": {"ubuntu-22.04": SYSTEM},
        "groups": list(groups),
    }


POLICY: dict[str, Any] = {
    "version": 1,
    "name": "ours",
    "estate": {
        "regions": ["eu-central-1"],
        "accounts": [{"name": "web", "role_arn": "arn:aws:iam::222222222222:role/ops/patchtide", "external_id": "x"}],
    },
    "waves": [{"name": "all", "select": {"patch_groups": ["WEB"]}, "gate": {"health_checks": [{"name": "shop"}]}}],
    "approval": {"required": True},
    "hooks": {"before_wave": "silence.yml"},
}


def ready(tmp_path: Path, *options: str, policy: Any = None, data: Any = None) -> Rehearsal:
    """Prepare a rehearsal of ten nodes."""
    for name, content in (("policy.yml", policy or POLICY), ("estate.yml", data or estate(*map(group, range(10))))):
        (tmp_path / name).write_text(yaml.safe_dump(content))
    return prepare(parse(tmp_path, *options))


def parse(tmp_path: Path, *options: str) -> Any:
    from lab.rehearse import _parser

    files = ["--policy", str(tmp_path / "policy.yml"), "--estate", str(tmp_path / "estate.yml")]
    return _parser().parse_args([*files, "--out", str(tmp_path / "out"), *options])


def test_the_lab_loads_the_nodes_with_their_own_ids_and_missing_patches(tmp_path: Path) -> None:
    ready(tmp_path)
    found = load_estate(tmp_path / "out" / "lab_estate.yml")
    assert [(node.name, node.node_id) for node in found.nodes][:2] == [("web-0", f"i-{0:017}"), ("web-1", f"i-{1:017}")]
    assert found.nodes[0].missing == {"libssl3.amd64"} and found.systems["ubuntu-22.04"]["kernel"] == "5.15"
    (role,) = found.accounts[0].roles
    assert (role.name, role.external_id) == ("patchtide", "x")


def test_what_would_reach_outside_is_taken_out_and_named(tmp_path: Path) -> None:
    rehearsal = ready(tmp_path)
    policy = yaml.safe_load((tmp_path / "out" / "policy.yml").read_text())
    assert policy["approval"] == {"required": False} and policy["hooks"] == {} and policy["waves"][0]["gate"] == {}
    assert len(rehearsal.omitted) == 3 and yaml.safe_load((tmp_path / "policy.yml").read_text()) == POLICY


def test_an_estate_that_was_never_scanned_says_why_its_nights_are_empty(tmp_path: Path) -> None:
    data = estate(group(1, missing=[]))
    data["systems"]["ubuntu-22.04"] = {**SYSTEM, "updates": []}
    assert [line for line in ready(tmp_path, data=data).omitted if "scan, then export again" in line]
    assert not [line for line in ready(tmp_path).omitted if "export again" in line]


def test_faults_are_given_to_that_many_nodes_and_the_same_ones_again(tmp_path: Path) -> None:
    first = ready(tmp_path, "--fault", "offline=20%", "--fault", "full_disk=1")
    assert {name: len(nodes) for name, nodes in first.faulty.items()} == {"offline": 2, "full_disk": 1}
    assert not set(first.faulty["offline"]) & set(first.faulty["full_disk"])
    marked = [row["name"] for row in first.estate["groups"] if row.get("offline")]
    assert sorted(marked) == first.faulty["offline"]
    assert ready(tmp_path, "--fault", "offline=20%", "--fault", "full_disk=1").faulty == first.faulty


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_each_fault_is_one_that_the_lab_knows(tmp_path: Path, name: str) -> None:
    ready(tmp_path, "--fault", f"{name}=1")
    nodes = load_estate(tmp_path / "out" / "lab_estate.yml").nodes
    assert sum(all(node.faults[key] == value for key, value in FAULTS[name].items()) for node in nodes) == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--fault", "ofline=5%"], "--fault ofline=5%: write it as offline|"),
        (["--fault", "offline=0"], "--fault offline=0: write it as"),
        (["--estate", "/nowhere.yml"], "--estate /nowhere.yml: No such file or directory; a file is needed"),
    ],
)
def test_a_mistake_is_one_line_with_the_way_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    ready(tmp_path)
    files = ["--policy", str(tmp_path / "policy.yml"), "--estate", str(tmp_path / "estate.yml")]
    assert main([*files, "--out", str(tmp_path / "out"), *options]) == 2
    assert said in capsys.readouterr().err


def test_a_scan_is_no_estate_and_a_directory_no_policy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ready(tmp_path)
    (tmp_path / "scan.json").write_text("{}")
    assert main(["--policy", str(tmp_path / "policy.yml"), "--estate", str(tmp_path / "scan.json")]) == 2
    assert "a file of the playbook rehearsal_export is needed" in capsys.readouterr().err
    assert main(["--policy", str(tmp_path), "--estate", str(tmp_path / "estate.yml")]) == 2
    assert "Is a directory; a file is needed" in capsys.readouterr().err


def test_a_pause_is_read_from_the_journal(tmp_path: Path) -> None:
    assert paused_wave(tmp_path) == ""
    gates = [{"data": {"verdict": verdict, "wave": wave}} for verdict, wave in (("promote", "a"), ("pause", "b"))]
    (tmp_path / "journal.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in gates))
    assert paused_wave(tmp_path) == "b"


def test_page_and_summary_escape_what_policy_and_estate_say(tmp_path: Path) -> None:
    rehearsal = ready(tmp_path, policy={**POLICY, "name": "<b>x"})
    node = {"code": "offline", "reason": "<i>\x1b[2J", "name": "<u>", "owner": "<s>", "node_id": "i-1"}
    (rehearsal.folder / "plan.json").write_text(json.dumps({"excluded": [node], "waves": []}))
    page = to_page(rehearsal, {})
    assert not [mark for mark in ("<b>x", "<i>", "<u>", "<s>") if mark in page] and "&lt;u&gt;" in page
    assert "\x1b" not in "\n".join(summarize(rehearsal, {"calls": []}))
