"""Rulebooks that react to compliance, findings and approved changes: when they act, on what, and how often."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from jinja2 import Environment
from moto.events.models import EventPattern

from tests.checks.source import ROOT, read_yaml
from tests.checks.test_awx import answers, content, named

RULEBOOKS = ROOT / "extensions" / "eda" / "rulebooks"
#: Systems Manager user guide, "EventBridge event examples for Systems Manager", compliance.
COMPLIANCE: dict[str, Any] = {
    "id": "01234567-0123-0123-0123-012345678901",
    "detail-type": "Configuration Compliance State Change",
    "source": "aws.ssm",
    "account": "123456789012",
    "region": "us-east-2",
    "detail": {
        "last-runtime": "2017-01-01T10:10:10Z",
        "compliance-status": "non_compliant",
        "resource-type": "managed-instance",
        "resource-id": "i-01234567890abcdef",
        "compliance-type": "Patch",
    },
}
#: Amazon Inspector user guide, "EventBridge schema for Amazon Inspector events", package vulnerability.
FINDING: dict[str, Any] = {
    "id": "4d621919-f1f4-4201-a0e2-37e4e330ff51",
    "detail-type": "Inspector2 Finding",
    "source": "aws.inspector2",
    "account": "123456789012",
    "region": "eu-central-1",
    "detail": {
        "severity": "CRITICAL",
        "status": "ACTIVE",
        "type": "PACKAGE_VULNERABILITY",
        "fixAvailable": "YES",
    },
}
#: A row of the Table API, which servicenow.itsm.records hands on as it is.
CHANGE: dict[str, Any] = {
    "sys_id": "0" * 32,
    "state": "-2",
    "approval": "approved",
    "correlation_display": "patchtide",
}


def underscored(value: Any) -> Any:
    """Do what eda.builtin.dashes_to_underscores does to an event."""
    if isinstance(value, dict):
        return {name.replace("-", "_"): underscored(item) for name, item in value.items()}
    return value


def book(name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the only source and the only rule of a rulebook."""
    (found,) = read_yaml(RULEBOOKS / f"{name}.yml")
    assert (found["hosts"], found["execution_strategy"]) == ("localhost", "sequential")
    (source,), (rule,) = found["sources"], found["rules"]
    return source, rule


def meets(name: str, event: dict[str, Any]) -> bool:
    source, rule = book(name)
    if "ansible.eda.aws_sqs_queue" in source:
        assert source["filters"] == [{"eda.builtin.dashes_to_underscores": None}]
        event = {"body": underscored(event), "meta": {}}
    return bool(Environment().compile_expression(rule["condition"])(event=event))


def changed(event: dict[str, Any], **detail: str) -> dict[str, Any]:
    found = dict(event)
    found["detail"] = {**event["detail"], **{name.replace("_", "-"): value for name, value in detail.items()}}
    return found


@pytest.mark.parametrize(
    ("name", "event", "other"),
    [
        ("remediate_compliance", COMPLIANCE, changed(COMPLIANCE, compliance_status="compliant")),
        ("remediate_compliance", changed(COMPLIANCE, compliance_type="Association"), {**COMPLIANCE, "source": "evil"}),
        ("remediate_compliance", COMPLIANCE, changed(COMPLIANCE, compliance_type="Custom:Fan")),
        ("plan_emergency", FINDING, changed(FINDING, severity="LOW")),
        ("plan_emergency", FINDING, changed(FINDING, status="CLOSED")),
        ("plan_emergency", FINDING, changed(FINDING, type="NETWORK_REACHABILITY")),
        ("plan_emergency", FINDING, {**FINDING, "detail": {**FINDING["detail"], "fixAvailable": "NO"}}),
        ("run_approved_changes", CHANGE, {**CHANGE, "approval": "requested"}),
        ("run_approved_changes", CHANGE, {**CHANGE, "state": "-5"}),
        ("run_approved_changes", CHANGE, {**CHANGE, "correlation_display": ""}),
    ],
)
def test_a_rule_acts_on_its_events_alone(name: str, event: dict[str, Any], other: dict[str, Any]) -> None:
    assert meets(name, event) and not meets(name, other)


@pytest.mark.parametrize("name", ["remediate_compliance", "plan_emergency", "run_approved_changes"])
def test_a_burst_of_events_acts_once(name: str) -> None:
    """ansible-rulebook's schema takes exactly one kind of throttle, with the attributes that it groups by."""
    throttle = book(name)[1]["throttle"]
    assert set(throttle) == {"once_within", "group_by_attributes"} and throttle["group_by_attributes"]


def test_the_playbook_gets_what_the_event_says_and_checks_it() -> None:
    action = book("remediate_compliance")[1]["action"]["run_playbook"]
    event = {"body": underscored(COMPLIANCE)}
    variables = {"event": event, "patch_operation": "Scan", "playbook": "remediate_node.yml"}
    given = {name: Environment().from_string(text).render(variables) for name, text in action["extra_vars"].items()}
    assert given["node"] == "i-01234567890abcdef" and given["event_id"] == COMPLIANCE["id"]
    (play,) = read_yaml(ROOT / "examples" / "events" / "remediate_node.yml")
    check, send = play["tasks"]
    conditions = " ".join(check["ansible.builtin.assert"]["that"])
    assert all(f"{name} " in conditions for name in given)
    arguments = send["patchtide.hybrid.ssm_command"]
    for kind, document in (("Patch", "AWS-RunPatchBaseline"), ("Association", "AWS-RefreshAssociation")):
        shown = Environment().from_string(arguments["document"]).render({**given, "compliance_type": kind})
        assert shown == document
    assert given["event_id"] in Environment().from_string(arguments["comment"]).render(given)
    assert arguments["reattach_within"] >= 3600


def test_templates_that_rulebooks_launch_exist_and_take_what_they_get() -> None:
    workflow = book("plan_emergency")[1]["action"]["run_workflow_template"]
    template = book("run_approved_changes")[1]["action"]["run_job_template"]
    variables = {"organization": "Contoso", "plans": "/p", "event": {"body": FINDING}}
    fill = Environment().from_string
    assert fill(workflow["name"]).render(variables) in named("controller_workflows")
    assert fill(template["name"]).render(variables) in named("controller_templates")
    given = workflow["job_args"]["extra_vars"]
    asked = answers(next(iter(content()["controller_workflows"])))
    assert set(given) == {f"patchtide_{name}" for name in asked}
    assert fill(given["patchtide_dir"]).render(variables) == f"/p/emergency-{FINDING['id']}"
    # Without a survey or a prompt for them, AWX would ignore the variables that events come in.
    assert workflow["include_events"] is False and template["include_events"] is False


@pytest.mark.parametrize(
    ("file", "event", "other"),
    [
        ("compliance-rule", COMPLIANCE, changed(COMPLIANCE, compliance_status="compliant")),
        ("finding-rule", FINDING, changed(FINDING, severity="LOW")),
    ],
)
def test_the_event_pattern_matches_the_same_events(file: str, event: dict[str, Any], other: dict[str, Any]) -> None:
    given = json.loads((ROOT / "examples" / "events" / f"{file}.json").read_text("utf-8"))
    pattern = EventPattern.load(given["EventPattern"])
    assert pattern.matches_event(event) and not pattern.matches_event(other)
    model = botocore.session.get_session().get_service_model("events").operation_model("PutRule")
    report = ParamValidator().validate(given, model.input_shape)
    assert not report.has_errors(), report.generate_report()
