# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The SSM Agent of a simulated Windows host: what the role onboard_node reads and sets of it.

Its scripts do not run here: each is recognised by what it calls, and does what its comment says. The agent's command
line is that of the stand-in for Linux (lab/hosts/ssm_agent.py).
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.hosts.ssm_agent import VERSION, Refused, call, enter

SERVICE = "AmazonSSMAgent"


@dataclass(slots=True)
class Agent:
    """The agent. ``signer``: who has signed its installer. ``vault``: its key and the ID that belongs to it."""

    computer: str
    installed: bool = False
    signer: str = 'CN="Amazon.com Services LLC", O="Amazon.com Services LLC", C=US'
    service: str = "stopped"
    start_mode: str = "auto"
    registration: dict[str, str] = field(default_factory=dict)
    vault: dict[str, str] = field(default_factory=dict)
    config: str = ""
    environment: list[str] = field(default_factory=list)

    def powershell(self, script: str, given: Mapping[str, Any], *, dry: bool) -> dict[str, Any] | None:
        """Return what win_powershell returns of a script of the role; ``None`` if it is none."""
        does = next((does for mark, does in _SCRIPTS.items() if mark in script), None)
        if does is None:
            return None
        if dry and "SupportsShouldProcess = $true" not in script:
            return {"changed": False, "skipped": True, "msg": "the script does not support check mode"}
        changed, result = does(self, given, dry)
        return {"changed": changed, "result": result}

    def _look(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, Any]:
        found = self.registration.get("ManagedInstanceID", "")
        return False, {
            "kind": "package" if self.installed else "none",
            "binary": "C:\\Program Files\\Amazon\\SSM\\amazon-ssm-agent.exe",
            "service": SERVICE,
            "node_id": found,
            "region": self.registration.get("Region", ""),
            "broken": bool(found) and self.vault.get("instanceID") != found,
            "ec2": False,
        }

    def _signed(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, Any]:
        if "Amazon" not in self.signer:
            raise ValueError(f"{given['Path']} is not signed by Amazon: Valid, {self.signer}")
        return False, {"subject": self.signer}

    def _read(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, Any]:
        return False, self.config or "{}"

    def _write(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, Any]:
        changed = self.config != given["Text"]
        if not dry:
            self.config = str(given["Text"])
        return changed, None

    def _remove(self, given: Mapping[str, Any], dry: bool) -> tuple[bool, Any]:
        changed = self.installed
        if not dry:
            self.installed = False
        return changed, None

    def command(self, argv: Sequence[str]) -> dict[str, Any]:
        """Run ``amazon-ssm-agent.exe`` and return what win_command returns."""
        if argv[1:] == ["-register", "-clear"]:
            self.registration, self.vault = {}, {}
            return _ended(0, "Registration information has been removed from the instance.")
        given = dict(zip(argv[2::2], argv[3::2], strict=True))
        if self.vault.get("instanceID"):
            return _ended(1, "Registration failed due to unexpected newline")
        key = secrets.token_hex(32)
        self.vault = {"privateKey": key}
        activation = given["-code"], given["-id"]
        try:
            found = enter(activation, key, secrets.token_hex(16), given["-region"], self._config())
        except Refused as error:
            return _ended(1, f"Registration failed due to error registering the instance with AWS SSM. {error}")
        self.registration = {"ManagedInstanceID": found, "Region": given["-region"]}
        self.vault = {"privateKey": key, "instanceID": found}
        return _ended(0, f"Successfully registered the instance with AWS SSM using Managed instance-id: {found}")

    def set_service(self, args: Mapping[str, Any]) -> dict[str, Any]:
        """Start and stop the service. One that starts and is registered is heard of at once."""
        state, mode = str(args.get("state") or self.service), str(args.get("start_mode") or self.start_mode)
        wanted = "running" if state in ("started", "restarted", "running") else "stopped"
        changed = (wanted, mode) != (self.service, self.start_mode) or state == "restarted"
        if changed and not args.get("_ansible_check_mode"):
            self.service, self.start_mode = wanted, mode
            if wanted == "running" and self.vault.get("instanceID"):
                self._ping()
        return {"changed": changed, "name": SERVICE, "exists": True, "state": self.service}

    def _ping(self) -> None:
        members = {
            "InstanceId": self.vault["instanceID"],
            "AgentName": "amazon-ssm-agent",
            "AgentStatus": "Active",
            "AgentVersion": VERSION,
            "PlatformType": "Windows",
            "PlatformName": "Microsoft Windows Server 2022 Datacenter",
            "PlatformVersion": "10.0.20348",
            "ComputerName": self.computer,
            "IPAddress": "10.77.99.10",
        }
        call(
            "UpdateInstanceInformation", members, self.registration["Region"], self._config(), self.vault["privateKey"]
        )

    def _config(self) -> dict[str, Any]:
        return dict(json.loads(self.config or "{}"))


def _ended(code: int, text: str) -> dict[str, Any]:
    return {"changed": True, "rc": code, "stdout": text, "stderr": "", "failed": code != 0}


#: What a script of the role calls, and what it does.
_SCRIPTS: Mapping[str, Callable[[Agent, Mapping[str, Any], bool], tuple[bool, Any]]] = {
    "InstanceData\\registration": Agent._look,
    "Get-AuthenticodeSignature": Agent._signed,
    "WriteAllText": Agent._write,
    "Uninstall-Package": Agent._remove,
    "Get-Content -LiteralPath $Path -Raw": Agent._read,
}


def module(agent: Agent, name: str, args: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a module of ansible.windows returns if it is about the agent, else ``None``."""
    dry = bool(args.get("_ansible_check_mode"))
    if name == "win_powershell":
        try:
            return agent.powershell(str(args["script"]), args.get("parameters") or {}, dry=dry)
        except ValueError as error:
            return {"failed": True, "msg": str(error)}
    if name == "win_service" and args["name"] == SERVICE:
        return agent.set_service(args)
    if name == "win_command":
        return agent.command(args["argv"])
    if name == "win_regedit" and str(args["path"]).endswith(f"\\Services\\{SERVICE}"):
        wanted = list(args["data"]) if args.get("state", "present") == "present" else []
        changed, agent.environment = agent.environment != wanted, agent.environment if dry else wanted
        return {"changed": changed}
    if name == "win_package":
        changed, agent.installed = not agent.installed, agent.installed or not dry
        agent.service = "running" if changed and not dry else agent.service
        return {"changed": changed}
    if name in ("win_file", "win_get_url") and "Amazon" in str(args.get("path") or args.get("dest")):
        return {"changed": True}
    return None
