# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The IAM role that lets the agent of an EC2 instance use SSM. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ..accounts import partition_of
from ..change import Change
from ..errors import BadInput, Conflict
from . import limits
from .iam_policies import allowed_actions

#: Actions that the agent requires to register, run commands and report, all in AmazonSSMManagedInstanceCore.
NEEDED = (
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetDocument",
    "ssm:PutComplianceItems",
    "ssm:PutInventory",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:OpenControlChannel",
)
_INSTANCE_ID = r"i-([0-9a-f]{8}|[0-9a-f]{17})"
_ARN = r"arn:aws[a-z-]*:iam::(aws|\d{12}):policy/.{1,512}"
_ACTION = r"[A-Za-z0-9-]+:[A-Za-z0-9*?]+"


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRole:
    """The role of one instance. ``missing_actions`` are required actions that its role does not allow.

    ``added_policy`` is the policy that was attached to the role for them.
    """

    instance_id: str
    instance_profile: str = ""
    role: str = ""
    missing_actions: tuple[str, ...] = ()
    added_policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePolicies:
    """The policies of one role: ARNs of the attached ones, and the documents of all if they were read."""

    attached: tuple[str, ...] = ()
    documents: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleFacts:
    """What the role in an instance profile allows.

    :param role: its name. :param missing: required actions that no policy of the role allows.
    :param denied: those that a policy denies, which another policy can't allow.
    :param exists: whether there is such a profile.
    """

    role: str = ""
    missing: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    exists: bool = True


class InstanceRolePort(Protocol):
    """Instances of one place, and the roles of its account."""

    def profiles(self, instance_ids: Sequence[str] | None, filters: Mapping[str, Any]) -> Mapping[str, str]:
        """Return the name of each instance's profile, "" for none, without terminated and terminating instances."""

    def role_of(self, profile: str) -> str | None:
        """Return the name of the role in a profile, "" for none; ``None`` if there is no such profile."""

    def policies_of(self, role: str, enough: str) -> RolePolicies:
        """Return a role's policies, without their documents if the policy ``enough`` is attached."""

    def associate(self, instance_id: str, profile: str) -> None:
        """Associate a profile with an instance that has none; does nothing if it already has this one."""

    def attach(self, role: str, policy_arn: str) -> None:
        """Attach a managed policy to a role; does nothing if it is already attached."""


RolesOfInstances = Mapping[str, InstanceRole]


def check_options(options: Mapping[str, Any]) -> None:
    """Validate the options against the limits of EC2 and IAM.

    :raises BadInput: names the option.
    """
    for instance_id in options["instance_ids"] or ():
        limits.matches("instance_ids", instance_id, _INSTANCE_ID, "an EC2 instance such as i-0123456789abcdef0")
    limits.matches("instance_profile", options["instance_profile"], r"[\w+=,.@-]{1,128}", "the name of a profile")
    limits.matches("policy_arn", options["policy_arn"], _ARN, "the ARN of a managed policy")
    if options["required_actions"] == []:
        raise BadInput("required_actions", [], "at least one action")
    for action in options["required_actions"] or ():
        limits.matches(
            "required_actions", action, _ACTION.replace("*?", ""), "one action such as ssm:UpdateInstanceInformation"
        )


def default_policy(region: str) -> str:
    """Return the ARN of the AWS managed policy for managed instances, in the partition of ``region``."""
    return f"arn:{partition_of(region)}:iam::aws:policy/AmazonSSMManagedInstanceCore"


def read_role(
    port: InstanceRolePort, profile: str, enough: str, needed: Sequence[str] = tuple(sorted(NEEDED))
) -> RoleFacts:
    """Return what the role in an instance profile allows; a role with the policy ``enough`` lacks nothing.

    :raises ServiceError: IAM refuses to tell.
    """
    role = port.role_of(profile)
    if not role:
        return RoleFacts(exists=role is not None)
    policies = port.policies_of(role, enough)
    if enough in policies.attached:
        return RoleFacts(role=role)
    allowed, denied = allowed_actions(policies.documents, needed)
    missing = tuple(action for action in needed if action not in allowed)
    return RoleFacts(role=role, missing=missing, denied=tuple(sorted(denied)))


class InstanceRolesNoun:
    """The declared instances in one account-Region."""

    def __init__(self, port: InstanceRolePort, options: Mapping[str, Any], region: str) -> None:
        self._port = port
        self._options = options
        self._policy = options["policy_arn"] or default_policy(region)
        self._needed = tuple(sorted(set(options["required_actions"] or NEEDED)))

    def plan(self) -> Change[RolesOfInstances]:
        check_options(self._options)
        found = self._port.profiles(self._options["instance_ids"], self._options["filters"] or {})
        for instance_id in self._options["instance_ids"] or ():
            if instance_id not in found:
                raise BadInput(
                    "instance_ids", instance_id, "an existing instance in this account-Region that is not terminated"
                )
        roles = {profile: self._role(profile) for profile in self._profiles(found)}
        before, after = {}, {}
        for instance_id, profile in sorted(found.items()):
            own = profile or self._options["instance_profile"]
            role, missing = roles[own]
            has = InstanceRole(instance_id=instance_id, instance_profile=own, role=role)
            after[instance_id] = replace(has, added_policy=self._policy if missing else "")
            before[instance_id] = (
                replace(has, missing_actions=missing)
                if profile
                else InstanceRole(instance_id=instance_id, missing_actions=self._needed)
            )
        return Change(before, after)

    def _profiles(self, found: Mapping[str, str]) -> list[str]:
        """Return the profiles of the instances. :raises BadInput: an instance has none and none is given."""
        bare = [instance_id for instance_id, profile in sorted(found.items()) if not profile]
        given = self._options["instance_profile"]
        if bare and not given:
            raise BadInput("instance_profile", None, f"a profile for {', '.join(bare)}, which have none")
        return sorted({profile for profile in found.values() if profile} | ({given} if bare else set()))

    def _role(self, profile: str) -> tuple[str, tuple[str, ...]]:
        """Return the role in a profile and the actions that it lacks."""
        found = read_role(self._port, profile, self._policy, self._needed)
        if not found.exists:
            raise BadInput("instance_profile", profile, "the name of an existing instance profile")
        if not found.role:
            raise Conflict(f"Instance profile {profile} contains no role. Add a role to it.")
        if found.denied:
            listed = ", ".join(found.denied)
            raise Conflict(f"A policy of role {found.role} denies {listed}. Another policy can't allow it.")
        return found.role, found.missing

    def apply(self, change: Change[RolesOfInstances]) -> RolesOfInstances | None:
        before, after = change.before or {}, change.after or {}
        for role in sorted({row.role for row in after.values() if row.added_policy}):
            self._port.attach(role, self._policy)
        for instance_id, row in after.items():
            if not before[instance_id].instance_profile:
                self._port.associate(instance_id, row.instance_profile)
        return after
