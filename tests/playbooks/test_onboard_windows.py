# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role onboard_node on a simulated Windows host: real connection and action plugins, and no PowerShell runs."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab, lab
from lab.windows.agent import Agent
from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import new_world

pytestmark = pytest.mark.slow

REGION = "eu-central-1"
PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.include_role: {name: patchtide.hybrid.onboard_node, tasks_from: "{{ entry | default('main') }}"}
"""
ESTATE = {
    "start": "2026-06-01T06:00:00Z",
    "regions": [REGION],
    "accounts": [{"id": "111111111111", "name": "home", "roles": [{"name": "patchtide"}]}],
    "home_account": "111111111111",
    "groups": [],
}


def run(folder: Path, aws: Lab, windows: WindowsLab, *options: str, **changes: Any) -> subprocess.CompletedProcess[str]:
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {"win-a": windows.variables("win-a")}}}))
    (folder / "play.yml").write_text(PLAY)
    given = {
        "onboard_node_region": REGION,
        "onboard_node_iam_role": "service-role/AmazonEC2RunCommandRoleForManagedInstances",
        "onboard_node_tags": {"Patch Group": "WIN"},
        "onboard_node_agent": "https://mirror.example.com/AmazonSSMAgentSetup.exe",
        "onboard_node_agent_checksum": "sha256:" + "0" * 64,
        "onboard_node_endpoints": {"ssm": aws.url},
        "onboard_node_proxy": "http://proxy.example.com:3128",
        "onboard_node_no_proxy": "127.0.0.1,169.254.169.254",
        "onboard_node_poll_interval": 1,
        "onboard_node_online_timeout": 10,
        **changes,
    }
    command = ["ansible-playbook", "-i", str(folder / "hosts.yml"), str(folder / "play.yml"), "-e", json.dumps(given)]
    environment = {**os.environ, **aws.environment(), "ANSIBLE_LOCALHOST_WARNING": "false"}
    return subprocess.run([*command, *options], env=environment, capture_output=True, text=True, timeout=300)


def test_a_windows_host_registers_once_and_is_deregistered(tmp_path: Path) -> None:
    world = new_world(["win-a"])
    agent = world.machines["win-a"].agent = Agent("win-a")
    (tmp_path / "estate.yml").write_text(yaml.safe_dump(ESTATE))
    with lab(tmp_path / "estate.yml") as aws, windows_lab(world) as windows:
        ssm = aws.client("ssm", REGION)
        predicted = run(tmp_path, aws, windows, "--check")
        assert predicted.returncode == 0 and "changed=2 " in predicted.stdout, predicted.stdout + str(world.trouble)
        assert agent == Agent("win-a")
        agent.signer = "CN=Mallory"
        forged = run(tmp_path, aws, windows)
        assert forged.returncode != 0 and "is not signed by Amazon" in forged.stdout and not agent.installed
        agent.signer = Agent("win-a").signer

        done = run(tmp_path, aws, windows)
        assert done.returncode == 0, done.stdout + done.stderr + str(world.trouble)
        (row,) = ssm.describe_instance_information()["InstanceInformationList"]
        assert (row["InstanceId"], row["PingStatus"]) == (agent.registration["ManagedInstanceID"], "Online")
        assert not ssm.describe_activations()["ActivationList"]
        assert agent.environment[0] == "http_proxy=http://proxy.example.com:3128" and len(agent.environment) == 3
        assert json.loads(agent.config)["Ssm"] == {"Endpoint": aws.url} and agent.service == "running"

        again = run(tmp_path, aws, windows)
        assert again.returncode == 0 and "changed=0 " in again.stdout, again.stdout
        gone = run(tmp_path, aws, windows, entry="decommission", onboard_node_remove_agent=True)
        assert gone.returncode == 0, gone.stdout + gone.stderr
        assert not ssm.describe_instance_information()["InstanceInformationList"]
        assert not agent.installed and not agent.registration and agent.start_mode == "disabled"
    assert not world.trouble
