"""The content of awx/: awx.awx takes each object, what it names exists, and playbooks get the variables they need."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from functools import cache
from graphlib import TopologicalSorter
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.playbook_variables import (
    PLAYBOOKS,
    PREFIX,
    VARIABLES,
    read,
)
from dateutil.rrule import rrulestr
from jinja2.nativetypes import NativeEnvironment

from tests.checks.source import ROOT, read_yaml

AWX = ROOT / "awx"
#: Which module of awx.awx applies which list, as the playbook does; the names are those of infra.aap_configuration.
MODULES = {
    "aap_organizations": "organization",
    "aap_teams": "team",
    "controller_credential_types": "credential_type",
    "controller_execution_environments": "execution_environment",
    "controller_inventories": "inventory",
    "controller_inventory_sources": "inventory_source",
    "controller_notifications": "notification_template",
    "controller_projects": "project",
    "controller_roles": "role",
    "controller_schedules": "schedule",
    "controller_templates": "job_template",
    "controller_workflows": "workflow_job_template",
}
#: Run once from a person's machine, before there is an AWX that could.
BY_HAND = {"init_policy", "bootstrap_estate", "rehearsal_export", "configure_awx", "tenants_overview"}
NODES = "simplified_workflow_nodes"


class _Loader(yaml.SafeLoader):
    """Reads Ansible's tag for texts that it must not fill in."""


class Unsafe(str):
    """A text that AWX fills in."""

    __slots__ = ()


_Loader.add_constructor("!unsafe", lambda loader, node: Unsafe(loader.construct_scalar(node)))


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.load((AWX / name).read_text("utf-8"), _Loader)
    return found


def filled(value: Any, settings: Mapping[str, Any]) -> Any:
    """Return the data as Ansible hands it to modules."""
    if isinstance(value, str) and not isinstance(value, Unsafe):
        return NativeEnvironment().from_string(value).render(settings) if "{{" in value else value
    if isinstance(value, list):
        return [filled(item, settings) for item in value]
    if isinstance(value, dict):
        return {key: filled(item, settings) for key, item in value.items()}
    return value


@cache
def content() -> dict[str, list[dict[str, Any]]]:
    settings = load("settings.yml")
    found: dict[str, Any] = {}
    for path in [*AWX.glob("*.yml"), *AWX.glob("owners/*.yml")]:
        if path.name != "settings.yml":
            for kind, rows in filled(load(str(path.relative_to(AWX))), settings).items():
                found[kind] = [*found.get(kind, ()), *rows]
    return found


def items() -> Iterator[tuple[str, dict[str, Any]]]:
    for kind, rows in content().items():
        yield from ((kind, row) for row in rows)


class _Stop(Exception):
    """Ends a module when its argument specification is known."""


@cache
def spec_of(module: str) -> dict[str, Any]:
    """Return the argument specification with which a module of awx.awx begins."""
    found: dict[str, Any] = {}
    loaded = importlib.import_module(f"ansible_collections.awx.awx.plugins.modules.{module}")

    def begin(argument_spec: dict[str, Any], **_more: Any) -> None:
        found.update(argument_spec)
        raise _Stop

    before, loaded.ControllerAPIModule = loaded.ControllerAPIModule, begin
    try:
        loaded.main()
    except _Stop:
        pass
    finally:
        loaded.ControllerAPIModule = before
    assert found, module
    return found


def wrong(module: str, given: Mapping[str, Any]) -> list[str]:
    return list(ArgumentSpecValidator(spec_of(module)).validate(dict(given)).error_messages)


def test_every_list_has_a_module() -> None:
    assert set(content()) == set(MODULES)


def test_awx_awx_takes_every_object() -> None:
    checked = 0
    for kind, row in items():
        given = {name: value for name, value in row.items() if name != NODES}
        assert not wrong(MODULES[kind], given), row
        checked += 1
    for workflow in content()["controller_workflows"]:
        for node in workflow[NODES]:
            assert not wrong("workflow_job_template_node", {**node, "workflow_job_template": workflow["name"]}), node
            checked += 1
    assert checked > 50


def test_a_member_with_a_typing_error_is_found() -> None:
    assert wrong("job_template", {"name": "x", "playbok": "y"}) and wrong("role", {"team": "x", "role": "execut"})


def test_the_playbook_hands_on_every_member() -> None:
    """What is in the data and not in the playbook would be ignored silently."""
    tasks = read_yaml(ROOT / "playbooks" / "configure_awx.yml")[1]["tasks"]
    handed = {name: set(args) for task in tasks for name, args in task.items() if name.startswith("awx.awx.")}
    for kind, row in items():
        assert set(row) - {NODES} <= handed[f"awx.awx.{MODULES[kind]}"], (kind, row["name"])


def named(kind: str) -> set[str]:
    return {row["name"] for row in content()[kind]}


def test_what_objects_refer_to_exists() -> None:
    templates, workflows = named("controller_templates"), named("controller_workflows")
    organizations = named("aap_organizations")
    for kind, row in items():
        assert row.get("organization") in {None, *organizations}, (kind, row)
    for row in content()["controller_templates"]:
        assert row["project"] in named("controller_projects")
        assert row["inventory"] in named("controller_inventories")
        assert row["execution_environment"] in named("controller_execution_environments")
    for row in [*content()["controller_templates"], *content()["controller_workflows"]]:
        told = [name for key, names in row.items() if key.startswith("notification_templates_") for name in names]
        assert set(told) <= named("controller_notifications")
    for row in content()["controller_inventory_sources"]:
        assert row["inventory"] in named("controller_inventories")
        assert row["source_project"] in named("controller_projects")
    for row in content()["controller_schedules"]:
        assert row["unified_job_template"] in templates | workflows
    for row in content()["controller_roles"]:
        assert row["team"] in named("aap_teams")
        assert set(row.get("job_templates", ())) <= templates and set(row.get("workflows", ())) <= workflows


def test_names_begin_with_the_organization_so_that_tenants_do_not_meet() -> None:
    own = next(iter(named("aap_organizations")))
    shared = {"aap_organizations", "controller_credential_types", "controller_roles"}
    names = [(kind, row["name"]) for kind, row in items() if kind not in shared]
    assert names and not [name for name in names if not name[1].startswith(f"{own}: ")]
    assert len(set(names)) == len(names)


def templates() -> dict[str, dict[str, Any]]:
    """Return the job templates by playbook."""
    return {row["playbook"].removesuffix(".yml"): row for row in content()["controller_templates"]}


def answers(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the questions of a survey by variable, without the prefix."""
    spec = (row.get("survey_spec") or {}).get("spec", ())
    return {item["variable"].removeprefix(PREFIX): item for item in spec}


def test_every_playbook_has_a_template_and_a_file_in_the_project() -> None:
    assert set(templates()) == set(PLAYBOOKS) - BY_HAND
    for name in templates():
        (play,) = read_yaml(AWX / "project" / f"{name}.yml")
        assert play["ansible.builtin.import_playbook"] == f"patchtide.hybrid.{name}"
    assert {path.stem for path in (AWX / "project").glob("*.yml")} == set(templates())


@pytest.mark.parametrize("name", sorted(set(PLAYBOOKS) - BY_HAND))
def test_a_template_gives_its_playbook_what_it_needs_and_nothing_that_it_does_not_take(name: str) -> None:
    row, playbook = templates()[name], PLAYBOOKS[name]
    fixed = {key.removeprefix(PREFIX) for key in row.get("extra_vars", {})}
    asked = answers(row)
    assert not fixed & set(asked), "an answer would not be what the template says"
    assert fixed | set(asked) <= set(playbook.names)
    required = {key for key, item in asked.items() if item["required"]}
    for need in playbook.needs:
        assert any(key in fixed | required for key in need.split("|")), need
    assert bool(asked) is row.get("survey_enabled", False)


@pytest.mark.parametrize("name", sorted(set(PLAYBOOKS) - BY_HAND))
def test_a_survey_asks_in_the_type_of_the_variable(name: str) -> None:
    kinds = {**dict.fromkeys(("number", "minutes", "seconds", "hours"), "integer"), "list": "textarea"}
    kinds["data"] = "textarea"
    for key, item in answers(templates()[name]).items():
        known = VARIABLES[key]
        if known.choices or known.kind == "yes or no":
            assert item["type"] == "multiplechoice"
            assert tuple(item["choices"]) == (known.choices or ("yes", "no"))
        else:
            assert item["type"] == kinds.get(known.kind, "text")
        assert item["question_name"].strip() and isinstance(item["required"], bool)


#: As AWX answers a question of each type (ansible/awx, awx/main/models/mixins.py); an answer that is left out is blank.
ANSWERS = {"text": "2026-12-01", "textarea": "a\nb", "integer": 24}


@pytest.mark.parametrize("blank", [False, True])
@pytest.mark.parametrize("name", sorted(set(PLAYBOOKS) - BY_HAND))
def test_a_playbook_takes_what_awx_puts_on_its_command_line(name: str, blank: bool) -> None:
    """AWX writes its own variables beside ours (awx/main/models/unified_jobs.py, awx_meta_vars)."""
    row = templates()[name]
    given = dict(row.get("extra_vars", {}))
    for item in (row.get("survey_spec") or {}).get("spec", ()):
        answer = item["choices"][0] if item["type"] == "multiplechoice" else ANSWERS[item["type"]]
        given[item["variable"]] = "" if blank and not item["required"] else answer
    extra = {**given, "awx_job_id": 7, "awx_user_name": "ana", "tower_job_id": 7}
    found = read(name, given, extra)
    assert {key for key in found if PREFIX + key in given} == {
        key.removeprefix(PREFIX) for key, value in given.items() if value != "" or key.removeprefix(PREFIX) in found
    }


def test_nobody_can_narrow_or_widen_a_job_at_launch() -> None:
    """A prompt that is not enabled is ignored and the job starts, and a limit would leave out nodes silently."""
    for row in content()["controller_templates"]:
        assert not [name for name in row if name.startswith("ask_") or name in ("limit", "job_tags", "skip_tags")]
        assert (row["timeout"], row["job_slice_count"], row["job_type"]) == (0, 1, "run")
    assert all(row["allow_override"] is False for row in content()["controller_projects"])
    assert templates()["run_due"]["allow_simultaneous"] is True
    assert templates()["rollout_patches"]["allow_simultaneous"] is False


def test_schedules_run_templates_that_need_no_answer_at_times_that_awx_takes() -> None:
    by_name = {row["name"]: row for row in content()["controller_templates"]}
    for row in content()["controller_schedules"]:
        asked = answers(by_name[row["unified_job_template"]])
        assert not [key for key, item in asked.items() if item["required"]], row
        assert "INTERVAL=" in row["rrule"] and row["rrule"].startswith("DTSTART;TZID=UTC:")
        assert not [word for word in ("COUNT", "EXDATE", "RDATE", "SECONDLY") if word in row["rrule"]]
        assert (
            rrulestr(row["rrule"].replace(" RRULE", "\nRRULE"))[3]
            > rrulestr(row["rrule"].replace(" RRULE", "\nRRULE"))[2]
        )


def workflows() -> list[Any]:
    return [pytest.param(row, id=row["name"]) for row in content()["controller_workflows"]]


def after(node: Mapping[str, Any]) -> list[str]:
    return [name for kind in ("success_nodes", "failure_nodes", "always_nodes") for name in node.get(kind, ())]


@pytest.mark.parametrize("workflow", workflows())
def test_a_rollout_follows_an_approval_of_its_plan_alone(workflow: Mapping[str, Any]) -> None:
    found = {node["identifier"]: node for node in workflow[NODES]}
    order = list(TopologicalSorter({name: set(after(node)) for name, node in found.items()}).static_order())
    assert set(order) == set(found), "every node that is named exists"
    assert [name for name, node in found.items() if "rollout" in after(node)] == ["approval"]
    assert found["approval"]["success_nodes"] == ["rollout"] and not found["approval"].get("failure_nodes")
    assert [name for name, node in found.items() if "approval" in after(node)] == ["plan"]
    assert all(node["approval_node"]["timeout"] > 0 for node in found.values() if "approval_node" in node)
    assert workflow["notification_templates_approvals"], "somebody learns that it waits for them"


@pytest.mark.parametrize("workflow", workflows())
def test_a_workflow_answers_what_its_jobs_need(workflow: Mapping[str, Any]) -> None:
    """Its variables go to every job, whether or not it asks for them (ansible/awx, awx/main/models/workflow.py)."""
    given = set(answers(workflow))
    outranks = {key.removeprefix(PREFIX) for key in workflow.get("extra_vars", {})}
    by_name = {row["name"]: row for row in content()["controller_templates"]}
    for node in workflow[NODES]:
        if "approval_node" in node:
            continue
        row = by_name[node["unified_job_template"]]
        own = {key.removeprefix(PREFIX) for key in node.get("extra_data", {})}
        playbook = PLAYBOOKS[row["playbook"].removesuffix(".yml")]
        required = {key for key, item in answers(row).items() if item["required"]}
        assert required <= given | own and given <= set(playbook.names), node
        assert own <= set(answers(row)), "variables of a node that no survey asks for are ignored"
        assert outranks <= set(VARIABLES) and not outranks & {*playbook.refuses, *given}, node


def test_owners_can_launch_templates_of_their_own_and_no_others() -> None:
    """Who may execute a template sees all its jobs: ansible/awx, awx/main/access.py, JobAccess.filtered_queryset."""
    own = next(iter(named("aap_organizations")))
    (row,) = [row for row in content()["controller_roles"] if row["team"] == f"{own}: owners (web)"]
    assert (row["role"], "workflows" in row) == ("execute", False)
    assert set(row["job_templates"]) == {name for name in named("controller_templates") if name.endswith(" (web)")}
    others = [
        name for item in content()["controller_roles"] if item is not row for name in item.get("job_templates", ())
    ]
    assert row["job_templates"] and not set(others) & set(row["job_templates"])


def test_whoever_decides_on_exceptions_is_no_owner() -> None:
    own = next(iter(named("aap_organizations")))
    name = f"{own}: Decide on an exception"
    teams = [row["team"] for row in content()["controller_roles"] if name in row.get("job_templates", ())]
    assert teams == [f"{own}: security"]


def test_change_managers_alone_approve() -> None:
    assert {row["role"] for row in content()["controller_roles"]} == {"execute", "approval"}
    planners = {row["team"] for row in content()["controller_roles"] if row["role"] == "approval"}
    assert [name.partition(": ")[2] for name in planners] == ["change managers"]


def test_secrets_are_asked_for_and_never_in_the_data() -> None:
    for row in content()["controller_credential_types"]:
        secret = {field["id"] for field in row["inputs"]["fields"] if field.get("secret")}
        assert secret and not [name for name in row["injectors"]["env"] if name.startswith("ANSIBLE_")]
        for text in row["injectors"]["env"].values():
            assert isinstance(text, Unsafe) and "{{" in text
