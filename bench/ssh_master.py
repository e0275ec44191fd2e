# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The master of shared SSH connections, without a server behind it: the machine's own ``ssh`` talks to it.

So a client costs what ``ssh`` costs with a connection that is already open, which is what most of a playbook's calls
have. The protocol is that of OpenSSH's file PROTOCOL.mux, version 4: hello, alive check, new session with three file
descriptors, and the exit code.
"""

from __future__ import annotations

import array
import os
import selectors
import socket
import struct
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

#: Gets host, command and standard input; returns standard output.
Answer = Callable[[str, str, bytes], str]
_HELLO, _NEW_SESSION, _ALIVE_CHECK = 0x00000001, 0x10000002, 0x10000004
_EXIT, _ALIVE, _OPENED = 0x80000004, 0x80000005, 0x80000006
_VERSION = 4
#: Numbers of a new session between its own string and the terminal's name.
_FLAGS = 5


def serve(folder: Path, hosts: Iterable[str], answer: Answer, ready: Callable[[], None]) -> None:
    """Answer all sessions on hosts, each in a thread; ``ControlPath`` is ``folder/%h``. Never returns."""
    selector = selectors.DefaultSelector()
    for host in hosts:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(folder / host))
        listener.listen(64)
        selector.register(listener, selectors.EVENT_READ, host)
    ready()
    while True:
        for key, _events in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            link, _address = key.fileobj.accept()
            threading.Thread(target=_session, args=(link, key.data, answer), daemon=True).start()


def _session(link: socket.socket, host: str, answer: Answer) -> None:
    """Speak with one client until its command has ended."""
    with link, suppress(ConnectionError):
        _send(link, _HELLO, _VERSION)
        while True:
            kind, body = _receive(link)
            if kind == _ALIVE_CHECK:
                _send(link, _ALIVE, *struct.unpack(">I", body), os.getpid())
            elif kind == _NEW_SESSION:
                request, command = _new_session(body)
                files = [_descriptor(link) for _name in ("stdin", "stdout", "stderr")]
                _send(link, _OPENED, request, 1)
                _run(files, host, command, answer)
                _send(link, _EXIT, 1, 0)
                return  # the client waits for the end of its control connection


def _run(files: list[int], host: str, command: str, answer: Answer) -> None:
    stdin, stdout, stderr = files
    with os.fdopen(stdin, "rb") as source, os.fdopen(stdout, "wb") as target, os.fdopen(stderr, "wb"):
        text = b"" if source.isatty() else source.read()
        target.write(answer(host, command, text).encode())


def _new_session(body: bytes) -> tuple[int, str]:
    """Return number and command of a request for a new session."""
    (request,) = struct.unpack_from(">I", body)
    _reserved, at = _string(body, 4)
    _terminal, at = _string(body, at + 4 * _FLAGS)
    command, _end = _string(body, at)
    return request, command.decode()


def _string(body: bytes, at: int) -> tuple[bytes, int]:
    (size,) = struct.unpack_from(">I", body, at)
    return body[at + 4 : at + 4 + size], at + 4 + size


def _send(link: socket.socket, *numbers: int) -> None:
    body = struct.pack(f">{len(numbers)}I", *numbers)
    link.sendall(struct.pack(">I", len(body)) + body)


def _receive(link: socket.socket) -> tuple[int, bytes]:
    (size,) = struct.unpack(">I", _exactly(link, 4))
    body = _exactly(link, size)
    return struct.unpack_from(">I", body)[0], body[4:]


def _exactly(link: socket.socket, size: int) -> bytes:
    """:raises ConnectionError: the client has ended."""
    found = link.recv(size, socket.MSG_WAITALL) if size else b""
    if len(found) < size:
        raise ConnectionError
    return found


def _descriptor(link: socket.socket) -> int:
    """Receive a file descriptor; the client sends one byte with each."""
    numbers = array.array("i")
    _byte, control, _flags, _address = link.recvmsg(1, socket.CMSG_SPACE(numbers.itemsize))
    for _level, kind, data in control:
        if kind == socket.SCM_RIGHTS:
            numbers.frombytes(data[: numbers.itemsize])
            return numbers[0]
    raise ConnectionError
