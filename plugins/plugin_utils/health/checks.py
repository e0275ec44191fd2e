# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs health checks on the controller (HTTP, programs, CloudWatch alarms); ``health_rules`` evaluates the answers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import IO, Any
from urllib.error import HTTPError

from ansible.module_utils.urls import open_url

from ...module_utils._aws.alarms import AwsAlarms
from ...module_utils._aws.session import Sessions
from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.gate.decide import Health, HealthCheck
from ...module_utils._core.gate.health_rules import (
    AlarmCheck,
    Answer,
    CommandCheck,
    HealthCheckRule,
    HttpCheck,
    clean,
    expand,
    judge,
    read_health_checks,
    secrets_of,
)
from ...module_utils._core.model import Place
from ...module_utils._core.policy.run_rules import QuorumRule
from ..aws_options import accounts_of, node_places, own_region, to_sessions
from ..progress import LIFE_SECONDS
from .conditions import check_condition, evaluate

#: Maximum number of bytes read from an answer.
MAX_BYTES = 1 << 20
WORKERS = 8
Say = Callable[[str], None]


def run_health_checks(
    definitions: object,
    *,
    clock: Clock,
    options: Mapping[str, Any],
    say: Say | None = None,
    option: str = "health_checks",
) -> list[HealthCheck]:
    """Run the health checks of a gate concurrently, each with its own attempts; return one result each, in order.

    :param options: AWS connection options and ``accounts``, for alarms.
    :raises BadInput: a definition is invalid; no health check ran.
    """
    return _Asker(read_health_checks(definitions, option), clock, options, say).run()


def ask_quorum(
    rules: Sequence[QuorumRule],
    clusters: Sequence[str],
    *,
    clock: Clock,
    options: Mapping[str, Any],
    say: Say | None = None,
) -> dict[str, str]:
    """Return the reasons why members of clusters must not be taken out of service, without clusters that have quorum.

    :param rules: the policy's ``budgets.quorum``: ``clusters`` (default: all) and a ``health_check`` that must pass.
    :raises BadInput: a rule is invalid; no health check ran.
    """
    about: list[list[str]] = []
    health_checks: list[HealthCheckRule] = []
    for index, rule in enumerate(rules):
        health_check = HealthCheckRule.from_dict(rule.health_check, f"budgets.quorum[{index}].health_check")
        named = set(rule.clusters or clusters)
        if mine := [cluster for cluster in clusters if cluster in named]:
            health_checks.append(health_check)
            about.append(mine)
    found: dict[str, str] = {}
    for health_check_found, mine in zip(_Asker(health_checks, clock, options, say).run(), about, strict=True):
        if health_check_found.health is not Health.OK:
            for cluster in mine:
                why = f"{health_check_found.name} is {health_check_found.health.value}: {health_check_found.text}"
                found.setdefault(cluster, clean(f"no quorum in {cluster}: {why}"))
    return found


class _Asker:
    """Runs several health checks until each passes or has no attempts left."""

    def __init__(
        self, rules: Sequence[HealthCheckRule], clock: Clock, options: Mapping[str, Any], say: Say | None
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._options = options
        self._say = say or (lambda line: None)
        self._lock = threading.Lock()
        self._sessions: Sessions | None = None
        for rule in rules:
            if rule.condition:
                check_condition(rule.condition, f"{rule.name}.condition")

    def run(self) -> list[HealthCheck]:
        found: dict[int, HealthCheck] = {}
        tried = dict.fromkeys(range(len(self._rules)), 0)
        due_at = dict.fromkeys(tried, self._clock.now().timestamp())
        waiting = list(tried)
        while waiting:
            now = self._clock.now().timestamp()
            due = [index for index in waiting if due_at[index] <= now]
            for index, health_check in zip(due, self._together(due), strict=True):
                found[index] = health_check
                tried[index] += 1
                due_at[index] = self._clock.now().timestamp() + self._rules[index].interval
            waiting = [
                index
                for index in waiting
                if index not in found
                or (found[index].health is not Health.OK and tried[index] < self._rules[index].attempts)
            ]
            if waiting:
                self._wait(min(due_at[index] for index in waiting), found, waiting)
        return [found[index] for index in sorted(found)]

    def _wait(self, until: float, found: Mapping[int, HealthCheck], waiting: Sequence[int]) -> None:
        names = ", ".join(f"{found[index].name} ({found[index].health.value})" for index in waiting if index in found)
        self._say(f"health checks: {len(self._rules) - len(waiting)} of {len(self._rules)} done; again: {names}")
        left = until - self._clock.now().timestamp()
        if left > 0:
            self._clock.sleep(min(left, LIFE_SECONDS))

    def _together(self, due: Sequence[int]) -> list[HealthCheck]:
        if len(due) <= 1:
            return [self._ask(self._rules[index]) for index in due]
        with ThreadPoolExecutor(max_workers=min(WORKERS, len(due))) as pool:
            return list(pool.map(lambda index: self._ask(self._rules[index]), due))

    def _ask(self, rule: HealthCheckRule) -> HealthCheck:
        check = rule.check
        if isinstance(check, HttpCheck):
            answer = ask_http(check)
        elif isinstance(check, CommandCheck):
            answer = ask_command(check)
        else:
            answer = self._ask_alarms(check)
        if answer.document is None or not rule.condition:
            return judge(rule, answer)
        return judge(rule, answer, *evaluate(rule.condition, answer.document))

    def _ask_alarms(self, check: AlarmCheck) -> Answer:
        try:
            with self._lock:
                sessions = self._sessions = self._sessions or to_sessions(self._options)
            place = self._place(check, sessions)
            alarms = AwsAlarms(place, sessions).states(check.names)
        except PatchtideError as error:
            return Answer(problem=str(error))
        return Answer(
            document={"alarms": [{"name": row.name, "state": row.state, "reason": row.reason} for row in alarms]}
        )

    def _place(self, check: AlarmCheck, sessions: Sessions) -> Place:
        region = check.region or own_region(self._options, sessions)
        if not region:
            raise BadInput("alarm.region", check.region, "a Region")
        if not check.account:
            return Place(region=region)
        accounts = accounts_of(self._options)
        numbers = {key: account.id for account in accounts for key in (account.name, account.id)}
        number = numbers.get(check.account, check.account)
        if not number.isdecimal():
            raise BadInput("alarm.account", check.account, "an account of the estate, or its number")
        return node_places([(number, region)], accounts)[0]


def ask_http(check: HttpCheck) -> Answer:
    """Send one request; every status is an answer. Ignore redirects and ``.netrc``: headers reach no other host."""
    try:
        headers = {name: expand(value, os.environ, f"header {name}") for name, value in check.headers.items()}
        body = expand(check.body, os.environ, "body") if check.body is not None else None
    except BadInput as error:
        return Answer(problem=str(error))
    secrets = secrets_of(headers, body)
    if bad := [name for name, value in headers.items() if not value.isprintable()]:
        return Answer(problem=f"header {bad[0]}: its environment variable holds more than one line", secrets=secrets)
    until = time.monotonic() + check.timeout
    try:
        reply = open_url(
            check.url,
            data=body.encode("utf-8", "replace") if body is not None else None,
            headers=headers,
            method=check.method,
            timeout=check.timeout,
            validate_certs=check.validate_certs,
            follow_redirects="none",
            http_agent="patchtide.hybrid",
            use_netrc=False,
        )
    except HTTPError as error:
        reply = error
    except Exception as error:  # the gate continues whatever a server does
        said = str(error) if isinstance(error, OSError) else ""  # other errors may contain what they were given
        return Answer(problem=said or type(error).__name__, secrets=secrets)
    with reply:
        return _answer(reply, until, check.timeout, secrets)


def _answer(reply: Any, until: float, seconds: float, secrets: tuple[str, ...]) -> Answer:
    """Read an answer up to the limits of size and time."""
    body = b""
    try:
        while len(body) < MAX_BYTES and (part := reply.read1(65536)):
            body += part
            if time.monotonic() > until:
                return Answer(problem=f"its answer did not end within {seconds:g} seconds", secrets=secrets)
        if len(body) < MAX_BYTES and getattr(reply, "length", None):
            return Answer(problem="its answer broke off", secrets=secrets)
        status = int(reply.status)
        charset = reply.headers.get_content_charset("utf-8")
        headers = {name.lower(): value for name, value in reply.headers.items()}
    except Exception as error:  # sockets, HTTP and gzip have no common error
        return Answer(problem=f"its answer broke off: {type(error).__name__}", secrets=secrets)
    text = _decode(body[:MAX_BYTES], charset)
    return Answer(document={"status": status, "text": text, "json": _json(text), "headers": headers}, secrets=secrets)


def ask_command(check: CommandCheck) -> Answer:
    """Run a program without a shell and end its children with it. Its output goes to files, which cannot block."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        try:
            process = subprocess.Popen(
                list(check.argv), stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
            )
        except (OSError, ValueError) as error:
            return Answer(problem=f"it can't be started: {getattr(error, 'strerror', None) or type(error).__name__}")
        try:
            code = process.wait(check.timeout)
        except subprocess.TimeoutExpired:
            return Answer(problem=f"it did not end within {check.timeout:g} seconds")
        finally:
            _end(process)
        if code < 0:
            return Answer(problem=f"it was killed by signal {-code}")
        stdout, stderr = _text(out), _text(err)
    return Answer(document={"rc": code, "stdout": stdout, "stderr": stderr, "json": _json(stdout)})


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill the remaining processes of the program's session."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return _decode(file.read(MAX_BYTES), "utf-8")


def _decode(body: bytes, charset: str) -> str:
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
