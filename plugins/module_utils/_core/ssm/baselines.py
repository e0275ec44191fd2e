# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch baselines: values, limits and the changes that a declaration requires. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..change import Change, merge
from ..errors import BadInput, Conflict
from ..tags import check_tags, merge_tags
from . import limits

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
FILTER_KEYS = (
    "ARCH",
    "ADVISORY_ID",
    "BUGZILLA_ID",
    "PATCH_SET",
    "PRODUCT",
    "PRODUCT_FAMILY",
    "CLASSIFICATION",
    "CVE_ID",
    "EPOCH",
    "MSRC_SEVERITY",
    "NAME",
    "PATCH_ID",
    "SECTION",
    "PRIORITY",
    "REPOSITORY",
    "RELEASE",
    "SEVERITY",
    "SECURITY",
    "VERSION",
)
MAX_RULES, MAX_FILTERS, MAX_FILTER_VALUES, MAX_PATCHES, MAX_SOURCES = 10, 4, 20, 50, 20
#: Debian and Ubuntu repositories have no release date for each patch (SSM user guide, "How security patches are
#: selected").
NO_APPROVAL_DELAY = frozenset({"DEBIAN", "UBUNTU", "RASPBIAN"})
Filters = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """An approval rule with ``approve_after_days`` or ``approve_until_date``, or neither if patches have no dates."""

    filters: Filters = field(default_factory=dict)
    compliance_level: str = "UNSPECIFIED"
    approve_after_days: int | None = None
    approve_until_date: str | None = None
    enable_non_security: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchSource:
    """A repository from which nodes install patches; ``configuration`` is the repository file of yum or apt."""

    name: str
    products: tuple[str, ...]
    configuration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """A patch baseline of one account-Region. ``is_default``: it is the default of its operating system."""

    name: str
    operating_system: str = "WINDOWS"
    description: str = ""
    global_filters: Filters = field(default_factory=dict)
    rules: tuple[ApprovalRule, ...] = ()
    approved_patches: tuple[str, ...] = ()
    approved_patches_compliance_level: str = "UNSPECIFIED"
    approved_patches_enable_non_security: bool = False
    rejected_patches: tuple[str, ...] = ()
    rejected_patches_action: str = "ALLOW_AS_DEPENDENCY"
    sources: tuple[PatchSource, ...] = ()
    available_security_updates_status: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    is_default: bool = False
    patch_groups: tuple[str, ...] = ()
    baseline_id: str | None = None


class BaselinePort(Protocol):
    """Baselines of one account-Region. Implemented by ``_aws.baselines`` and by the tests' in-memory fake."""

    def find(self, name: str) -> Baseline | None:
        """Return the account's own baseline with this name. :raises Conflict: there are several."""

    def get(self, baseline_id: str) -> Baseline | None:
        """Return the baseline with this ID."""

    def create(self, wanted: Baseline) -> str:
        """Create it with its tags and return its ID."""

    def update(self, wanted: Baseline) -> None:
        """Replace everything except tags, operating system and default, by ``wanted.baseline_id``."""

    def set_tags(self, baseline_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Change the tags from ``before`` to ``after``."""

    def set_default(self, baseline_id: str) -> None:
        """Make it the default of its operating system."""

    def restore_default(self, operating_system: str) -> None:
        """Make the AWS-owned baseline the default of the operating system again."""

    def delete(self, baseline_id: str) -> None:
        """Delete it; does nothing if it does not exist."""

    def filter_values(self, operating_system: str, key: str, patch_set: str) -> Collection[str]:
        """Return the values that a filter key can have; none if that is not known."""


def plan_baseline(
    before: Baseline | None, given: Mapping[str, Any], *, present: bool, purge_tags: bool = True
) -> Change[Baseline]:
    """Return the change that the declaration requires. Members that are ``None`` in ``given`` keep their values.

    :raises BadInput: a limit of the service is exceeded.
    :raises Conflict: patch groups use the baseline that must be deleted.
    """
    if not present:
        _check_unused(before, "deleted")
        return Change(before, None)
    start = before = before and _for_system(before)
    if start is None:
        start = Baseline(name=given["name"])
    wanted = replace(merge(start, {**given, "tags": None}), tags=merge_tags(start.tags, given.get("tags"), purge_tags))
    wanted = _for_system(wanted)
    if wanted.operating_system != "WINDOWS" and given.get("available_security_updates_status") is None:
        wanted = replace(wanted, available_security_updates_status=None)
    check_baseline(wanted)
    if before and before.operating_system != wanted.operating_system:
        _check_unused(before, "recreated for another operating system")
        reason = (
            f"the operating system of a baseline can't change ({before.operating_system} to {wanted.operating_system})"
        )
        new = replace(wanted, baseline_id=None, is_default=bool(given.get("is_default")))
        return Change(before, new, recreate=reason)
    return Change(before, wanted)


def ensure_baseline(port: BaselinePort, change: Change[Baseline]) -> Baseline | None:
    """Apply the change and return the resulting baseline."""
    before, after = change.before, change.after
    if after is None:
        _delete(port, before)
        return None
    if before is None or change.recreate:  # the new one first, so that the old one remains if the service rejects it
        after = replace(after, baseline_id=port.create(after))
        _delete(port, before)
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


def _delete(port: BaselinePort, before: Baseline | None) -> None:
    if before is None:
        return
    if before.is_default:  # a default baseline cannot be deleted
        port.restore_default(before.operating_system)
    port.delete(str(before.baseline_id))


def _check_unused(before: Baseline | None, fate: str) -> None:
    if before and before.patch_groups:
        groups = ", ".join(before.patch_groups)
        raise Conflict(f"Patch baseline {before.name!r} can't be {fate}: patch groups still use it: {groups}")


def _for_system(baseline: Baseline) -> Baseline:
    """Normalize it for its operating system, so that a declared and a stored baseline compare equal."""
    system = baseline.operating_system
    return replace(baseline, rules=tuple(_rule_for_system(rule, system) for rule in baseline.rules))


def _rule_for_system(rule: ApprovalRule, system: str) -> ApprovalRule:
    """Windows calls the severity MSRC_SEVERITY. If patches have no dates, the service requires a delay of 0."""
    if system == "WINDOWS" and "SEVERITY" in rule.filters:
        named = {"MSRC_SEVERITY" if key == "SEVERITY" else key: values for key, values in rule.filters.items()}
        rule = replace(rule, filters=named)
    if system in NO_APPROVAL_DELAY and rule.approve_until_date is None:
        rule = replace(rule, approve_after_days=rule.approve_after_days or 0)
    return rule


_FILTER_OPTIONS = {"classification": "CLASSIFICATION", "severity": "SEVERITY", "product": "PRODUCT"}


def to_filters(data: Mapping[str, Any] | None) -> dict[str, tuple[str, ...]]:
    """Read filters, a mapping of API keys to a value or a list of values."""
    return {
        key: tuple(str(value) for value in ([values] if isinstance(values, (str, int)) else values))
        for key, values in (data or {}).items()
    }


def to_rule(data: Mapping[str, Any]) -> ApprovalRule:
    """Read a rule in the form of the module option or of the policy file."""
    named = {key: data[name] for name, key in _FILTER_OPTIONS.items() if data.get(name)}
    return ApprovalRule(
        filters={**to_filters(named), **to_filters(data.get("filters"))},
        compliance_level=data.get("compliance_level") or "UNSPECIFIED",
        approve_after_days=data.get("approve_after_days"),
        approve_until_date=data.get("approve_until_date"),
        enable_non_security=bool(data.get("enable_non_security")),
    )


def to_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the module's options to members of ``Baseline``; ``None`` if an option is not set."""
    names = Baseline.__dataclass_fields__.keys() & options.keys()
    given = {name: options[name] for name in names}
    given["is_default"] = options.get("default")
    for name in ("approved_patches", "rejected_patches"):  # the service ignores their order
        if given.get(name) is not None:
            given[name] = tuple(sorted(set(given[name])))
    if given.get("global_filters") is not None:
        given["global_filters"] = to_filters(given["global_filters"])
    if given.get("rules") is not None:
        given["rules"] = tuple(to_rule(rule) for rule in given["rules"])
    if given.get("sources") is not None:
        given["sources"] = tuple(
            PatchSource(**{**item, "products": tuple(item["products"])}) for item in given["sources"]
        )
    return given


def check_baseline(wanted: Baseline) -> None:
    """Validate the values against the limits of the service.

    :raises BadInput: names the option.
    """
    limits.name("name", wanted.name)
    limits.shorter("description", wanted.description, 1024)
    check_tags(wanted.tags)
    limits.at_most("rules", wanted.rules, MAX_RULES)
    for option in ("approved_patches", "rejected_patches"):
        limits.at_most(option, getattr(wanted, option), MAX_PATCHES)
        for patch in getattr(wanted, option):
            limits.shorter(option, patch, 100)
    if both := sorted(set(wanted.approved_patches) & set(wanted.rejected_patches)):
        raise BadInput("rejected_patches", both[0], "a patch that is not in approved_patches")
    _check_filters("global_filters", wanted.global_filters)
    for index, rule in enumerate(wanted.rules):
        _check_rule(f"rules[{index}]", rule, wanted.operating_system)
    _check_sources(wanted)
    if wanted.available_security_updates_status and wanted.operating_system != "WINDOWS":
        raise BadInput(
            "available_security_updates_status",
            wanted.available_security_updates_status,
            "no value: Windows only",
        )


def _check_filters(where: str, filters: Filters) -> None:
    limits.at_most(where, filters, MAX_FILTERS)
    for key, values in filters.items():
        limits.one_of(where, key, FILTER_KEYS)
        limits.at_most(f"{where}.{key}", values, MAX_FILTER_VALUES)
        for value in values:
            limits.matches(f"{where}.{key}", value, r"(?s).{1,64}", "1 to 64 characters")
        if not values:
            raise BadInput(f"{where}.{key}", [], "at least one value")


def _check_rule(where: str, rule: ApprovalRule, operating_system: str) -> None:
    _check_filters(f"{where}.filters", rule.filters)
    days, until = rule.approve_after_days, rule.approve_until_date
    if operating_system == "WINDOWS" and rule.enable_non_security:
        raise BadInput(f"{where}.enable_non_security", True, "false: Linux only")
    if operating_system in NO_APPROVAL_DELAY:
        if days or until:
            raise BadInput(
                where, days or until, f"no approval delay or date: {operating_system} patches have no release date"
            )
    elif (days is None) == (until is None):
        raise BadInput(where, {"approve_after_days": days, "approve_until_date": until}, "exactly one of the two")
    limits.within(f"{where}.approve_after_days", days, 0, 360, "days")
    limits.matches(f"{where}.approve_until_date", until, r"\d{4}-\d{2}-\d{2}", "a date such as 2026-11-30")


def _check_sources(wanted: Baseline) -> None:
    limits.at_most("sources", wanted.sources, MAX_SOURCES)
    if wanted.sources and wanted.operating_system in ("WINDOWS", "MACOS"):
        raise BadInput("sources", f"{len(wanted.sources)} entries", "no sources: Linux only")
    for index, source in enumerate(wanted.sources):
        where = f"sources[{index}]"
        limits.matches(
            f"{where}.name",
            source.name,
            r"[a-zA-Z0-9_\-.]{3,50}",
            "3 to 50 letters, digits, underscores, hyphens and dots",
        )
        limits.at_most(f"{where}.products", source.products, 20)
        if not source.products:
            raise BadInput(f"{where}.products", [], "at least one product, such as '*' for all")
        for product in source.products:
            limits.matches(f"{where}.products", product, r"(?s).{1,128}", "1 to 128 characters")
        if not 1 <= len(source.configuration) <= 1024:
            raise BadInput(f"{where}.configuration", f"{len(source.configuration)} characters", "1 to 1024 characters")


def only_one(name: str, found: Sequence[Baseline]) -> Baseline | None:
    """Return the only match; names are not unique in SSM, and several are a conflict that a person must resolve."""
    if len(found) > 1:
        ids = ", ".join(str(item.baseline_id) for item in found)
        raise Conflict(
            f"There are {len(found)} patch baselines named {name!r}: {ids}. Use baseline_id, or delete all but one."
        )
    return found[0] if found else None
