# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Run Command does with a script: the collection's own ones are known by a line in them, no other runs here."""

from __future__ import annotations

import json
from collections.abc import Generator
from types import SimpleNamespace
from typing import Any

from lab.aws.ssm import behaviour

from .machine import Machine, RunCommand

#: "The output is limited to the last 4,096 bytes" (Microsoft Learn, "Run scripts in your VM by using Run Command").
MOST_BYTES = 4096
#: The line by which a server of Azure Arc is known to be restarted, for which there is no power call.
RESTART = "# patchtide:restart:1"


def run(machine: Machine, command: RunCommand) -> None:
    """Carry out a delivered run command step by step."""
    lines = [line.strip() for line in command.script.splitlines()]
    if RESTART in lines:
        machine.sim.after(2, _end, machine, command, 0, json.dumps({"restart": 1}), "")
        machine.sim.after(60, machine.node.reboot, lambda: None)
        return
    place: Any = SimpleNamespace(sim=machine.sim)
    _step(machine, command, behaviour.run_script(place, machine.node, {"commands": [command.script]}))


def _step(machine: Machine, command: RunCommand, work: Generator[Any, None, Any]) -> None:
    if not machine.node.is_up:
        return  # nobody reports any more; the client's own limit ends it
    try:
        seconds = next(work)
    except StopIteration as ended:
        result = ended.value
        _end(machine, command, result.code, result.stdout, result.stderr)
        return
    machine.sim.after(float(seconds), _step, machine, command, work)


def _end(machine: Machine, command: RunCommand, code: int, output: str, error: str) -> None:
    command.state = "Succeeded" if code == 0 else "Failed"
    command.exit_code, command.ended = code, machine.sim.now
    command.output, command.error = _tail(output), _tail(error)


def _tail(text: str) -> str:
    return text.encode()[-MOST_BYTES:].decode(errors="replace")
