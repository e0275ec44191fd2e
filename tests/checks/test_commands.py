# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documentation tells readers to type exists, and is run by a test or says why it is not."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.playbook_variables import PLAYBOOKS, PREFIX

from tests.checks.commands import NOT_RUN, PAGES, SIGNS, TYPED, commands, playbook_of
from tests.checks.source import ROOT

#: Playbooks that tests run: a test names them as a string of its own, with options behind it or not.
FILES = [path for kind in ("playbooks", "hosts") for path in (ROOT / "tests" / kind).rglob("*.py")]
TESTS = " ".join(path.read_text("utf-8") for path in FILES)
PLAYED = {name for name in PLAYBOOKS if re.search(rf"""["'.]{name}["' ]""", TESTS)}
MAKEFILE = (ROOT / "Makefile").read_text("utf-8")
ALL = [(page, command) for page in PAGES for command in commands(page)]


@pytest.mark.parametrize(("page", "command"), ALL)
def test_a_command_is_run_or_says_why_not(page: str, command: str) -> None:
    known = command.startswith((*NOT_RUN, *TYPED, SIGNS)) or playbook_of(command)[0] in PLAYED
    assert known or command.startswith(("export ", "cd ")), f"{command}: add a reason to NOT_RUN"


def test_no_reason_is_left_over() -> None:
    assert len(ALL) > 30
    assert not [start for start in (*NOT_RUN, *TYPED) if not any(command.startswith(start) for _page, command in ALL)]


def test_what_people_sign_with_makes_a_signature(tmp_path: Path) -> None:
    typed = [command for _page, command in ALL if command.startswith(SIGNS)]
    keys, files = ({re.findall(rf"{place} (\S+)", text)[0] for text in typed} for place in ("-f", r"-f \S+"))
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}", "utf-8")
    (tmp_path / ".ssh").mkdir()
    for key in keys:
        path = tmp_path / key.removeprefix("~/")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    for command in typed:
        environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}
        # ssh-keygen takes ~ from the shell, which takes it from HOME.
        subprocess.run(["bash", "-c", command], cwd=tmp_path, env=environment, check=True, capture_output=True)
        domain = command.split()[4]
        (made,) = tmp_path.rglob("*.sig")
        check = ["ssh-keygen", "-Y", "check-novalidate", "-n", domain, "-s", str(made)]
        subprocess.run(check, input=b"{}", check=True, capture_output=True)
        made.unlink()
    assert {command.split()[4] for command in typed} == {"plan@patchtide", "trust@patchtide"}


@pytest.mark.parametrize(("page", "command"), ALL)
def test_playbooks_and_their_variables_exist(page: str, command: str) -> None:
    playbook, variables = playbook_of(command)
    if playbook:
        assert variables <= {PREFIX + name for name in PLAYBOOKS[playbook].names}, (page, command)


@pytest.mark.parametrize("page", PAGES)
def test_targets_of_make_and_their_variables_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for target, options in re.findall(r"(?:^\$ |`)make ([a-z-]+)([^`\n]*)", text, re.MULTILINE):
        assert re.search(rf"^(?:[a-z- ]* )?{target}(?: [a-z- ]*)?:.*##", MAKEFILE, re.MULTILINE), f"{page}: {target}"
        for variable in re.findall(r"\b([A-Z]+)=", options):
            assert f"$({variable})" in MAKEFILE, f"{page}: {variable}"


def test_modules_that_are_called_alone_have_the_options_given() -> None:
    calls = [re.findall(r"-m patchtide\.hybrid\.(\w+)(?: -a '([^']*)')?", command) for _page, command in ALL]
    found = [call for group in calls for call in group]
    assert len(found) >= 3
    for module, arguments in found:
        assert {word.split("=")[0] for word in arguments.split()} <= options_of(module), (module, arguments)


def options_of(module: str) -> set[str]:
    """Return the options that a module documents, with their aliases and those of its fragments."""

    def documented(path: Path, name: str) -> dict[str, Any]:
        (text,) = re.findall(rf'^ *{name} = r?"""(.*?)"""', path.read_text("utf-8"), re.DOTALL | re.MULTILINE)
        return dict(yaml.safe_load(text))

    def names(documentation: dict[str, Any]) -> set[str]:
        options = documentation.get("options") or {}
        return {*options, *(alias for option in options.values() for alias in option.get("aliases", ()))}

    plugins = ROOT / "plugins"
    found = documented(plugins / "modules" / f"{module}.py", "DOCUMENTATION")
    options = names(found)
    for fragment in found.get("extends_documentation_fragment", ()):
        file, _dot, part = fragment.removeprefix("patchtide.hybrid.").partition(".")
        if fragment.startswith("patchtide."):
            options |= names(documented(plugins / "doc_fragments" / f"{file}.py", part.upper() or "DOCUMENTATION"))
    return options


def test_rehearsals_have_the_options_and_faults_that_pages_name() -> None:
    from lab.rehearse import FAULTS, _parser

    known = {option for action in _parser()._actions for option in action.option_strings}
    rows = (ROOT / "docs" / "rehearsal.md").read_text("utf-8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", rows)) - {"--rehearsal"} <= known
    assert set(re.findall(r"^\| `([a-z_]+)` \|", rows, re.MULTILINE)) == set(FAULTS)
    for _page, command in ALL:
        for faults in re.findall(r'FAULTS="([^"]*)"|--fault (\S+)', command):
            assert {word.split("=")[0] for word in " ".join(faults).split()} <= set(FAULTS), command


def test_the_file_of_accounts_sets_variables_of_init_policy() -> None:
    (block,) = re.findall(r"```yaml\n(# accounts.yml\n.*?)```", (ROOT / "docs/first-estate.md").read_text(), re.DOTALL)
    assert set(yaml.safe_load(block)) <= {PREFIX + name for name in PLAYBOOKS["init_policy"].names}


@pytest.mark.parametrize("role", sorted(path.name for path in (ROOT / "roles").iterdir()))
def test_the_example_of_a_role_is_that_of_its_readme(role: str) -> None:
    readme = (ROOT / "roles" / role / "README.md").read_text("utf-8")
    block = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)[0]
    example = yaml.safe_load((ROOT / "examples" / "roles" / f"{role}.yml").read_text("utf-8"))
    assert example == yaml.safe_load(block)


def test_pages_link_to_files_and_sections_that_exist() -> None:
    for page in PAGES:
        text = (ROOT / page).read_text("utf-8")
        for target in re.findall(r"\]\(([^)\s]+)\)", text):
            if re.match(r"[a-z]+:", target):
                continue
            file, _hash, anchor = target.partition("#")
            path = (ROOT / page).parent / file if file else ROOT / page
            assert path.exists(), f"{page}: {target}"
            if anchor:
                assert anchor in anchors(path.read_text("utf-8")), f"{page}: {target}"


def anchors(text: str) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def test_messages_of_the_troubleshooting_page_are_those_of_the_code() -> None:
    rows = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8").split("## Nodes")[0].splitlines()
    quoted = [text for row in rows if row.startswith("| `") for text in re.findall(r"`([^`]+)`", row.split("|")[1])]
    files = [*(ROOT / "plugins").rglob("*.py"), *(ROOT / "playbooks").rglob("*.yml")]
    source = " ".join(path.read_text("utf-8") for path in files)
    flat = re.sub(r'"\s*f?r?"', "", re.sub(r"\s+", " ", source))
    elsewhere = {"Could not assume role", "set patchtide_allow_changed_policy"}  # put together while running
    ansible = elsewhere | {
        "unable to locate collection",
        "No module named 'ansible_collections.amazon'",
        "no space left",
        "User interrupted execution",
    }
    assert len(quoted) > 10 and not [text for text in quoted if text not in flat and text not in ansible]
