"""Plugin documentation: attributes, the action group, and examples that use what is documented."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.amazon.aws.plugins.module_utils.modules import aws_argument_spec

from tests.checks.source import PLUGINS, ROOT, TREE, read_yaml

NAME = "patchtide.hybrid"
MODULES = sorted(path.stem for path in (PLUGINS / "modules").glob("*.py"))
#: Options of the connection that every module of amazon.aws has.
AWS_OPTIONS = {"access_key", "secret_key", "session_token", "profile", "region", "endpoint_url", "aws_config"}
#: Keywords of a task beside the module; anything else there is a typing error.
KEYWORDS = frozenset(
    (
        *("name", "register", "vars", "when", "loop", "loop_control", "until", "retries", "delay", "delegate_to"),
        *("run_once", "check_mode", "diff", "tags", "failed_when", "changed_when", "no_log", "become", "environment"),
        *("module_defaults", "ignore_errors", "notify", "hosts", "gather_facts"),
    )
)


@cache
def documented(kind: str, *names: str) -> dict[str, Any]:
    """Return what ansible-doc knows, fragments merged, by short name."""
    command = [
        str(Path(sys.executable).with_name("ansible-doc")),
        "-t",
        kind,
        "--json",
        *(f"{NAME}.{name}" for name in names),
    ]
    env = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(TREE)}
    output = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name.rpartition(".")[2]: entry for name, entry in json.loads(output).items()}


def module_doc(name: str) -> dict[str, Any]:
    return documented("module", *MODULES)[name]["doc"]


@pytest.mark.parametrize("name", MODULES)
def test_module_states_how_it_behaves(name: str) -> None:
    attributes = module_doc(name).get("attributes", {})
    assert {"check_mode", "diff_mode", "idempotent"} <= set(attributes)


def test_action_group_holds_exactly_the_modules_with_aws_options() -> None:
    listed = [entry for entry in read_yaml(ROOT / "meta" / "runtime.yml")["action_groups"]["aws"] if entry in MODULES]
    wanted = {name for name in MODULES if takes_aws(name)}
    assert sorted(listed) == sorted(wanted)


def test_action_group_of_azure_holds_exactly_the_modules_with_azure_options() -> None:
    listed = read_yaml(ROOT / "meta" / "runtime.yml")["action_groups"]["azure"]
    assert listed == sorted(name for name in MODULES if "arm_endpoint" in module_doc(name)["options"])


def takes_aws(name: str) -> set[str]:
    """Return the options of AWS that a module takes; a profile is also an option of Azure."""
    options = set(module_doc(name)["options"])
    return AWS_OPTIONS & options - ({"profile"} if "arm_endpoint" in options else set())


def test_action_group_names_only_what_exists() -> None:
    group = read_yaml(ROOT / "meta" / "runtime.yml")["action_groups"]["aws"]
    assert not [entry for entry in group if isinstance(entry, str) and entry not in MODULES]


def test_aws_options_are_all_there_or_none() -> None:
    found = {name: takes_aws(name) for name in MODULES}
    assert not {name: options for name, options in found.items() if options not in (set(), AWS_OPTIONS)}


@pytest.mark.parametrize("name", MODULES)
def test_code_that_takes_aws_options_documents_them(name: str) -> None:
    """Of an action, what its class takes counts; of a module, whether it is made by ``aws_module``."""
    if (PLUGINS / "action" / f"{name}.py").exists():
        action = importlib.import_module(f"ansible_collections.{NAME}.plugins.action.{name}").ActionModule
        takes = "access_key" in action.spec(action.__new__(action))
    else:
        takes = "aws_module(" in (PLUGINS / "modules" / f"{name}.py").read_text()
    documented_too = set(module_doc(name)["options"]) >= AWS_OPTIONS
    assert takes == documented_too


def test_action_group_extends_that_of_amazon_aws() -> None:
    group = read_yaml(ROOT / "meta" / "runtime.yml")["action_groups"]["aws"]
    assert {"metadata": {"extend_group": ["amazon.aws.aws"]}} in group


@pytest.mark.parametrize("name", MODULES)
def test_examples_use_what_is_documented(name: str) -> None:
    examples = yaml.safe_load(documented("module", *MODULES)[name]["examples"])
    tasks = list(_tasks(examples))
    used = [(task["name"], _arguments(task, name)) for task in tasks if f"{NAME}.{name}" in task]
    assert used, "no example calls the module by its full name"
    for title, arguments in used:
        assert not list(_unknown(arguments, module_doc(name)["options"], "")), title
    for task in tasks:
        extra = {key for key in task if "." not in key} - KEYWORDS
        assert not extra, f"{task['name']}: {extra}"


def _tasks(examples: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for entry in examples:
        inner = [task for key in ("tasks", "pre_tasks", "block", "rescue", "always") for task in entry.get(key, [])]
        if inner:
            yield from _tasks(inner)
        else:
            yield entry


def _arguments(task: dict[str, Any], name: str) -> dict[str, Any]:
    return task[f"{NAME}.{name}"] or {}


def _unknown(given: dict[str, Any], options: dict[str, Any], path: str) -> Iterator[str]:
    known = {alias: entry for key, entry in options.items() for alias in (key, *entry.get("aliases", []))}
    for key, value in given.items():
        if key not in known:
            yield f"{path}{key}"
        elif suboptions := known[key].get("suboptions"):
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    yield from _unknown(item, suboptions, f"{path}{key}.")


def test_every_inventory_plugin_is_documented() -> None:
    names = sorted(path.stem for path in (PLUGINS / "inventory").glob("*.py"))
    assert names
    for name, entry in documented("inventory", *names).items():
        assert entry["doc"]["short_description"] and list(yaml.safe_load_all(entry["examples"])), name


def test_actions_have_their_documentation_among_the_modules() -> None:
    actions = {path.stem for path in Path(PLUGINS / "action").glob("*.py")}
    assert actions <= set(MODULES)


@pytest.mark.parametrize("name", sorted(path.stem for path in (PLUGINS / "action").glob("*.py")))
def test_an_action_takes_exactly_the_options_that_are_documented(name: str) -> None:
    action = importlib.import_module(f"ansible_collections.{NAME}.plugins.action.{name}").ActionModule
    taken, told = _promises(action.spec(action.__new__(action))), _promises(module_doc(name)["options"])
    assert taken == told


def _promises(options: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what the specification and the documentation of options must agree on, without those of amazon.aws."""
    ours = {name: entry for name, entry in options.items() if name not in aws_argument_spec()}
    members = ("type", "default", "choices", "elements")
    return {
        name: {"required": bool(entry.get("required"))} | {member: entry.get(member) for member in members}
        for name, entry in ours.items()
    }
