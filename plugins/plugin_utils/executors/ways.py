# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Windows hosts and machines of Azure print when they run the host probe on its own, outside of a rollout."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from ...module_utils._core.clock import Clock
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.work.azure.ports import MachinePort
from ...module_utils._core.work.azure.requests import command_name
from ...module_utils._core.work.node_answer import SIZE, words

#: Seconds that a probe may take; one that Azure runs waits for the machine's agent as well.
WINDOWS_SECONDS, AZURE_SECONDS = 300, 600
#: Windows hosts that are asked at a time: each takes a thread, which waits most of the time.
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Printed:
    """What a probe printed; ``why`` it printed nothing."""

    output: str = ""
    why: str = ""


class PowerShell(Protocol):
    """Hosts of the inventory by name, whose connections are open."""

    def run(self, host: str, script: str, *, timeout: float) -> str:
        """Run a script and return what it prints. :raises PatchtideError: there is no answer."""


def ask_windows(hosts: PowerShell, names: Sequence[str], script: str) -> dict[str, Printed]:
    """Run a script on each host, many at a time."""

    def ask(host: str) -> Printed:
        try:
            return Printed(output=hosts.run(host, script, timeout=WINDOWS_SECONDS))
        except PatchtideError as problem:
            return Printed(why=words(str(problem)))

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return dict(zip(names, pool.map(ask, names), strict=True))


def ask_azure(
    port: MachinePort,
    nodes: Sequence[Mapping[str, Any]],
    script: Callable[[str], str],
    clock: Clock,
    poll_seconds: float,
) -> dict[str, Printed]:
    """Run a script on each machine of a subscription by Run Command, all of them beside one another.

    :param nodes: rows with ``node_id``, ``region`` and ``platform``. :param script: for a platform. :returns: by node.
    """
    began = clock.now()
    name = command_name(f"{began.isoformat()}/ways", "ways")
    done: dict[str, Printed] = {}
    for node in nodes:
        try:
            port.run_script(node["node_id"], node["region"], name, script(node["platform"]), AZURE_SECONDS)
        except PatchtideError as problem:
            done[node["node_id"]] = Printed(why=words(str(problem)))
    open_ = [node["node_id"] for node in nodes if node["node_id"] not in done]
    while open_ and clock.now() < began + timedelta(seconds=AZURE_SECONDS + 60):
        clock.sleep(poll_seconds)
        done |= {node: found for node in open_ if (found := _look(port, node, name))}
        open_ = [node for node in open_ if node not in done]
    for node in open_:
        with suppress(PatchtideError):
            port.forget_script(node, name)
    return done | dict.fromkeys(open_, Printed(why=f"its run command did not end in {AZURE_SECONDS} seconds"))


def _look(port: MachinePort, node: str, name: str) -> Printed | None:
    try:
        ended, output, problem = script_answer(port, node, name)
    except PatchtideError as why:
        return Printed(why=words(str(why)))
    return Printed(output=output, why="" if output else problem or "it printed nothing") if ended else None


def script_answer(port: MachinePort, node: str, name: str) -> tuple[bool, str, str]:
    """Return whether a script has ended, its output, and what was wrong with it. It is deleted once it ended."""
    found = port.script(node, name)
    if found is None:
        return True, "", "its run command was deleted by somebody"
    state = str(found.get("executionState") or "Pending")
    if state in ("Pending", "Running", "Unknown"):
        return False, "", ""
    with suppress(PatchtideError):
        port.forget_script(node, name)
    output = str(found.get("output") or "")[: SIZE + 1]
    problem = "" if state == "Succeeded" else f"its run command ended {state}: {words(found.get('error') or '')}"
    return True, output, problem
