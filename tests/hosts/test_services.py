# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout over real hosts whose services must run again after the reboot (TM-29)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.hosts.fleet import Fleet, Wish

ROOT = Path(__file__).parents[2]
UNIT = "[Service]\\nExecStart=/bin/sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
START = f"printf '{UNIT}' >/etc/systemd/system/shop.service && systemctl enable --now --quiet shop"
#: Somebody's change between the pre-check and the reboot: the service still runs, and will not come back.
DISABLE = {"ansible.builtin.command": "systemctl disable shop"}
POLICY: dict[str, Any] = {
    "version": 1,
    "name": "services",
    "waves": [{"name": "all", "reboot": "always"}],
    "gates": {"max_failure_rate": "60%"},
    "prechecks": {"disk": {"/": 1}},
    "hooks": {"before_nodes": "disable.yml", "after_nodes": "nothing.yml"},
}


def cycle(fleet: Fleet, folder: Path) -> str:
    """Play scan, plan and rollout; return what they print."""
    variables = {"patchtide_policy_file": str(folder / "policy.yml"), "patchtide_dir": str(folder / "run")}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PATCHTIDE_"))}
    environment = {**inherited, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"}
    said = ""
    for playbook in ("scan_compliance", "plan_rollout", "rollout_patches"):
        command = [str(Path(sys.executable).with_name("ansible-playbook")), f"patchtide.hybrid.{playbook}"]
        command += ["-i", str(fleet.inventory), "-e", json.dumps(variables)]
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        said += done.stdout
    return said


@pytest.mark.slow
def test_a_service_that_does_not_come_back_after_the_reboot_fails_its_node_by_name(
    fleet: Fleet, hosts: Callable[..., Wish], tmp_path: Path
) -> None:
    fleet.up(hosts(count=2))
    (broken, fine) = fleet.machines()
    for machine in (broken, fine):
        subprocess.run([*fleet.ssh(machine), START], stdin=subprocess.DEVNULL, check=True)
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(POLICY))
    (tmp_path / "disable.yml").write_text(yaml.safe_dump([{**DISABLE, "delegate_to": broken.host.name}]))
    (tmp_path / "nothing.yml").write_text("[]\n")

    said = cycle(fleet, tmp_path)
    rows = [json.loads(line) for line in (tmp_path / "run" / "journal.jsonl").read_text().splitlines()]
    results = {
        (row["data"]["stage"], item["node_id"]): item
        for row in rows
        if row["kind"] == "outcome"
        for item in row["data"]["results"]
    }
    error = {"code": "services_down", "text": "services that ran before do not run: shop"}
    failed, good = results["verify", broken.host.name], results["verify", fine.host.name]
    assert (failed["status"], failed["error"], failed["rebooted"]) == ("failed", error, True)
    assert (good["status"], good["error"], good["rebooted"]) == ("succeeded", None, True)
    assert results["precheck", fine.host.name]["facts"]["services"] == "require"
    assert error["text"] in said

    kept = {
        machine.host.name: subprocess.run(
            [*fleet.ssh(machine), "stat -c %a /var/lib/patchtide/services && cat /var/lib/patchtide/services"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        ).stdout.split()
        for machine in (broken, fine)
    }
    assert kept[fine.host.name] == []
    assert kept[broken.host.name][0] == "600"
    assert {"shop.service", "patchtide-toy-agent.service"} <= set(kept[broken.host.name])
