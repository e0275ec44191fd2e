# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the repairs of machines. What fails is a finding of its machine and stops no other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial

from ...module_utils._aws.instance_roles import Ec2InstanceRoles
from ...module_utils._aws.session import each_place
from ...module_utils._core.accounts import Account
from ...module_utils._core.enrollment.machine import (
    ATTACH_POLICY,
    ATTACH_PROFILE,
    ONBOARD,
    SET_TAGS,
    UPDATE_AGENT,
    Judgement,
)
from ...module_utils._core.enrollment.words import finding
from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.model import Place, place_label
from ..agent_update import AgentUpdate
from ..aws_options import node_places
from ..prepare.places import Clouds

#: Why a repair failed, by node and kind.
Failed = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """How repairs are carried out.

    :param policy_arn: what roles get that lack permissions. :param token: of the run, for its commands.
    """

    clouds: Clouds
    accounts: Sequence[Account]
    policy_arn: str
    token: str
    agents: AgentUpdate

    def carry_out(self, judged: Sequence[Judgement]) -> list[Judgement]:
        """Return the judgements with a finding for each repair that failed; such a repair is removed from them."""
        members: dict[str, list[Judgement]] = {}
        for item in judged:
            node = item.machine.candidate
            if any(repair.kind != ONBOARD for repair in item.repairs):
                members.setdefault(place_label(node.account, node.region), []).append(item)
        nodes = [some[0].machine.candidate for some in members.values()]
        places = node_places([(node.account, node.region) for node in nodes], self.accounts)
        failed: Failed = {}
        for place, found, error in each_place(places, lambda place: self._at(place, members[place.label])):
            everything = {
                (_id(item), repair.kind): str(error) for item in members[place.label] for repair in item.repairs
            }
            failed |= everything if error else (found or {})
        failed |= self._update([item for item in judged if any(item.repair(UPDATE_AGENT))])
        return [_judged(item, failed) for item in judged]

    def _at(self, place: Place, judged: Sequence[Judgement]) -> Failed:
        azure = judged[0].machine.candidate.in_azure
        failed = self._tags(place, judged, azure)
        return failed if azure else {**failed, **self._roles(place, judged)}

    def _tags(self, place: Place, judged: Sequence[Judgement], azure: bool) -> Failed:
        """Set each tag on all nodes that get the same value."""
        wanted: dict[tuple[str, str], list[str]] = {}
        for item in judged:
            for repair in item.repair(SET_TAGS):
                for pair in repair.tags.items():
                    wanted.setdefault(pair, []).append(_id(item))
        failed: Failed = {}
        port = self.clouds.ports(place, azure=azure).tags if wanted else None
        for (key, value), ids in sorted(wanted.items()):
            for node, why in (port.put(ids, key, value) if port else {}).items():
                failed[node, SET_TAGS] = f"{key}={value}: {why}"
        return failed

    def _roles(self, place: Place, judged: Sequence[Judgement]) -> Failed:
        """Attach the policy once to each role, then the profiles, without those whose role could not be repaired."""

        @cache
        def port() -> Ec2InstanceRoles:
            return Ec2InstanceRoles(*(self.clouds.sessions().client(name, place) for name in ("ec2", "iam")))

        def attach(role: str) -> None:
            port().attach(role, self.policy_arn)

        def associate(instance_id: str, profile: str) -> None:
            port().associate(instance_id, profile)

        failed: Failed = {}
        refused: dict[str, str] = {}
        for role in sorted({repair.target for item in judged for repair in item.repair(ATTACH_POLICY)}):
            refused[role] = _try(partial(attach, role))
        for item in judged:
            why = next((refused[repair.target] for repair in item.repair(ATTACH_POLICY)), "")
            if why:
                failed[_id(item), ATTACH_POLICY] = why
            for repair in item.repair(ATTACH_PROFILE):
                why = why or _try(partial(associate, _id(item), repair.target))
                if why:
                    failed[_id(item), ATTACH_PROFILE] = why
        return failed

    def _update(self, judged: Sequence[Judgement]) -> Failed:
        if not judged:
            return {}
        nodes = [
            {"node_id": _id(item), **{name: getattr(item.machine.candidate, name) for name in _ADDRESS}}
            for item in judged
        ]
        bad = self.agents.run(nodes, f"{self.token} agent/1", "agent update")
        return {(node, UPDATE_AGENT): why or "nobody can say whether it succeeded" for node, why in bad.items()}


_ADDRESS = ("account", "region", "platform")


def _id(item: Judgement) -> str:
    return item.machine.candidate.node_id


def _try(call: Callable[[], None]) -> str:
    """Return why a call failed, "" if it did not."""
    try:
        call()
    except PatchtideError as error:
        return str(error)
    return ""


def _judged(item: Judgement, failed: Mapping[tuple[str, str], str]) -> Judgement:
    bad = [(repair, failed[_id(item), repair.kind]) for repair in item.repairs if (_id(item), repair.kind) in failed]
    if not bad:
        return item
    more = tuple(finding("repair_failed", what=repair.text(), why=why) for repair, why in bad)
    done = tuple(repair for repair in item.repairs if (_id(item), repair.kind) not in failed)
    return replace(item, repairs=done, findings=(*item.findings, *more))
