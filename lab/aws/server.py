# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTP server: moto's, with a door in front that knows keys, counts calls and lets faults in."""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import threading
from collections.abc import Iterable
from contextlib import nullcontext
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Request, Response

from . import access, admin, agents, alarms, balancers, ec2, tagging
from .faults import Rule
from .permissions import judge
from .ssm import backend
from .world import World, open_world, world

_CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]*/([^/]*)/([^/]*)/")
_XML = '<?xml version="1.0" encoding="UTF-8"?>\n'
#: services that answer errors as JSON; the others (ec2, sts, iam, sns, s3) as XML
_JSON = frozenset({"ssm", "dynamodb", "tagging", "organizations", "logs", "events", "lambda", "monitoring"})

#: Services whose writes on a condition are atomic (DynamoDB developer guide, condition expressions; S3 user guide,
#: conditional writes). moto looks and writes in threads beside one another.
_ATOMIC = frozenset({"dynamodb", "s3"})


class Door:
    """WSGI application around moto's: unknown keys are refused, rules of ``faults.py`` strike, calls are counted."""

    def __init__(self) -> None:
        self._moto = DomainDispatcherApplication(create_backend_app)
        self._stores = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if str(environ.get("PATH_INFO", "")).startswith("/moto-api/patchtide"):
            environ["CONTENT_TYPE"] = "application/json"  # curl and urllib call every body a form
        call = _call_of(environ)
        if call is None:
            answer: Iterable[bytes] = (agents.answer(environ) or self._moto)(environ, start_response)
            return answer
        rule = world().faults.strike(call)
        if rule is not None and rule.kind != "lose_response":
            return self._struck(rule, call, environ, start_response)
        if not call["account"]:
            return self._finish(call, _refusal(call, "unknown_key"), environ, start_response)
        if call["service"] == "cloudformation":
            from . import stack_sets  # what it needs of moto takes seconds to load

            stack_sets.bind()
        path = str(environ.get("PATH_INFO", ""))
        if verdict := judge(call, path):
            world().ledger.acted(call["account"], verdict.role, verdict.actions, refused=bool(verdict.refusal))
            if verdict.refusal:
                return self._finish(call, _refusal(call, "deny", text=verdict.refusal), environ, start_response)
        with self._stores if call["service"] in _ATOMIC else nullcontext():
            given = Response.from_app(self._moto, environ, buffered=True)
        if rule is not None:
            return self._cut(call, environ, start_response)
        return self._finish(call, given, environ, start_response)

    def _struck(
        self, rule: Rule, call: dict[str, str], environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        if rule.kind == "down":
            return self._cut(call, environ, start_response)
        answer = _refusal(call, rule.kind, rule.status)
        return self._finish(call, answer, environ, start_response)

    def _finish(
        self, call: dict[str, str], answer: Response, environ: dict[str, Any], start_response: Any
    ) -> Iterable[bytes]:
        _count(call, str(answer.status_code))
        body: Iterable[bytes] = answer(environ, start_response)
        return body

    def _cut(self, call: dict[str, str], environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Close the connection without an answer."""
        _count(call, "cut")
        connection: socket.socket | None = environ.get("werkzeug.socket")
        if connection is not None:
            connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError("cut by a fault rule")


def _count(call: dict[str, str], status: str) -> None:
    world().ledger.count(call["account"], call["region"], call["service"], call["operation"], status)


def _call_of(environ: dict[str, Any]) -> dict[str, str] | None:
    """Who calls what; None for what is no signed AWS call."""
    found = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if found is None:
        return None
    key, region, service = found.groups()
    return {
        "key": key,
        "account": access.account_of(key) or "",
        "region": region,
        "service": service,
        "operation": _operation_of(environ),
        "body": _body_of(environ) if service in _JSON or service == "ec2" else "",
    }


def _body_of(environ: dict[str, Any]) -> str:
    body: bytes = Request(environ, populate_request=False).get_data(cache=True)
    environ["wsgi.input"] = io.BytesIO(body)
    return body.decode(errors="replace")


def _operation_of(environ: dict[str, Any]) -> str:
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target:
        return str(target).rpartition(".")[2]
    request = Request(environ, populate_request=False)
    if "x-www-form-urlencoded" in (request.content_type or ""):
        return str(parse_qs(_body_of(environ)).get("Action", [""])[0])
    return str(environ.get("REQUEST_METHOD", ""))


_REFUSALS = {
    "throttle": (400, "ThrottlingException", "Rate exceeded"),
    "deny": (400, "AccessDeniedException", "User is not authorized to perform this action."),
    "unknown_key": (400, "UnrecognizedClientException", "The security token included in the request is invalid."),
    "expired": (400, "ExpiredTokenException", "The security token included in the request is expired"),
    "error": (500, "InternalServerError", "An error occurred on the server side."),
}
#: The query services have older names for the same.
_XML_REFUSALS = {
    "throttle": (400, "Throttling", "Rate exceeded"),
    "deny": (403, "AccessDenied", "User is not authorized to perform this action."),
    "unknown_key": (403, "InvalidClientTokenId", "The security token included in the request is invalid."),
    "expired": (403, "ExpiredToken", "The security token included in the request is expired"),
    "error": (500, "InternalFailure", "The request processing has failed because of an unknown error."),
}
_EC2_REFUSALS = {
    "throttle": (503, "RequestLimitExceeded", "Request limit exceeded."),
    "deny": (403, "UnauthorizedOperation", "You are not authorized to perform this operation."),
    "unknown_key": (401, "AuthFailure", "AWS was not able to validate the provided access credentials"),
    "expired": (400, "RequestExpired", "Request has expired."),
    "error": (500, "InternalError", "An internal error has occurred"),
}


def _refusal(call: dict[str, str], kind: str, status: int = 0, text: str = "") -> Response:
    """An error in the form the service's protocol has; ``text`` instead of the usual one."""
    service = call["service"]
    table = _EC2_REFUSALS if service == "ec2" else _REFUSALS if service in _JSON else _XML_REFUSALS
    code, name, usual = table[kind]
    text = text or usual
    code = status if kind == "error" and status else code
    if service in _JSON:
        body = json.dumps({"__type": name, "message": text})
        return Response(
            body, status=code, headers={"x-amzn-ErrorType": name}, content_type="application/x-amz-json-1.1"
        )
    error = f"<Error><Code>{name}</Code><Message>{text}</Message></Error>"
    if service == "ec2":
        error = f"<Response><Errors>{error}</Errors><RequestID>lab</RequestID></Response>"
    elif service != "s3":
        error = f"<ErrorResponse>{error}<RequestId>lab</RequestId></ErrorResponse>"
    return Response(_XML + error, status=code, content_type="text/xml")


class _Handler(MotoRequestHandler):
    """Silent: what was called is in the ledger. Its answers carry the service's own time (RFC 9110, Date)."""

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(world().clock.now(), usegmt=True)

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def open_server(lab: World, host: str, port: int) -> BaseWSGIServer:
    """Bind our backends, fill them with the estate, listen. Port 0 takes a free one."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    open_world(lab)
    backend.bind()
    access.bind()
    ec2.bind()
    balancers.bind()
    tagging.bind()
    alarms.bind()
    admin.bind()
    admin.seed()
    return make_server(host, port, Door(), threaded=True, request_handler=_Handler)
