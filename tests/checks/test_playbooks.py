"""Playbooks: their variables are specified, documented and used in one way, and no name of theirs hides a variable."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.playbook_variables import (
    HANDED_ON,
    PLAYBOOKS,
    PREFIX,
    VARIABLES,
)

from tests.checks.source import ROOT, read_yaml, tracked

sys.path.insert(0, str(ROOT / "tools"))
from playbook_page import page

FOLDER = ROOT / "playbooks"
#: run_due sets these for the playbook that it imports.
SET_BY_RUN_DUE = {"dir", "policy_file", "approval_file", "window_wait_minutes", "soak_wait_minutes"}


def text(name: str) -> str:
    """Return a playbook without its comments."""
    lines = (FOLDER / f"{name}.yml").read_text("utf-8").splitlines()
    return "\n".join(re.sub(r"(^|\s)#.*", "", line) for line in lines)


def names(data: Any) -> Iterator[str]:
    """Return what tasks register, set, or define for themselves."""
    for item in data if isinstance(data, list) else [data]:
        if isinstance(item, dict):
            found = item.get("register")
            yield from [found] if isinstance(found, str) else []
            for key in ("vars", "ansible.builtin.set_fact", "ansible.builtin.add_host"):
                yield from item.get(key) or {}
            for key in ("tasks", "block", "rescue", "always"):
                yield from names(item.get(key) or [])


def test_every_playbook_has_its_variables() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} == set(PLAYBOOKS)
    used = {name for row in PLAYBOOKS.values() for name in row.names}
    assert set(VARIABLES) == used, "a variable that no playbook takes"


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_playbook_begins_with_the_check_of_its_own_variables(name: str) -> None:
    first = read_yaml(FOLDER / f"{name}.yml")[0]
    assert first["ansible.builtin.import_playbook"] == "plays/whole_run.yml"
    assert first["vars"] == {"patchtide_playbook": name}


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_a_playbook_uses_every_variable_that_it_takes_and_no_other(name: str) -> None:
    """Optional ones only as checked, in which a blank is unset; ``| default()`` would let a blank through."""
    checked = set(re.findall(r"patchtide_(?:input|given)\.(\w+)", text(name))) - {"next"}  # what comes after it
    raw = {found for found in re.findall(rf"\b{PREFIX}(\w+)\b(?!:)", text(name)) if found in VARIABLES}
    row = PLAYBOOKS[name]
    passed_on = set(row.names) & set(PLAYBOOKS["rollout_patches"].names) if name == "run_due" else set()
    assert checked <= set(row.names) and checked | raw | passed_on >= set(row.names)
    assert raw <= set(row.needs), "use patchtide_input"


@pytest.mark.parametrize("name", PLAYBOOKS)
def test_no_name_within_a_playbook_can_be_set_from_outside(name: str) -> None:
    """An extra variable outranks what a task registers, a host variable and a variable of a play."""
    defined = {found.removeprefix(PREFIX) for found in names(read_yaml(FOLDER / f"{name}.yml"))}
    public = {*VARIABLES, *HANDED_ON}
    assert not defined & public - (SET_BY_RUN_DUE if name == "run_due" else set())


def test_the_page_of_the_playbooks_is_that_of_their_variables() -> None:
    assert (ROOT / "docs" / "playbooks.md").read_text("utf-8") == page(), "run tools/playbook_page.py"


def test_pages_and_examples_name_variables_that_exist() -> None:
    pages = [path for path in tracked() if path.suffix == ".md" or "examples" in path.parts]
    given = {name for path in pages for name in re.findall(rf"-e [^\n]*?\b{PREFIX}(\w+)=", path.read_text("utf-8"))}
    assert len(given) > 8 and not given - set(VARIABLES)
