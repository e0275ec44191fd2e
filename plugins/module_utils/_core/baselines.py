# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch baselines: values, limits and what a declaration would change. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from .change import Change, merge
from .errors import BadInput, Conflict
from .tags import merge_tags

# Limits and enumerations: botocore's service model of SSM, CreatePatchBaseline.
OPERATING_SYSTEMS = (
    "WINDOWS",
    "AMAZON_LINUX",
    "AMAZON_LINUX_2",
    "AMAZON_LINUX_2022",
    "UBUNTU",
    "REDHAT_ENTERPRISE_LINUX",
    "SUSE",
    "CENTOS",
    "ORACLE_LINUX",
    "DEBIAN",
    "MACOS",
    "RASPBIAN",
    "ROCKY_LINUX",
    "ALMA_LINUX",
    "AMAZON_LINUX_2023",
)
COMPLIANCE_LEVELS = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNSPECIFIED")
MAX_RULES, MAX_FILTERS, MAX_FILTER_VALUES, MAX_PATCHES = 10, 4, 20, 50
#: Debian and Ubuntu repositories carry no release date per patch (SSM user guide, "How security patches are selected").
NO_APPROVAL_DELAY = frozenset({"DEBIAN", "UBUNTU", "RASPBIAN"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """One approval rule. Exactly one of ``approve_after_days`` and ``approve_until_date``, none where the OS has no dates."""

    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compliance_level: str = "UNSPECIFIED"
    approve_after_days: int | None = None
    approve_until_date: str | None = None
    enable_non_security: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A patch baseline as it stands at one place. ``is_default``: it is the default one of its operating system there."""

    name: str
    operating_system: str = "WINDOWS"
    description: str = ""
    rules: tuple[ApprovalRule, ...] = ()
    approved_patches: tuple[str, ...] = ()
    approved_patches_compliance_level: str = "UNSPECIFIED"
    approved_patches_enable_non_security: bool = False
    rejected_patches: tuple[str, ...] = ()
    rejected_patches_action: str = "ALLOW_AS_DEPENDENCY"
    tags: Mapping[str, str] = field(default_factory=dict)
    is_default: bool = False
    baseline_id: str | None = None


class BaselinePort(Protocol):
    """Baselines of one place. Implemented by ``_aws.baselines`` and by the tests' in-memory fake."""

    def find(self, name: str) -> Baseline | None:
        """Return the caller's own baseline of that name; ``Conflict`` if there are several."""

    def create(self, wanted: Baseline) -> str:
        """Create it with its tags and return its id."""

    def update(self, wanted: Baseline) -> None:
        """Replace everything but tags, operating system and default, by ``wanted.baseline_id``."""

    def set_tags(self, baseline_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Add, change and remove tags until they are ``after``."""

    def set_default(self, baseline_id: str) -> None:
        """Make it the default baseline of its operating system."""

    def restore_default(self, operating_system: str) -> None:
        """Give the operating system the AWS-owned default baseline back."""

    def delete(self, baseline_id: str) -> None:
        """Delete it; a baseline that is already gone is no error."""


def plan_baseline(
    before: Baseline | None, given: Mapping[str, Any], *, present: bool, purge_tags: bool = True
) -> Change[Baseline]:
    """Say what the declaration would change. Members that are ``None`` in ``given`` are left as they are.

    :raises BadInput: a limit of the service is broken.
    """
    if not present:
        return Change(before, None)
    start = before or Baseline(name=given["name"])
    wanted = replace(merge(start, {**given, "tags": None}), tags=merge_tags(start.tags, given.get("tags"), purge_tags))
    check_baseline(wanted)
    if before and before.operating_system != wanted.operating_system:
        reason = f"the operating system of a baseline can't change ({before.operating_system} to {wanted.operating_system})"
        return Change(before, replace(wanted, baseline_id=None), recreate=reason)
    return Change(before, wanted)


def ensure_baseline(port: BaselinePort, change: Change[Baseline]) -> Baseline | None:
    """Carry the change out and return the baseline as it then is."""
    before, after = change.before, change.after
    if before and (after is None or change.recreate):
        if before.is_default:
            port.restore_default(before.operating_system)
        port.delete(str(before.baseline_id))
        before = None
    if after is None:
        return None
    if before is None:
        after = replace(after, baseline_id=port.create(after))
        default_before = False
    else:
        default_before = before.is_default
        if replace(before, tags=after.tags, is_default=after.is_default) != after:
            port.update(after)
        if before.tags != after.tags:
            port.set_tags(str(after.baseline_id), before.tags, after.tags)
    if after.is_default and not default_before:
        port.set_default(str(after.baseline_id))
    elif default_before and not after.is_default:
        port.restore_default(after.operating_system)
    return after


def to_rule(data: Mapping[str, Any]) -> ApprovalRule:
    """Read a rule as a module option or the policy file writes it."""
    filters = {key: tuple(data[name]) for name, key in _FILTER_OPTIONS.items() if data.get(name)}
    filters.update({key: tuple(values) for key, values in (data.get("filters") or {}).items()})
    return ApprovalRule(
        filters=filters,
        compliance_level=data.get("compliance_level") or "UNSPECIFIED",
        approve_after_days=data.get("approve_after_days"),
        approve_until_date=data.get("approve_until_date"),
        enable_non_security=bool(data.get("enable_non_security")),
    )


_FILTER_OPTIONS = {"classification": "CLASSIFICATION", "severity": "SEVERITY", "product": "PRODUCT"}


def check_baseline(wanted: Baseline) -> None:
    """Check what the service would refuse, naming option, value and what would be right.

    :raises BadInput: with the option's path.
    """
    _at_most("rules", wanted.rules, MAX_RULES)
    _at_most("approved_patches", wanted.approved_patches, MAX_PATCHES)
    _at_most("rejected_patches", wanted.rejected_patches, MAX_PATCHES)
    for index, rule in enumerate(wanted.rules):
        _check_rule(f"rules[{index}]", rule, wanted.operating_system)


def _check_rule(where: str, rule: ApprovalRule, operating_system: str) -> None:
    _at_most(f"{where}.filters", list(rule.filters), MAX_FILTERS)
    for key, values in rule.filters.items():
        _at_most(f"{where}.filters.{key}", values, MAX_FILTER_VALUES)
    days, until = rule.approve_after_days, rule.approve_until_date
    if operating_system in NO_APPROVAL_DELAY:
        if days or until:
            raise BadInput(where, days or until, f"no approval delay or date: {operating_system} patches carry no release date")
    elif (days is None) == (until is None):
        raise BadInput(where, {"approve_after_days": days, "approve_until_date": until}, "exactly one of the two")
    if days is not None and not 0 <= days <= 360:
        raise BadInput(f"{where}.approve_after_days", days, "0 to 360 days")


def _at_most(option: str, items: Sequence[object], limit: int) -> None:
    if len(items) > limit:
        raise BadInput(option, f"{len(items)} entries", f"at most {limit}")


def only_one(name: str, found: Sequence[Baseline]) -> Baseline | None:
    """Return the single match; names are not unique in SSM, so several are a conflict to be resolved by hand."""
    if len(found) > 1:
        ids = ", ".join(str(item.baseline_id) for item in found)
        raise Conflict(f"There are {len(found)} patch baselines named {name!r}: {ids}. Delete or rename all but one.")
    return found[0] if found else None


class BaselineNoun:
    """One declared baseline at one place: the ``Noun`` that the module runs."""

    def __init__(self, port: BaselinePort, given: Mapping[str, Any], *, present: bool, purge_tags: bool) -> None:
        self._port = port
        self._given = given
        self._present = present
        self._purge_tags = purge_tags

    def plan(self) -> Change[Baseline]:
        before = self._port.find(self._given["name"])
        return plan_baseline(before, self._given, present=self._present, purge_tags=self._purge_tags)

    def apply(self, change: Change[Baseline]) -> Baseline | None:
        return ensure_baseline(self._port, change)
