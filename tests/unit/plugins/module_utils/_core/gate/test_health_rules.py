# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks: what may be written in a policy, and what an answer means."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.decide import Health
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.gate.health_rules import (
    TEXT_LENGTH,
    Answer,
    HealthCheckRule,
    expand,
    judge,
    read_health_checks,
    secrets_of,
)

HTTP = {"name": "shop", "http": {"url": "https://shop.example.com/health?key=hidden"}}
SMOKE = "/usr/local/bin/smoke"
COMMAND = {"name": "smoke", "command": {"argv": [SMOKE, "--all"]}}
ALARMS = {"name": "alarms", "alarm": {"names": ["cpu", "errors"], "region": "eu-central-1"}}


def said(definition: dict[str, Any], document: dict[str, Any] | None, **more: Any) -> tuple[str, str]:
    problem = more.pop("problem", "")
    found = judge(HealthCheckRule.from_dict(definition), Answer(document=document, problem=problem), **more)
    return found.health.value, found.text


def alarms(**states: str) -> dict[str, Any]:
    return {"alarms": [{"name": name, "state": state, "reason": f"why {name}"} for name, state in states.items()]}


@pytest.mark.parametrize(
    ("definition", "document", "health", "text"),
    [
        (HTTP, {"status": 200}, "ok", "GET https://shop.example.com/health answered 200"),
        (HTTP, {"status": 503}, "failed", "GET https://shop.example.com/health answered 503, not 200"),
        (HTTP, {"status": 302}, "failed", "GET https://shop.example.com/health answered 302, not 200"),
        (COMMAND, {"rc": 0, "stdout": "", "stderr": ""}, "ok", f"{SMOKE} ended with exit status 0"),
        (
            COMMAND,
            {"rc": 2, "stdout": "1 of 3", "stderr": "no database\n"},
            "failed",
            f"{SMOKE} ended with exit status 2: no database",
        ),
        (COMMAND, {"rc": 1, "stdout": "1/3", "stderr": " "}, "failed", f"{SMOKE} ended with exit status 1: 1/3"),
        (ALARMS, alarms(cpu="OK", errors="OK"), "ok", "OK: cpu, errors"),
        (ALARMS, alarms(cpu="OK", errors="ALARM"), "failed", "in ALARM: errors (why errors)"),
        (ALARMS, alarms(errors="ALARM"), "failed", "in ALARM: errors (why errors)"),
        (ALARMS, alarms(cpu="OK"), "inconclusive", "alarm not found: errors"),
        (ALARMS, alarms(cpu="OK", errors="INSUFFICIENT_DATA"), "inconclusive", "INSUFFICIENT_DATA: errors"),
        (ALARMS, alarms(), "inconclusive", "alarm not found: cpu, errors"),
    ],
)  # fmt: skip
def test_a_wrong_answer_failed_and_an_empty_one_proves_nothing(
    definition: dict[str, Any], document: dict[str, Any], health: str, text: str
) -> None:
    assert said(definition, document) == (health, text)


@pytest.mark.parametrize("definition", [HTTP, COMMAND, ALARMS], ids=["http", "command", "alarm"])
def test_no_answer_is_inconclusive_whatever_the_condition(definition: dict[str, Any]) -> None:
    health, text = said({**definition, "condition": "json.ok"}, None, problem="Connection refused")
    assert health == "inconclusive" and text.endswith(": Connection refused")


@pytest.mark.parametrize(
    ("status", "value", "trouble", "health"),
    [
        (200, True, "", "ok"),
        (200, False, "", "failed"),
        (200, None, "", "inconclusive"),
        (200, "true", "", "inconclusive"),
        (200, 1, "", "inconclusive"),
        (200, True, "unknown function", "inconclusive"),
        (500, True, "", "failed"),
        (500, False, "boom", "failed"),
    ],
)
def test_a_condition_must_be_true_and_counts_only_behind_a_right_answer(
    status: int, value: object, trouble: str, health: str
) -> None:
    found = said({**HTTP, "condition": "json.ready"}, {"status": status}, value=value, trouble=trouble)
    assert found[0] == health
    assert ("json.ready" in found[1]) is (status == 200)


def test_foreign_text_is_one_short_line_without_secrets() -> None:
    secrets = secrets_of({"Authorization": "Bearer s3cr3t-t0ken", "X": "ab"}, "pin=4711")
    assert secrets == ("Bearer s3cr3t-t0ken", "s3cr3t-t0ken", "pin=4711", "Bearer", "4711")
    answer = Answer(problem="\x1b[2Jno\n\u202e s3cr3t-t0ken pin=4711 " + "x" * 1000, secrets=secrets)
    found = judge(HealthCheckRule.from_dict(HTTP), answer)
    assert found.health is Health.INCONCLUSIVE and len(found.text) == TEXT_LENGTH
    assert found.text.isprintable() and "s3cr3t" not in found.text and "4711" not in found.text


def test_secrets_come_from_the_environment() -> None:
    assert expand("Bearer ${TOKEN}$TOKEN ${}", {"TOKEN": "abc"}, "body") == "Bearer abc$TOKEN ${}"
    with pytest.raises(BadInput, match=r"body: '\$\{TOKEN\}' .*environment variable"):
        expand("${TOKEN}", {}, "body")


def test_neither_headers_nor_bodies_nor_queries_are_in_what_a_rule_shows() -> None:
    http = {"url": "https://a.example/x?key=hidden", "headers": {"Accept": "sesame"}, "body": "open", "method": "POST"}
    rule = HealthCheckRule.from_dict({"name": "a", "http": http})
    assert "sesame" not in repr(rule) and "open" not in repr(rule)
    assert rule.check.shown == "POST https://a.example/x"  # type: ignore[union-attr]  # an HttpCheck


def test_defaults_and_what_may_be_left_out() -> None:
    rule = HealthCheckRule.from_dict({**HTTP, "condition": None, "alarm": None, "attempts": None})
    assert (rule.attempts, rule.interval, rule.condition) == (1, 10, "")
    assert (rule.check.method, rule.check.status, rule.check.timeout) == ("GET", (200,), 10)  # type: ignore[union-attr]  # an HttpCheck
    rule = HealthCheckRule.from_dict({"name": "a", "http": {"url": "http://x", "status": 204}})
    assert rule.check.status == (204,)  # type: ignore[union-attr]  # an HttpCheck
    assert read_health_checks(None) == [] == read_health_checks([])


def http(**members: Any) -> dict[str, Any]:
    return {"name": "a", "http": {"url": "https://a.example", **members}}


@pytest.mark.parametrize(
    ("definition", "option"),
    [
        ("shop", "health_checks[0]"),
        ({}, "health_checks[0]"),
        ({**HTTP, **COMMAND}, "health_checks[0]"),
        ({**HTTP, "name": " "}, "health_checks[0].name"),
        ({**HTTP, "nmae": "x"}, "health_checks[0].nmae"),
        ({**HTTP, "attempts": 0}, "health_checks[0].attempts"),
        ({**HTTP, "attempts": 1.5}, "health_checks[0].attempts"),
        ({**HTTP, "attempts": True}, "health_checks[0].attempts"),
        ({**HTTP, "interval": -1}, "health_checks[0].interval"),
        ({**HTTP, "condition": 5}, "health_checks[0].condition"),
        (http(url="ftp://a.example"), "health_checks[0].http.url"),
        (http(url="https:///x"), "health_checks[0].http.url"),
        (http(url="https://a.example:x"), "health_checks[0].http.url"),
        (http(url="https://a.example/\nX: y"), "health_checks[0].http.url"),
        (http(method="get"), "health_checks[0].http.method"),
        (http(status=[]), "health_checks[0].http.status"),
        (http(status=[99]), "health_checks[0].http.status"),
        (http(status="200"), "health_checks[0].http.status"),
        (http(timeout=0), "health_checks[0].http.timeout"),
        (http(headers=["a"]), "health_checks[0].http.headers"),
        (http(headers={"a b": "c"}), "health_checks[0].http.headers"),
        (http(headers={"Accept": "a\r\nb"}), "health_checks[0].http.headers.Accept"),
        (http(body={"a": 1}), "health_checks[0].http.body"),
        (http(validate_certs="no"), "health_checks[0].http.validate_certs"),
        ({"name": "a", "command": {"argv": "/bin/true"}}, "health_checks[0].command.argv"),
        ({"name": "a", "command": {"argv": []}}, "health_checks[0].command.argv"),
        ({"name": "a", "command": {"argv": ["", "a"]}}, "health_checks[0].command.argv"),
        ({"name": "a", "command": {"argv": ["a", 1]}}, "health_checks[0].command.argv"),
        ({"name": "a", "command": {"argv": ["a\0b"]}}, "health_checks[0].command.argv"),
        (
            {"name": "a", "command": {"argv": ["a"], "timeout": 99999}},
            "health_checks[0].command.timeout",
        ),
        ({"name": "a", "alarm": {"names": ["x", ""]}}, "health_checks[0].alarm.names"),
        ({"name": "a", "alarm": {"names": []}}, "health_checks[0].alarm.names"),
        ({"name": "a", "alarm": {"names": ["x"], "region": 1}}, "health_checks[0].alarm.region"),
    ],
)
def test_mistakes_are_named(definition: Any, option: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_health_checks([definition])
    assert caught.value.option == option


def test_two_probes_of_a_gate_have_two_names() -> None:
    with pytest.raises(BadInput) as caught:
        read_health_checks([HTTP, COMMAND, HTTP])
    assert caught.value.option == "health_checks[2].name"
    with pytest.raises(BadInput):
        read_health_checks({"name": "a"})


@pytest.mark.parametrize(
    ("members", "secret"),
    [
        ({"url": "https://bob:s3cr3t@a.example/"}, "s3cr3t"),
        ({"headers": {"Authorization": "Bearer s3cr3t"}}, "s3cr3t"),
        ({"headers": {"X-Api-Key": "s3cr3t"}}, "s3cr3t"),
        ({"headers": {"Cookie": "s3cr3t\n"}}, "s3cr3t"),
        ({"headers": {"Accept": "s3cr3t\n"}}, "s3cr3t"),
        ({"body": ["s3cr3t"]}, "s3cr3t"),
    ],
)
def test_secrets_written_into_the_policy_are_refused_without_repeating_them(members: Any, secret: str) -> None:
    with pytest.raises(BadInput) as caught:
        HealthCheckRule.from_dict(http(**members))
    assert secret not in str(caught.value) and secret not in repr(caught.value.to_dict())
