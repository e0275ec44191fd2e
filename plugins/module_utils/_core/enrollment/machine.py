# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of one machine, what is wrong with it, and what repairs it: plain values. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..arns import name_of
from ..fleet.records import Node
from ..nodes import Candidate
from ..ssm.instance_roles import RoleFacts

#: Kinds of repairs, in the order in which they are carried out.
ATTACH_POLICY, ATTACH_PROFILE, SET_TAGS, UPDATE_AGENT = "attach_policy", "attach_profile", "set_tags", "update_agent"
#: What the playbook does by the role onboard_node, when everything else is repaired.
ONBOARD = "onboard"


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One machine.

    :param node: its inventory record, with ``coverage`` set. :param candidate: the same as plans see it.
    :param listed: whether the inventory has it. :param role: what the role allows that it has, or that the policy's
        instance profile would give it; ``None`` if it needs none. :param role_error: why that could not be read.
    :param hybrid: whether Systems Manager has it as a hybrid node, of which the inventory's host does not know.
    :param stated: tags that it lacks and states in its own inventory. :param remarks: what it states besides.
    """

    node: Node
    candidate: Candidate
    listed: bool = True
    role: RoleFacts | None = None
    role_error: str = ""
    hybrid: bool = False
    stated: Mapping[str, str] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def on_ec2(self) -> bool:
        return str(self.node["resource_type"]) == "EC2Instance"

    @property
    def profile(self) -> str:
        """The name of its instance profile, "" if it has none."""
        return name_of(str(self.node["instance_profile"]))

    @property
    def running(self) -> bool:
        return self.node["state"] in ("", "running", "pending")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """One repair. ``target``: the profile to attach, the role that gets the policy, or the Region to register in.
    ``tags``: those to set."""

    kind: str
    target: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as an operator reads it."""
        if self.kind == SET_TAGS:
            return "set " + ", ".join(f"{key}={value}" for key, value in sorted(self.tags.items()))
        if self.kind == ATTACH_PROFILE:
            return f"attach the instance profile {self.target}"
        if self.kind == ONBOARD:
            return f"register it with Systems Manager in {self.target}"
        return f"attach the policy to role {self.target}" if self.kind == ATTACH_POLICY else "update the SSM Agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong with a machine and is not repaired. ``fix``: what to configure or to run."""

    code: str
    what: str
    fix: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain data."""
        return {"code": self.code, "what": self.what, "fix": self.fix}


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The state of a machine.

    :param excluded: why the policy excludes it, "" if it does not. :param waiting: what it still has time for.
    """

    machine: Machine
    repairs: tuple[Repair, ...] = ()
    findings: tuple[Finding, ...] = ()
    excluded: str = ""
    waiting: str = ""

    @property
    def state(self) -> str:
        """``excluded``, ``open`` (with findings), ``repairable``, ``registering`` or ``enrolled``."""
        if self.excluded:
            return "excluded"
        if self.findings:
            return "open"
        return "repairable" if self.repairs else "registering" if self.waiting else "enrolled"

    def repair(self, kind: str) -> Iterator[Repair]:
        """Yield the repairs of a kind."""
        return (item for item in self.repairs if item.kind == kind)
