# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole lab: simulated AWS, Azure and Windows servers, real hosts where this machine can run them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from lab.aws.launch import Lab, lab
from lab.hosts.estate import read_estate
from lab.windows.server import WindowsLab, windows_lab
from lab.windows.world import new_world

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
POLICY = ROOT / "lab" / "policy.yml"
WINDOWS = ROOT / "lab" / "windows" / "estate.yml"
LEFT_OUT = 3
#: Updates that each real host has pending. A release of some months has dozens, and each takes it seconds.
PENDING = 3

#: Only how it looks: nothing here changes what the playbooks do.
_CONFIG = """\
[defaults]
display_skipped_hosts = false
localhost_warning = false
result_format = yaml
interpreter_python = auto_silent
retry_files_enabled = false

[inventory]
inventory_unparsed_warning = false
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """A lab that is up. ``left_out`` says why it has no real hosts; empty if it has."""

    folder: Path
    aws: Lab
    left_out: str

    def environment(self) -> dict[str, str]:
        """What ansible-playbook needs to see of the lab."""
        return {
            **self.aws.environment(),
            "ANSIBLE_COLLECTIONS_PATH": str(BUILD / "tree"),
            "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"),
            # Claims of an earlier run, which was interrupted in its night, would hold the nodes.
            "XDG_STATE_HOME": str(self.folder / "state"),
        }

    def call(self, playbook: str, *, machines: bool) -> list[str]:
        """The call of a playbook as a user types it, from the repository's root; ``machines``: with the inventory."""
        inventory = ["-i", f"{self.folder.relative_to(ROOT)}/inventory"] if machines else []
        return ["ansible-playbook", f"patchtide.hybrid.{playbook}", *inventory]

    @property
    def variables(self) -> list[str]:
        """The option with the variables that every call takes."""
        return ["-e", f"@{self.folder.relative_to(ROOT)}/variables.yml"]


@contextmanager
def rehearsal(folder: Path, *, estate: str = "lab/estate.yml", hosts: str = "rehearsal") -> Iterator[Stage]:
    """Start everything, write inventory and variables into ``folder``, give it, and stop what was started."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "inventory").mkdir(parents=True)
    world = new_world([host.name for host in read_estate(WINDOWS)], hurries=True)
    with lab(estate=ROOT / estate) as aws, windows_lab(world) as windows:
        try:
            _write_windows(folder / "inventory" / "windows.yml", windows)
            stage = Stage(folder, aws, _hosts_up(hosts, folder / "inventory" / "onprem.yml"))
            _write(stage)
            yield stage
        finally:
            _hosts("down", hosts)


def _hosts_up(name: str, inventory: Path) -> str:
    """Start the real hosts; return why they are left out, or nothing. Any other trouble is an error."""
    print(
        "starting the lab: simulated AWS, Azure and Windows; real hosts over SSH (built the first time) …",
        flush=True,
    )
    done = _hosts("up", name, "--pending", str(PENDING))
    if done.returncode == LEFT_OUT:
        return done.stderr.strip().splitlines()[-1]
    if done.returncode:
        raise RuntimeError(f"the real hosts did not start:\n{done.stdout}{done.stderr}")
    shutil.copy(BUILD / "hosts" / name / "inventory.yml", inventory)
    return ""


def _hosts(verb: str, name: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "lab.hosts", verb, "--name", name, *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _write_windows(path: Path, running: WindowsLab) -> None:
    shared = {
        "patchtide_executor": "windows",
        "patchtide_platform": "windows",
        "patchtide_os": "Microsoft Windows Server 2022",
        "patchtide_state": "running",
        "patchtide_managed": False,
    }
    hosts = {
        host.name: {**running.variables(host.name), "patchtide_name": host.name, **host.variables}
        for host in read_estate(WINDOWS)
    }
    path.write_text(yaml.safe_dump({"all": {"children": {"lab_windows": {"hosts": hosts, "vars": shared}}}}))


def _write(stage: Stage) -> None:
    estate = yaml.safe_load(POLICY.read_text())["estate"]
    fleet = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": estate["regions"], "accounts": estate["accounts"]}
    (stage.folder / "inventory" / "aws.ssm_fleet.yml").write_text(yaml.safe_dump(fleet, sort_keys=False))
    (stage.folder / "inventory" / "azure.azure_fleet.yml").write_text("plugin: patchtide.hybrid.azure_fleet\n")
    variables = {
        "patchtide_policy_file": str(POLICY.relative_to(ROOT)),
        "patchtide_dir": str(stage.folder.relative_to(ROOT)),
        "patchtide_window_wait_minutes": 1440,
        "patchtide_poll_interval": 60,  # of the lab's seconds, which pass at once
    }
    (stage.folder / "variables.yml").write_text(yaml.safe_dump(variables, sort_keys=False))
    (stage.folder / "ansible.cfg").write_text(_CONFIG)
