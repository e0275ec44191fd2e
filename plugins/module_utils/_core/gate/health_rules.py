# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Health checks: what a policy may check in the outside world, and what an answer means. Pure; sends no requests.

Only a wrong answer is a failure; without an answer the result is unknown, and a person has to check.

=============  ==================================================  ==================================================
health check          failed                                              inconclusive
=============  ==================================================  ==================================================
``http``       a status that is not in ``status``                  no answer: refused, no such name, timeout, TLS
``command``    an exit status other than 0                         it could not be started, timed out, was killed
``alarm``      an alarm is in ALARM                                INSUFFICIENT_DATA, no such alarm, no answer
``condition``  it is false                                         it is neither true nor false, or can't be evaluated
=============  ==================================================  ==================================================

An alarm in ALARM outranks one without data; a condition is evaluated only if everything else is fine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..errors import BadInput
from ..text import plain
from .decide import Health, HealthCheck

TEXT_LENGTH = 300
MASK = "***"
METHODS = ("GET", "HEAD", "POST", "PUT")
_KINDS = ("http", "command", "alarm")
_MEMBERS = ("name", "attempts", "interval", "condition", *_KINDS)
_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, field-name
_SECRET_NAME = re.compile(r"auth|cookie|token|secret|key|passw|session", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCheck:
    """A request. Redirects are not followed: their status counts. ``headers`` and ``body`` are never shown; in both
    ``${NAME}`` is an environment variable of the controller.
    """

    url: str
    method: str = "GET"
    status: tuple[int, ...] = (200,)
    timeout: float = 10
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str | None = field(default=None, repr=False)
    validate_certs: bool = True

    @property
    def shown(self) -> str:
        """The request without its query, which may hold a secret."""
        parts = urlsplit(self.url)
        return f"{self.method} {parts.scheme}://{parts.netloc}{parts.path}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandCheck:
    """A program on the controller, started without a shell."""

    argv: tuple[str, ...]
    timeout: float = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCheck:
    """CloudWatch alarms, metric and composite ones. ``account``: its number or its name in the policy's estate."""

    names: tuple[str, ...]
    region: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheckRule:
    """A health check in the policy. It is tried at most ``attempts`` times; the first good answer counts."""

    name: str
    check: HttpCheck | CommandCheck | AlarmCheck
    attempts: int = 1
    interval: float = 10
    condition: str = ""

    @classmethod
    def from_dict(cls, data: object, option: str = "health_check") -> HealthCheckRule:
        """Read policy data. :raises BadInput: with the option's path; a header's value is not repeated."""
        given = _members(data, option, _MEMBERS, "a health check: name, and one of http, command, alarm")
        kinds = [kind for kind in _KINDS if kind in given]
        if len(kinds) != 1:
            raise BadInput(option, ", ".join(kinds) or "none", "exactly one of http, command, alarm")
        kind = kinds[0]
        return cls(
            name=_text(given.get("name"), f"{option}.name", "a name for the health check"),
            check=_READERS[kind](given[kind], f"{option}.{kind}"),
            attempts=int(_number(given.get("attempts", 1), f"{option}.attempts", 1, 100, whole=True)),
            interval=_number(given.get("interval", 10), f"{option}.interval", 0, 3600),
            condition=_text(given.get("condition") or "", f"{option}.condition", "a JMESPath expression", empty=True),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer: the document that a condition evaluates, or why there is none.

    Documents: ``{status, json, text, headers}`` with header names in lower case, ``{rc, stdout, stderr, json}``,
    ``{alarms: [{name, state, reason}]}``; ``json`` is null if the text is not JSON.

    :param secrets: texts that must not be shown anywhere.
    """

    document: Mapping[str, Any] | None = None
    problem: str = ""
    secrets: tuple[str, ...] = field(default=(), repr=False)


def read_health_checks(definitions: object, option: str = "health_checks") -> list[HealthCheckRule]:
    """Read the health checks of a gate. :raises BadInput: one is invalid, or two have the same name."""
    if definitions is None:
        return []
    if isinstance(definitions, (str, Mapping)) or not isinstance(definitions, Sequence):
        raise BadInput(option, type(definitions).__name__, "a list of health checks")
    rules = [HealthCheckRule.from_dict(item, f"{option}[{index}]") for index, item in enumerate(definitions)]
    names = [rule.name for rule in rules]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise BadInput(f"{option}[{index}].name", name, "a name that is unique among the health checks of the gate")
    return rules


def expand(text: str, environment: Mapping[str, str], what: str) -> str:
    """Return a text with ``${NAME}`` replaced from the environment. :raises BadInput: there is no such variable."""

    def value_of(found: re.Match[str]) -> str:
        if found[1] not in environment:
            raise BadInput(what, f"${{{found[1]}}}", "an environment variable that is set on the controller")
        return environment[found[1]]

    return _VARIABLE.sub(value_of, text)


def secrets_of(headers: Mapping[str, str], body: str | None = None) -> tuple[str, ...]:
    """Return the secrets of a request: header values, the body, and the words in both; longest first."""
    texts = [*headers.values(), body or ""]
    found = {part for text in texts for part in (text, *re.split(r"[\s\"'=:,;&{}\[\]]+", text))}
    return tuple(sorted((item for item in found if len(item) >= 4), key=len, reverse=True))


def judge(rule: HealthCheckRule, answer: Answer, value: object = True, trouble: str = "") -> HealthCheck:
    """Return the result that an answer means.

    :param value: the result of the rule's condition for the document; omitted if it has none.
    :param trouble: why the condition could not be evaluated.
    """
    if answer.document is None:
        health, text = Health.INCONCLUSIVE, f"{_asked(rule.check)}: {answer.problem or 'no answer'}"
    else:
        health, text = _look(rule.check, answer.document)
        if health is Health.OK and rule.condition:
            health, text = _hold(rule.condition, value, trouble, text)
    return HealthCheck(name=clean(rule.name), health=health, text=clean(text, answer.secrets))


def clean(text: str, secrets: Sequence[str] = ()) -> str:
    """Return foreign text as one bounded line without control characters and secrets."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    line = " ".join(plain(text).split())
    return line if len(line) <= TEXT_LENGTH else f"{line[: TEXT_LENGTH - 3]}..."


def _asked(check: HttpCheck | CommandCheck | AlarmCheck) -> str:
    if isinstance(check, HttpCheck):
        return check.shown
    return check.argv[0] if isinstance(check, CommandCheck) else f"alarms in {check.region or 'the Region'}"


def _look(check: HttpCheck | CommandCheck | AlarmCheck, document: Mapping[str, Any]) -> tuple[Health, str]:
    if isinstance(check, HttpCheck):
        status = document["status"]
        said = f"{check.shown} answered {status}"
        if status in check.status:
            return Health.OK, said
        return Health.FAILED, f"{said}, not {' or '.join(str(item) for item in check.status)}"
    if isinstance(check, CommandCheck):
        said = f"{check.argv[0]} ended with exit status {document['rc']}"
        if document["rc"] == 0:
            return Health.OK, said
        last = (str(document["stderr"]).strip() or str(document["stdout"]).strip())[-TEXT_LENGTH // 2 :]
        return Health.FAILED, f"{said}: {last}" if last else said
    return _alarms(check, document)


def _alarms(check: AlarmCheck, document: Mapping[str, Any]) -> tuple[Health, str]:
    rows = {row["name"]: row for row in document["alarms"]}
    loud = [name for name in check.names if name in rows and rows[name]["state"] == "ALARM"]
    if loud:
        return Health.FAILED, f"in ALARM: {', '.join(loud)} ({rows[loud[0]]['reason']})"
    gone = [name for name in check.names if name not in rows]
    if gone:
        return Health.INCONCLUSIVE, f"alarm not found: {', '.join(gone)}"
    mute = [name for name in check.names if rows[name]["state"] != "OK"]
    if mute:
        return Health.INCONCLUSIVE, f"{rows[mute[0]]['state']}: {', '.join(mute)}"
    return Health.OK, f"OK: {', '.join(check.names)}"


def _hold(condition: str, value: object, trouble: str, text: str) -> tuple[Health, str]:
    if trouble:
        return Health.INCONCLUSIVE, f"the condition {condition} cannot be evaluated: {trouble}"
    if value is True:
        return Health.OK, f"{text}, {condition}"
    if value is False:
        return Health.FAILED, f"{text}, but {condition} is false"
    shown = "null" if value is None else type(value).__name__
    return Health.INCONCLUSIVE, f"{text}, but {condition} is {shown}, neither true nor false"


def _http(data: object, option: str) -> HttpCheck:
    known = ("url", "method", "status", "timeout", "headers", "body", "validate_certs")
    given = _members(data, option, known, "url, method, status, timeout, headers, body, validate_certs")
    method = given.get("method", "GET")
    if method not in METHODS:
        raise BadInput(f"{option}.method", method, f"one of {', '.join(METHODS)}")
    status = given.get("status", (200,))
    status = [status] if isinstance(status, int) and not isinstance(status, bool) else status
    for item in status if isinstance(status, (list, tuple)) and status else [None]:
        _number(item, f"{option}.status", 100, 599, whole=True)
    checked = given.get("validate_certs", True)
    if not isinstance(checked, bool):
        raise BadInput(f"{option}.validate_certs", checked, "true or false")
    body = given.get("body")
    if body is not None and not isinstance(body, str):
        raise BadInput(f"{option}.body", type(body).__name__, "a text")
    return HttpCheck(
        url=_url(given.get("url"), f"{option}.url"),
        method=method,
        status=tuple(status),
        timeout=_number(given.get("timeout", 10), f"{option}.timeout", 0.1, 3600),
        headers=_headers(given.get("headers", {}), f"{option}.headers"),
        body=body,
        validate_certs=checked,
    )


def _url(value: object, option: str) -> str:
    right = "an http or https URL without user and password, such as https://shop.example.com/health"
    text = _text(value, option, right)
    try:
        parts = urlsplit(text)
        fine = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fine = False
    if not fine or not text.isprintable() or " " in text:
        raise BadInput(option, text, right)
    if "@" in parts.netloc:
        raise BadInput(option, f"{parts.scheme}://{MASK}@{parts.hostname}", f"{right}; use a header for credentials")
    return text


def _headers(value: object, option: str) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise BadInput(option, type(value).__name__, "a mapping of header names to values")
    for name, text in value.items():
        if not isinstance(name, str) or not _TOKEN.fullmatch(name):
            raise BadInput(option, name, "a header name")
        if not isinstance(text, str) or not text.isprintable():
            raise BadInput(f"{option}.{name}", MASK, "a single line of text")
        if _SECRET_NAME.search(name) and not _VARIABLE.search(text):
            right = "${NAME} with the name of an environment variable, because literal values are stored in the plan"
            raise BadInput(f"{option}.{name}", MASK, right)
    return dict(value)


def _command(data: object, option: str) -> CommandCheck:
    given = _members(data, option, ("argv", "timeout"), "argv, timeout")
    argv = _texts(given.get("argv"), f"{option}.argv", "a program and its arguments, such as [/usr/local/bin/smoke]", 1)
    return CommandCheck(argv=argv, timeout=_number(given.get("timeout", 60), f"{option}.timeout", 0.1, 3600))


def _alarm(data: object, option: str) -> AlarmCheck:
    given = _members(data, option, ("names", "region", "account"), "names, region, account")
    return AlarmCheck(
        names=tuple(dict.fromkeys(_texts(given.get("names"), f"{option}.names", "names of CloudWatch alarms"))),
        region=_text(given.get("region", ""), f"{option}.region", "a Region", empty=True),
        account=_text(str(given.get("account", "")), f"{option}.account", "an account", empty=True),
    )


_READERS: Mapping[str, Any] = {"http": _http, "command": _command, "alarm": _alarm}


def _members(data: object, option: str, known: Sequence[str], right: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise BadInput(option, type(data).__name__, right)
    for key in data:
        if key not in known:
            raise BadInput(f"{option}.{key}", key, f"one of {', '.join(known)}")
    return {key: value for key, value in data.items() if value is not None}


def _text(value: object, option: str, right: str, *, empty: bool = False) -> str:
    if not isinstance(value, str) or not (value.strip() or empty):
        raise BadInput(option, value, right)
    return value


def _texts(value: object, option: str, right: str, filled: int | None = None) -> tuple[str, ...]:
    """:param filled: number of leading items that must not be empty."""
    listed = list(value) if isinstance(value, (list, tuple)) else []
    if not all(isinstance(item, str) and "\0" not in item for item in listed) or not all(listed[:filled]) or not listed:
        raise BadInput(option, value, right)
    return tuple(listed)


def _number(value: object, option: str, low: float, high: float, *, whole: bool = False) -> float:
    kinds = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value <= high:
        raise BadInput(option, value, f"{'a whole' if whole else 'a'} number from {low:g} to {high:g}")
    return value
