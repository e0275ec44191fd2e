# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host whose repository is wrong: found by name, proposed, shown, corrected, corrected for good (TM-14, TM-15)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from lab.hosts.fleet import Fleet, Wish

ROOT = Path(__file__).parents[2]


def run(fleet: Fleet, folder: Path, *options: str) -> tuple[int, str]:
    variables = {"patchtide_policy_file": str(folder / "policy.yml"), "patchtide_dir": str(folder / "run")}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PATCHTIDE_"))}
    environment = {**inherited, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "ANSIBLE_NOCOLOR": "true"}
    command = [str(Path(sys.executable).with_name("ansible-playbook")), "patchtide.hybrid.repair_repositories"]
    command += ["-i", str(fleet.inventory), "-e", json.dumps(variables), *options]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def on(fleet: Fleet, number: int, command: str) -> str:
    argv = [*fleet.ssh(fleet.machines()[number]), command]
    return subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False).stdout


def policy(sources: str) -> dict[str, Any]:
    """Expect the toy repository, as a host of the fleet has it."""
    (url,) = re.findall(r"(?m)^URIs: (\S+)$", sources)
    item: dict[str, Any] = {"name": "toys", "manager": "apt", "urls": [url], "components": ["main"]}
    item |= {"suites": re.findall(r"(?m)^Suites: (.*)$", sources)[0].split(), "replaces": ["http://*.invalid/*"]}
    repositories = {"expected": [item], "permanent_after": 3}
    return {"version": 1, "name": "repositories", "waves": [{"name": "all"}], "repositories": repositories}


def states(folder: Path) -> list[tuple[str, str]]:
    rows = [json.loads(line) for line in (folder / "run" / "repositories.jsonl").read_text().splitlines()]
    return [(row["state"], row["repair"]) for row in rows if row["node_id"] == "dc1-web-01"]


def test_a_wrong_repository_is_found_shown_corrected_and_in_the_end_corrected_for_good(
    fleet: Fleet, hosts: Callable[..., Wish], tmp_path: Path
) -> None:
    fleet.up(hosts(count=2, wrong_repository="dc1-web-01"))
    file = "/etc/apt/sources.list.d/debian.sources"
    wrong, right = on(fleet, 0, f"cat {file}"), on(fleet, 1, f"cat {file}")
    key = on(fleet, 1, "cat /etc/apt/keyrings/*.gpg | base64 -w 60").strip()
    expected = policy(right)
    armour = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{key}\n-----END PGP PUBLIC KEY BLOCK-----\n"
    expected["repositories"]["expected"][0]["key"] = armour
    (tmp_path / "policy.yml").write_text(yaml.safe_dump(expected))

    code, said = run(fleet, tmp_path)
    assert code != 0 and "1 hosts have repositories that are not as expected: dc1-web-01" in said
    assert "Proposed repair: once, 1 incidents in 90 days" in said and "old-mirror.invalid" in said
    assert (on(fleet, 0, f"cat {file}"), states(tmp_path)) == (wrong, [("found", "")])

    code, said = run(fleet, tmp_path, "-e", "patchtide_repair=by_trend", "--check", "--diff")
    assert code == 0 and "+++ after: /etc/apt/sources.list.d/toys.sources" in said and "+Enabled: no" in said
    assert "Would repair: once" in said
    assert (on(fleet, 0, f"cat {file}"), states(tmp_path)) == (wrong, [("found", "")])

    code, said = run(fleet, tmp_path, "-e", "patchtide_repair=by_trend")
    assert code == 0 and "Repaired: once" in said, said
    assert on(fleet, 0, "apt-get -s dist-upgrade | grep -c ^Inst").strip() == "2"
    code, said = run(fleet, tmp_path, "-e", "patchtide_repair=by_trend")
    assert code == 0 and said.count("changed=0") == 3 and states(tmp_path)[1:] == [("corrected", "once")]

    on(fleet, 0, "mkdir -p /etc/cloud && touch /etc/cloud/cloud.cfg")
    for repair in ("once", "permanent"):
        on(fleet, 0, f"rm /etc/apt/sources.list.d/toys.sources; sed -i 's/^Enabled: no/Enabled: yes/' {file}")
        code, said = run(fleet, tmp_path, "-e", "patchtide_repair=by_trend")
        assert code == 0 and f"Repaired: {repair}" in said, said
    assert "preserve_sources_list: true" in on(fleet, 0, "cat /etc/cloud/cloud.cfg.d/99-patchtide-repositories.cfg")
    assert on(fleet, 0, "ls /var/lib/patchtide/repositories | wc -l").strip() == "3"
