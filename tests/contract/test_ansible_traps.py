# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our playbooks rely on in the way ansible-core runs plays, on every version of ``tools/matrix.py``.

The play is that of ``rollout_patches``, with its own keywords and stand-ins for its tasks; the first play of all
playbooks runs as it is. The file needs nothing but ansible-core and pytest.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = Path(__file__).parents[2] / "playbooks"
GENEROUS_SECONDS = 180.0
#: What a user's ansible.cfg may say.
HOSTILE = {"ANSIBLE_ANY_ERRORS_FATAL": "true", "ANSIBLE_STRATEGY": "free", "ANSIBLE_FORKS": "5"}
KEPT = {"connection": "local", "gather_facts": False, "strategy": "linear", "any_errors_fatal": False}
LAST = {"hosts": "localhost", **KEPT}
#: Kills the process that works on a host, as the kernel does where memory is short.
KILLED = """
import os, signal
from ansible.plugins.action import ActionBase

class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp=None, task_vars=None):
        os.kill(os.getpid(), signal.SIGKILL)
"""


def play_of_the_waves() -> dict[str, Any]:
    """Return the play that carries out the waves, without its tasks and variables."""
    plays = yaml.safe_load((PLAYBOOKS / "rollout_patches.yml").read_text(encoding="utf-8"))
    (play,) = [play for play in plays if play.get("hosts") == "patchtide_play"]
    return {name: value for name, value in play.items() if name not in ("tasks", "vars")}


def note(text: str, **more: Any) -> dict[str, Any]:
    return {"name": "Note", "ansible.builtin.debug": {"msg": f"noted {text}"}, **more}


def lined_up(*names: str, **variables: Any) -> dict[str, Any]:
    """Return the play that lines hosts up as ``rollout_patches`` lines up its coordinators: one a batch."""
    add = {"name": "{{ item }}", "groups": "patchtide_play", "ansible_connection": "local", **variables}
    fact = {"ansible.builtin.set_fact": {"patchtide_rollout": {"serial": [1] * len(names)}}}
    hosts = {"ansible.builtin.add_host": add, "loop": list(names), "changed_when": False}
    return {"hosts": "localhost", **KEPT, "tasks": [fact, hosts]}


def run(folder: Path, plays: list[dict[str, Any]] | Path, *options: str) -> tuple[int, str]:
    path = plays if isinstance(plays, Path) else folder / "play.yml"
    if not isinstance(plays, Path):
        path.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    (folder / "inventory.yml").write_text(json.dumps({"all": {"hosts": {"web1": {}, "web2": {}}}}))
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible-playbook")), "-i", "inventory.yml", str(path), *options],
        cwd=folder,
        env={**os.environ, **HOSTILE, "ANSIBLE_LOCAL_TEMP": str(folder / "tmp"), "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=GENEROUS_SECONDS,
        check=False,
    )
    return done.returncode, " ".join(f"{done.stdout}{done.stderr}".split())


def test_a_failed_host_ends_no_other_whatever_the_configuration_says(tmp_path: Path) -> None:
    play = {**play_of_the_waves(), "serial": "100%"}
    fails = {"ansible.builtin.fail": {"msg": "broken"}, "when": "inventory_hostname == 'a'"}
    status, output = run(tmp_path, [lined_up("a", "b"), {**play, "tasks": [fails, note("{{ inventory_hostname }}")]}])
    assert status == 2 and "noted b" in output and "noted a" not in output, output


def test_hosts_of_a_batch_go_step_by_step_whatever_the_configuration_says(tmp_path: Path) -> None:
    slow = {"ansible.builtin.raw": "sleep 2", "when": "inventory_hostname == 'a'"}
    tasks = [slow, note("first {{ inventory_hostname }}"), note("second {{ inventory_hostname }}")]
    play = {**play_of_the_waves(), "serial": "100%", "tasks": tasks}
    status, output = run(tmp_path, [lined_up("a", "b"), play])
    assert status == 0 and output.index("noted first a") < output.index("noted second b"), output


def test_waves_run_one_by_one_in_the_order_of_the_plan(tmp_path: Path) -> None:
    play = {**play_of_the_waves(), "tasks": [note("{{ inventory_hostname }} {{ ansible_play_batch }}")]}
    status, output = run(tmp_path, [lined_up("wave z", "wave a", "wave m"), play])
    at = [output.index(f"noted wave {name} ['wave {name}']") for name in "zam"]
    assert status == 0 and at == sorted(at), output


def test_a_closed_gate_ends_the_play_and_the_rollout_is_closed_all_the_same(tmp_path: Path) -> None:
    gate = {"ansible.builtin.meta": "end_play", "when": "inventory_hostname == 'b'"}
    play = {**play_of_the_waves(), "tasks": [note("{{ inventory_hostname }}"), gate]}
    status, output = run(tmp_path, [lined_up("a", "b", "c"), play, {**LAST, "tasks": [note("the end")]}])
    assert status == 0 and "noted b" in output and "noted c" not in output and "noted the end" in output, output


def test_a_lost_coordinator_ends_the_play(tmp_path: Path) -> None:
    (tmp_path / "action_plugins").mkdir()
    (tmp_path / "action_plugins" / "killed.py").write_text(KILLED)
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "killed.py").write_text("")
    work = {"block": [{"killed": {}}], "rescue": [note("rescued")]}
    play = {**play_of_the_waves(), "tasks": [note("{{ inventory_hostname }}"), work]}
    status, output = run(tmp_path, [lined_up("a", "b"), play, {**LAST, "tasks": [note("the end")]}])
    assert status != 0 and "noted a" in output, output
    assert not [word for word in ("noted b", "noted rescued", "noted the end") if word in output], output


def test_an_unreachable_host_runs_neither_rescue_nor_always(tmp_path: Path) -> None:
    """Why no result of a node may depend on a rescue: the driver reaches hosts itself and records what it could not."""
    work = {"block": [{"ansible.builtin.raw": "true"}], "rescue": [note("rescued")], "always": [note("always")]}
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexit 255\n")
    ssh.chmod(0o755)
    kind = "{{ 'ssh' if item == 'a' else 'local' }}"
    hosts = lined_up("a", "b", ansible_ssh_executable=str(ssh), ansible_connection=kind)
    status, output = run(tmp_path, [hosts, {**play_of_the_waves(), "serial": "100%", "tasks": [work]}])
    assert status == 4 and "unreachable=1" in output, output
    assert "noted rescued" not in output and output.count("noted always") == 1, output


def test_a_task_that_was_never_run_has_no_hosts_to_show(tmp_path: Path) -> None:
    shown = note("{{ item }}", loop="{{ worked.hosts | default([]) }}", failed_when="item.failed", ignore_errors=True)
    status, output = run(tmp_path, [lined_up("a"), {**play_of_the_waves(), "tasks": [shown, note("on")]}])
    assert status == 0 and "noted on" in output, output


def test_a_host_that_failed_is_shown_as_failed_and_fails_nothing(tmp_path: Path) -> None:
    hosts = [{"host": "db1", "failed": True}, {"host": "db2", "failed": False}]
    shown = note("{{ item.host }}", loop=hosts, failed_when="item.failed", ignore_errors=True)
    status, output = run(tmp_path, [lined_up("a"), {**play_of_the_waves(), "tasks": [shown, note("on")]}])
    assert status == 0 and "noted on" in output and "ignored=1" in output, output
    assert "failed: [a] (item={'host': 'db1'" in output and "ok: [a] => (item={'host': 'db2'" in output, output


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--limit", "web1"], "--limit web1"),
        (["--limit", "web1,localhost", "--tags", "patch,gate"], "--limit web1,localhost and --tags gate,patch"),
        (["--tags", "untagged"], "--tags untagged"),
        (["--skip-tags", "gate"], "--skip-tags gate"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_part_of_a_run_is_refused(tmp_path: Path, options: list[str], told: str) -> None:
    first = {"ansible.builtin.import_playbook": str(PLAYBOOKS / "plays" / "whole_run.yml")}
    status, output = run(tmp_path, [first, {**LAST, "tasks": [note("went on")]}], *options)
    assert status == 2 and f"{told} would run a part of this playbook" in output and "went on" not in output, output


@pytest.mark.parametrize("options", [[], ["--tags", "all"], ["--check"]], ids=" ".join)
def test_a_whole_run_is_not_refused(tmp_path: Path, options: list[str]) -> None:
    variables = {"patchtide_playbook": "apply_policy", "patchtide_policy_file": "policy.yml"}
    first = {"ansible.builtin.import_playbook": str(PLAYBOOKS / "plays" / "whole_run.yml"), "vars": variables}
    status, output = run(tmp_path, [first, {**LAST, "tasks": [note("went on")]}], *options)
    assert status == 0 and "noted went on" in output, output
