# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds for every run of the role, read from its tasks: who sees the code, when activations go, what registers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tree_sitter
import tree_sitter_powershell
import yaml

ROLE = Path(__file__).parents[3] / "roles" / "onboard_node"
TASKS = sorted((ROLE / "tasks").glob("*.yml"))
LANGUAGE = tree_sitter.Language(tree_sitter_powershell.language())


def read(name: str) -> Any:
    return yaml.safe_load((ROLE / "tasks" / f"{name}.yml").read_text(encoding="utf-8"))


def flat(found: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for task in found:
        yield task
        for part in ("block", "rescue", "always"):
            yield from flat(task.get(part, []))


def every() -> list[dict[str, Any]]:
    return [task for path in TASKS for task in flat(yaml.safe_load(path.read_text(encoding="utf-8")))]


def own(task: dict[str, Any]) -> str:
    """What a task says itself, without the tasks in it."""
    return str({key: value for key, value in task.items() if key not in ("block", "rescue", "always")})


def test_tasks_that_have_the_code_log_nothing_and_keep_nothing() -> None:
    users = [task for task in every() if "__onboard_node_activation.activation_code }}" in own(task)]
    made = [task for task in every() if task.get("register") == "onboard_node_activations"]
    makers = [task for task in made if "iam_role" in own(task)]
    assert len(users) == 2 and len(makers) == 1
    assert all(task["no_log"] is True for task in users + makers)
    facts = [task for task in every() if "ansible.builtin.set_fact" in task]
    assert facts and not [task for task in facts if "activation_code" in own(task) or "cacheable" in own(task)]


def test_what_held_the_code_is_overwritten() -> None:
    """The deletion takes the name of the creation, and the verdict that of the attempt, whose command has the code."""
    named = [task.get("register") for task in flat(read("activate"))]
    assert named.count("onboard_node_activations") == 2 and named[-2:] != [None, None]
    assert [task["register"] for task in flat(read("agent_linux")) if "register" in task] == ["onboard_node_attempt"]
    assert "onboard_node_attempt" in named[named.index("onboard_node_activations") + 1 :]


def test_activations_are_deleted_whatever_happens_and_an_unreachable_host_does_not_stop_it() -> None:
    (block, *_after) = read("activate")
    assert [task["patchtide.hybrid.ssm_activation"]["state"] for task in block["always"]] == ["absent"]
    assert block["always"][0]["run_once"] and block["always"][0]["delegate_to"] == "localhost"
    for platform in ("linux", "windows"):
        (attempt,) = [task for task in read(f"agent_{platform}") if task.get("register")]
        assert attempt["ignore_unreachable"] is True and attempt["failed_when"] is False


def test_a_registration_is_never_forced() -> None:
    commands = [task.get(name, {}).get("argv", []) for task in every() for name in _COMMANDS]
    registers = [argv for argv in commands if "-code" in argv]
    assert len(registers) == 2 and not [argv for argv in registers if "-y" in argv]


_COMMANDS = ("ansible.builtin.command", "ansible.windows.win_command")


def test_both_platforms_have_the_same_steps() -> None:
    names = [path.stem.rpartition("_") for path in TASKS if "_" in path.stem]
    steps = {platform: {step for step, _, own in names if own == platform} for platform in ("linux", "windows")}
    assert steps["linux"] == steps["windows"] == {"agent", "configure", "decommission", "install", "look", "stop"}


SCRIPTS = sorted((ROLE / "files").glob("*.ps1"))


def nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from nodes(child)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.stem)
def test_powershell_parses_and_changes_nothing_in_check_mode(path: Path) -> None:
    """win_powershell runs a script in check mode only if it supports ShouldProcess, which then answers no."""
    source = path.read_bytes()
    found = list(nodes(tree_sitter.Parser(LANGUAGE).parse(source).root_node))
    assert not [node for node in found if node.is_error or node.is_missing]
    spans = [(node.start_byte, node.end_byte) for node in found if node.type == "if_statement"]
    guarded = [(start, end) for start, end in spans if b"ShouldProcess(" in source[start:end]]
    changes = list(re.finditer(rb"WriteAllText|Uninstall-Package", source))
    assert b"$Ansible.Changed = " in source
    assert bool(changes) == (b"SupportsShouldProcess = $true" in source) == (path.stem in ("write", "remove"))
    assert all(any(start < change.start() < end for start, end in guarded) for change in changes)


def test_every_script_is_used() -> None:
    used = set(re.findall(r"'(\w+\.(?:ps1|sh))'", "".join(path.read_text(encoding="utf-8") for path in TASKS)))
    assert used == {path.name for path in (ROLE / "files").iterdir()} and len(SCRIPTS) == 5
