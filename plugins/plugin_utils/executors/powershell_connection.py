# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What differs between Ansible's connection plugins for PowerShell, ``psrp`` and ``winrm``.

Read in ansible-core 2.19 (``plugins/connection/psrp.py`` and ``winrm.py``), pypsrp 0.9 and pywinrm 0.5.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

from .connection_errors import BadConnection

#: Runs the script that it reads. cmd.exe, which winrm starts commands with, takes 8,191 characters of a command line
#: (Microsoft, "Command prompt line string limitation"); most scripts are longer. Modules are read the same way
#: (ansible-core, executor/powershell/bootstrap_wrapper.ps1).
READER = '& ([ScriptBlock]::Create((@($input) -join "`n")))'


class PowerShellConnection(ABC):
    """Calls of a connection plugin. All take the plugin's object."""

    #: the Python library that the plugin needs
    module: str
    package: str

    def check(self, host: str, connection: Any) -> None:
        """:raises BadConnection: the library is missing, or a setting does not work in one process with other hosts."""
        if find_spec(self.module) is None:
            raise BadConnection(
                host, f"the controller lacks the Python library {self.package}: pip install {self.package}"
            )

    def execute(self, connection: Any, script: str) -> tuple[int, bytes, bytes]:
        """Run a script. Return its exit code, stdout and stderr."""
        command, data = self.to_command(script)
        code, stdout, stderr = connection.exec_command(command, in_data=data, sudoable=True)
        return int(code), stdout, stderr

    @abstractmethod
    def to_command(self, script: str) -> tuple[str, bytes | None]:
        """Return the command that runs a script, and what it reads."""

    @abstractmethod
    def sender(self, connection: Any) -> tuple[Any, str]:
        """Return the object of an open connection that sends its messages, and the name of its method."""

    @abstractmethod
    def forget(self, connection: Any) -> None:
        """Have the next call connect again. Nothing is sent."""


class Psrp(PowerShellConnection):
    module, package = "pypsrp", "pypsrp"

    def to_command(self, script: str) -> tuple[str, bytes | None]:
        return _encoded(script), None

    def sender(self, connection: Any) -> tuple[Any, str]:
        return connection.runspace.connection.transport, "send"

    def forget(self, connection: Any) -> None:
        connection.runspace = None
        connection._connected = False
        connection._last_pipeline = None


class WinRM(PowerShellConnection):
    module, package = "winrm", "pywinrm"

    def check(self, host: str, connection: Any) -> None:
        """The plugin keeps the ticket it got in the environment of the process (``_kerb_auth``), where one host's would
        replace those of all others."""
        super().check(host, connection)
        connection._build_winrm_kwargs()
        if "kerberos" in connection._winrm_transport and connection._kerb_managed:
            why = "winrm can't get Kerberos tickets of its own for many hosts in one process"
            raise BadConnection(host, f"{why}: set ansible_connection: psrp, or ansible_winrm_kinit_mode: manual")

    def to_command(self, script: str) -> tuple[str, bytes | None]:
        return _encoded(READER), script.encode()

    def sender(self, connection: Any) -> tuple[Any, str]:
        return connection.protocol.transport, "send_message"

    def forget(self, connection: Any) -> None:
        connection.protocol = connection.shell_id = None
        connection._connected = False


def _encoded(script: str) -> str:
    """Return the command in the words by which the plugins recognise a script (ansible.plugins.shell.powershell)."""
    from ansible.plugins.shell.powershell import _common_args

    text = base64.b64encode(script.encode("utf-16-le")).decode()
    return " ".join([*_common_args, "-EncodedCommand", text])


#: By the name of the plugin.
CONNECTIONS: Mapping[str, PowerShellConnection] = {"psrp": Psrp(), "winrm": WinRM()}
