# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of one machine: what repairs it, as far as the policy allows, and what somebody has to do. Pure.

The questions are those of a plan: is the machine in the inventory, does an executor serve it, can it be reached, does a
wave take it, and when.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from ..executors import AZURE, SSM, find, unserved
from ..fleet.records import MAINTENANCE_WINDOW_KEYS, PATCH_GROUP_KEYS, first_of
from ..nodes import Candidate, matches
from ..plan.exclude import excluded_by
from ..plan.node_windows import NoWindow, WindowChoice
from ..plan.waves import wave_of
from ..policy.required_tags import TagFinding, TagRule, to_tag_rules
from ..policy.required_tags import judge as judge_tags
from ..policy.values import BY_TAG, Policy
from ..stamp import from_time
from .machine import (
    ATTACH_POLICY,
    ATTACH_PROFILE,
    ONBOARD,
    SET_TAGS,
    UPDATE_AGENT,
    Finding,
    Judgement,
    Machine,
    Repair,
)
from .words import finding

Part: TypeAlias = "Repair | Finding"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A machine that still has time to register."""

    text: str


class Judge:
    """Judges machines by a policy.

    :param now: the caller's time.
    """

    def __init__(self, policy: Policy, now: datetime) -> None:
        self._policy = policy
        self._rules = policy.enrollment
        self._now = now
        required = policy.enrollment.required_tags
        self._tags = to_tag_rules("enrollment.required_tags", required) if required else []
        self._windows = WindowChoice(policy)

    def judge(self, machine: Machine) -> Judgement:
        """Return what is wrong with a machine and what repairs it."""
        if why := excluded_by(self._policy, machine.candidate):
            return Judgement(machine=machine, excluded=why)
        if self._may_onboard(machine) and not machine.candidate.in_azure:
            return self._onboard(machine)
        if not machine.on_ec2 and (trouble := _executor(machine.candidate)):
            return Judgement(machine=machine, findings=(trouble,))  # what else it needs depends on its executor
        parts: list[Part | Waiting] = [] if machine.listed else [finding("not_in_inventory")]
        parts += self._access(machine) if machine.on_ec2 else []
        parts += self._agent(machine)
        tags = self._wanted_tags(machine)
        parts += tags
        if machine.listed:
            parts += self._wave(machine, next((part.tags for part in tags if isinstance(part, Repair)), {}))
        if self._may_onboard(machine):
            parts += self._onboard(machine).repairs
        return Judgement(
            machine=machine,
            repairs=tuple(part for part in parts if isinstance(part, Repair)),
            findings=tuple(part for part in parts if isinstance(part, Finding)),
            waiting=next((part.text for part in parts if isinstance(part, Waiting)), ""),
        )

    def _may_onboard(self, machine: Machine) -> bool:
        """Return whether the policy registers it: it is not in AWS, and nothing else patches it but perhaps Azure."""
        rules, node = self._rules.onboarding, machine.candidate
        outside = not machine.hybrid and not node.in_aws and node.executor in ("", AZURE.name)
        return outside and bool(rules.region) and matches(node, rules.select)

    def _onboard(self, machine: Machine) -> Judgement:
        """It registers with the tags that it has, and with the defaults of those that it lacks."""
        node, keys = machine.candidate, self._policy.tags
        own = {keys.patch_group: node.patch_group, keys.maintenance_window: node.maintenance_window, **node.tags}
        found = judge_tags({key: value for key, value in own.items() if value}, self._tag_rules(node))
        tags = {**own, **found.defaults}
        repair = Repair(
            kind=ONBOARD,
            target=self._rules.onboarding.region,
            tags={key: value for key, value in sorted(tags.items()) if value},
        )
        findings = tuple(_tag_findings(found, in_cloud=False, repaired=found.defaults))
        return Judgement(machine=machine, repairs=(repair,), findings=findings)

    def _access(self, machine: Machine) -> list[Part | Waiting]:
        """Judge profile and role of an instance. One that is managed without a profile has the default host role."""
        if not machine.profile and machine.node["managed"]:
            return []
        if not machine.profile and not self._rules.instance_profile:
            return [finding("no_instance_profile")]
        profile = machine.profile or self._rules.instance_profile
        if trouble := self._role_trouble(machine, profile):
            return [trouble]
        parts: list[Part | Waiting] = []
        if machine.role and machine.role.missing:
            parts.append(Repair(kind=ATTACH_POLICY, target=machine.role.role))
        if not machine.profile:
            parts.append(Repair(kind=ATTACH_PROFILE, target=profile))
        if not parts and not machine.node["managed"] and machine.node["state"] in ("running", "pending"):
            parts.append(self._unregistered(machine))
        return parts

    def _role_trouble(self, machine: Machine, profile: str) -> Finding | None:
        """Return why the role in a profile can't be used or repaired."""
        role, policy = machine.role, self._rules.role_policy_arn
        if role is None:
            return finding("role_unread", profile=profile, why=machine.role_error or "it was not asked for")
        if not role.exists or not role.role:
            return finding("no_role", profile=profile)
        if role.denied:
            return finding("role_denies", role=role.role, actions=", ".join(role.denied))
        if role.missing and not policy:
            return finding("role_lacks", role=role.role, actions=", ".join(role.missing))
        return None

    def _unregistered(self, machine: Machine) -> Part | Waiting:
        launched = machine.node["launched_at"]
        until = from_time(launched) + timedelta(minutes=self._rules.register_minutes) if launched else self._now
        if self._now < until:
            return Waiting(f"launched at {launched}; it has until {until:%H:%M} UTC to register")
        return finding("not_registered")

    def _agent(self, machine: Machine) -> Iterator[Part]:
        coverage, node = machine.node["coverage"], machine.node
        if "stale_ping" in coverage:
            hybrid = str(node["node_id"]).startswith("mi-")
            arc = machine.candidate.executor == AZURE.name
            code = "arc_silent" if arc else "hybrid_silent" if hybrid else "agent_silent"
            yield finding(code, last=node["last_ping"] or "an unknown time")
        elif "old_agent" in coverage and machine.running:
            at_work = self._policy.tags.patch_now and self._policy.tags.patch_now in node["tags"]
            if self._rules.update_agent and not at_work:
                yield Repair(kind=UPDATE_AGENT)
            else:
                yield finding("old_agent", version=node["agent_version"], oldest=self._rules.oldest_agent)

    def _wanted_tags(self, machine: Machine) -> list[Part]:
        """Compare the tags with the rules; what a node states itself counts before defaults."""
        in_cloud = machine.candidate.in_aws or machine.candidate.in_azure
        have = self._known_tags(machine)
        if not machine.candidate.in_azure:  # an empty tag is no spelling of another one where case counts
            have = {key: value for key, value in have.items() if value}
        found = judge_tags(have, self._tag_rules(machine.candidate))
        stated = {key: value for key, value in machine.stated.items() if key not in found.invalid}
        repair = {**found.defaults, **stated} if in_cloud else {}
        parts: list[Part] = [Repair(kind=SET_TAGS, tags=repair)] if repair else []
        parts += _tag_findings(found, in_cloud, found.defaults if in_cloud else ())
        return [*parts, *(finding("stated", why=text) for text in machine.remarks)]

    def _known_tags(self, machine: Machine) -> dict[str, str]:
        """Return the tags that it has or states; patch group and window count in each spelling of their keys."""
        tags = {**machine.node["tags"], **machine.stated}
        known = (
            (PATCH_GROUP_KEYS, self._policy.tags.patch_group, machine.candidate.patch_group),
            (MAINTENANCE_WINDOW_KEYS, self._policy.tags.maintenance_window, machine.candidate.maintenance_window),
        )
        for keys, own, value in known:
            for key in {*keys, own}:
                tags[key] = tags.get(key) or value or first_of(tags, keys)
        return tags

    def _tag_rules(self, node: Candidate) -> list[TagRule]:
        """Return the required tags, and the patch group of nodes that a baseline of the policy patches."""
        key, groups = self._policy.tags.patch_group, [group.name for group in self._policy.patch_groups]
        row = find(node.executor or SSM.name)
        if not groups or any(rule.name in PATCH_GROUP_KEYS for rule in self._tags) or not row or not row.by_baseline:
            return self._tags
        return [*self._tags, TagRule(name=key, allowed=tuple(groups))]

    def _wave(self, machine: Machine, added: Mapping[str, str]) -> Iterator[Part]:
        """Ask for the wave that the next plan would put it in, once it is registered and has its tags."""
        node, keys = machine.candidate, self._policy.tags
        tags = {**node.tags, **added}
        node = replace(
            node,
            tags=tags,
            executor=node.executor or (SSM.name if machine.on_ec2 else ""),
            application=node.application or tags.get(keys.application, ""),
            patch_group=node.patch_group or first_of(tags, (keys.patch_group, *PATCH_GROUP_KEYS)),
        )
        name = wave_of(node, self._policy.waves)
        if not name and self._policy.waves:
            yield finding("no_wave")
        elif any(wave.name == name and wave.window == BY_TAG for wave in self._policy.waves):
            window = self._windows.by_tag(node)
            if isinstance(window, NoWindow):
                yield finding("no_window", why=window.why, key=keys.maintenance_window)


def _executor(node: Candidate) -> Finding | None:
    """Return why nothing patches a machine."""
    if not node.executor:
        return finding("no_executor")
    return finding("not_served", why=why) if (why := unserved(node.executor)) else None


def _tag_findings(found: TagFinding, in_cloud: bool, repaired: Collection[str]) -> Iterator[Finding]:
    """Yield what no repair sets: hosts in no cloud have variables instead of tags, and nobody sets these."""
    where, done = "tag" if in_cloud else "variable", {key.casefold() for key in repaired}
    for key in found.missing:
        if key.casefold() not in done:
            yield finding(f"no_{where}", key=key)
    for key, why in found.invalid.items():
        yield finding(f"bad_{where}", key=key, why=why)
    for key, spelled in found.misspelt.items():
        yield finding("misspelt_tag", key=key, spelled=spelled)
