# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts do on a simulated Windows host. None is executed: each is recognised, and an unknown one is an error.

Modules come as ansible-core 2.19 and newer wrap them: a manifest with the actions and the arguments on the pipeline's
input (``module_manifest.py``). The steps of ``win_reboot`` and the collection's own scripts come as text.
"""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .agent import module as agent_module
from .machine import Machine
from .world import World

#: What stands between a manifest's parts.
_SEPARATOR = "\n\0\0\0\0\n"
#: In a script that runs the script on its input.
_READS = "[ScriptBlock]::Create((@($input)"
_ENCODED = re.compile(r"-EncodedCommand\s+(\S+)")
#: Real seconds between two looks of a reader who waits for output.
_PAUSE = 0.02


class UnknownScript(Exception):
    """The lab does not know what this script would do."""


@dataclass(frozen=True, slots=True)
class Output:
    """What a script writes: lines of stdout, an error, an exit code other than 0."""

    lines: tuple[str, ...] = ()
    error: str = ""
    code: int = 0


def run(world: World, machine: Machine, script: str, stdin: str) -> Output:
    """Do what a script does. :raises UnknownScript: nobody knows what that is."""
    if stdin.lstrip().startswith("{") and (found := _module(stdin)):
        name, args = found
        return _json(_call_module(world, machine, name, args))
    text = _decoded(script)
    if _READS in text:
        text = stdin
    for mark, does in _TEXTS:
        if mark in text:
            with world.lock:
                return does(world, machine, text)
    raise UnknownScript(text[:300])


def _decoded(script: str) -> str:
    found = _ENCODED.search(script)
    return base64.b64decode(found[1]).decode("utf-16-le") if found else script


def _json(value: Mapping[str, Any]) -> Output:
    return Output((json.dumps(value),))


def _module(stdin: str) -> tuple[str, dict[str, Any]] | None:
    """Return name and arguments of the module in a wrapper's input; ``None``: it is none."""
    parts = [json.loads(part) for part in stdin.split(_SEPARATOR) if part.lstrip().startswith("{")]
    actions: list[dict[str, Any]] = next((part["actions"] for part in parts if "actions" in part), [])
    wrapper = next((item for item in actions if item["name"] == "module_wrapper.ps1"), None)
    if wrapper is None:
        return None
    variables = {item["Name"]: item["Value"] for item in wrapper["params"]["Variables"]}
    return str(wrapper["params"]["Script"]).removesuffix(".ps1"), dict(variables["complex_args"])


def _call_module(world: World, machine: Machine, name: str, args: Mapping[str, Any]) -> dict[str, Any]:
    if name.endswith("win_ping"):
        return {"changed": False, "ping": args.get("data", "pong")}
    if name.endswith("win_updates"):
        return _win_updates(world, machine, args)
    if machine.agent is not None:
        with world.lock:
            about = agent_module(machine.agent, name.rpartition(".")[2], args)
        if about is not None:
            return about
    does = _MODULES.get(name.rpartition(".")[2])
    if does is None:
        raise UnknownScript(f"module {name}")
    with world.lock:
        return does(world, machine, args)


def _win_powershell(world: World, machine: Machine, args: Mapping[str, Any]) -> dict[str, Any]:
    """Scripts for a WSUS server run on it alone."""
    if world.wsus is None or world.wsus_host != machine.name:
        raise UnknownScript(f"{machine.name} is no WSUS server: {str(args['script'])[:200]}")
    dry = bool(args.get("_ansible_check_mode"))
    try:
        return world.wsus.run(str(args["script"]), args.get("parameters") or {}, dry=dry)
    except LookupError as unknown:
        raise UnknownScript(str(unknown)) from None


def _win_regedit(world: World, machine: Machine, args: Mapping[str, Any]) -> dict[str, Any]:
    """Values of the policies of Windows Update; nothing else is known here."""
    if not str(args["path"]).startswith("HKLM:\\SOFTWARE\\Policies\\Microsoft\\Windows\\WindowsUpdate"):
        raise UnknownScript(f"win_regedit: {args['path']}")
    name = str(args["name"])
    data = int(args["data"]) if args.get("type") == "dword" else str(args["data"])
    changed = machine.policies.get(name) != data
    if not args.get("_ansible_check_mode"):
        machine.policies[name] = data
    return {"changed": changed, "data_changed": changed, "data_type_changed": False}


def _win_service(world: World, machine: Machine, args: Mapping[str, Any]) -> dict[str, Any]:
    return {"changed": args.get("state") == "restarted", "name": args["name"], "exists": True, "state": "running"}


_MODULES: Mapping[str, Callable[[World, Machine, Mapping[str, Any]], dict[str, Any]]] = {
    "win_powershell": _win_powershell,
    "win_regedit": _win_regedit,
    "win_service": _win_service,
}


def _win_updates(world: World, machine: Machine, args: Mapping[str, Any]) -> dict[str, Any]:
    """The module's three operations (win_updates.ps1)."""
    options, what = args.get("_operation_options") or {}, args.get("_operation", "start")
    if what == "start":
        with world.lock:
            found = machine.start(args, world.catch_up(machine))
        cancel = {"cancel_id": f"Global\\{found.name}", "task_pid": found.pid}
        return {"changed": False, "cancel_options": cancel, "poll_options": {"pipe_name": found.name}}
    if what == "cancel":
        with world.lock:
            machine.cancel(str(options["cancel_id"]).rpartition("\\")[2], world.catch_up(machine))
        return {"changed": False}
    return _poll(world, machine, str(options["pipe_name"]))


def _poll(world: World, machine: Machine, pipe: str) -> dict[str, Any]:
    """Wait for the first line without a limit, as the module does. A reboot ends the waiting reader."""
    while True:
        with world.lock:
            world.catch_up(machine)
            try:
                found = machine.poll(pipe)
            except LookupError as gone:
                return {"failed": True, "msg": f"Failed to connect to the pipe: {gone}"}
            if found:
                return {"changed": False, "output": found}
            if world.hurries:
                world.skip(machine)
        time.sleep(_PAUSE)


def _boot_time(world: World, machine: Machine, text: str) -> Output:
    world.catch_up(machine)
    return Output((str(int(machine.boot.timestamp() * 10_000_000)),))


def _shut_down(world: World, machine: Machine, text: str) -> Output:
    """Its wait is part of the reboot (``_reboot.py``); LogonUI makes the key again once updates are completed."""
    code = machine.shut_down(world.catch_up(machine))
    if world.hurries:
        world.skip(machine)
    return _json({"stdout": "", "stderr": f"({code})" if code else "", "rc": code})


def _logon(world: World, machine: Machine, text: str) -> Output:
    world.catch_up(machine)
    if machine.ready_at is not None:
        if world.hurries:
            world.skip(machine)
        return Output(error="Cannot find path 'HKLM:\\...\\AutoLogonChecked' because it does not exist.", code=1)
    found = re.search(r"success-[0-9a-f-]+", text)
    return Output((found[0] if found else "",))


def _state(world: World, machine: Machine, text: str) -> Output:
    now = world.catch_up(machine)
    mode, token, owner = (_value(text, name) for name in ("mode", "token", "owner"))
    if mode in world.lost:
        world.lost.remove(mode)
        world.cuts["Receive"] = 1
    tried = re.search(r"foreach \(\$url in @\((.*?)\)\) \{", text)
    urls = re.findall(r"'([^']*)'", tried[1]) if tried else []
    return _json(machine.state(mode, token, owner, now, urls))


def _probe(world: World, machine: Machine, text: str) -> Output:
    now = world.catch_up(machine)
    return _json(machine.probe(_value(text, "packages"), _value(text, "packagesKey"), now))


def _value(text: str, name: str) -> str:
    """Return the value that a script gives a variable in a line or a statement of its own."""
    found = re.search(rf"(?:^|; )\${name} = '([^']*)'", text, re.MULTILINE)
    return found[1] if found else ""


#: What a script has in it, and what it does; the first that fits.
_TEXTS: tuple[tuple[str, Callable[[World, Machine, str], Output]], ...] = (
    ("# patchtide:windows:1", _state),
    ("# patchtide:probe:1", _probe),
    ("shutdown.exe /r", _shut_down),
    ("AutoLogonChecked", _logon),
    ("LastBootUpTime", _boot_time),
)
