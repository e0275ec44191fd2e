# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The executors: how a node is patched. One row of facts each; nothing else in the collection names one by a string.

A further executor is a row here and a file in ``plugin_utils/executors``. Policy schema, options, plan, play order,
gates and scans read this table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from .azure_ids import in_azure
from .nodes import is_aws_id
from .text import nearest

#: Code of what is said about nodes that no executor of this controller works on.
NOT_SERVED = "not_served"


class Reach(str, Enum):
    """``service``: a cloud service does the work and nodes are data. ``direct``: over a connection of its own."""

    SERVICE = "service"
    DIRECT = "direct"


@dataclass(frozen=True, slots=True)
class Library:
    """A Python module that the controller needs, and the package that pip installs it from; or a collection, by the
    name that ansible-galaxy installs it by."""

    module: str
    package: str
    is_collection: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """What the rest of the engine asks about an executor.

    :param title: what it is called in tables and messages.
    :param platforms: operating system families it can work on; the first one is assumed where a node names none.
    :param pin: how the planned patches can bind the install: ``list``, ``versions`` or ``kb_or_versions``
        (``lists/pins.py``).
    :param chunk: nodes that one call may name; 1 for hosts reached one by one.
    :param text: how it patches a node, for tables of the documentation.
    :param needs_agent: whether a node has to be registered with a management service and online there.
    :param can_start: whether a stopped node can be started for its wave.
    :param by_baseline: whether patch baselines decide what is installed, else the policy's package rules do.
    :param in_roles: whether the roles precheck, patch, reboot and verify work on its nodes outside of a rollout.
    :param requires: what the controller needs for it beyond the requirements of the collection.
    """

    name: str
    title: str
    text: str
    reach: Reach
    platforms: tuple[str, ...]
    pin: str
    chunk: int = 1
    needs_agent: bool = False
    can_start: bool = False
    by_baseline: bool = False
    in_roles: bool = True
    requires: tuple[Library, ...] = ()

    @property
    def is_direct(self) -> bool:
        return self.reach is Reach.DIRECT


SSM = Executor(
    name="ssm",
    title="Systems Manager",
    text="Run Command of AWS Systems Manager, from the controller",
    reach=Reach.SERVICE,
    platforms=("linux", "windows", "macos"),
    pin="list",
    chunk=50,  # SendCommand, InstanceIds (botocore's service model)
    needs_agent=True,
    can_start=True,
    by_baseline=True,
)
LINUX = Executor(
    name="linux",
    title="Linux over SSH",
    text="apt, dnf or zypper over the host's own connection",
    reach=Reach.DIRECT,
    platforms=("linux",),
    pin="versions",
)
AZURE = Executor(
    name="azure",
    title="Azure Update Manager",
    text="Azure Resource Manager: assess and install of virtual machines and Azure Arc servers",
    reach=Reach.SERVICE,
    platforms=("linux", "windows"),
    pin="kb_or_versions",
    can_start=True,
    in_roles=False,
    requires=(Library("azure.core", "azure-core"), Library("azure.identity", "azure-identity")),
)
WINDOWS = Executor(
    name="windows",
    title="Windows over PSRP or WinRM",
    text="ansible.windows.win_updates over the host's own connection",
    reach=Reach.DIRECT,
    platforms=("windows",),
    pin="kb_or_versions",
    in_roles=False,
    requires=(
        Library("pypsrp", "pypsrp"),
        Library("ansible_collections.ansible.windows", "ansible.windows", is_collection=True),
    ),
)

#: The executors that this version serves, by name.
EXECUTORS: Mapping[str, Executor] = {item.name: item for item in (SSM, LINUX, AZURE, WINDOWS)}


def known() -> str:
    """Return the served names for messages: ``azure, linux, ssm, windows``."""
    return ", ".join(sorted(EXECUTORS))


def find(name: str) -> Executor | None:
    """Return the executor of that name; ``None`` where this version does not serve it."""
    return EXECUTORS.get(name)


def by_node_id(node_id: str) -> str:
    """Return the executor of the service that gave a node its ID; ``""`` for a name of its own."""
    if is_aws_id(node_id):
        return SSM.name
    return AZURE.name if in_azure(node_id) else ""


def comes_first(name: str, other: str, order: Sequence[str]) -> bool:
    """Tell whether an executor comes before another one; one that is not in the order comes after all that are."""
    ranks = {item: number for number, item in enumerate(order)}
    return bool(other) and ranks.get(name, len(ranks)) < ranks.get(other, len(ranks))


def is_direct(name: str) -> bool:
    """Tell whether hosts of that executor are reached over a connection of their own."""
    found = EXECUTORS.get(name)
    return found is not None and found.is_direct


def needs_agent(name: str) -> bool:
    """Tell whether nodes of that executor have to be online at a management service."""
    found = EXECUTORS.get(name)
    return found is not None and found.needs_agent


def unserved(name: str) -> str:
    """Return why nodes of that executor can't be worked on; ``""`` where they can."""
    return "" if name in EXECUTORS else f"executor {name!r} {not_served_text()}{near(name)}"


def not_served_text() -> str:
    """Return the end of a sentence: ``is not served by this version, which serves azure, linux, ssm, windows``."""
    return f"is not served by this version, which serves {known()}"


def near(name: str) -> str:
    """Return ``" (did you mean 'ssm'?)"`` for a near miss, else nothing."""
    found = nearest(name, EXECUTORS)
    return f" (did you mean {found!r}?)" if found else ""


def lacks(row: Executor, missing: Sequence[Library]) -> str:
    """Return why a served executor does not work on this controller, and what to install; ``""`` if it works."""
    if not missing:
        return ""
    python = [item for item in missing if not item.is_collection]
    modules, packages = ", ".join(item.module for item in python), " ".join(item.package for item in python)
    names = " ".join(item.package for item in missing if item.is_collection)
    parts = [f"Python modules that this controller lacks ({modules}): pip install {packages}"] if python else []
    if names:
        parts.append(f"collections that this controller lacks: ansible-galaxy collection install {names}")
    return f"executor {row.name!r} needs {'; '.join(parts)}"
