# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances, instance profiles and roles of one place, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ssm.instance_roles import RolePolicies


@dataclass
class FakeInstanceRoles:
    """An ``InstanceRolePort``."""

    instances: dict[str, str]
    profiles_held: dict[str, str]
    inline: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    attached: dict[str, list[str]] = field(default_factory=dict)

    def profiles(self, instance_ids: Sequence[str] | None, filters: Mapping[str, Any]) -> Mapping[str, str]:
        return {key: name for key, name in self.instances.items() if instance_ids is None or key in instance_ids}

    def role_of(self, profile: str) -> str | None:
        return self.profiles_held.get(profile)

    def policies_of(self, role: str, enough: str) -> RolePolicies:
        attached = tuple(self.attached.get(role, []))
        documents = () if enough in attached else tuple(self.inline.get(role, []))
        return RolePolicies(attached=attached, documents=documents)

    def associate(self, instance_id: str, profile: str) -> None:
        assert not self.instances[instance_id], "an instance has one profile at most"
        self.instances[instance_id] = profile

    def attach(self, role: str, policy_arn: str) -> None:
        assert policy_arn not in self.attached.setdefault(role, []), "attached twice"
        self.attached[role].append(policy_arn)
