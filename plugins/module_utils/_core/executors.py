# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executors: how a node is patched. One row of facts each; nothing else in the collection names one by a string.

A further executor is a row here and a file in ``plugin_utils/executors``. Policy schema, options, plan, play order,
gates and scans read this table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Reach(str, Enum):
    """``service``: a cloud service does the work and nodes are data. ``direct``: over a connection of its own."""

    SERVICE = "service"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """What the rest of the engine asks about an executor.

    :param title: what it is called in tables and messages.
    :param platforms: operating system families it can work on; the first one is assumed where a node names none.
    :param pin: how far a planned list binds the install: ``list``, ``versions``, ``kb`` or ``none``.
    :param chunk: nodes that one call may name; 1 for hosts reached one by one.
    :param needs_agent: whether a node has to be registered with a management service and online there.
    :param lists_by_itself: whether a scan of the service lists what is missing (else the policy's package rules do).
    :param requires: Python modules the controller needs for it beyond those of the collection.
    """

    name: str
    title: str
    reach: Reach
    platforms: tuple[str, ...]
    pin: str
    chunk: int = 1
    needs_agent: bool = False
    requires: tuple[str, ...] = ()

    @property
    def is_direct(self) -> bool:
        return self.reach is Reach.DIRECT


SSM = Executor(
    name="ssm",
    title="AWS Systems Manager",
    reach=Reach.SERVICE,
    platforms=("linux", "windows", "macos"),
    pin="none",
    chunk=50,  # SendCommand, InstanceIds (botocore's service model)
    needs_agent=True,
)
LINUX = Executor(name="linux", title="Linux over SSH", reach=Reach.DIRECT, platforms=("linux",), pin="versions")

#: The executors that this version serves, by name.
EXECUTORS: Mapping[str, Executor] = {item.name: item for item in (SSM, LINUX)}


def known() -> str:
    """Return the served names for messages: ``linux, ssm``."""
    return ", ".join(sorted(EXECUTORS))


def find(name: str) -> Executor | None:
    """Return the executor of that name; ``None`` where this version does not serve it."""
    return EXECUTORS.get(name)


def is_direct(name: str) -> bool:
    """Tell whether hosts of that executor are reached over a connection of their own."""
    found = EXECUTORS.get(name)
    return found is not None and found.is_direct


def unserved(name: str) -> str:
    """Return why nodes of that executor can't be worked on; ``""`` where they can."""
    if name in EXECUTORS:
        return ""
    return f"executor {name!r} is not served by this version, which serves {known()}"
