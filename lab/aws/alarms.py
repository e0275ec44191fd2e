# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudWatch alarms as the service has them: strict requests, types, pages; composite alarms follow their rule."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.session import get_session
from moto.cloudwatch.exceptions import InvalidParameterCombination, ValidationError
from moto.cloudwatch.models import CloudWatchBackend
from moto.cloudwatch.responses import CloudWatchResponse
from moto.core.responses import ActionResult

from .validate import problems
from .world import world

#: "MaxRecords: The maximum number of alarm descriptions to retrieve."; 50 where it is left out
PAGE = 50
_TOKEN = re.compile(
    r"\s*(AND|OR|NOT|TRUE|FALSE|[()]|(?:ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"[^\"]*\"|[^\s()\"]+)\s*\))"
)
_STATE = re.compile(r"(ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*\"?(.*?)\"?\s*\)")


class Rule:
    """The rule of a composite alarm: ``ALARM("a") AND NOT (OK(b) OR TRUE)``; AND binds closer than OR."""

    def __init__(self, text: str, states: Mapping[str, str]) -> None:
        self._tokens = list(_tokens(text))
        self._states = states
        self.fires = self._any()
        if self._tokens:
            raise ValidationError(f"Invalid alarm rule: unexpected {self._tokens[0]}")

    def _any(self) -> bool:
        found = self._all()
        while self._next("OR"):
            found = self._all() or found
        return found

    def _all(self) -> bool:
        found = self._one()
        while self._next("AND"):
            found = self._one() and found
        return found

    def _one(self) -> bool:
        if self._next("NOT"):
            return not self._one()
        if self._next("("):
            found = self._any()
            if not self._next(")"):
                raise ValidationError("Invalid alarm rule: missing )")
            return found
        token = self._tokens.pop(0) if self._tokens else ""
        if token in ("TRUE", "FALSE"):
            return token == "TRUE"
        state = _STATE.fullmatch(token)
        if state is None:
            raise ValidationError(f"Invalid alarm rule: unexpected {token or 'end'}")
        return self._states.get(state[2]) == state[1]

    def _next(self, wanted: str) -> bool:
        if self._tokens[:1] != [wanted]:
            return False
        self._tokens.pop(0)
        return True


def _tokens(text: str) -> Iterator[str]:
    at = 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise ValidationError(f"Invalid alarm rule at position {at}")
        yield found[1]
        at = found.end()


def _check(response: CloudWatchResponse, operation: str) -> dict[str, Any]:
    """Return the request's parameters, held against the service model."""
    given = dict(response._get_params())
    shape = get_session().get_service_model("cloudwatch").operation_model(operation).input_shape
    if wrong := problems(given, shape):
        raise ValidationError(wrong)
    return given


def _describe(self: CloudWatchResponse) -> ActionResult:
    given = _check(self, "DescribeAlarms")
    if given.get("AlarmNames") and given.get("AlarmNamePrefix"):
        # "If you specify this parameter, you cannot specify AlarmNames."
        raise InvalidParameterCombination("AlarmNames and AlarmNamePrefix can't be used together")
    alarms = self.cloudwatch_backend.alarms
    _follow_rules(alarms)
    wanted = given.get("AlarmTypes") or ["MetricAlarm"]
    found = [
        alarm
        for name, alarm in sorted(alarms.items())
        if ("MetricAlarm" if alarm.rule is None else "CompositeAlarm") in wanted
        and name in (given.get("AlarmNames") or [name])
        and name.startswith(given.get("AlarmNamePrefix", ""))
        and alarm.state_value == given.get("StateValue", alarm.state_value)
    ]
    start, size = _offset(given.get("NextToken")), given.get("MaxRecords", PAGE)
    page = found[start : start + size]
    result: dict[str, Any] = {
        "MetricAlarms": [alarm for alarm in page if alarm.rule is None],
        "CompositeAlarms": [alarm for alarm in page if alarm.rule is not None],
    }
    if start + size < len(found):
        result["NextToken"] = base64.b64encode(str(start + size).encode()).decode()
    return ActionResult(result)


def _offset(token: str | None) -> int:
    try:
        return int(base64.b64decode(token)) if token else 0
    except ValueError:
        raise ValidationError("The token is not valid") from None


def _follow_rules(alarms: Mapping[str, Any]) -> None:
    """Give composite alarms the state that their rule has now; one may be made of others."""
    composite = [alarm for alarm in alarms.values() if alarm.rule is not None]
    for _round in composite:
        states = {name: alarm.state_value for name, alarm in alarms.items()}
        for alarm in composite:
            state = "ALARM" if Rule(alarm.rule, states).fires else "OK"
            if state != alarm.state_value:
                alarm.update_state(f"{alarm.rule} is {state == 'ALARM'}".lower(), "{}", state)


def _note_actions(name: str, enabled: bool) -> None:
    """Let the ledger know whose actions are switched off and on."""
    original = getattr(CloudWatchBackend, name)

    def noted(self: Any, alarm_names: list[str]) -> Any:
        now = world().clock.now()
        for alarm in self.get_alarms_by_alarm_names(alarm_names):
            facts = {"account": self.account_id, "region": self.region_name, "alarm": alarm.name}
            world().ledger.fact("alarms", {**facts, "before": alarm.actions_enabled, "enabled": enabled}, now)
        return original(self, alarm_names)

    setattr(CloudWatchBackend, name, noted)


@cache
def bind() -> None:
    _note_actions("disable_alarm_actions", False)
    _note_actions("enable_alarm_actions", True)
    put, put_alarm = CloudWatchResponse.put_metric_alarm, CloudWatchBackend.put_metric_alarm

    def put_metric_alarm(self: Any) -> Any:
        _check(self, "PutMetricAlarm")
        return put(self)

    def put_composite_alarm(self: Any) -> Any:
        Rule(_check(self, "PutCompositeAlarm")["AlarmRule"], {})
        return put(self)

    def put_new(self: Any, name: str, **members: Any) -> Any:
        """A new alarm is INSUFFICIENT_DATA; "When you update an existing alarm, its state is left unchanged"."""
        before = self.alarms.get(name)
        alarm = put_alarm(self, name=name, **members)
        alarm.state_value = before.state_value if before else "INSUFFICIENT_DATA"
        return alarm

    CloudWatchResponse.put_metric_alarm = put_metric_alarm
    CloudWatchResponse.put_composite_alarm = put_composite_alarm
    CloudWatchResponse.describe_alarms = _describe
    CloudWatchBackend.put_metric_alarm = put_new
