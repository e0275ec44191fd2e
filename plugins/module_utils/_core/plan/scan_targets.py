# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which nodes a compliance scan covers, how it reaches each, and why it excludes the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..executors import AZURE, SSM, WINDOWS, is_direct, needs_agent, unserved
from ..nodes import Candidate
from ..policy.values import Policy
from .exclude import excluded_by, unmanaged, will_start
from .wave import is_stopped

#: Number of hosts for each executor that the message about unserved nodes names.
_NAMED = 3


@dataclass(frozen=True, slots=True)
class ScanTargets:
    """``direct``: scanned over their own connections, as hosts of a play; ``windows``: over theirs, by one process;
    ``ssm``: by Systems Manager; ``azure``: by Azure Update Manager.

    ``unscanned``: not now, with the reason. ``not_served``: by no executor here, and not excluded by the policy.
    """

    direct: tuple[Candidate, ...]
    windows: tuple[Candidate, ...]
    ssm: tuple[Candidate, ...]
    azure: tuple[Candidate, ...]
    unscanned: tuple[tuple[Candidate, str], ...]
    not_served: tuple[tuple[Candidate, str], ...]


def scan_targets(
    nodes: Iterable[Candidate], policy: Policy | None = None, why_unserved: Callable[[str], str] = unserved
) -> ScanTargets:
    """Sort the nodes by how they are scanned, each kind by host name.

    :param policy: its ``exclude`` says which nodes need no executor.
    :param why_unserved: returns why an executor can't be used here, "" if it can.
    """
    direct: list[Candidate] = []
    windows: list[Candidate] = []
    ssm: list[Candidate] = []
    azure: list[Candidate] = []
    unscanned: list[tuple[Candidate, str]] = []
    unserved_nodes: list[tuple[Candidate, str]] = []
    for node in sorted(nodes, key=lambda node: node.host):
        if node.executor and (why := why_unserved(node.executor)):
            excluded = excluded_by(policy, node) if policy else ""
            (unscanned if excluded else unserved_nodes).append((node, excluded or why))
        elif (why := why_unscanned(node)) and not _known_before(node, policy):
            unscanned.append((node, why))
        elif node.executor == WINDOWS.name:
            windows.append(node)
        elif is_direct(node.executor):
            direct.append(node)
        elif node.executor == SSM.name:
            ssm.append(node)
        elif node.executor == AZURE.name:
            azure.append(node)
        else:
            unserved_nodes.append((node, f"no scan exists for executor {node.executor!r}"))
    return ScanTargets(
        direct=tuple(direct),
        windows=tuple(windows),
        ssm=tuple(ssm),
        azure=tuple(azure),
        unscanned=tuple(unscanned),
        not_served=tuple(unserved_nodes),
    )


def why_unscanned(node: Candidate) -> str:
    """Return why a node can't be scanned now although it is served; nothing if it can."""
    if why := unmanaged(node):
        return why
    if needs_agent(node.executor) and node.ping_status != "Online":
        return f"its agent is not online ({node.ping_status or 'never seen'})"
    if node.executor == AZURE.name and why_not_assessed(node):
        return why_not_assessed(node)
    return ""


def why_not_assessed(node: Candidate) -> str:
    """Return why Azure can't assess a machine now: it does not run, or its Arc agent is not connected."""
    if node.state not in ("", "running"):
        return f"the machine is {node.state}"
    if node.ping_status not in ("", "Online"):
        return f"the server is not connected to Azure ({node.ping_status})"
    return ""


def _known_before(node: Candidate, policy: Policy | None) -> bool:
    """Tell whether it is a deallocated machine that the policy starts: Azure keeps its last assessment."""
    return node.executor == AZURE.name and is_stopped(node) and policy is not None and will_start(node, policy)


def not_served_message(rows: Sequence[tuple[Candidate, str]]) -> str:
    """Return one message about all unserved nodes, by reason, with the first hosts; "" if there are none."""
    if not rows:
        return ""
    hosts: dict[str, list[str]] = {}
    for node, why in rows:
        hosts.setdefault(why, []).append(node.host)
    parts = [f"{why}: {_named(names)}" for why, names in sorted(hosts.items())]
    count = "1 host" if len(rows) == 1 else f"{len(rows):,} hosts"
    return (
        f"{count} can be neither scanned nor patched. {'; '.join(parts)}. "
        "Correct patchtide_executor, or exclude them in the policy (exclude)."
    )


def _named(hosts: Sequence[str]) -> str:
    count = "1 host" if len(hosts) == 1 else f"{len(hosts):,} hosts"
    more = f" and {len(hosts) - _NAMED:,} more" if len(hosts) > _NAMED else ""
    return f"{count} ({', '.join(hosts[:_NAMED])}{more})"
