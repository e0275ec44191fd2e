"""Roles: their interface is declared once, agrees with the defaults, and is tested and described."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from tests.checks.source import ROOT, read_yaml

ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
PLAYBOOKS = sorted((ROOT / "playbooks").glob("*.yml"))
WHOLE_RUN = ROOT / "playbooks" / "plays" / "whole_run.yml"


def role_name(path: Path) -> str:
    return path.name


def options_of(role: Path) -> dict[str, Any]:
    specs = read_yaml(role / "meta" / "argument_specs.yml")["argument_specs"]
    return {name: option for spec in specs.values() for name, option in (spec.get("options") or {}).items()}


def defaults_of(role: Path) -> dict[str, Any]:
    file = role / "defaults" / "main.yml"
    return (read_yaml(file) or {}) if file.exists() else {}


def test_there_are_roles() -> None:
    assert {"precheck", "patch", "reboot", "verify", "apply_policy"} <= {path.name for path in ROLES}


@pytest.mark.parametrize("role", ROLES, ids=role_name)
@pytest.mark.parametrize("file", ["README.md", "meta/main.yml", "meta/argument_specs.yml", "tasks/main.yml"])
def test_role_is_complete(role: Path, file: str) -> None:
    assert (role / file).is_file()


@pytest.mark.parametrize("role", ROLES, ids=role_name)
def test_role_is_run_by_molecule_or_a_test(role: Path) -> None:
    """What needs a collection that PyPI does not have is left to a slow test."""
    scenario = ROOT / "extensions" / "molecule" / role.name / "molecule.yml"
    assert scenario.is_file() or (ROOT / "tests" / "playbooks" / f"test_{role.name}.py").is_file()


@pytest.mark.parametrize("role", ROLES, ids=role_name)
def test_every_default_is_declared(role: Path) -> None:
    public = {name for name in defaults_of(role) if not name.startswith("__")}
    assert public <= set(options_of(role))


@pytest.mark.parametrize("role", ROLES, ids=role_name)
def test_declared_defaults_are_the_defaults(role: Path) -> None:
    declared = {name: option["default"] for name, option in options_of(role).items() if "default" in option}
    assert declared == {name: value for name, value in defaults_of(role).items() if not _is_template(name, role)}


def _is_template(name: str, role: Path) -> bool:
    """A default made from other variables can't stand in the specification."""
    return name.startswith("__") or "{{" in str(defaults_of(role)[name])


@pytest.mark.parametrize("role", ROLES, ids=role_name)
def test_variables_carry_the_role_or_the_collection_in_their_name(role: Path) -> None:
    assert not [name for name in options_of(role) if not name.startswith((f"{role.name}_", "patchtide_"))]


@pytest.mark.parametrize("role", ROLES, ids=role_name)
def test_readme_names_every_variable(role: Path) -> None:
    text = (role / "README.md").read_text(encoding="utf-8")
    assert not [name for name in options_of(role) if name not in text]


def test_playbooks_are_named_so_that_they_can_be_addressed() -> None:
    assert {"apply_policy", "scan_compliance", "plan_rollout", "rollout_patches", "report_compliance"} <= {
        path.stem for path in PLAYBOOKS
    }
    assert not [path.name for path in PLAYBOOKS if "-" in path.stem or "_" not in path.stem]


def plays(path: Path) -> list[dict[str, Any]]:
    return [play for play in read_yaml(path) if "hosts" in play]


@pytest.mark.parametrize("path", [*PLAYBOOKS, WHOLE_RUN], ids=lambda path: path.stem)
def test_no_configuration_changes_how_a_play_runs(path: Path) -> None:
    """With the free strategy add_host is refused; with fatal errors one host would end all others of its wave."""
    found = [(play.get("strategy"), play.get("any_errors_fatal")) for play in plays(path)]
    assert found and set(found) == {("linear", False)}


@pytest.mark.parametrize("path", PLAYBOOKS, ids=lambda path: path.stem)
def test_every_playbook_refuses_to_run_in_part_before_anything_else(path: Path) -> None:
    assert read_yaml(path)[0].get("ansible.builtin.import_playbook") == f"plays/{WHOLE_RUN.name}"


def tasks_in(found: Any) -> Iterator[dict[str, Any]]:
    """Return plays, blocks and tasks of a document, however deep."""
    for item in found if isinstance(found, list) else []:
        if isinstance(item, dict):
            yield item
            for name in ("pre_tasks", "tasks", "post_tasks", "handlers", "block", "rescue", "always"):
                yield from tasks_in(item.get(name))


@pytest.mark.parametrize("top", ["playbooks", "roles"])
def test_no_task_has_the_keyword_timeout(top: str) -> None:
    """Ansible's timeout ends the worker's wait and leaves the work on the host to itself."""
    files = [path for path in (ROOT / top).rglob("*.yml") if not {"meta", "defaults", "vars"} & set(path.parts)]
    found = [(path, task) for path in files for task in tasks_in(read_yaml(path))]
    assert len(found) > 10
    assert not [f"{path.relative_to(ROOT)}: {task.get('name')}" for path, task in found if "timeout" in task]


def test_readme_names_every_playbook() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [path.stem for path in PLAYBOOKS if f"patchtide.hybrid.{path.stem}" not in text]


def roles_in(example: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the role, its entry point and its variables of each use in a playbook."""
    for play in example:
        for role in play.get("roles", ()):
            yield role["role"], "main", role["vars"]
        for task in tasks_in([play]):
            if call := task.get("ansible.builtin.include_role"):
                yield call["name"], call.get("tasks_from", "main"), task["vars"]


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "roles").glob("*.yml")), ids=lambda path: path.stem)
def test_an_example_gives_its_role_what_the_specification_takes(path: Path) -> None:
    """ansible-lint checks the syntax of the examples, but not the variables of their roles."""
    uses = list(roles_in(read_yaml(path)))
    assert path.stem in {role.removeprefix("patchtide.hybrid.") for role, _entry, _given in uses}
    for role, entry, given in uses:
        file = ROOT / "roles" / role.removeprefix("patchtide.hybrid.") / "meta" / "argument_specs.yml"
        options = read_yaml(file)["argument_specs"][entry]["options"]
        templates = {name: {"type": "raw"} for name, value in given.items() if "{{" in str(value)}
        result = ArgumentSpecValidator({**options, **templates}).validate(given)
        assert not result.error_messages and set(given) <= set(options), (role, result.error_messages)
