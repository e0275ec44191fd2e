# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ``AlarmPort``, on the fake and on the lab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.alarms import AwsAlarms
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Connection, Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.health.checks import run_health_checks

from lab.aws.launch import SECRET, Lab
from tests.fakes.alarms import FakeAlarms
from tests.fakes.fleet_port import FakeClock

REGION = "eu-central-1"


@dataclass
class World:
    """``make(name, state, reason)`` makes a metric alarm; ``state`` may be that of a new one."""

    port: Any
    make: Callable[[str, str, str], None]


def sessions(aws: Lab) -> Sessions:
    return Sessions(Connection(access_key=aws.access_key, secret_key=SECRET, endpoint_url=aws.url))


def put_alarm(client: Any, name: str, state: str = "INSUFFICIENT_DATA", reason: str = "") -> None:
    client.put_metric_alarm(
        AlarmName=name,
        Namespace="AWS/EC2",
        MetricName="CPUUtilization",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=90,
        ComparisonOperator="GreaterThanThreshold",
    )
    if state != "INSUFFICIENT_DATA":
        client.set_alarm_state(AlarmName=name, StateValue=state, StateReason=reason)


@pytest.fixture(params=["fake", "lab"])
def world(request: pytest.FixtureRequest) -> World:
    if request.param == "fake":
        fake = FakeAlarms()
        return World(fake, lambda name, state, reason: fake.known.update({name: (state, reason)}))
    aws: Lab = request.getfixturevalue("aws")
    aws.reset()
    client = aws.client("cloudwatch", REGION)
    port = AwsAlarms(Place(region=REGION), sessions(aws))
    return World(port, lambda name, state, reason: put_alarm(client, name, state, reason))


def test_states_come_with_their_reasons_in_the_order_asked_for(world: World) -> None:
    world.make("cpu", "OK", "below 90")
    world.make("errors", "ALARM", "above 5")
    found = world.port.states(["errors", "cpu", "errors"])
    assert [(row.name, row.state, row.reason) for row in found] == [
        ("errors", "ALARM", "above 5"),
        ("cpu", "OK", "below 90"),
    ]


def test_a_new_alarm_knows_nothing_and_a_missing_one_is_left_out(world: World) -> None:
    world.make("new", "INSUFFICIENT_DATA", "")
    assert [(row.name, row.state) for row in world.port.states(["gone", "new"])] == [("new", "INSUFFICIENT_DATA")]
    assert world.port.states(["gone"]) == [] == world.port.states([])


def test_more_names_than_a_call_takes(world: World) -> None:
    names = [f"alarm-{number:03}" for number in range(120)]
    for name in names:
        world.make(name, "OK", "fine")
    assert [row.name for row in world.port.states(names[::-1])] == names[::-1]


def test_composite_alarms_are_seen_and_a_hundred_names_cost_one_call(aws: Lab) -> None:
    aws.reset()
    client, port = aws.client("cloudwatch", REGION), AwsAlarms(Place(region=REGION), sessions(aws))
    put_alarm(client, "errors", "ALARM", "above 5")
    put_alarm(client, "cpu", "OK", "below 90")
    client.put_composite_alarm(AlarmName="shop", AlarmRule='ALARM("errors") AND NOT ALARM(cpu)')
    client.put_composite_alarm(AlarmName="quiet", AlarmRule="ALARM(cpu) OR (FALSE)")
    names = ["shop", "quiet", "cpu", *(f"gone-{number}" for number in range(97))]
    aws.post("ledger/reset")
    assert {row.name: row.state for row in port.states(names)} == {"shop": "ALARM", "quiet": "OK", "cpu": "OK"}
    calls = {row["operation"]: row["count"] for row in aws.get("ledger")["calls"] if row["service"] == "monitoring"}
    assert calls == {"DescribeAlarms": 1}


def test_refusals_and_another_account_are_errors_never_missing_alarms(aws: Lab) -> None:
    aws.reset()
    port = AwsAlarms(Place(region=REGION), sessions(aws))
    aws.post("faults", {"rules": [{"kind": "deny", "service": "monitoring"}]})
    with pytest.raises(AccessDenied, match=r"read alarms in .*AccessDenied"):
        port.states(["cpu"])
    aws.post("faults", {"reset": True})
    with pytest.raises(ServiceError, match="reach account 222222222222"):
        AwsAlarms(Place(region=REGION, account="222222222222"), sessions(aws)).states(["cpu"])


@pytest.mark.parametrize("account", ["222222222222", "web"])
def test_a_probe_reaches_alarms_of_another_account_by_number_and_by_name(aws: Lab, account: str) -> None:
    aws.reset()
    put_alarm(aws.client("cloudwatch", REGION, "222222222222"), "errors", "ALARM", "above 5")
    options = {
        "access_key": aws.access_key,
        "secret_key": SECRET,
        "endpoint_url": aws.url,
        "region": REGION,
        "accounts": [{"name": "web", "id": "222222222222", "role_arn": "arn:aws:iam::222222222222:role/patchtide"}],
    }

    def ask(**alarm: Any) -> tuple[str, str]:
        health_check = {"name": "errors", "alarm": {"names": ["errors"], **alarm}, "condition": "length(alarms) == `1`"}
        (found,) = run_health_checks([health_check], clock=FakeClock(), options=options)
        return found.health.value, found.text

    assert ask(account=account) == ("failed", "in ALARM: errors (above 5)")
    assert ask(account=account, region="us-east-1") == ("inconclusive", "alarm not found: errors")
    assert ask() == ("inconclusive", "alarm not found: errors")
    health, text = ask(account="shop")
    assert health == "inconclusive" and "an account of the estate" in text
