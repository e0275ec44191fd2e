# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WinRM listener of the lab: many hosts on one port, each under a path of its own, ``/wsman/<name>``.

Basic authentication over HTTP, without encryption of messages. Hosts are told apart by their path: set
``ansible_psrp_path`` or ``ansible_winrm_path``. A shell is one of PowerShell Remoting, as pypsrp opens it, or a command
shell, as pywinrm opens it: the resource of its creation says so (MS-WSMV 2.2.4.37, 3.1.4.5).
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
from .command_shell import CommandShell
from .scripts import Output, UnknownScript, run
from .shell import Shell, encoded
from .world import World

_CREATION = ".//p:creationXml"
_SKIP = "WINRS_SKIP_CMD_SHELL"


class Listener(ThreadingHTTPServer):
    """``shells``: by ID, with the boot of their host: a reboot ends them."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def __init__(self, world: World) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.world = world
        self.shells: dict[str, tuple[Shell | CommandShell, str, Any]] = {}

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
        shell = found[0]
        kind = (
            _OfCommands(self.request, shell) if isinstance(shell, CommandShell) else _OfPowerShell(self.request, shell)
        )
        if operation == "Receive":
            return self._receive(kind)
        body = {"Command": kind.command, "Send": kind.send, "Signal": kind.signal, "Delete": self._delete}[operation]
        return 200, soap.answer(self.request, body())

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
        shell = (
            CommandShell(runs)
            if self.request.resource.endswith("/cmd")
            else Shell(runs, self.request.payload(_CREATION))
        )
        self.listener.shells[key] = shell, self.name, self._boot()
        return soap.answer(
            self.request,
            "<x:ResourceCreated><a:ReferenceParameters><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{key}</w:Selector>'
            "</w:SelectorSet></a:ReferenceParameters></x:ResourceCreated>",
        )

    def _delete(self) -> str:
        self.listener.shells.pop(self.request.shell, None)
        return ""

    def _receive(self, kind: _OfPowerShell | _OfCommands) -> tuple[int, bytes]:
        body = kind.receive(min(self.request.seconds, self.listener.world.longest))
        if body is None:
            text = "The WS-Management service cannot complete the operation within the time specified."
            return 500, soap.fault(self.request, soap.OPERATION_TIMEOUT, text)
        return 200, soap.answer(self.request, f"<r:ReceiveResponse>{body}</r:ReceiveResponse>")


@dataclass(slots=True)
class _OfPowerShell:
    """Messages of a shell of PowerShell Remoting."""

    request: soap.Request
    shell: Shell

    def command(self) -> str:
        command = self.request.attribute(".//r:CommandLine", "CommandId")
        self.shell.command(command, self.request.payload(".//r:CommandLine/r:Arguments"))
        return f"<r:CommandResponse><r:CommandId>{command}</r:CommandId></r:CommandResponse>"

    def send(self) -> str:
        self.shell.send(self.request.attribute(".//r:Stream", "CommandId"), self.request.payload(".//r:Stream"))
        return "<r:SendResponse/>"

    def signal(self) -> str:
        return "<r:SignalResponse/>"

    def receive(self, seconds: float) -> str | None:
        command = self.request.attribute(".//r:DesiredStream", "CommandId")
        found = self.shell.receive(command, seconds)
        if found is None:
            return None
        return _stream("stdout", command, found[0]) + (_done(command) if found[1] else "")


@dataclass(slots=True)
class _OfCommands:
    """Messages of a command shell."""

    request: soap.Request
    shell: CommandShell

    def command(self) -> str:
        words = [self.request.text(".//r:CommandLine/r:Command"), self.request.text(".//r:CommandLine/r:Arguments")]
        reads, by_cmd = (self.request.option(name) == "FALSE" for name in ("WINRS_CONSOLEMODE_STDIN", _SKIP))
        command = self.shell.command(" ".join(words), reads=reads, by_cmd=by_cmd)
        return f"<r:CommandResponse><r:CommandId>{command}</r:CommandId></r:CommandResponse>"

    def send(self) -> str:
        command, end = (self.request.attribute(".//r:Stream", name) for name in ("CommandId", "End"))
        self.shell.send(command, self.request.payload(".//r:Stream"), end=end == "true")
        return "<r:SendResponse/>"

    def signal(self) -> str:
        self.shell.signal(self.request.attribute(".//r:Signal", "CommandId"))
        return "<r:SignalResponse/>"

    def receive(self, seconds: float) -> str | None:
        command = self.request.attribute(".//r:DesiredStream", "CommandId")
        found = self.shell.receive(command, seconds)
        if found is None:
            return None
        stdout = "".join(f"{line}\r\n" for line in found.lines)
        written = _stream("stdout", command, stdout.encode()) + _stream("stderr", command, found.error.encode())
        return written + _done(command, found.code)


def _stream(name: str, command: str, data: bytes) -> str:
    of = f' CommandId="{command}"' if command else ""
    return f'<r:Stream Name="{name}"{of}>{encoded(data)}</r:Stream>'


def _done(command: str, code: int | None = None) -> str:
    exit_code = "" if code is None else f"<r:ExitCode>{code}</r:ExitCode>"
    state = f"{soap.NAMES['r']}/CommandState/Done"
    return f'<r:CommandState CommandId="{command}" State="{state}">{exit_code}</r:CommandState>'


@dataclass(frozen=True, slots=True)
class WindowsLab:
    """Running hosts."""

    world: World
    port: int

    def variables(self, name: str, plugin: str = "psrp") -> dict[str, Any]:
        """Return the variables of a host in an inventory. :param plugin: ``psrp`` or ``winrm``."""
        ways: dict[str, dict[str, Any]] = {
            "psrp": {
                "ansible_psrp_protocol": "http",
                "ansible_psrp_auth": "basic",
                "ansible_psrp_message_encryption": "never",
                "ansible_psrp_path": f"wsman/{name}",
            },
            "winrm": {
                "ansible_winrm_scheme": "http",
                "ansible_winrm_transport": "basic",
                "ansible_winrm_path": f"/wsman/{name}",
            },
        }
        return {
            "ansible_connection": plugin,
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": self.world.user,
            "ansible_password": self.world.password,
            **ways[plugin],
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
