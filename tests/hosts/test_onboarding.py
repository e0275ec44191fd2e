# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real hosts register with the lab's Systems Manager by the role onboard_node, and are patched as hybrid nodes there.

The agent is a stand-in with the command line of the real one. What happened is asked of the service and of the hosts.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.aws.launch import Lab, lab
from lab.hosts.agent_package import Package, build
from lab.hosts.fleet import Fleet, Wish
from lab.hosts.inventory import SSH_ARGUMENTS
from tests.playbooks.playing import Played, play

pytestmark = pytest.mark.slow

REGION = "eu-central-1"
ROLE = "service-role/AmazonEC2RunCommandRoleForManagedInstances"
#: What a host needs besides what the policy says.
ROLE_VARIABLES = [
    *("onboard_node_agent", "onboard_node_agent_checksum", "onboard_node_agent_signature", "onboard_node_agent_key"),
    *("onboard_node_endpoints", "onboard_node_allow_ec2", "onboard_node_online_timeout", "onboard_node_poll_interval"),
]
PLAY = """
- hosts: lab_hosts
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


@dataclass
class Site:
    """Hosts of a data center, an account of AWS, and a mirror that both reach."""

    aws: Lab
    fleet: Fleet
    folder: Path
    package: Package
    gateway: str
    mirror: str

    @property
    def variables(self) -> dict[str, Any]:
        return {
            "onboard_node_region": REGION,
            "onboard_node_iam_role": ROLE,
            "onboard_node_tags": {"Patch Group": "PLANT", "Environment": "prod"},
            "onboard_node_agent": f"{self.mirror}/{self.package.path.name}",
            "onboard_node_agent_checksum": self.package.checksum,
            "onboard_node_agent_signature": f"{self.mirror}/{self.package.signature.name}",
            "onboard_node_agent_key": str(self.package.key),
            "onboard_node_endpoints": {"ssm": self.aws.url.replace("0.0.0.0", self.gateway)},
            "onboard_node_allow_ec2": True,
            "onboard_node_online_timeout": 20,
            "onboard_node_poll_interval": 1,
        }

    def run(self, *options: str, **changes: Any) -> Played:
        """Run the role on all hosts, with everything that Ansible can log or keep."""
        (self.folder / "play.yml").write_text(PLAY)
        given = json.dumps({**self.variables, **changes})
        kept = {
            "ANSIBLE_LOG_PATH": str(self.folder / "ansible.log"),
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(self.folder / "facts"),
        }
        return play_file(
            self.aws, self.folder / "play.yml", "-i", str(self.fleet.inventory), "-e", given, *options, **kept
        )

    def ssm(self) -> Any:
        return self.aws.client("ssm", REGION)

    def nodes(self) -> list[dict[str, Any]]:
        return list(self.ssm().describe_instance_information()["InstanceInformationList"])

    def codes_seen(self, done: Played) -> list[str]:
        """What looks like an activation code in output, log, kept facts, and the journals of the hosts."""
        files = [self.folder / "ansible.log", *(self.folder / "facts").glob("*")]
        texts = [done.output, done.errors, *(path.read_text() for path in files)]
        texts += [self.on(item.host.name, "journalctl --no-pager -o cat") for item in self.fleet.machines()]
        found = {code for text in texts for code in re.findall(r"(?<![0-9a-f])[0-9a-f]{20}(?![0-9a-f])", text)}
        return [code for code in found if not code.isdigit()]

    def on(self, host: str, command: str) -> str:
        (machine,) = [item for item in self.fleet.machines() if item.host.name == host]
        argv = [*self.fleet.ssh(machine), command]
        return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


def play_file(aws: Lab, path: Path, *options: str, **environment: str) -> Played:
    given = {**os.environ, **aws.environment(), **environment, "ANSIBLE_LOCALHOST_WARNING": "false"}
    done = subprocess.run(
        ["ansible-playbook", str(path), *options], env=given, capture_output=True, text=True, check=False, timeout=400
    )
    return Played(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def site(fleet: Fleet, hosts: Callable[..., Wish], tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Site]:
    machines = fleet.up(hosts(count=getattr(request, "param", 2)))
    gateway = str(machines[0].address).rpartition(".")[0] + ".1"
    package = build(tmp_path / "mirror")
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path / "mirror"))
    server = http.server.ThreadingHTTPServer(("0.0.0.0", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "estate.yml").write_text(yaml.safe_dump(ESTATE))
    try:
        with lab(tmp_path / "estate.yml", host="0.0.0.0") as aws:
            yield Site(aws, fleet, tmp_path, package, gateway, f"http://{gateway}:{server.server_port}")
    finally:
        server.shutdown()


def test_hosts_register_once_and_are_patched_as_hybrid_nodes(site: Site) -> None:
    predicted = site.run("--check", "--diff")
    assert predicted.status == 0 and predicted.changed == 4, predicted.output + predicted.errors
    assert not site.nodes() and not site.ssm().describe_activations()["ActivationList"]
    assert site.on("dc1-web-01", "ls /usr/bin/amazon-ssm-agent /etc/amazon /var/lib/amazon 2>/dev/null") == ""

    done = site.run("-vvvv")
    assert done.status == 0, done.output + done.errors
    nodes = {row["ComputerName"].partition(".")[0]: row for row in site.nodes()}
    assert set(nodes) == {"dc1-web-01", "dc1-web-02"}
    assert {row["PingStatus"] for row in nodes.values()} == {"Online"}
    tags = {"Patch Group": "PLANT", "Environment": "prod", "Name": "dc1-web-01"}
    assert next(row for row in site.aws.get("nodes")["nodes"] if row["name"] == "dc1-web-01")["tags"] == tags
    assert not site.ssm().describe_activations()["ActivationList"]
    assert not site.codes_seen(done)

    again = site.run()
    assert again.status == 0 and again.changed == 0, again.output
    assert {row["InstanceId"] for row in site.nodes()} == {row["InstanceId"] for row in nodes.values()}

    ids = [row["InstanceId"] for row in nodes.values()]
    for operation in ("Scan", "Install"):
        site.ssm().send_command(
            InstanceIds=ids, DocumentName="AWS-RunPatchBaseline", Parameters={"Operation": [operation]}
        )
        site.aws.advance(3600)
    states = site.ssm().describe_instance_patch_states(InstanceIds=ids)["InstancePatchStates"]
    assert [(state["Operation"], state["MissingCount"], state["PatchGroup"]) for state in states] == [
        ("Install", 0, "PLANT")
    ] * 2


@pytest.mark.parametrize("site", [1], indirect=True)
def test_what_can_not_register_is_refused_by_name(site: Site) -> None:
    forged = site.run(onboard_node_agent_checksum="sha256:" + "0" * 64)
    assert forged.status != 0 and "checksum" in forged.output and not site.nodes()
    (site.folder / "mirror" / "key.asc").write_text((build(site.folder / "other").key).read_text())
    unsigned = site.run()
    assert unsigned.status != 0 and "is not signed by the key in" in unsigned.output
    site.package = build(site.folder / "mirror")
    no_role = site.run(onboard_node_iam_role="no-such-role")
    assert no_role.status != 0 and "No activation could be created: " in no_role.output
    assert "Nonexistent role or missing ssm service principal" in no_role.output
    lost = site.run(onboard_node_endpoints={"ssm": "http://127.0.0.1:9"})
    assert lost.status != 0 and "is not registered: the agent said" in lost.output
    assert not site.ssm().describe_activations()["ActivationList"] and not site.codes_seen(lost)


def test_what_does_not_work_is_registered_again_only_if_asked(site: Site) -> None:
    """The package comes from the controller, as for hosts that reach no mirror."""
    done = site.run(onboard_node_agent=str(site.package.path))
    assert done.status == 0, done.output + done.errors
    first = {row["ComputerName"].partition(".")[0]: row["InstanceId"] for row in site.nodes()}
    agent = "/usr/bin/amazon-ssm-agent"
    wrong = f"{agent} -register -y -code {'0' * 20} -id {'0' * 36} -region {REGION}"
    assert "InvalidActivation" in site.on("dc1-web-01", wrong)
    site.on("dc1-web-02", "systemctl stop amazon-ssm-agent")
    site.aws.post("faults", {"node": "dc1-web-02", "offline": True})
    site.aws.advance(600)
    silent = site.run(onboard_node_online_timeout=3)
    assert "dc1-web-02 is registered as" in silent.output and "says ConnectionLost" in silent.output
    second = {row["ComputerName"].partition(".")[0]: row["InstanceId"] for row in site.nodes()}
    assert second["dc1-web-01"] != first["dc1-web-01"] and second["dc1-web-02"] == first["dc1-web-02"]
    asked = site.run(onboard_node_reregister=True)
    assert asked.status == 0, asked.output + asked.errors
    third = {row["ComputerName"].partition(".")[0]: row["InstanceId"] for row in site.nodes()}
    assert third["dc1-web-01"] == second["dc1-web-01"] and third["dc1-web-02"] != second["dc1-web-02"]
    assert len(site.nodes()) == 2

    elsewhere = site.run(onboard_node_region="us-east-1")
    assert elsewhere.status != 0 and "Set onboard_node_reregister" in elsewhere.output and len(site.nodes()) == 2
    site.ssm().deregister_managed_instance(InstanceId=third["dc1-web-01"])
    unknown = site.run()
    assert unknown.status != 0 and "does not know in this account" in unknown.output

    gone = site.run(entry="decommission", onboard_node_remove_agent=True)
    assert gone.status == 0 and not site.nodes(), gone.output + gone.errors
    assert site.on("dc1-web-02", f"ls {agent} /var/lib/amazon/ssm/registration 2>/dev/null") == ""
    assert site.run(entry="decommission", onboard_node_remove_agent=True).changed == 0


def test_enroll_nodes_registers_what_the_policy_selects_and_the_next_rollout_patches_it(site: Site) -> None:
    """A host that is nowhere else is a finding; the fix that the finding names clears it, and a plan has the node."""
    folder = site.folder / "inventory"
    folder.mkdir()
    key = str(site.fleet.private_key)
    reach = {"ansible_user": "root", "ansible_ssh_private_key_file": key, "ansible_ssh_common_args": SSH_ARGUMENTS}
    hosts = {
        item.host.name: {
            **reach,
            "ansible_host": str(item.address),
            "ansible_python_interpreter": "/usr/bin/python3",
            "patchtide_patch_group": "PLANT",
            **{name: site.variables[name] for name in ROLE_VARIABLES},
        }
        for item in site.fleet.machines()
    }
    (folder / "hosts.yml").write_text(yaml.safe_dump({"plant": {"hosts": hosts}}))
    (folder / "aws.ssm_fleet.yml").write_text(f"plugin: patchtide.hybrid.ssm_fleet\nregions: [{REGION}]\n")
    policy: dict[str, Any] = {
        "version": 1,
        "name": "plant",
        "estate": {"regions": [REGION]},
        "patch_groups": [{"name": "PLANT"}],
        "waves": [{"name": "all", "select": {"tags": {"Environment": ["prod"]}}}],
        "patching": {"pin": "baseline"},
        "enrollment": {"required_tags": {"Environment": {"default": "prod"}}},
    }

    def run(playbook: str) -> Played:
        (site.folder / "policy.yml").write_text(yaml.safe_dump(policy))
        given = {"patchtide_policy_file": f"{site.folder}/policy.yml", "patchtide_dir": f"{site.folder}/run"}
        return play(site.aws, playbook, "-i", str(folder), "-e", json.dumps(given))

    found = run("enroll_nodes")
    assert found.status != 0 and "2 findings remain" in found.output and "enrollment.onboarding" in found.output
    policy["enrollment"]["onboarding"] = {"select": {"groups": ["plant"]}, "region": REGION, "iam_role": ROLE}
    fixed = run("enroll_nodes")
    assert fixed.status == 0 and "Registers by onboard_node: dc1-web-01" in fixed.output, fixed.output + fixed.errors
    clear = run("enroll_nodes")
    assert clear.status == 0 and clear.changed == 0 and "2 nodes are enrolled" in clear.output, clear.output
    for playbook in ("scan_compliance", "plan_rollout", "rollout_patches"):
        done = run(playbook)
        assert done.status == 0, done.output + done.errors
    ids = [row["InstanceId"] for row in site.nodes()]
    states = site.ssm().describe_instance_patch_states(InstanceIds=ids)["InstancePatchStates"]
    assert len(states) == 2 and {state["MissingCount"] for state in states} == {0}
    installs = [row for row in site.aws.get("ledger")["commands"] if row["parameters"].get("Operation") == ["Install"]]
    assert sorted(node for row in installs for node in row["nodes"]) == sorted(ids)
