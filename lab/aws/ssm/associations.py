# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""State Manager: associations are kept, checked, and run as their schedule says. Their runs do real work on nodes.

Runbooks are not among the documents an association of the lab can have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..node import Node
from ..simulation import Event
from .association_runs import Run, start_run
from .documents import RUN_BY_ASSOCIATION, find_document
from .operations import Answer, Request, SsmError, operation, page
from .schedule import occurrences, parse
from .sending import bucket_exists
from .tags import check_tags

if TYPE_CHECKING:
    from .backend import Place

#: "You can have at most 2,000 active associations" (AssociationLimitExceeded) and 1,000 versions of one.
MOST, MOST_VERSIONS = 2000, 1000
_LEAST_MINUTES = 30
GATHER = "AWS-GatherSoftwareInventory"
#: Quick Setup's associations have "instanceids" and "InstanceIds" side by side: the case of that key does not count.
_TARGET_KEY = r"(?i:InstanceIds)$|tag-key$|tag:.|resource-groups:"


@dataclass(slots=True)
class Association:
    """One association: what was declared last, and its runs, the newest first."""

    association_id: str
    declared: dict[str, Any]
    created: datetime
    updated: datetime
    version: int = 1
    versions: list[dict[str, Any]] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    due: Event | None = None


def kept(place: Place) -> dict[str, Association]:
    return place.kept["associations"]


def known(place: Place, association_id: str) -> Association:
    if association_id not in kept(place):
        raise SsmError("AssociationDoesNotExist", f"Association {association_id} does not exist.")
    return kept(place)[association_id]


def targets_of(place: Place, declared: Mapping[str, Any]) -> list[Node]:
    """The managed nodes that all targets mean; ``*`` as an instance id means all of them."""
    targets = declared.get("Targets", [])
    return [node for node in place.managed() if targets and all(_is_target(node, row) for row in targets)]


def _is_target(node: Node, target: Mapping[str, Any]) -> bool:
    key, values = target["Key"], target["Values"]
    if key.lower() == "instanceids":
        return "*" in values or node.node_id in values
    if key == "tag-key":
        return any(value in node.tags for value in values)
    return key.startswith("tag:") and node.tags.get(key[4:]) in values


def _gathers_everywhere(declared: Mapping[str, Any]) -> bool:
    targets = declared.get("Targets", [])
    return declared["Name"] == GATHER and any("*" in row["Values"] for row in targets)


def _check(place: Place, request: Request) -> None:
    """Refuse what both CreateAssociation and UpdateAssociation refuse."""
    document, version = find_document(request["Name"]), request.get("DocumentVersion", "$DEFAULT")
    if not document.has_version(version):
        raise SsmError("InvalidDocumentVersion", f"The document version {version} isn't valid or doesn't exist.")
    document.read(request.get("Parameters", {}))
    bucket = request.get("OutputLocation", {}).get("S3Location", {}).get("OutputS3BucketName")
    if bucket is not None and not bucket_exists(bucket):
        # InvalidOutputLocation: "The output location isn't valid or doesn't exist."
        raise SsmError("InvalidOutputLocation", f"The bucket {bucket} doesn't exist.")
    for row in request.get("Targets", []):
        if not row.get("Values") or not re.match(_TARGET_KEY, row.get("Key", "")):
            raise SsmError("InvalidTarget", f"{row} is no target.")
    if request.get("Targets") and request.get("TargetMaps"):
        raise SsmError("InvalidTargetMaps", "Targets and TargetMaps can't be specified together.")
    _check_schedule(request)


def _check_schedule(request: Request) -> None:
    expression, only = request.get("ScheduleExpression", ""), request.get("ApplyOnlyAtCronInterval", False)
    if expression:
        try:
            parse(expression)
        except ValueError as error:
            raise SsmError("InvalidSchedule", f"{expression}: {error}") from None
        minutes = re.fullmatch(r"rate\((\d+) minutes?\)", expression)
        if minutes and int(minutes[1]) < _LEAST_MINUTES:
            raise SsmError("InvalidSchedule", f"A rate is at least {_LEAST_MINUTES} minutes.")
    if only and expression.startswith("rate("):
        # "This parameter isn't supported for rate expressions" (ApplyOnlyAtCronInterval)
        raise SsmError("InvalidParameters", "ApplyOnlyAtCronInterval isn't supported for rate expressions.")
    if "ScheduleOffset" in request and not (only and expression.startswith("cron(")):
        # "To use offsets, you must specify the ApplyOnlyAtCronInterval parameter" (ScheduleOffset)
        raise SsmError("InvalidSchedule", "ScheduleOffset needs a cron expression and ApplyOnlyAtCronInterval.")


@operation("CreateAssociation")
def create_association(place: Place, request: Request) -> Answer:
    _check(place, request)
    if "InstanceId" not in request and not request.get("Targets"):
        raise SsmError("InvalidTarget", "An association of a command document needs targets.")
    if "InstanceId" in request:
        # "Requests that include the parameter InstanceID with … schema version 2.0 or later will fail"
        raise SsmError("InvalidParameters", "InstanceId is deprecated: use Targets.")
    check_tags(request.get("Tags", []))
    if _gathers_everywhere(request) and any(_gathers_everywhere(row.declared) for row in kept(place).values()):
        # user guide, "Troubleshooting problems with Systems Manager Inventory"; which error it is, is not documented
        text = f"Multiple apply all associations with document '{GATHER}' are not supported."
        raise SsmError("AssociationAlreadyExists", text)
    if len(kept(place)) >= MOST:
        raise SsmError("AssociationLimitExceeded", f"You can have at most {MOST} active associations.")
    declared = {key: value for key, value in request.items() if key != "Tags"}
    now = place.sim.now
    made = Association(association_id=place.uuid(), declared=declared, created=now, updated=now)
    kept(place)[made.association_id] = _with_own_id(made)
    place.tags[("Association", made.association_id)] = {row["Key"]: row["Value"] for row in request.get("Tags", [])}
    _take_effect(place, made)
    return {"AssociationDescription": describe(made)}


@operation("UpdateAssociation")
def update_association(place: Place, request: Request) -> Answer:
    """What is not given is cleared ("overwrites the association with null values for those parameters")."""
    row = known(place, request["AssociationId"])
    version = request.get("AssociationVersion", "$LATEST")
    if version not in ("$LATEST", str(row.version)):
        raise SsmError("InvalidAssociationVersion", f"Version {version} is not the latest, which is {row.version}.")
    wanted = {"Name": row.declared["Name"], **request}
    if wanted["Name"] != row.declared["Name"]:
        raise SsmError("InvalidUpdate", "The document of an association can't change.")
    if row.version >= MOST_VERSIONS:
        raise SsmError("AssociationVersionLimitExceeded", f"An association has at most {MOST_VERSIONS} versions.")
    _check(place, wanted)
    row.versions.append(row.declared)
    row.declared = {key: value for key, value in wanted.items() if key not in ("AssociationId", "AssociationVersion")}
    row.version, row.updated = row.version + 1, place.sim.now
    _with_own_id(row)
    _take_effect(place, row)
    return {"AssociationDescription": describe(row)}


def _with_own_id(row: Association) -> Association:
    """The service adds the association's ID to the parameters of the document that is made for associations."""
    if row.declared["Name"].rpartition("document/")[2] == RUN_BY_ASSOCIATION:
        given = row.declared.get("Parameters", {})
        row.declared["Parameters"] = {**given, "AssociationId": [row.association_id]}
    return row


def _take_effect(place: Place, row: Association) -> None:
    """Run at once, unless told to wait for the schedule, and at every time of the schedule after that."""
    if row.due:
        row.due.cancel()
    if not row.declared.get("ApplyOnlyAtCronInterval"):
        run(place, row)
    _plan_next(place, row)


def _plan_next(place: Place, row: Association) -> None:
    expression, now = row.declared.get("ScheduleExpression"), place.sim.now
    if not expression:
        return
    offset = row.declared.get("ScheduleOffset", 0)
    moment = next(iter(occurrences(expression, "UTC", offset, row.updated, now)), None)
    if moment is not None:
        row.due = place.sim.after((moment - now).total_seconds(), _is_due, place, row)


def _is_due(place: Place, row: Association) -> None:
    run(place, row)
    _plan_next(place, row)


def run(place: Place, row: Association) -> None:
    row.runs.insert(0, start_run(place, row.declared, row.version, targets_of(place, row.declared)))


@operation("DeleteAssociation")
def delete_association(place: Place, request: Request) -> Answer:
    if "AssociationId" not in request:
        raise SsmError("AssociationDoesNotExist", "The lab's associations are known by AssociationId.")
    row = known(place, request["AssociationId"])
    if row.due:
        row.due.cancel()
    del kept(place)[row.association_id]
    place.tags.pop(("Association", row.association_id), None)
    return {}


@operation("DescribeAssociation")
def describe_association(place: Place, request: Request) -> Answer:
    if "AssociationId" not in request:
        raise SsmError("AssociationDoesNotExist", "The lab's associations are known by AssociationId.")
    row = known(place, request["AssociationId"])
    version = request.get("AssociationVersion", "$LATEST")
    if version in ("$LATEST", str(row.version)):
        return {"AssociationDescription": describe(row)}
    if not version.isdigit() or int(version) > row.version:
        raise SsmError("InvalidAssociationVersion", f"There is no version {version}.")
    older = {**row.versions[int(version) - 1], "AssociationVersion": version}
    return {"AssociationDescription": {**describe(row), **older}}


def overview(row: Association) -> dict[str, Any]:
    """Status of the association as its last run left it."""
    if not row.runs:
        return {"Status": "Pending", "DetailedStatus": "Pending", "AssociationStatusAggregatedCount": {}}
    last = row.runs[0]
    return {
        "Status": last.status,
        "DetailedStatus": last.detail,
        "AssociationStatusAggregatedCount": last.counts,
    }


def describe(row: Association) -> dict[str, Any]:
    """One AssociationDescription; the service fills these defaults in."""
    found = {
        "DocumentVersion": "$DEFAULT",
        "ApplyOnlyAtCronInterval": False,
        **row.declared,
        "AssociationId": row.association_id,
        "AssociationVersion": str(row.version),
        "Date": row.created,
        "LastUpdateAssociationDate": row.updated,
        "Overview": overview(row),
    }
    if row.runs:
        found["LastExecutionDate"] = row.runs[0].started
        if done := [item for item in row.runs if item.status == "Success"]:
            found["LastSuccessfulExecutionDate"] = done[0].started
    return found


_LISTED = ("Name", "DocumentVersion", "Targets", "ScheduleExpression", "AssociationName", "ScheduleOffset", "Duration")


@operation("ListAssociations")
def list_associations(place: Place, request: Request) -> Answer:
    rows = list(kept(place).values())
    for item in request.get("AssociationFilterList", []):
        rows = [row for row in rows if _passes(place, row, item["key"], item["value"])]
    return page("Associations", [_listed(row) for row in rows], request, 50)


def _listed(row: Association) -> dict[str, Any]:
    whole = describe(row)
    members = (*_LISTED, "AssociationId", "AssociationVersion", "Overview", "LastExecutionDate")
    return {key: whole[key] for key in members if key in whole}


def _passes(place: Place, row: Association, key: str, value: str) -> bool:
    if key == "InstanceId":
        return any(node.node_id == value for node in targets_of(place, row.declared))
    if key in ("LastExecutedBefore", "LastExecutedAfter"):
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
        return bool(row.runs) and (row.runs[0].started < moment) == (key == "LastExecutedBefore")
    looks = {
        "Name": row.declared["Name"],
        "AssociationId": row.association_id,
        "AssociationName": row.declared.get("AssociationName"),
        "AssociationStatusName": overview(row)["Status"],
    }
    return looks.get(key) == value


@operation("ListAssociationVersions")
def list_association_versions(place: Place, request: Request) -> Answer:
    row = known(place, request["AssociationId"])
    declared = [*row.versions, row.declared]
    rows = [
        {**item, "AssociationId": row.association_id, "AssociationVersion": str(number)}
        for number, item in enumerate(declared, start=1)
    ]
    return page("AssociationVersions", rows[::-1], request, 50)
