# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRM listener of the lab: many hosts on one port, each under a path of its own, ``/wsman/<name>``.

Basic authentication over HTTP, without encryption of messages. Hosts are told apart by their path: set
``ansible_psrp_path``.
"""

from __future__ import annotations

import base64
import socket
import threading
import traceback
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from . import soap
from .scripts import Output, UnknownScript, run
from .shell import Shell, encoded
from .world import World


class Listener(ThreadingHTTPServer):
    """``shells``: by ID, with the boot of their host: a reboot ends them."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world = world
        self.shells: dict[str, tuple[Shell, str, Any]] = {}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is gone is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is logged."""

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        world, name = self.server.world, self.path.rpartition("/")[2]
        wanted = base64.b64encode(f"{world.user}:{world.password}".encode()).decode()
        if name not in world.machines:
            self._reply(404, b"")
        elif not world.answers(name):
            self._cut()
        elif self.headers.get("Authorization") != f"Basic {wanted}":
            self._reply(401, b"", {"WWW-Authenticate": 'Basic realm="WSMAN"'})
        else:
            self._answer(world, name, raw)

    def _answer(self, world: World, name: str, raw: bytes) -> None:
        request = soap.read(raw)
        try:
            status, body = _Dispatch(self.server, name, request).reply()
        except Exception:
            world.trouble.append(traceback.format_exc())
            status, body = 500, b""
        if world.is_cut(request.operation) or not world.answers(name):
            self._cut()
        else:
            self._reply(status, body)

    def _cut(self) -> None:
        """Close the connection without an answer."""
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _reply(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass(slots=True)
class _Dispatch:
    """One message."""

    listener: Listener
    name: str
    request: soap.Request

    def reply(self) -> tuple[int, bytes]:
        operation = self.request.operation
        if operation == "Create":
            return 200, self._create()
        found = self.listener.shells.get(self.request.shell)
        if found is None or found[1:] != (self.name, self._boot()):
            return 500, soap.fault(self.request, soap.NO_SHELL, "The shell was not found on the server.")
        if operation == "Receive":
            return self._receive(found[0])
        body = {"Command": self._command, "Send": self._send, "Signal": self._signal, "Delete": self._delete}[operation]
        return 200, soap.answer(self.request, body(found[0]))

    def _boot(self) -> Any:
        return self.listener.world.machines[self.name].boot

    def _create(self) -> bytes:
        world, machine = self.listener.world, self.listener.world.machines[self.name]

        def runs(script: str, stdin: str) -> Output:
            try:
                return run(world, machine, script, stdin)
            except UnknownScript as unknown:
                world.trouble.append(f"{self.name}: unknown script: {unknown}")
                return Output(error=f"the lab does not know this script: {unknown}", code=99)
            except Exception:
                world.trouble.append(traceback.format_exc())
                return Output(error="the lab failed", code=98)

        key = self.request.attribute(".//r:Shell", "ShellId") or str(uuid.uuid4()).upper()
        shell = Shell(runs, self.request.payload(".//p:creationXml"))
        self.listener.shells[key] = shell, self.name, self._boot()
        return soap.answer(
            self.request,
            "<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{key}</w:Selector>'
            "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>",
        )

    def _command(self, shell: Shell) -> str:
        command = self.request.attribute(".//r:CommandLine", "CommandId")
        shell.command(command, self.request.payload(".//r:CommandLine/r:Arguments"))
        return f"<r:CommandResponse><r:CommandId>{command}</r:CommandId></r:CommandResponse>"

    def _send(self, shell: Shell) -> str:
        shell.send(self.request.attribute(".//r:Stream", "CommandId"), self.request.payload(".//r:Stream"))
        return "<r:SendResponse/>"

    def _signal(self, shell: Shell) -> str:
        return "<r:SignalResponse/>"

    def _delete(self, shell: Shell) -> str:
        self.listener.shells.pop(self.request.shell, None)
        return ""

    def _receive(self, shell: Shell) -> tuple[int, bytes]:
        command = self.request.attribute(".//r:DesiredStream", "CommandId")
        found = shell.receive(command, min(self.request.seconds, self.listener.world.longest))
        if found is None:
            text = "The WS-Management service cannot complete the operation within the time specified."
            return 500, soap.fault(self.request, soap.OPERATION_TIMEOUT, text)
        data, done = found
        named = f' CommandId="{command}"' if command else ""
        state = f'<r:CommandState CommandId="{command}" State="{soap.NAMES["r"]}/CommandState/Done"/>' if done else ""
        body = (
            f'<r:ReceiveResponse><r:Stream Name="stdout"{named}>{encoded(data)}</r:Stream>{state}</r:ReceiveResponse>'
        )
        return 200, soap.answer(self.request, body)


@dataclass(frozen=True, slots=True)
class WindowsLab:
    """Running hosts."""

    world: World
    port: int

    def variables(self, name: str) -> dict[str, Any]:
        """Return the variables of a host in an inventory."""
        return {
            "ansible_connection": "psrp",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": self.world.user,
            "ansible_password": self.world.password,
            "ansible_psrp_protocol": "http",
            "ansible_psrp_auth": "basic",
            "ansible_psrp_message_encryption": "never",
            "ansible_psrp_path": f"wsman/{name}",
        }


@contextmanager
def windows_lab(world: World) -> Iterator[WindowsLab]:
    """Start the listener in a thread of this process, give it, stop it."""
    listener = Listener(world)
    thread = threading.Thread(target=listener.serve_forever, args=(0.05,), name="lab.windows", daemon=True)
    thread.start()
    try:
        yield WindowsLab(world, listener.server_address[1])
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join(10)
