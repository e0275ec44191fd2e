# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible's connection plugin for any host of the inventory, with the options that Ansible itself would set.

ansible-core builds a connection only for the host of a task (``TaskExecutor._get_connection``,
``_set_become_plugin`` and ``_set_connection_options`` in executor/task_executor.py). This follows these three, read in
ansible-core 2.17 to 2.21, and differs from them where settings of the action's host would leak into other hosts:

- Variables are the host's ``hostvars``: inventory, facts and extra variables, but no ``vars`` of the coordinator's.
- The play context is fresh. The action's own carries the address, port and passwords of the host it runs on.
- The keyword ``connection`` of the coordinator's play is ignored: it is usually ``local`` and must not turn a host
  without ``ansible_connection`` into the controller.
- ``delegate_to`` of the task is ignored, for the same reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import ansible.errors
from ansible import constants as C
from ansible import context
from ansible.errors import AnsibleError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.playbook.play_context import PlayContext
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import become_loader, connection_loader
from ansible.template import Templar

from .connection_errors import BadConnection

#: Connection plugins that the contract tests cover; the first is what Ansible's old default ``smart`` means.
SUPPORTED = ("ssh", "local")
#: Those for Windows.
POWERSHELL = ("psrp", "winrm")
_PREFIXES = ("ansible.builtin.", "ansible.legacy.")

_CONN_PASS = ("ansible_ssh_pass", "ansible_ssh_password", "ansible_password")
_BECOME_PASS = ("ansible_become_password", "ansible_become_pass", "ansible_sudo_pass", "ansible_su_pass")
# Where ansible-core has it (2.19 and newer): a template that ends in ``omit``.
_OMITTED: tuple[type[Exception], ...] = tuple(
    getattr(ansible.errors, name) for name in ("AnsibleValueOmittedError",) if hasattr(ansible.errors, name)
)


class RemoteShell(ActionBase):
    """Provides ``_low_level_execute_command``, which applies become and the shell, and removes the prompt."""

    def run(self, tmp: None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        raise NotImplementedError

    @property
    def connection(self) -> Any:
        return self._connection

    def send(self, command: str, data: str) -> tuple[int, str, str]:
        """Run a command with input; return exit code, stdout and stderr."""
        found = self._low_level_execute_command(command, in_data=data.encode("utf-8"), encoding_errors="replace")
        return int(found["rc"]), str(found["stdout"]), str(found["stderr"])


def host_variables(task_vars: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return a host's variables, not templated. :raises BadConnection: the inventory has no such host."""
    hostvars = task_vars["hostvars"]
    if host not in hostvars:
        raise BadConnection(host, "the inventory has no such host")
    return {**hostvars.raw_get(host), "hostvars": hostvars}


def open_shell(
    action: ActionBase, task_vars: Mapping[str, Any], host: str, supported: Sequence[str] = SUPPORTED
) -> RemoteShell:
    """Build a host's connection; nothing is sent yet. Templates run, so only the action's own thread may call it.

    :raises BadConnection: no such host, a plugin that is not supported, or a variable that can't be templated.
    """
    variables = host_variables(task_vars, host)
    try:
        return _Builder(action, task_vars, variables, host, supported).build()
    except AnsibleError as error:
        raise BadConnection(host, f"its connection settings fail: {error}") from error


class _Builder:
    """Builds one connection."""

    def __init__(
        self,
        action: ActionBase,
        task_vars: Mapping[str, Any],
        variables: dict[str, Any],
        host: str,
        supported: Sequence[str],
    ) -> None:
        self._supported = supported
        self._action = action
        self._host = host
        self._variables = variables
        self._templar = Templar(loader=action._loader, variables=variables)
        self._task = action._task.copy(exclude_parent=True)
        self._task.delegate_to = None
        self._task.connection = self._plugin_name()
        self._passwords = _cli_passwords(action._play_context, task_vars)

    def build(self) -> RemoteShell:
        play_context = self._play_context()
        connection = connection_loader.get(self._task.connection, play_context, None, task_uuid=self._task._uuid)
        if self._supported is not POWERSHELL and getattr(connection._shell, "_IS_WINDOWS", False):
            raise BadConnection(self._host, f"its shell is {connection._shell._load_name}, supported are POSIX shells")
        become = self._become_plugin()
        connection.set_become_plugin(become)
        if become is not None:
            play_context.set_become_plugin(become.name)
        self._set_options(connection, play_context)
        # Not the host's own templar: with the host's variables it would take several megabytes for each host.
        templar = Templar(loader=self._action._loader, variables={})
        return RemoteShell(
            self._task, connection, play_context, self._action._loader, templar, self._action._shared_loader_obj
        )

    def _template(self, name: str) -> Any:
        return self._templar.template(self._variables[name])

    def _plugin_name(self) -> str:
        name = str(self._template("ansible_connection") if self._variables.get("ansible_connection") else "")
        name = name or str(context.CLIARGS.get("connection") or C.DEFAULT_TRANSPORT)
        for prefix in _PREFIXES:
            name = name.removeprefix(prefix)
        name = SUPPORTED[0] if name == "smart" else name
        if name not in self._supported:
            supported = " and ".join(self._supported)
            raise BadConnection(self._host, f"its connection plugin is {name!r}, supported are {supported}")
        return name

    def _play_context(self) -> Any:
        fresh = PlayContext(passwords=self._passwords, connection_lockfd=self._action._play_context.connection_lockfd)
        found = fresh.set_task_and_variable_override(task=self._task, variables=self._variables, templar=self._templar)
        found.post_validate(templar=self._templar)
        found.remote_addr = found.remote_addr or self._host
        return found

    def _become_plugin(self) -> Any:
        given = self._variables.get("ansible_become")
        if not (boolean(self._template("ansible_become")) if given is not None else self._task.become):
            return None
        named = self._variables.get("ansible_become_method")
        name = str(self._template("ansible_become_method") if named else self._task.become_method)
        become = become_loader.get(name)
        if become is None:
            raise BadConnection(self._host, f"there is no become plugin {name!r}")
        if getattr(become, "require_tty", False):
            raise BadConnection(self._host, f"the become plugin {name!r} needs a terminal; scripts run without one")
        return become

    def _set_options(self, connection: Any, play_context: Any) -> None:
        keys = self._task.dump_attrs()
        keys.pop("retries", None)  # the task's, not the connection's
        keys["timeout"] = play_context.timeout
        if play_context.password:
            keys["password"] = play_context.password
        self._set(connection, "connection", keys)
        self._set(connection._shell, "shell", keys)
        if connection.become is not None:
            if play_context.become_pass:
                keys["become_pass"] = play_context.become_pass
            self._set(connection.become, "become", keys)
            play_context.prompt = connection.become.prompt
        if connection.transport == "local":
            # Without it, a become password makes the plugin use a terminal and drop what it should send.
            connection.set_option("pipelining", True)

    def _set(self, plugin: Any, kind: str, keys: Mapping[str, Any]) -> None:
        options = {}
        for name in C.config.get_plugin_vars(kind, plugin._load_name):
            if name in self._variables:
                with suppress(*_OMITTED):
                    options[name] = self._template(name)
        if (omit := self._variables.get("omit")) is not None:  # ansible-core 2.17 and 2.18: a value of its own
            options = {name: value for name, value in options.items() if value != omit}
        if getattr(plugin, "allow_extras", False):
            options["_extras"] = self._extras(plugin.extras_prefix, options)
        plugin.set_options(task_keys=keys, var_options=options)

    def _extras(self, prefix: str, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return variables of a plugin that passes those it does not know on to its library (``winrm``)."""
        names = [name for name in self._variables if name.startswith(f"ansible_{prefix}_") and name not in known]
        return {name: self._template(name) for name in names}


def _cli_passwords(play_context: Any, task_vars: Mapping[str, Any]) -> dict[str, str]:
    """Return the passwords entered for ``-k`` and ``-K``, unless the action's host replaces them with its own."""
    conn = "" if any(name in task_vars for name in _CONN_PASS) else play_context.password
    become = "" if any(name in task_vars for name in _BECOME_PASS) else play_context.become_pass
    return {"conn_pass": conn or "", "become_pass": become or ""}
