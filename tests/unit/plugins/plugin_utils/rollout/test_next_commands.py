# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands that a run prints have its inventory, its policy, a directory that is free, and what was missed."""

from __future__ import annotations

import json
import shlex
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ansible import constants as C
from ansible import context
from ansible.parsing.dataloader import DataLoader
from ansible.utils.vars import load_extra_vars
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.report.next_words import Commands
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.next_commands import after, to_commands
from hypothesis import given
from hypothesis import strategies as st


def commands(folder: Path, **task_vars: Any) -> Commands:
    return to_commands(folder, task_vars, lambda value: value.replace("{{ here }}", "/p"))


def test_a_plan_again_has_a_directory_of_its_own_and_takes_what_was_missed(tmp_path: Path) -> None:
    folder = tmp_path / "2026-12"
    folder.mkdir()
    assert commands(folder).missed == "" and commands(folder).again == f"{folder}-2"
    (tmp_path / "2026-12-2").mkdir()
    (folder / "catch_up.json").write_text("{}", "utf-8")
    found = commands(folder)
    assert found.again == f"{folder}-3" == commands(tmp_path / "2026-12-2").again
    assert found.missed == str(folder / "catch_up.json")
    assert f"-e patchtide_catch_up={folder}/catch_up.json" in found.plan_again()


def test_the_policy_is_the_one_of_this_run_or_the_nearest(tmp_path: Path) -> None:
    folder = tmp_path / "contoso" / "2026-12"
    folder.mkdir(parents=True)
    assert commands(folder, patchtide_policy_file="{{ here }}/policy.yml").policy_file == "/p/policy.yml"
    assert commands(folder).policy_file == "policy.yml"
    (tmp_path / "contoso" / "policy.yml").write_text("", "utf-8")
    assert commands(folder, patchtide_policy_file="").policy_file == str(tmp_path / "contoso" / "policy.yml")


def test_the_inventory_is_the_one_that_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"inventory": ("/a b/hosts", "web,")})
    assert "-i '/a b/hosts' -i web," in commands(tmp_path).roll_out()
    monkeypatch.setattr(context, "CLIARGS", {"inventory": C.DEFAULT_HOST_LIST})
    assert " -i " not in commands(tmp_path).roll_out()


NOW = datetime(2026, 6, 1, tzinfo=timezone.utc)


def test_a_policy_is_applied_and_then_scanned_into_a_directory_of_the_month(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the inventory that init_policy drafted beside the policy, where nothing else is given or configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(context, "CLIARGS", {"inventory": C.DEFAULT_HOST_LIST})
    monkeypatch.setattr(C, "DEFAULT_HOST_LIST", ["/etc/ansible/hosts"])
    given = {"policy_file": "patching/policy.yml"}
    scan = "Next: ansible-playbook patchtide.hybrid.scan_compliance"
    for playbook in ("apply_policy", "sync_windows"):
        found = after(playbook, given, NOW, check=False)
        assert found == f"{scan} -e patchtide_policy_file=patching/policy.yml -e patchtide_dir=2026-06"
    (tmp_path / "patching" / "inventory").mkdir(parents=True)
    (tmp_path / "2026-06").mkdir()
    found = after("apply_policy", given, NOW, check=False)
    assert found.startswith(f"{scan} -i patching/inventory -e") and found.endswith("patchtide_dir=2026-06-2")
    monkeypatch.setattr(C, "DEFAULT_HOST_LIST", ["/srv/hosts"])
    monkeypatch.setattr(context, "CLIARGS", {"inventory": ["/srv/hosts"]})
    assert " -i " not in after("apply_policy", given, NOW, check=False)
    monkeypatch.setattr(context, "CLIARGS", {"inventory": ("mine",)})
    assert f"{scan} -i mine -e" in after("apply_policy", given, NOW, check=False)
    assert after("scan_compliance", given, NOW, check=True) == ""


def test_after_a_choice_windows_follow_the_tags(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context, "CLIARGS", {"inventory": ("inventory",)})
    given = {"policy_file": "p.yml", "window_ledger": "choices.json", "window": "sun", "nodes": ["web-01"]}
    found = after("choose_window", given, NOW, check=False)
    line = "Next: ansible-playbook patchtide.hybrid.sync_windows -i inventory -e patchtide_policy_file=p.yml"
    assert found == f"{line} -e patchtide_window_ledger=choices.json"
    found = after("choose_window", {**given, "inventory_dir": "inventory"}, NOW, check=False)
    assert found.endswith("choices.json -e patchtide_inventory_dir=inventory")


@pytest.mark.parametrize("options", [["--check", "--diff"], ["-C", "-D"], ["-CD"], ["-C"]])
def test_after_check_mode_the_same_command_follows_without_it(
    options: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    play = ["patchtide.hybrid.choose_window", "-i", "a b"]
    monkeypatch.setattr(sys, "argv", ["/usr/bin/ansible-playbook", *options, *play])
    found = after("choose_window", {"policy_file": "p", "window_ledger": "l"}, NOW, check=True)
    assert found == "Nothing was changed. Next: ansible-playbook patchtide.hybrid.choose_window -i 'a b'"


WORDS = st.from_regex(r"[\w./:@+-]{1,6}( [\w./:@+#-]{1,6}){0,2}", fullmatch=True)


@given(st.one_of(st.text(min_size=1), WORDS).filter(lambda text: "\0" not in text and text.isprintable()))
def test_ansible_reads_the_value_that_was_meant(value: str) -> None:
    """By Ansible's own parser, after a shell took the line apart."""
    words = shlex.split(Commands(folder=value, policy_file="p").roll_out())
    extra = tuple(words[index + 1] for index, word in enumerate(words) if word == "-e")
    load_extra_vars.extra_vars = {}  # it remembers
    old, context.CLIARGS = context.CLIARGS, {"extra_vars": extra}
    try:
        assert load_extra_vars(DataLoader())["patchtide_dir"] == value
    finally:
        context.CLIARGS, load_extra_vars.extra_vars = old, {}


def test_a_name_with_spaces_can_be_copied_from_the_output_of_a_task() -> None:
    """Callbacks show results as JSON, so quotation marks and backslashes would be escaped."""
    line = Commands(folder="/srv/June 2026", policy_file="p").roll_out()
    assert json.dumps(line) == f'"{line}"'
