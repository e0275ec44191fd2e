"""Rulebooks and the rules of EventBridge that feed them read the event that EC2 sends, and set known variables."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import botocore.session
import jsonschema
import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.playbook_variables import PLAYBOOKS, PREFIX
from botocore.validate import ParamValidator
from jinja2 import Environment
from moto.events.models import EventPattern

from tests.checks.source import ROOT, read_yaml

RULEBOOK = ROOT / "extensions" / "eda" / "rulebooks" / "enroll_launched_instances.yml"
#: EC2 user guide, "State change events for your instances".
EVENT: dict[str, Any] = {
    "id": "7bf73129-1428-4cd3-a780-95db273d1602",
    "detail-type": "EC2 Instance State-change Notification",
    "source": "aws.ec2",
    "account": "123456789012",
    "time": "2019-11-11T21:29:54Z",
    "region": "us-east-1",
    "resources": ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    "detail": {"instance-id": "i-abcd1111", "state": "running"},
}
#: Options of ansible.eda.aws_sqs_queue, which puts each message as ``{"body": …, "meta": …}``.
QUEUE_OPTIONS = {"access_key", "secret_key", "session_token", "endpoint_url", "region", "name", "delay_seconds"}


def rule() -> dict[str, Any]:
    (book,) = read_yaml(RULEBOOK)
    (source,), (found,) = book["sources"], book["rules"]
    assert set(source["ansible.eda.aws_sqs_queue"]) <= QUEUE_OPTIONS and book["hosts"] == "localhost"
    return dict(found)


def meets(condition: str, event: dict[str, Any]) -> bool:
    """Evaluate the condition, whose operators and paths are Jinja's as well."""
    return bool(Environment().compile_expression(condition)(event={"body": event, "meta": {}}))


def test_ansible_rulebook_accepts_every_rulebook() -> None:
    """Schema of rulebooks of ansible-rulebook, as ansible-lint has it."""
    schema = json.loads(files("ansiblelint").joinpath("schemas", "rulebook.json").read_text("utf-8"))
    validator = jsonschema.validators.validator_for(schema)(schema)
    for path in RULEBOOK.parent.glob("*.yml"):
        validator.validate(read_yaml(path))
    books = read_yaml(RULEBOOK)
    books[0]["rules"][0]["action"] = {"run_playbok": books[0]["rules"][0]["action"]["run_playbook"]}
    assert not validator.is_valid(books)


def test_the_rule_is_for_instances_that_run() -> None:
    condition = rule()["condition"]
    assert meets(condition, EVENT)
    assert not meets(condition, {**EVENT, "detail": {**EVENT["detail"], "state": "stopped"}})
    assert not meets(condition, {**EVENT, "source": "aws.ssm"})


def test_the_playbook_gets_the_instance_of_the_event_alone() -> None:
    action = rule()["action"]["run_playbook"]
    playbook = action["name"].removeprefix("patchtide.hybrid.")
    given = {name.removeprefix(PREFIX): value for name, value in action["extra_vars"].items()}
    row = PLAYBOOKS[playbook]
    assert set(row.needs) <= set(given) <= set(row.names)
    event = {"body": EVENT, "meta": {}}
    assert [Environment().from_string(text).render(event=event) for text in given["nodes"]] == ["i-abcd1111"]
    variables = set(re.findall(r"\{\{ (\w+) \}\}", RULEBOOK.read_text("utf-8")))
    assert variables == {"queue", "queue_region", "policy_file"}


def test_the_event_pattern_matches_the_same_events() -> None:
    given = json.loads((ROOT / "examples" / "events" / "launch-rule.json").read_text("utf-8"))
    pattern = EventPattern.load(given["EventPattern"])
    assert pattern.matches_event(EVENT)
    assert not pattern.matches_event({**EVENT, "detail": {**EVENT["detail"], "state": "stopped"}})


@pytest.mark.parametrize(("file", "operation"), [("launch-rule", "PutRule"), ("launch-targets", "PutTargets")])
def test_eventbridge_accepts_rule_and_target(file: str, operation: str) -> None:
    given = json.loads((ROOT / "examples" / "events" / f"{file}.json").read_text("utf-8"))
    model = botocore.session.get_session().get_service_model("events").operation_model(operation)
    report = ParamValidator().validate(given, model.input_shape)
    assert not report.has_errors(), report.generate_report()
