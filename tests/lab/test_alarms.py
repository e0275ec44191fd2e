# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's CloudWatch is as strict as the service: types, pages, states, rules of composite alarms."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws.launch import Lab
from tests.contract.test_alarms import put_alarm


@pytest.fixture
def watch(aws: Lab) -> Any:
    aws.reset()
    return aws.client("cloudwatch")


def names(answer: dict[str, Any]) -> list[str]:
    return [row["AlarmName"] for kind in ("MetricAlarms", "CompositeAlarms") for row in answer[kind]]


def test_composite_alarms_are_listed_only_on_request(watch: Any) -> None:
    """API reference, DescribeAlarms: "If you omit this parameter, only metric alarms are returned"."""
    put_alarm(watch, "a")
    watch.put_composite_alarm(AlarmName="c", AlarmRule="ALARM(a)")
    assert names(watch.describe_alarms()) == ["a"]
    assert names(watch.describe_alarms(AlarmTypes=["CompositeAlarm"])) == ["c"]
    assert names(watch.describe_alarms(AlarmTypes=["MetricAlarm", "CompositeAlarm"], StateValue="OK")) == ["c"]


def test_pages_hold_fifty_alarms_unless_told_otherwise(watch: Any) -> None:
    for number in range(60):
        put_alarm(watch, f"a{number:02}")
    first = watch.describe_alarms()
    assert len(names(first)) == 50
    assert len(names(watch.describe_alarms(NextToken=first["NextToken"]))) == 10
    assert "NextToken" not in watch.describe_alarms(MaxRecords=100)


def test_an_update_leaves_the_state_as_it_is(watch: Any) -> None:
    put_alarm(watch, "a", "ALARM", "high")
    put_alarm(watch, "a")
    assert watch.describe_alarms(AlarmNames=["a"])["MetricAlarms"][0]["StateValue"] == "ALARM"


@pytest.mark.parametrize(
    ("rule", "state"),
    [
        ("ALARM(a)", "ALARM"),
        ('NOT ALARM("a")', "OK"),
        ("ALARM(b) OR ALARM(a) AND OK(b)", "ALARM"),
        ("(ALARM(b) OR ALARM(a)) AND INSUFFICIENT_DATA(b)", "OK"),
        ("TRUE AND NOT FALSE", "ALARM"),
        ("ALARM(other)", "ALARM"),
    ],
)
def test_composite_alarms_follow_their_rule(watch: Any, rule: str, state: str) -> None:
    put_alarm(watch, "a", "ALARM", "x")
    put_alarm(watch, "b", "OK", "x")
    watch.put_composite_alarm(AlarmName="other", AlarmRule="ALARM(a)")
    watch.put_composite_alarm(AlarmName="c", AlarmRule=rule)
    found = watch.describe_alarms(AlarmNames=["c"], AlarmTypes=["CompositeAlarm"])["CompositeAlarms"]
    assert [row["StateValue"] for row in found] == [state]


@pytest.mark.parametrize("rule", ["ALARM(a", "ALARM(a) ALARM(b)", "a", "(TRUE", "NOT", "TRUE AND"])
def test_rules_that_say_nothing_are_refused(watch: Any, rule: str) -> None:
    with pytest.raises(ClientError, match="ValidationError"):
        watch.put_composite_alarm(AlarmName="c", AlarmRule=rule)


@pytest.mark.parametrize(
    "request_",
    [
        {"AlarmNames": [f"a{number}" for number in range(101)]},
        {"MaxRecords": 101},
        {"StateValue": "GREAT"},
        {"AlarmNames": ["a"], "AlarmNamePrefix": "a"},
    ],
    ids=["names", "records", "state", "both"],
)
def test_requests_past_the_model_are_refused(watch: Any, request_: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match=r"Validation|InvalidParameterCombination"):
        watch.describe_alarms(**request_)
