# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The routes of a policy: every mistake is named, and no message repeats a secret."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.errors import PolicyError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import Policy, to_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import check_policy

MAIL = {"host": "smtp.example", "sender": "a@example.com", "to": ["b@example.com"]}
HOOK = {"url": "https://hook.example"}
EVENTS = {"url": "https://sn.example", "user": "patchtide", "password": "${SN}"}
SNS = {"topic_arn": "arn:aws:sns:eu-central-1:111122223333:patching"}
SECRET = "xoxb-literal-secret"


def policy(*routes: dict[str, Any], **more: Any) -> Policy:
    named = [{"name": f"r{number}", **route} for number, route in enumerate(routes)]
    return check_policy({"version": 1, "name": "x", "notices": {"routes": named, **more}})


@pytest.mark.parametrize(
    "route",
    [
        {"mail": MAIL},
        {"mail": {**MAIL, "user": "u", "password": "${SMTP}"}, "quiet_hours": {"start": "22:00", "end": "07:00"}},
        {"sns": SNS, "digest": {"at": "08:00", "timezone": "Europe/Berlin"}},
        {"webhook": {**HOOK, "key": "${KEY}"}, "select": {"tags": {"Owner": ["web"]}}},
        {"servicenow": EVENTS},
        {"webhook": {"url": "${SLACK}", "format": "slack"}, "severity": "critical", "kinds": ["aborted"]},
    ],
)
def test_good_routes(route: dict[str, Any]) -> None:
    found = policy(route)
    assert check_policy(found.to_dict()) == found


@pytest.mark.parametrize(
    ("route", "path", "expected"),
    [
        ({}, "", "'none' is not valid, expected exactly one of sns, mail, webhook, servicenow"),
        ({"mail": MAIL, "sns": SNS}, "", "'sns, mail' is not valid"),
        ({"mail": {**MAIL, "password": SECRET, "user": "u"}}, ".mail.password", "'***' is not valid, expected ${NAME}"),
        ({"mail": {**MAIL, "password": "${A}"}}, ".mail.user", "user and password, or neither"),
        ({"mail": {**MAIL, "user": "u"}}, ".mail.user", "user and password, or neither"),
        (
            {"mail": {**MAIL, "user": "u", "password": "${A}", "security": "none"}},
            ".mail.security",
            "starttls or tls, because the password would cross the network unprotected",
        ),
        ({"mail": {**MAIL, "to": ["a@example.com\nBcc: x@example.com"]}}, ".mail.to[0]", "a mail address such as"),
        ({"mail": {**MAIL, "to": ["a@example.com,b@example.com"]}}, ".mail.to[0]", "a mail address such as"),
        ({"webhook": {"url": f"https://hook.example/{SECRET}", "format": "slack"}}, ".webhook.url", "expected ${NAME}"),
        ({"webhook": {"url": f"https://u:{SECRET}@hook.example"}}, ".webhook.url", "without user and password"),
        ({"webhook": {"url": f"ftp://{SECRET}"}}, ".webhook.url", "an http or https URL"),
        ({"servicenow": {**EVENTS, "password": SECRET}}, ".servicenow.password", "expected ${NAME}"),
        ({"servicenow": {**EVENTS, "url": "http://sn.example"}}, ".servicenow.url", "the https URL of the instance"),
        ({"servicenow": {**EVENTS, "url": f"https://u:{SECRET}@sn.example"}}, ".servicenow.url", "the https URL"),
        ({"servicenow": EVENTS, "webhook": HOOK}, "", "exactly one of sns, mail, webhook, servicenow"),
        ({"webhook": {**HOOK, "key": SECRET}}, ".webhook.key", "expected ${NAME}"),
        (
            {"webhook": {"url": "${T}", "format": "teams", "key": "${K}"}},
            ".webhook.key",
            "no key, because teams checks no signature",
        ),
        ({"sns": {"topic_arn": "patching"}}, ".sns.topic_arn", "the ARN of an SNS topic"),
        ({"mail": MAIL, "select": {"groups": ["web"]}}, ".select.groups", "plans, which do not record this one"),
        ({"mail": MAIL, "select": {"missed": True}}, ".select.missed", "plans, which do not record this one"),
        ({"mail": MAIL, "quiet_hours": {"start": "25:00", "end": "07:00"}}, ".quiet_hours.start", "a time of day in"),
        ({"mail": MAIL, "quiet_hours": {"start": 1320, "end": "07:00"}}, ".quiet_hours.start", "a time of day in"),
        ({"mail": MAIL, "quiet_hours": {"start": "07:00", "end": "07:00"}}, ".quiet_hours.end", "other than start"),
        (
            {"mail": MAIL, "quiet_hours": {"start": "22:00", "end": "07:00", "timezone": "Mars"}},
            ".quiet_hours.timezone",
            "an IANA time zone",
        ),
        ({"mail": MAIL, "digest": {"at": "08:00", "timezone": "Mars"}}, ".digest.timezone", "an IANA time zone"),
        (
            {"mail": MAIL, "quiet_hours": {"start": "22:00", "end": "07:00"}, "digest": {"at": "08:00"}},
            ".quiet_hours",
            "either quiet_hours or digest",
        ),
    ],
)
def test_mistakes(route: dict[str, Any], path: str, expected: str) -> None:
    with pytest.raises(PolicyError) as caught:
        policy(route)
    (line,) = (line for line in str(caught.value).splitlines()[1:] if f"routes[0]{path}:" in line)
    assert expected in line and SECRET not in str(caught.value) + repr(caught.value.to_dict())


def test_routes_have_names_of_their_own_and_known_accounts() -> None:
    with pytest.raises(PolicyError, match=r"notices.routes\[1\].name: 'a' is already used by notices.routes\[0\]"):
        policy({"name": "a", "sns": SNS}, {"name": "a", "sns": SNS})


def test_other_receivers_need_no_new_approval() -> None:
    """A change of ``notices`` leaves the digest as it is, that of a policy from before there were notices too."""
    assert policy({"mail": MAIL}, ahead_hours=[1]).digest == to_policy({"version": 1, "name": "x"}).digest


def test_the_selector_of_a_route_becomes_what_plans_know() -> None:
    found = policy({"mail": MAIL, "select": {"applications": ["shop"]}})
    assert found.notices.routes[0].select.tags == {"Application": ("shop",)}
