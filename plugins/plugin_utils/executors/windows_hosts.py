# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell and win_updates on many Windows hosts from one process, over Ansible's plugins ``psrp`` and ``winrm``.

win_updates is the action plugin of ansible.windows, called as a task calls it. Each call opens a connection of its own:
a reboot, or an install that outlives its reader, leaves no connection behind that later calls would stumble over.
"""

from __future__ import annotations

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

from ..thread_context import own_context
from .connection_errors import AccessRefused, BadConnection, HostError, Interrupted, TimedOut, Unreachable
from .connections import LIMIT
from .host_connection import POWERSHELL, RemoteShell, host_variables, open_shell
from .powershell_connection import CONNECTIONS, PowerShellConnection

T = TypeVar("T")
UPDATES = "ansible.windows.win_updates"
_REFUSED = ("failed to authenticate", "401", "access is denied", "credentials were rejected")


#: What a message that was not answered raises: errors of requests are OSErrors. A fault of WS-Management, such as "ask
#: again", is an answer.
_NO_ANSWER: tuple[type[Exception], ...] = (OSError, AnsibleError)


class _Late(AnsibleError):
    """The time of a call is over."""


@dataclass
class _Link:
    """A host. ``context``: what ansible-core keeps about the running task, which threads do not inherit."""

    shell: RemoteShell
    plugin: PowerShellConnection
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
        self._broken: dict[str, BadConnection] = {}

    def try_to_open(self, host: str) -> None:
        """Open a host, or keep why that is not possible for those who call it."""
        try:
            self.open(host)
        except BadConnection as why:
            self._broken[host] = why

    def open(self, host: str) -> None:
        """Resolve a host's connection settings; nothing is sent.

        :raises BadConnection: see ``open_shell`` and ``PowerShellConnection.check``.
        """
        if host not in self._links:
            _load(host)
            variables = {**host_variables(self._task_vars, host), "inventory_hostname": host}
            shell = open_shell(self._action, self._task_vars, host, POWERSHELL)
            plugin = CONNECTIONS[shell.connection.transport]
            plugin.check(host, shell.connection)
            self._links[host] = _Link(shell, plugin, variables, own_context())

    def run(self, host: str, script: str, *, timeout: float) -> str:
        """Run a PowerShell script on an open host and return what it prints.

        :param timeout: seconds of real time.
        :raises HostError: there is no answer, or the script failed.
        """

        def send(link: _Link) -> str:
            code, stdout, stderr = link.plugin.execute(link.shell.connection, script)
            output = str(stdout, "utf-8", "replace")[:LIMIT]
            if code and not output.strip():
                said = str(stderr, "utf-8", "replace").strip()[-300:]
                raise Interrupted(host, f"the script failed (exit code {code}): {said}")
            return output

        return self._call(host, send, time.monotonic() + timeout, threading.Event())

    def updates(
        self,
        host: str,
        options: Mapping[str, Any],
        *,
        timeout: float,
        stop: threading.Event,
        begun: threading.Event | None = None,
    ) -> Any:
        """Call win_updates, which never reboots here, and return its result.

        :param stop: ends the call at its next message, as if the connection had broken.
        :param begun: is set once the host has begun it.
        :raises HostError: the connection broke, or was refused. What win_updates has begun goes on.
        """

        def call(link: _Link) -> Any:
            plugin = self._plugin(host, link.shell, options)
            if begun is not None:
                _tell_first(plugin, begun)
            return plugin.run(None, dict(link.variables))

        return self._call(host, call, time.monotonic() + timeout, stop)

    def _plugin(self, host: str, shell: RemoteShell, options: Mapping[str, Any]) -> Any:
        task = shell._task.copy(exclude_parent=True)
        task.action, task.async_val, task.check_mode = UPDATES, 0, False
        task.args = {**options, "reboot": False}
        return _load(host)(task, shell.connection, shell._play_context, shell._loader, shell._templar, plugin_loader)

    def _call(self, host: str, what: Callable[[_Link], T], end: float, stop: threading.Event) -> T:
        with self._alone(host) as link:
            return link.context.run(_bounded, host, link, what, end, stop)

    @contextmanager
    def _alone(self, host: str) -> Iterator[_Link]:
        if host in self._broken:
            raise self._broken[host]
        link = self._links.get(host)
        if link is None:
            raise ValueError(f"{host}: its connection is not open")
        if not link.lock.acquire(blocking=False):
            raise ValueError(f"{host}: its connection is in use")
        try:
            yield link
        finally:
            link.lock.release()


def _tell_first(plugin: ActionBase, begun: threading.Event) -> None:
    """Set the event once the first module has answered: it starts the process, all others read it."""
    execute = plugin._execute_module

    def watched(*args: Any, **more: Any) -> Any:
        found = execute(*args, **more)
        if not found.get("failed"):
            begun.set()
        return found

    plugin._execute_module = watched


def _load(host: str) -> Callable[..., Any]:
    """Return the class of the action plugin. ansible-core's loaders are not made for threads: the first call, in the
    action's thread, loads it. :raises BadConnection: the collection is not installed."""
    found: Callable[..., Any] | None = action_loader.get(UPDATES, class_only=True)
    if found is None:
        raise BadConnection(host, "the controller lacks the collection ansible.windows")
    return found


def _bounded(host: str, link: _Link, what: Callable[[_Link], T], end: float, stop: threading.Event) -> T:
    """Connect, call, disconnect.

    :raises HostError: something kept a message from being answered; win_updates makes a failed result of that.
    """
    connection, wire = link.shell.connection, _Wire(end, stop)
    try:
        connection._connect()
        wire.watch(*link.plugin.sender(connection))
        found = what(link)
    except HostError:
        raise
    except Exception as error:  # the plugins pass errors of pypsrp, pywinrm, requests and the XML parser on
        raise _to_host_error(host, wire.broken or error) from error
    finally:
        _drop(link, wire)
    if wire.broken is not None:
        raise _to_host_error(host, wire.broken)
    return found


def _to_host_error(host: str, error: Exception) -> HostError:
    text = str(error) or type(error).__name__
    if isinstance(error, _Late):
        return TimedOut(host, "no answer in time")
    refused = any(word in text.lower() for word in _REFUSED)
    return (AccessRefused if refused else Unreachable)(host, text)


class _Wire:
    """The messages of one call. The plugin has no limit for a script, so each message is checked.

    After one that was not answered, none is sent: win_updates would cancel its install (its ``_run_updates``).
    """

    def __init__(self, end: float, stop: threading.Event) -> None:
        self._end, self._stop = end, stop
        self.broken: Exception | None = None
        self._send: Any = None
        self._sender: tuple[Any, str] = (None, "")

    def watch(self, owner: Any, method: str) -> None:
        """Limit the messages that an object sends by this method."""
        self._sender, self._send = (owner, method), getattr(owner, method)
        setattr(owner, method, self._limited)

    def release(self) -> None:
        """Let a message pass that closes the shell."""
        if self._send is not None:
            setattr(*self._sender, self._send)

    def _limited(self, *message: Any, **more: Any) -> Any:
        if self.broken is None and (self._stop.is_set() or time.monotonic() > self._end):
            self.broken = _Late("its time is over")
        if self.broken is not None:
            raise self.broken
        try:
            return self._send(*message, **more)
        except _NO_ANSWER as error:
            self.broken = error
            raise


def _drop(link: _Link, wire: _Wire) -> None:
    """Close the shell on the host where it still answers, and forget it."""
    if wire.broken is None:
        wire.release()
        with suppress(Exception):
            link.shell.connection.close()
    link.plugin.forget(link.shell.connection)
