# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drafts a first policy from what was found in the estate: only its groups, systems and windows. Pure."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..accounts import Account
from ..ssm.baselines import NO_APPROVAL_DELAY
from ..tags import TagKeys
from ..text import counted, plain
from .values import BY_TAG

_BARE = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "none"})
#: Environments in the order in which they are patched, by what their names contain; unknown ones before production.
_ORDER = (("dev", "sandbox", "lab"), ("test", "qa", "int"), ("stag", "stg", "uat", "pre"), (), ("prod", "prd", "live"))
_UNKNOWN = 3
#: A wave of an environment with more nodes begins with a tenth of them.
TENTH_ABOVE = 10
DEFAULT_WINDOW = "patch-night"
_WIDTH = 110


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftNode:
    """What a draft needs to know of a node. ``system``: operating system of its baseline, "" where none applies."""

    patch_group: str
    environment: str = ""
    owner: str = ""
    window: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundBaseline:
    """A baseline that the accounts own: the members that a policy has, and where it was found.

    ``groups``: patch groups bound to it. ``differs``: account-Regions in which a baseline of the same name is another.
    """

    members: Mapping[str, Any]
    groups: frozenset[str]
    places: Sequence[str]
    differs: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundWindow:
    """A maintenance window: the members that a policy has, and where it was found."""

    members: Mapping[str, Any]
    places: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was found. ``accounts`` without a role are those of the credentials."""

    name: str
    regions: Sequence[str]
    accounts: Sequence[Account]
    nodes: Sequence[DraftNode]
    baselines: Sequence[FoundBaseline] = ()
    windows: Sequence[FoundWindow] = ()
    tags: TagKeys = field(default_factory=TagKeys)

    @property
    def grouped(self) -> list[DraftNode]:
        return [node for node in self.nodes if node.patch_group]


def draft_policy(seen: Seen) -> str:
    """Return the text of a policy. It names every patch group that was found, and selects nothing else.

    :raises ValueError: no node has a patch group, so that a policy would have to select nodes in another way.
    """
    if not seen.grouped:
        raise ValueError("no node has a patch group")
    baselines = list(_baselines(seen))
    return "\n".join([*_head(seen), *baselines, *_groups(seen), *_windows(seen), *_waves(seen), *_rules(seen), ""])


def scalar(value: Any) -> str:
    """Return a value in YAML's flow style. Texts are quoted unless they can only be read as texts."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {scalar(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ", ".join(scalar(item) for item in value) + "]"
    if isinstance(value, str):
        bare = _BARE.fullmatch(value) and value.lower() not in _WORDS
        return value if bare else json.dumps(plain(value), ensure_ascii=False)
    return json.dumps(value)


def _entry(row: Mapping[str, Any], comment: str = "") -> str:
    """Return an entry of a list: in one line if it is short enough, else a line for each key."""
    line = f"  - {scalar(row)}" + (f"  {_comment(comment)}" if comment else "")
    if len(line) <= _WIDTH:
        return line
    keys = [f"{scalar(key)}: {scalar(value)}" for key, value in row.items()]
    head = [f"  {_comment(comment)}"] if comment else []
    return "\n".join([*head, f"  - {keys[0]}", *(f"    {key}" for key in keys[1:])])


def _comment(text: str) -> str:
    return f"# {' '.join(plain(text).split())}"


def _head(seen: Seen) -> Iterator[str]:
    yield "# Drafted by patchtide.hybrid.init_policy from what was found. Read every line, then check it:"
    yield "#   ansible-playbook patchtide.hybrid.apply_policy -e patchtide_policy_file=policy.yml --check --diff"
    yield "# docs/policy.md explains every key. Nothing is patched before people approve a plan."
    yield "version: 1"
    yield f"name: {scalar(seen.name)}"
    changed = {name: getattr(seen.tags, name) for name in ("patch_group", "maintenance_window", "owner", "environment")}
    default = TagKeys()
    if other := {name: value for name, value in changed.items() if value != getattr(default, name)}:
        yield f"tags: {scalar(other)}"
    yield ""
    yield "estate:"
    yield f"  regions: {scalar(list(seen.regions))}"
    if accounts := [account for account in seen.accounts if account.role_arn]:
        yield "  accounts:"
        for account in accounts:
            row = {
                "name": account.name,
                "id": account.id,
                "role_arn": account.role_arn,
                "external_id": account.external_id,
            }
            yield f"    - {scalar({key: value for key, value in row.items() if value})}"


def _used_systems(seen: Seen) -> dict[str, list[str]]:
    """Return the patch groups with nodes of each operating system."""
    found: dict[str, set[str]] = {}
    for node in seen.grouped:
        if node.system:
            found.setdefault(node.system, set()).add(node.patch_group)
    return {system: sorted(groups) for system, groups in sorted(found.items())}


def _kept(seen: Seen, system: str, group: str) -> FoundBaseline | None:
    """Return the baseline that is bound to a patch group today, if all account-Regions agree on it."""
    bound = [row for row in seen.baselines if row.members["operating_system"] == system and group in row.groups]
    return bound[0] if len(bound) == 1 and not bound[0].differs else None


def _draft_name(seen: Seen, system: str) -> str:
    return f"{seen.name}-{system.lower().replace('_', '-')}"


def _baselines(seen: Seen) -> Iterator[str]:
    kept: dict[str, FoundBaseline] = {}
    drafted: list[str] = []
    for system, groups in _used_systems(seen).items():
        found = [_kept(seen, system, group) for group in groups]
        kept |= {str(row.members["name"]): row for row in found if row}
        drafted += [system] if None in found else []
    if not kept and not drafted:
        return
    yield ""
    yield "# Which patches are approved. Baselines that your patch groups have today are kept as they are."
    yield "baselines:"
    for row in kept.values():
        yield f"  {_comment('found in ' + ', '.join(row.places))}"
        yield _entry(row.members)
    for system in drafted:
        for row in seen.baselines:
            if row.members["operating_system"] == system and row.groups:
                where = ", ".join(row.places)
                text = f"not taken over, as it is not the same everywhere: {row.members['name']} in {where}"
                yield f"  {_comment(text)}"
        yield f"  {_comment('drafted: security updates only. Agree on it with whoever owns security.')}"
        yield _entry({"name": _draft_name(seen, system), "operating_system": system, "rules": [_rule(system)]})


def _rule(system: str) -> dict[str, Any]:
    """Return a cautious rule. Debian's and Ubuntu's repositories know no dates, CentOS' no classifications."""
    week = {"approve_after_days": 7}
    if system in NO_APPROVAL_DELAY:
        return {"filters": {"PRIORITY": ["Required", "Important", "Standard", "Optional", "Extra"]}}
    if system == "WINDOWS":
        return {"classification": ["SecurityUpdates", "CriticalUpdates"], **week}
    if system == "CENTOS":
        return {"filters": {"PRODUCT": ["*"]}, "enable_non_security": True, **week}
    return {"classification": ["Security"], **week}


def _groups(seen: Seen) -> Iterator[str]:
    sizes = Counter(node.patch_group for node in seen.grouped)
    systems = _used_systems(seen)
    yield ""
    yield "# Every patch group that was found. Delete those that are not yours: waves take no other nodes."
    yield "patch_groups:"
    for group, size in sorted(sizes.items()):
        mine = [system for system, groups in systems.items() if group in groups]
        names = [_name_for(seen, system, group) for system in mine]
        row = {"name": group, **({"baselines": names} if names else {})}
        yield _entry(row, counted(size) + _owned(seen, group))


def _name_for(seen: Seen, system: str, group: str) -> str:
    row = _kept(seen, system, group)
    return str(row.members["name"]) if row else _draft_name(seen, system)


def _owned(seen: Seen, group: str) -> str:
    owners = Counter(node.owner for node in seen.grouped if node.patch_group == group)
    named = ", ".join(owner for owner, _count in owners.most_common(3) if owner)
    return f" of {named}" if named else ", no owner named"


def _windows(seen: Seen) -> Iterator[str]:
    named = {node.window for node in seen.grouped}
    used = [row for row in seen.windows if row.members["name"] in named]
    crons = sorted(value for value in named if value.startswith("cron("))
    yield ""
    for row in seen.windows:
        if row not in used:
            rows = ", ".join(row.places)
            yield _comment(f"found, not used by a tag: {row.members['name']}, {row.members['schedule']}, in {rows}")
    if crons:
        yield _comment(
            f"Tags state {counted(len(crons), 'cron expression')}; `plan.tagged_cron` says how long they are open."
        )
    yield "windows:"
    for row in used:
        yield _entry(row.members, f"found in {', '.join(row.places)}")
    yield f"  {_comment('for nodes whose tag names no window; agree on it with their owners')}"
    night = {"name": DEFAULT_WINDOW, "schedule": "cron(0 22 ? * SAT#3 *)", "duration_hours": 6, "cutoff_hours": 1}
    yield _entry(night)
    if crons:
        yield f"plan: {scalar({'tagged_cron': {'duration_hours': 4, 'cutoff_hours': 1}})}"


def rank(environment: str) -> tuple[int, str]:
    """Return the place of an environment among the others; production comes last."""
    found = environment.lower()
    for number, parts in enumerate(_ORDER):
        if any(part in found for part in parts):
            return number, environment
    return _UNKNOWN, environment


def _waves(seen: Seen) -> Iterator[str]:
    stages = _stages(seen)
    yield ""
    yield "# A few nodes first, production last. After each wave a gate compares the failures with `gates`."
    if any(node.environment for node in seen.grouped) and (
        without := sum(not node.environment for node in seen.grouped)
    ):
        yield _comment(f"Without an environment tag, {counted(without)} would be in no wave; the plan names them.")
    yield "waves:"
    soak = {"soak_minutes": 60}
    for number, (name, select, nodes) in enumerate(stages):
        window = {"window": _window_of(seen, nodes)}
        if number == 0:
            gate = {"max_failure_rate": "0%", "min_sample": 5}  # one failed node pauses, so that a person can retry it
            yield _entry({"name": "canary", "select": select, "size": "10%", **window, **soak, "gate": gate})
        elif len(nodes) > TENTH_ABOVE:
            yield _entry({"name": f"{name}-tenth", "select": select, "size": "10%", **window, **soak})
        yield _entry({"name": name, "select": select, **window}, counted(len(nodes)))


def _stages(seen: Seen) -> list[tuple[str, dict[str, Any], list[DraftNode]]]:
    """Return name, selector and nodes of each environment in order; without such tags, all nodes at once."""
    named = sorted({node.environment for node in seen.grouped if node.environment}, key=rank)
    if not named:
        groups = sorted({node.patch_group for node in seen.grouped})
        return [("rest", {"patch_groups": groups}, seen.grouped)]
    found = []
    for environment in named:
        nodes = [node for node in seen.grouped if node.environment == environment]
        groups = sorted({node.patch_group for node in nodes})
        select = {"patch_groups": groups, "tags": {seen.tags.environment: environment}}
        found.append((_slug(environment), select, nodes))
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:40] or "wave"


def _window_of(seen: Seen, nodes: Sequence[DraftNode]) -> str:
    known = {str(row.members["name"]) for row in seen.windows}
    stated = all(node.window in known or node.window.startswith("cron(") for node in nodes)
    return BY_TAG if stated else DEFAULT_WINDOW


def _rules(seen: Seen) -> Iterator[str]:
    owners = Counter(node.owner for node in seen.grouped if node.owner)
    yield from (
        "",
        "gates: {max_failure_rate: 10%, budget: 5%}",
        "# Nothing runs before a person has approved the plan's digest.",
        "approval: {required: true}",
        "# Requests and approvals of exceptions; created by the first request.",
        "exceptions: {ledger: exceptions.json}",
        "reboot: {rule: if_required}",
        "# With `pin: list` and a bucket per Region nodes install only what the plan lists; see docs/policy.md.",
        "patching: {pin: baseline}",
    )
    if owners:
        yield "# Owners that tags name. Add their people to let them choose windows with choose_window:"
        yield "# owners:"
        for owner, size in sorted(owners.items()):
            select = {"tags": {seen.tags.owner: owner}}
            yield _comment(f"  - {scalar({'name': owner, 'people': [], 'select': select})}  {counted(size)}")
