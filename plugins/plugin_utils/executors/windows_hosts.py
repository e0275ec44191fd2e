# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell and win_updates on many Windows hosts from one process, over Ansible's connection plugin ``psrp``.

win_updates is the action plugin of ansible.windows, called as a task calls it. Each call opens a connection of its own:
a reboot, or an install that outlives its reader, leaves no connection behind that later calls would stumble over.
"""

from __future__ import annotations

import base64
import contextvars
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ansible.errors import AnsibleError
from ansible.plugins import loader as plugin_loader
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import action_loader

from .connection_errors import AccessRefused, BadConnection, HostError, TimedOut, Unreachable
from .connections import LIMIT
from .host_connection import POWERSHELL, RemoteShell, host_variables, open_shell

T = TypeVar("T")
UPDATES = "ansible.windows.win_updates"
_REFUSED = ("failed to authenticate", "401", "access is denied")


class _Late(AnsibleError):
    """The time of a call is over."""


@dataclass
class _Link:
    """A host. ``context``: what ansible-core keeps about the running task, which threads do not inherit."""

    shell: RemoteShell
    variables: Mapping[str, Any]
    context: contextvars.Context
    lock: threading.Lock = field(default_factory=threading.Lock)


class WindowsHosts:
    """Call ``open`` in the action's thread, everything else in any. A host does one thing at a time."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any]) -> None:
        """:param task_vars: the action's; the hosts' variables come from its ``hostvars``."""
        self._action = action
        self._task_vars = task_vars
        self._links: dict[str, _Link] = {}

    def open(self, host: str) -> None:
        """Resolve a host's connection settings; nothing is sent. :raises BadConnection: see ``open_shell``."""
        if host not in self._links:
            _load(host)
            variables = {**host_variables(self._task_vars, host), "inventory_hostname": host}
            shell = open_shell(self._action, self._task_vars, host, POWERSHELL)
            self._links[host] = _Link(shell, variables, contextvars.copy_context())

    def run(self, host: str, script: str, *, timeout: float) -> str:
        """Run a PowerShell script on an open host and return what it prints.

        :param timeout: seconds of real time.
        :raises HostError: there is no answer, or the script failed.
        """

        def send(shell: RemoteShell) -> str:
            encoded = base64.b64encode(script.encode("utf-16-le")).decode()
            command = f"{' '.join(_powershell(shell))} -EncodedCommand {encoded}"
            code, stdout, stderr = shell.connection.exec_command(command, in_data=None, sudoable=True)
            output = stdout.decode("utf-8", "replace")[:LIMIT]
            if code and not output.strip():
                said = stderr.decode("utf-8", "replace").strip()[-300:]
                raise BadConnection(host, f"the script failed (exit code {code}): {said}")
            return output

        return self._call(host, send, time.monotonic() + timeout, threading.Event())

    def updates(self, host: str, options: Mapping[str, Any], *, timeout: float, stop: threading.Event) -> Any:
        """Call win_updates, which never reboots here, and return its result.

        :param stop: ends the call at its next message, as if the connection had broken.
        :raises HostError: the login was refused. A connection that breaks is a result with ``unreachable``.
        """

        def call(shell: RemoteShell) -> Any:
            return self._plugin(host, shell, options).run(None, dict(self._links[host].variables))

        return self._call(host, call, time.monotonic() + timeout, stop)

    def _plugin(self, host: str, shell: RemoteShell, options: Mapping[str, Any]) -> Any:
        task = shell._task.copy(exclude_parent=True)
        task.action, task.async_val, task.check_mode = UPDATES, 0, False
        task.args = {**options, "reboot": False}
        return _load(host)(task, shell.connection, shell._play_context, shell._loader, shell._templar, plugin_loader)

    def _call(self, host: str, what: Callable[[RemoteShell], T], end: float, stop: threading.Event) -> T:
        with self._alone(host) as link:
            return link.context.run(_bounded, host, link.shell, what, end, stop)

    @contextmanager
    def _alone(self, host: str) -> Iterator[_Link]:
        link = self._links.get(host)
        if link is None:
            raise ValueError(f"{host}: its connection is not open")
        if not link.lock.acquire(blocking=False):
            raise ValueError(f"{host}: its connection is in use")
        try:
            yield link
        finally:
            link.lock.release()


def _load(host: str) -> Callable[..., Any]:
    """Return the class of the action plugin. ansible-core's loaders are not made for threads: the first call, in the
    action's thread, loads it. :raises BadConnection: the collection is not installed."""
    found: Callable[..., Any] | None = action_loader.get(UPDATES, class_only=True)
    if found is None:
        raise BadConnection(host, "the controller lacks the collection ansible.windows")
    return found


def _bounded(host: str, shell: RemoteShell, what: Callable[[RemoteShell], T], end: float, stop: threading.Event) -> T:
    """Connect, call, disconnect. The plugin has no limit for a script, so each of its messages is checked."""
    connection = shell.connection

    def in_time() -> None:
        if stop.is_set() or time.monotonic() > end:
            raise _Late("its time is over")

    try:
        connection._connect()
        transport = connection.runspace.connection.transport
        send = transport.send

        def limited(*message: Any, **more: Any) -> Any:
            in_time()
            return send(*message, **more)

        transport.send = limited
        return what(shell)
    except HostError:
        raise
    except _Late as late:
        raise TimedOut(host, "no answer in time") from late
    except Exception as error:  # the plugin passes errors of pypsrp, requests and the XML parser on
        text = str(error) or type(error).__name__
        refused = any(word in text.lower() for word in _REFUSED)
        raise (AccessRefused if refused else Unreachable)(host, text) from error
    finally:
        _drop(connection)


def _drop(connection: Any) -> None:
    """Close the shell on the host where that is possible, and forget it."""
    with suppress(Exception):
        connection.close()
    connection.runspace = None
    connection._connected = False
    connection._last_pipeline = None


def _powershell(shell: RemoteShell) -> list[str]:
    """The words by which the plugin recognises an encoded script (ansible.plugins.shell.powershell)."""
    from ansible.plugins.shell.powershell import _common_args

    return list(_common_args)
