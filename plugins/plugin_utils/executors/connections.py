# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts on many directly reached hosts from one process, over Ansible's own connection plugins.

The connection plugins block and have no time limit, so a watch kills the process they wait for. It is identified by a
mark in its arguments; the plugins are not modified.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ansible.errors import AnsibleAuthenticationFailure, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

from ...module_utils._core.work.framed_script import from_framed, to_framed
from ..process_tree import children, command_line, kill_trees
from .connection_errors import AccessRefused, HostError, Interrupted, TimedOut, Unreachable
from .host_connection import RemoteShell, open_shell

#: Bytes of a script's stdout, and of its stderr, that are kept.
LIMIT = 1024 * 1024

RESET_SECONDS = 10.0
_KILL_AGAIN_SECONDS = 0.5
# A refused login with a password may lock the account; one with a key (just after a boot, say) may be retried.
_LOGIN_REFUSED = "Permission denied"


@dataclass(frozen=True)
class Answer:
    """The result of a script on a host. Bytes that are not valid UTF-8 are replaced."""

    rc: int
    stdout: str
    stderr: str
    truncated: bool = False


@dataclass(frozen=True)
class _Link:
    shell: RemoteShell
    lock: threading.Lock = field(default_factory=threading.Lock)


class Connections:
    """One connection per host. Call ``open`` and ``close`` in the action's thread, ``run`` and ``reset`` in any."""

    def __init__(self, action: ActionBase, task_vars: Mapping[str, Any]) -> None:
        """:param task_vars: the action's; the hosts' variables come from its ``hostvars``."""
        self._action = action
        self._task_vars = task_vars
        self._links: dict[str, _Link] = {}

    def open(self, host: str) -> None:
        """Resolve a host's connection settings; nothing is sent. It may be called repeatedly.

        :raises BadConnection: see ``open_shell``.
        """
        if host not in self._links:
            self._links[host] = _Link(open_shell(self._action, self._task_vars, host))

    def run(self, host: str, script: str, *, timeout: float, stdin: str = "", limit: int = LIMIT) -> Answer:
        """Run a POSIX sh script on an open host, as the user in its become settings.

        :param timeout: seconds of real time, including the connection; then the local process is killed.
        :param stdin: text for the script to read; without it, /dev/null.
        :raises Unreachable: no connection, or it broke.
        :raises AccessRefused: the login or the change of user was refused.
        :raises TimedOut: no answer in time.
        :raises Interrupted: the script began, and how it ended is unknown.
        """
        mark = f"patchtide-{secrets.token_hex(8)}"
        payload = to_framed(script, mark, stdin=stdin, limit=limit)
        with self._alone(host) as shell:
            watch = _Watch(timeout, lambda line: mark in line)
            try:
                with watch:
                    return _ask(host, shell, mark, payload, limit)
            except HostError as error:
                if not watch.expired or isinstance(error, AccessRefused):
                    raise
            _drop_shared(shell)
            raise TimedOut(host, f"no answer within {timeout:g} s")

    def reset(self, host: str) -> None:
        """Close the shared SSH connection, which may be dead after a reboot; the next ``run`` opens another."""
        with self._alone(host) as shell:
            _drop_shared(shell)

    def close(self) -> None:
        """Forget the hosts. Shared SSH connections stay for ``ControlPersist``, as after any task."""
        for link in self._links.values():
            if link.lock.acquire(blocking=False):
                link.shell.connection.close()
        self._links.clear()

    @contextmanager
    def _alone(self, host: str) -> Iterator[RemoteShell]:
        link = self._links.get(host)
        if link is None:
            raise ValueError(f"{host}: its connection is not open")
        if not link.lock.acquire(blocking=False):
            raise ValueError(f"{host}: its connection is in use")
        try:
            yield link.shell
        finally:
            link.lock.release()


def _ask(host: str, shell: RemoteShell, mark: str, payload: str, limit: int) -> Answer:
    try:
        code, stdout, stderr = shell.send(f"/bin/sh -s {mark}", payload)
    except AnsibleAuthenticationFailure as error:
        raise AccessRefused(host, str(error)) from error
    except AnsibleConnectionFailure as error:
        refused = _LOGIN_REFUSED in str(error) and _password(shell)
        raise (AccessRefused if refused else Unreachable)(host, str(error)) from error
    except AnsibleError as error:
        # The plugins raise a general error for a become password that is wrong, missing or asked for repeatedly.
        raise (AccessRefused if shell.connection.become else Unreachable)(host, str(error)) from error
    except OSError as error:
        raise Unreachable(host, f"the controller could not run the connection: {error}") from error
    output = from_framed(stdout, mark, limit)
    if output is None:
        text = f"the script did not start (exit code {code}): {stderr.strip() or stdout.strip()}"
        raise (AccessRefused if shell.connection.become and code > 0 else Unreachable)(host, text)
    if output.rc is None:
        raise Interrupted(host, f"the script was cut off (exit code {code}): {stderr}")
    truncated = output.truncated or len(stderr) > limit
    return Answer(output.rc, output.stdout, stderr[:limit], truncated)


def _password(shell: RemoteShell) -> str:
    with suppress(KeyError):
        return str(shell.connection.get_option("password") or "")
    return ""


def _drop_shared(shell: RemoteShell) -> None:
    """Call the plugin's ``reset``, without a password: the control socket needs none, and sshpass would break it."""
    connection, play_context = shell.connection, shell._play_context
    if connection.transport != "ssh":
        return
    password, connection_password = play_context.password, _password(shell)
    play_context.password = ""
    connection.set_option("password", None)
    try:
        with _Watch(RESET_SECONDS, lambda line: "-O" in line.split() and line.endswith(f" {connection.host}")):
            connection.reset()
    except (AnsibleError, OSError):
        pass  # the next attempt will report it
    finally:
        play_context.password = password
        connection.set_option("password", connection_password or None)


class _Watch:
    """Kills matching child processes after some seconds, until the context is left."""

    def __init__(self, seconds: float, matches: Callable[[str], bool]) -> None:
        self.expired = False
        self._matches = matches
        self._left = threading.Event()
        self._timer = threading.Timer(seconds, self._expire)
        self._timer.daemon = True

    def __enter__(self) -> _Watch:
        self._timer.start()
        return self

    def __exit__(self, *_unused: object) -> None:
        self._left.set()
        self._timer.cancel()

    def _expire(self) -> None:
        while not self._left.is_set():
            self.expired = True
            kill_trees([pid for pid in children() if self._matches(command_line(pid))])
            self._left.wait(_KILL_AGAIN_SECONDS)
