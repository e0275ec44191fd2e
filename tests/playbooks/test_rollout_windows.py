# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows hosts of the lab in real playbooks: win_updates alone, a search, and the whole cycle with a rollout.

The rollout uses the real clock here: a host has to stay up for a minute after its reboot.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.windows.selection import accept_list

from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import LCU, NET, OTHERS, new_world, with_wsus
from tests.playbooks.playing import ROOT

NAMES = ("win-a", "win-b")


def run(folder: Path, playbook: str, *options: str) -> subprocess.CompletedProcess[str]:
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "PATCHTIDE_"))}
    own = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "XDG_STATE_HOME": str(folder / "state")}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "hosts.yml", playbook, *options]
    return subprocess.run(command, cwd=folder, env={**inherited, **own}, capture_output=True, text=True, timeout=400)


def play(folder: Path, name: str, *more: str) -> subprocess.CompletedProcess[str]:
    options = ["-e", "patchtide_policy_file=policy.yml", "-e", "patchtide_dir=run", *more]
    return run(folder, f"patchtide.hybrid.{name}", *options)


def write_hosts(folder: Path, lab: WindowsLab) -> None:
    hosts = {name: {**lab.variables(name), "patchtide_executor": "windows"} for name in lab.world.machines}
    if lab.world.wsus_host:
        del hosts[lab.world.wsus_host]["patchtide_executor"]
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts}}))


@pytest.mark.slow
def test_win_updates_itself_installs_reboots_and_searches_again(tmp_path: Path) -> None:
    world = new_world(["win-a"], hurries=True)
    options = {"category_names": ["*"], "accept_list": accept_list([NET.kb, LCU.kb]), "reboot": True}
    options["reject_list"] = accept_list([OTHERS[1].kb])
    tasks = [{"ansible.windows.win_updates": options}]
    (tmp_path / "play.yml").write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    with windows_lab(world) as lab:
        write_hosts(tmp_path, lab)
        done = run(tmp_path, "play.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    found = world.machines["win-a"]
    assert found.installed == [NET.kb, LCU.kb] and found.counts["reboots"] == 1 and not world.trouble


@pytest.mark.slow
def test_a_search_of_the_whole_estate_has_a_record_for_each_host(tmp_path: Path) -> None:
    world = new_world(NAMES, hurries=True)
    world.machines["win-b"].faults.away = True
    task = {"patchtide.hybrid.windows_patch_info": {"hosts": [*NAMES]}, "register": "found"}
    shown = {"ansible.builtin.copy": {"content": "{{ found | to_json }}", "dest": str(tmp_path / "found.json")}}
    play = [{"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [task, shown]}]
    (tmp_path / "play.yml").write_text(json.dumps(play))
    with windows_lab(world) as lab:
        write_hosts(tmp_path, lab)
        done = run(tmp_path, "play.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    first, second = json.loads((tmp_path / "found.json").read_text())["results"]
    assert (first["node_id"], first["status"]) == ("win-a", "succeeded") and LCU.kb in first["missing_after"]
    assert (second["node_id"], second["status"], "missing" in second) == ("win-b", "unreachable", False)


@pytest.mark.slow
def test_windows_hosts_are_scanned_planned_patched_rebooted_and_reported(tmp_path: Path) -> None:
    world = new_world(NAMES, hurries=True)
    world.machines["win-b"].faults.fail = {NET.kb: 0x80070005}
    (tmp_path / "policy.yml").write_text(json.dumps({"version": 1, "name": "windows", "waves": [{"name": "all"}]}))
    with windows_lab(world) as lab:
        write_hosts(tmp_path, lab)
        for name in ("scan_compliance", "plan_rollout"):
            done = play(tmp_path, name)
            assert done.returncode == 0, done.stdout + done.stderr
        plan = json.loads((tmp_path / "run/plan.json").read_text())
        done = play(tmp_path, "rollout_patches", "-e", f"patchtide_approved_digest={plan['digest']}")
        assert "The rollout" in done.stdout and "is paused" in done.stdout, done.stdout + done.stderr
        report = play(tmp_path, "report_compliance")
        assert report.returncode == 0, report.stdout + report.stderr
    good, bad = (world.machines[name] for name in NAMES)
    planned = {NET.kb, LCU.kb, OTHERS[0].kb, OTHERS[1].kb}
    assert set(good.installed) == planned and set(bad.installed) == planned - {NET.kb} and not world.trouble
    assert (good.counts["installs"], good.counts["reboots"]) == (1, 1)
    final = _finals(tmp_path / "run/journal.jsonl")
    assert (final["win-a"]["status"], set(final["win-a"]["installed"])) == ("succeeded", planned)
    assert final["win-b"]["status"] == "failed" and "access was denied (0x80070005)" in final["win-b"]["error"]["text"]


@pytest.mark.slow
def test_an_update_that_wsus_has_for_dev_reaches_prod_after_its_promotion_only(tmp_path: Path) -> None:
    world = new_world(("win-dev", "win-prod", "wsus-01"), hurries=True)
    wsus = with_wsus(world, "wsus-01", ("Dev", "Prod"))
    next(item for item in wsus.updates if item.kb == NET.kb).approved.add("Dev")
    waves = [{"name": name, "select": {"nodes": [f"win-{name}"]}} for name in ("dev", "prod")]
    server = {"kind": "wsus", "address": "wsus-01", "targets": {"dev": "Dev", "prod": "Prod"}}
    policy = {"version": 1, "name": "windows", "waves": waves, "repositories": {"servers": [server]}}
    (tmp_path / "policy.yml").write_text(json.dumps(policy))
    dev, prod = (world.machines[name] for name in ("win-dev", "win-prod"))
    with windows_lab(world) as lab:
        write_hosts(tmp_path, lab)
        (tmp_path / "clients.yml").write_text(CLIENTS)
        done = run(tmp_path, "clients.yml")
        assert done.returncode == 0, done.stdout + done.stderr
        assert (dev.policies["TargetGroup"], prod.policies["UseWUServer"]) == ("Dev", 1)

        assert _cycle(tmp_path, "first") == {"win-dev": [NET.kb]}
        assert dev.installed == [NET.kb] and prod.installed == []
        assert wsus.offers("Prod", NET.kb) and not wsus.offers("Prod", LCU.kb) and not wsus.offers("Dev", LCU.kb)
        assert _cycle(tmp_path, "second", status=2) == {"win-prod": [NET.kb]}
        assert prod.installed == []  # nothing is left for dev, and a person has to decide on a wave that tries nothing
        decided = ["-e", "patchtide_decision=promote", "-e", "patchtide_wave=dev", "-e", "patchtide_reason=done"]
        done = play(tmp_path, "steer_rollout", "-e", "patchtide_dir=second", *decided)
        assert done.returncode == 0, done.stdout + done.stderr
        _roll_out(tmp_path, "second")
        assert prod.installed == [NET.kb] and not world.trouble
    events = [json.loads(line) for line in (tmp_path / "first/journal.jsonl").read_text().splitlines()]
    promoted = [item["data"] for item in events if item["kind"] == "prepared"]
    assert [(item["wave"], item["details"]["*"]["servers"][0]["kbs"]) for item in promoted] == [
        ("dev", []),
        ("prod", [NET.kb]),
    ]
    kinds = [item["kind"] for item in events]
    assert kinds.index("gate") < len(kinds) - 1 - kinds[::-1].index("prepared")


@pytest.mark.slow
def test_one_rollout_takes_an_update_that_nobody_has_approved_through_all_waves(tmp_path: Path) -> None:
    """WSUS says who needs it, so that the plan pins it for both waves; each is given it when the wave begins."""
    world = new_world(("win-dev", "win-prod", "wsus-01"), hurries=True)
    wsus = with_wsus(world, "wsus-01", ("Dev", "Prod"))
    waves = [{"name": name, "select": {"nodes": [f"win-{name}"]}} for name in ("dev", "prod")]
    server = {"kind": "wsus", "address": "wsus-01", "targets": {"dev": "Dev", "prod": "Prod"}, "kbs": [NET.kb]}
    policy = {"version": 1, "name": "windows", "waves": waves, "repositories": {"servers": [server]}}
    (tmp_path / "policy.yml").write_text(json.dumps(policy))
    with windows_lab(world) as lab:
        write_hosts(tmp_path, lab)
        (tmp_path / "clients.yml").write_text(CLIENTS)
        done = run(tmp_path, "clients.yml")
        assert done.returncode == 0, done.stdout + done.stderr
        assert not wsus.offers("Dev", NET.kb)
        assert _cycle(tmp_path, "first") == {"win-dev": [NET.kb], "win-prod": [NET.kb]}
        assert not world.trouble
    installed = {name: world.machines[name].installed for name in ("win-dev", "win-prod")}
    assert installed == {"win-dev": [NET.kb], "win-prod": [NET.kb]}
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "first/journal.jsonl").read_text().splitlines()]
    assert kinds.index("gate") < len(kinds) - 1 - kinds[::-1].index("prepared")


#: What an operator runs once, so that computers take their updates from the group of their wave.
CLIENTS = """
- hosts: win-dev,win-prod
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: patchtide.hybrid.repository_wsus
        tasks_from: client
      vars:
        repository_wsus_url: https://wsus.example.com:8531
        repository_wsus_group: "{{ {'win-dev': 'Dev', 'win-prod': 'Prod'}[inventory_hostname] }}"
"""


def _cycle(folder: Path, name: str, status: int = 0) -> dict[str, list[str]]:
    """Scan, plan and roll out; return what the plan installs on each host."""
    for playbook in ("scan_compliance", "plan_rollout"):
        done = play(folder, playbook, "-e", f"patchtide_dir={name}")
        assert done.returncode == 0, done.stdout + done.stderr
    _roll_out(folder, name, status)
    plan = json.loads((folder / name / "plan.json").read_text())
    return {
        node["host"]: [patch["id"] for patch in node["patches"]] for wave in plan["waves"] for node in wave["nodes"]
    }


def _roll_out(folder: Path, name: str, status: int = 0) -> None:
    digest = json.loads((folder / name / "plan.json").read_text())["digest"]
    options = ["-e", f"patchtide_dir={name}", "-e", f"patchtide_approved_digest={digest}"]
    done = play(folder, "rollout_patches", *options)
    assert done.returncode == status, done.stdout + done.stderr


def _finals(journal: Path) -> dict[str, Any]:
    """Return the final records by node."""
    events = [json.loads(line) for line in journal.read_text().splitlines()]
    rows = [row for item in events if item["data"].get("stage") == "verify" for row in item["data"].get("results", ())]
    return {row["node_id"]: row for row in rows}
