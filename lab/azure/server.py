# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The HTTPS server of the lab's Azure: tokens, Azure Resource Manager, and the lab's own URLs under ``/lab``."""

from __future__ import annotations

import base64
import json
import logging
import re
import socket
import ssl
import uuid
from collections.abc import Callable, Iterable, Mapping
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from lab.aws.clock import VirtualClock
from lab.aws.faults import to_rule

from . import operations, routes
from .answers import Refused, Reply, throttled
from .certificates import NAMES
from .estate import AZURE_FAULTS, Client
from .world import TOKEN_SECONDS, World

_TENANT = re.compile(r"/([^/]+)/(?:v2\.0/)?(\.well-known/openid-configuration|oauth2/v2\.0/token)")
#: Faults at the door, as those of ``lab/aws/faults.py``, answered as ARM does.
_REFUSALS: Mapping[str, tuple[int, str, str]] = {
    "throttle": (429, "TooManyRequests", "The request is being throttled."),
    "deny": (403, "AuthorizationFailed", "The client does not have authorization to perform this action."),
    "error": (500, "InternalServerError", "Encountered internal server error."),
}
#: As the scope of tokens has it; two slashes are what a URL with a slash at its end gives.
PUBLIC = r"https://management\.azure\.com"
MOST_IN_BATCH = 500
Respond = Callable[[str, list[tuple[str, str]]], Any]


class Azure:
    """The WSGI application."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.base = ""

    def __call__(self, environ: dict[str, Any], start_response: Respond) -> Iterable[bytes]:
        length = int(environ.get("CONTENT_LENGTH") or 0)
        raw = environ["wsgi.input"].read(length) if length else b""
        with self.world.lock:
            self.world.catch_up()
            try:
                reply = self._reply(environ, raw)
            except Refused as refused:
                reply = refused.reply()
        if reply.status == 0:  # a lost answer, or nobody there
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            raise ConnectionAbortedError("cut by a fault rule")
        body = reply.data()
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "Content-Length": str(len(body)),
            "x-ms-request-id": str(uuid.uuid4()),
            **reply.headers,
        }
        start_response(f"{reply.status} Lab", list(headers.items()))
        return [body]

    def _reply(self, environ: Mapping[str, Any], raw: bytes) -> Reply:
        path, method = str(environ["PATH_INFO"]), str(environ["REQUEST_METHOD"])
        if path.startswith("/lab/"):
            return self._own(path.removeprefix("/lab/"), method, raw)
        if found := _TENANT.fullmatch(path):
            return self._login(found[1], found[2], raw, self._here(environ))
        if (method, path.lower()) == ("POST", "/batch"):
            return self._batch(environ, raw)
        return self._arm(method, path, environ, raw)

    def _here(self, environ: Mapping[str, Any]) -> str:
        """Return the URL that the client uses for the lab: its own, or that of a service whose name it answers to."""
        host = str(environ.get("HTTP_HOST", ""))
        return f"https://{host}" if host.partition(":")[0] in NAMES else self.base

    def _batch(self, environ: Mapping[str, Any], raw: bytes) -> Reply:
        """Many reads in one call: undocumented; what it takes and answers is what azcollection's azure_rm.py has."""
        self._client(environ)
        wanted = (self._body("POST", raw) or {}).get("requests")
        if not isinstance(wanted, list) or not 0 < len(wanted) <= MOST_IN_BATCH:
            raise Refused(400, "InvalidRequestContent", f"A batch has 1 to {MOST_IN_BATCH} requests.")
        rows = []
        for item in wanted:
            url = urlsplit(str(item["url"]))
            inner = {**environ, "REQUEST_METHOD": item["httpMethod"], "QUERY_STRING": url.query}
            try:
                reply = self._arm(item["httpMethod"], unquote(url.path), {**inner, "PATH_INFO": unquote(url.path)}, b"")
            except Refused as refused:
                reply = refused.reply()
            rows.append({"name": item["name"], "httpStatusCode": reply.status or 503, "content": reply.body})
        return Reply(body={"responses": rows})

    def _login(self, tenant: str, what: str, raw: bytes, base: str) -> Reply:
        """OpenID configuration and the client credentials flow (Microsoft identity platform)."""
        if what.endswith("openid-configuration"):
            here = f"{base}/{tenant}"
            body = {
                "issuer": f"{here}/v2.0",
                "token_endpoint": f"{here}/oauth2/v2.0/token",
                "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
            }
            return Reply(body=body)
        form = dict(parse_qsl(raw.decode()))
        # The application of several tenants has a service principal in each.
        known = [item for item in self.world.estate.clients if item.client_id == form.get("client_id")]
        client = next((item for item in known if item.tenant == tenant), known[0] if known else None)
        problem = ""
        if tenant not in {item.tenant for item in self.world.estate.clients}:
            problem = f"AADSTS90002: Tenant '{tenant}' not found."
        elif client is None or client.tenant != tenant:
            problem = f"AADSTS700016: Application '{form.get('client_id')}' was not found in the directory '{tenant}'."
        elif form.get("client_secret") != client.secret:
            problem = "AADSTS7000215: Invalid client secret provided."
        elif not re.match(rf"({re.escape(self.base)}|{PUBLIC})/+\.default", str(form.get("scope", ""))):
            problem = f"AADSTS500011: The resource principal named {form.get('scope')} was not found."
        if problem or client is None:
            return Reply(401, {"error": "invalid_client", "error_description": problem, "error_codes": [0]})
        token = self.world.token(client)
        return Reply(body={"token_type": "Bearer", "expires_in": TOKEN_SECONDS, "access_token": token})

    def _arm(self, method: str, path: str, environ: Mapping[str, Any], raw: bytes) -> Reply:
        query = dict(parse_qsl(str(environ.get("QUERY_STRING", ""))))
        client = self._client(environ)
        found = routes.find_route(method, path)
        polled = routes.find_operation(path) if method == "GET" else None
        if found is None and polled is None:
            raise Refused(404, "InvalidResourceType", f"The lab has no operation {method} {path}.")
        name = _operation_name(method, path)
        parts = polled if polled is not None else found[1] if found else {}
        subscription = parts.get("sub", "") or _subscription_of(parts.get("scope", ""))
        call = {"service": "arm", "operation": name, "account": subscription, "region": "", "body": raw.decode()}
        rule = self.world.faults.strike(call)
        if rule is not None and rule.kind != "lose_response":
            return self._struck(rule.kind, rule.status, call)
        etag = str(environ.get("HTTP_IF_MATCH", ""))
        request = operations.Request(
            self.world, client, method, path, query, self._body(method, raw), parts, self._here(environ), etag
        )
        try:
            reply = self._carry_out(request, found[0] if found else None)
        except Refused as refused:
            reply = refused.reply()
        status = "cut" if rule is not None else str(reply.status)
        self.world.ledger.count(subscription, "", "arm", name, status)
        return Reply(0) if rule is not None else reply

    def _carry_out(self, request: operations.Request, route: routes.Route | None) -> Reply:
        if not request.api:
            raise Refused(400, "MissingApiVersionParameter", "The api-version query parameter is required.")
        subscription = request.parts.get("sub") or _subscription_of(request.parts.get("scope", ""))
        if subscription:
            self._may_read(request.client, subscription)
            kind = "arm:read" if request.method in ("GET", "POST") else "arm:write"
            if seconds := self.world.allow(kind, f"{subscription} {request.client.client_id}"):
                raise throttled(seconds, "the subscription")
        elif "resourcegraph" in request.path.lower() and (
            seconds := self.world.allow("graph", request.client.client_id)
        ):
            raise throttled(seconds, "Resource Graph")
        if route is None:
            act = operations.operation_result if request.query.get("monitor") == "true" else operations.operation_status
            return act(request)
        if request.api not in route.apis:
            text = f"The api-version '{request.api}' is invalid. The supported versions are '{','.join(route.apis)}'."
            raise Refused(400, "InvalidApiVersionParameter", text)
        permission = route.permission.format(**request.parts) if "{" in route.permission else route.permission
        if permission.lower() in {item.lower() for item in request.client.denied}:
            text = (
                f"The client '{request.client.client_id}' does not have authorization to perform action '{permission}'."
            )
            raise Refused(403, "AuthorizationFailed", text)
        if route.limit and (seconds := self.world.allow(route.limit, _limit_key(route.limit, request.parts))):
            raise throttled(seconds, "Compute")
        routes.check_body(route, request.body)
        return route.act(request)

    def _may_read(self, client: Client, subscription: str) -> None:
        if self.world.subscription(subscription) is None:
            raise Refused(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")
        if subscription.lower() not in {item.subscription_id.lower() for item in self.world.readable(client)}:
            scope = f"/subscriptions/{subscription}"
            text = f"The client '{client.client_id}' does not have authorization over scope '{scope}'."
            raise Refused(403, "AuthorizationFailed", text)

    def _client(self, environ: Mapping[str, Any]) -> Client:
        kind, _, token = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
        found = self.world.client_of(token) if kind == "Bearer" else None
        if found is None and token in self.world.revoked:
            # Microsoft Learn, "Claims challenges, claims requests, and client capabilities": what a client has to send.
            claims = base64.urlsafe_b64encode(b'{"access_token":{"nbf":{"essential":true,"value":"1700000000"}}}')
            challenge = (
                f'Bearer authorization_uri="{self.base}", error="insufficient_claims", claims="{claims.decode()}"'
            )
            raise Refused(401, "TokenRevoked", "The access token has been revoked.", WWW_Authenticate=challenge)
        if found is None:
            # It names the subscription's tenant (shawntabrizi.com, "Secret APIs in Azure Active Directory").
            known = self.world.subscription(_subscription_of(str(environ["PATH_INFO"])))
            authority = f"{self.base}/{known.tenant}" if known else f"{self.base}/common"
            challenge = f'Bearer authorization_uri="{authority}", error="invalid_token"'
            text = "The access token is missing, unknown or expired."
            raise Refused(
                401,
                "AuthenticationFailed" if not token else "ExpiredAuthenticationToken",
                text,
                WWW_Authenticate=challenge,
            )
        return found

    def _body(self, method: str, raw: bytes) -> Any:
        if not raw:
            return None
        try:
            return json.loads(raw)
        except ValueError as why:
            raise Refused(400, "InvalidRequestContent", "The request content is not JSON.") from why

    def _struck(self, kind: str, status: int, call: Mapping[str, str]) -> Reply:
        self.world.ledger.count(call["account"], "", "arm", call["operation"], "cut" if kind == "down" else kind)
        if kind == "down":
            return Reply(0)
        code, name, text = _REFUSALS[kind]
        headers = {"Retry-After": "1"} if kind == "throttle" else {}
        if kind == "error" and status:
            code = status
        return Reply(code, {"error": {"code": name, "message": text}}, headers)

    def _own(self, what: str, method: str, raw: bytes) -> Reply:
        """Clock, ledger, faults and machines, for tests that must not ask the code under test."""
        body = json.loads(raw or b"{}")
        world = self.world
        if what == "clock":
            if method == "POST":
                world.clock.advance(float(body["advance"]))
                world.catch_up()
            return Reply(body={"now": world.now.isoformat()})
        if what == "ledger":
            return Reply(body=world.ledger.to_dict())
        if what == "reset":
            world.seed()
            world.faults.reset()
            world.ledger.reset()
            return Reply(body={})
        if what == "tokens" and method == "POST":
            world.revoke_tokens()
            return Reply(body={})
        if what == "faults" and method == "POST":
            if body.get("reset"):
                world.faults.reset()
            for rule in [to_rule(row) for row in body.get("rules", [])]:
                world.faults.add(rule)
            if "machine" in body:
                found = next(item for item in world.machines.values() if item.node.name == body["machine"])
                own = {key: value for key, value in body.items() if key in AZURE_FAULTS}
                found.faults.update(own)
                found.node.set_faults({k: v for k, v in body.items() if k not in own and k != "machine"})
            return Reply(body={})
        if what == "machines":
            return Reply(body={"machines": [_shown(item) for item in world.machines.values()]})
        return Reply(404, {"error": f"no {what}"})


def _shown(item: Any) -> dict[str, Any]:
    return {
        "id": item.resource_id.lower(),
        "name": item.node.name,
        "region": item.spec.node.region,
        "power": item.power,
        "busy": item.running is not None,
        "offered": [{"id": row.patch_id, "name": row.name, "version": row.version} for row in item.offered()],
        "boot_id": item.node.boot_id,
        "pending_reboot": item.node.pending_reboot,
        "installed": {key: row.patch.version for key, row in sorted(item.node.installed.items())},
        "tags": item.node.tags,
        "run_commands": sorted(item.commands),
        "patch_mode": item.patch_mode,
    }


def _operation_name(method: str, path: str) -> str:
    """Return what calls are counted as: ``POST installPatches``, ``GET virtualMachines``, ``GET operation``."""
    if routes.find_operation(path):
        return f"{method} operation"
    pieces = [piece for piece in path.split("/") if piece]
    last = pieces[-1] if len(pieces) % 2 or pieces[-1] in ("resources", "default") else pieces[-2]
    if last == "default":
        last = "tags"
    return f"{method} {last}"


def _subscription_of(scope: str) -> str:
    pieces = scope.strip("/").split("/")
    return pieces[1] if len(pieces) > 1 and pieces[0].lower() == "subscriptions" else ""


def _limit_key(limit: str, parts: Mapping[str, str]) -> str:
    return parts.get("sub", "") if limit.startswith("place:") else operations.machine_id(parts)


class _Handler(WSGIRequestHandler):
    """Silent: what was called is in the ledger. Its answers carry the service's own time (RFC 9110, Date)."""

    clock: VirtualClock

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(self.clock.now(), usegmt=True)

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:
        pass


def open_server(world: World, host: str, port: int, certificate: Path) -> BaseWSGIServer:
    """Listen with TLS. Port 0 takes a free one."""
    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    application = Azure(world)
    handler = type("Handler", (_Handler,), {"clock": world.clock})
    server = make_server(host, port, application, threaded=True, request_handler=handler, ssl_context=context)
    application.base = f"https://{host}:{server.server_port}"
    return server
