# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Associations of State Manager: documents that run on nodes on a schedule. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..change import Change, merge
from ..errors import BadInput
from ..tags import check_tags, merge_tags
from ..times.schedule import parse
from . import limits
from .parameters import to_parameters
from .targets import NODE_ID, Targets, check_targets, to_targets

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "UNSPECIFIED")
ALL_NODES: Targets = {"InstanceIds": ("*",)}
_ROLE = r"arn:aws[a-z-]*:iam::[0-9]{12}:role/.+"
_LEAST_MINUTES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Association:
    """An association, identified by its name. Empty text, 0 and empty lists mean "none".

    ``target_maps`` and ``target_locations`` have the structure of the API; the latter also uses the API's names.
    ``offset_days`` is in days, ``duration_hours`` in hours.
    """

    name: str
    document: str
    document_version: str = "$DEFAULT"
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: Targets = field(default_factory=dict)
    schedule: str = ""
    offset_days: int = 0
    apply_only_at_cron_interval: bool = False
    duration_hours: int = 0
    calendars: tuple[str, ...] = ()
    max_concurrency: str = ""
    max_errors: str = ""
    compliance_severity: str = "UNSPECIFIED"
    sync_compliance: str = "AUTO"
    output_s3_bucket: str = ""
    output_s3_prefix: str = ""
    output_s3_region: str = ""
    target_parameter: str = ""
    target_maps: tuple[Mapping[str, tuple[str, ...]], ...] = ()
    target_locations: tuple[Mapping[str, Any], ...] = ()
    alarm: str = ""
    ignore_alarm_failure: bool = False
    dispatch_role_arn: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    association_id: str | None = None


class AssociationPort(Protocol):
    """Associations of one account-Region."""

    def find(self, name: str) -> Association | None:
        """Return the association with this name. :raises Conflict: there are several."""

    def get(self, association_id: str) -> Association | None:
        """Return the association with this ID."""

    def create(self, wanted: Association) -> str:
        """Create it with its tags and return its ID."""

    def update(self, wanted: Association) -> None:
        """Replace everything except document and tags, by ``wanted.association_id``."""

    def set_tags(self, association_id: str, before: Mapping[str, str], after: Mapping[str, str]) -> None:
        """Change the tags from ``before`` to ``after``."""

    def delete(self, association_id: str) -> None:
        """Delete it; does nothing if it does not exist."""


def to_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the module's options to members of ``Association``; ``None`` if an option is not set.

    :raises BadInput: options that select nodes are mutually exclusive.
    """
    given = {name: options[name] for name in Association.__dataclass_fields__.keys() & options.keys()}
    targets = to_targets(options)
    if options.get("all_nodes"):
        if targets:
            raise BadInput("all_nodes", True, "no other targets")
        targets = dict(ALL_NODES)
    given["targets"] = targets
    for name in ("parameters", "target_maps", "target_locations", "calendars"):
        if given.get(name) is not None:
            given[name] = _READ[name](given[name])
    return given


def to_maps(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, tuple[str, ...]], ...]:
    """Return target maps in the form in which they are compared."""
    return tuple(to_parameters(row) for row in rows)


_READ: Mapping[str, Any] = {
    "parameters": to_parameters,
    "target_maps": to_maps,
    "target_locations": tuple,
    "calendars": lambda names: tuple(sorted(set(names))),
}


def plan_association(
    before: Association | None, given: Mapping[str, Any], *, present: bool, purge_tags: bool = True
) -> Change[Association]:
    """Return the change that the declaration requires. Members that are ``None`` in ``given`` keep their values.

    :raises BadInput: a limit of the service is exceeded, or a new association has no document.
    """
    if not present:
        return Change(before, None)
    if before is None and not given.get("document"):
        raise BadInput("document", None, "a document, which a new association requires")
    start = before or Association(name=given["name"], document=given["document"])
    tags = merge_tags(start.tags, given.get("tags"), purge_tags)
    wanted = replace(merge(start, {**given, "tags": None}), tags=tags)
    if _are_same(start.target_locations, wanted.target_locations):
        wanted = replace(wanted, target_locations=start.target_locations)
    if given.get("output_s3_bucket") == "":
        wanted = replace(wanted, output_s3_prefix="", output_s3_region="")
    if not wanted.alarm:
        wanted = replace(wanted, ignore_alarm_failure=False)
    check_association(wanted)
    if given.get("schedule"):
        check_schedule(wanted)
    if before and before.document != wanted.document:
        reason = f"the document of an association can't change ({before.document} to {wanted.document})"
        return Change(before, replace(wanted, association_id=None), recreate=reason)
    return Change(before, wanted)


def _are_same(before: Sequence[Mapping[str, Any]], wanted: Sequence[Mapping[str, Any]]) -> bool:
    """Whether all requested members match; the others are defaults of the service."""
    return len(before) == len(wanted) and all(
        all(old.get(key) == value for key, value in new.items()) for old, new in zip(before, wanted, strict=True)
    )


def check_association(wanted: Association) -> None:
    """Validate the values against the limits of the service.

    :raises BadInput: names the option.
    """
    limits.name("name", wanted.name or None)
    limits.document("document", wanted.document)
    limits.document_version("document_version", wanted.document_version)
    limits.within("offset_days", wanted.offset_days or None, 1, 6, "days")
    limits.within("duration_hours", wanted.duration_hours or None, 1, 24, "hours")
    limits.concurrency("max_concurrency", wanted.max_concurrency or None)
    limits.errors("max_errors", wanted.max_errors or None)
    limits.bucket("output_s3_bucket", wanted.output_s3_bucket)
    limits.shorter("output_s3_prefix", wanted.output_s3_prefix, 500)
    limits.matches("output_s3_region", wanted.output_s3_region or None, r".{3,20}", "3 to 20 characters")
    limits.alarm("alarm", wanted.alarm)
    limits.matches("dispatch_role_arn", wanted.dispatch_role_arn or None, _ROLE, "the ARN of a role")
    check_tags(wanted.tags)
    _check_together(wanted)
    _check_runs(wanted)


def _check_together(wanted: Association) -> None:
    for option in ("offset_days", "duration_hours"):
        value = getattr(wanted, option)
        if value and not wanted.apply_only_at_cron_interval:
            raise BadInput(option, value, "apply_only_at_cron_interval=true beside it")
    if wanted.offset_days and not wanted.schedule.startswith("cron("):
        raise BadInput("offset_days", wanted.offset_days, "a cron expression as schedule")
    if wanted.apply_only_at_cron_interval and wanted.schedule.startswith("rate("):
        raise BadInput("apply_only_at_cron_interval", True, "false, because a rate does not support it")
    for option in ("output_s3_prefix", "output_s3_region"):
        if getattr(wanted, option) and not wanted.output_s3_bucket:
            raise BadInput(option, getattr(wanted, option), "an output_s3_bucket as well")


def _check_runs(wanted: Association) -> None:
    """Validate the options that select targets."""
    if wanted.targets != ALL_NODES:
        check_targets(wanted.targets)
    if wanted.targets and wanted.target_maps:
        raise BadInput("target_maps", list(wanted.target_maps), "either target maps or targets")
    limits.shorter("target_parameter", wanted.target_parameter, 50)
    limits.at_most("target_locations", wanted.target_locations, 100)
    limits.at_most("target_maps", wanted.target_maps, 300)
    for at, row in enumerate(wanted.target_maps):
        limits.within(f"target_maps[{at}]", len(row), 1, 20, "parameters")
        for key, values in row.items():
            limits.at_most(f"target_maps[{at}].{key}", values, 25)
            for text in (key, *values):
                limits.matches(f"target_maps[{at}].{key}", text, r".{1,50}", "1 to 50 characters")


def check_filters(options: Mapping[str, Any]) -> None:
    """Validate IDs. :raises BadInput: names the option."""
    limits.uuid("association_id", options["association_id"], "an association")
    limits.matches("instance_id", options["instance_id"], NODE_ID, "a node ID such as mi-0123456789abcdef0")


def check_schedule(wanted: Association) -> None:
    """Validate a schedule. Associations accept rates of 30 minutes or more (Systems Manager user guide, cron and rate
    expressions).

    :raises BadInput: names the field of the expression.
    """
    limits.shorter("schedule", wanted.schedule, 256)
    parse(wanted.schedule)
    minutes = re.fullmatch(r"rate\(\s*(\d+)\s+minutes?\s*\)", wanted.schedule)
    if minutes and int(minutes[1]) < _LEAST_MINUTES:
        raise BadInput("schedule", wanted.schedule, f"a rate of at least {_LEAST_MINUTES} minutes")


def ensure_association(port: AssociationPort, change: Change[Association]) -> Association | None:
    """Apply the change and return the resulting association."""
    before, after = change.before, change.after
    if before and (after is None or change.recreate):
        port.delete(str(before.association_id))
        before = None
    if after is None:
        return None
    if before is None:
        return replace(after, association_id=port.create(after))
    if replace(before, tags=after.tags) != after:
        port.update(after)
    if before.tags != after.tags:
        port.set_tags(str(after.association_id), before.tags, after.tags)
    return after


class AssociationNoun:
    """Declared association in one account-Region, found by its ID or name."""

    def __init__(self, port: AssociationPort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options

    def plan(self) -> Change[Association]:
        options, given = self._options, to_given(self._options)
        present, wanted_id = options["state"] == "present", given.get("association_id")
        limits.uuid("association_id", wanted_id, "an association")
        before = self._port.get(wanted_id) if wanted_id else self._port.find(given["name"])
        if wanted_id and not before and present:
            raise BadInput("association_id", wanted_id, "the ID of an existing association")
        return plan_association(before, given, present=present, purge_tags=options["purge_tags"])

    def apply(self, change: Change[Association]) -> Association | None:
        return ensure_association(self._port, change)
