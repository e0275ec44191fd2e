# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads associations, their states and executions, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

from .._core.change import to_dict
from .._core.errors import ServiceError
from .._core.ssm import limits
from .._core.ssm.associations import check_filters
from .._core.ssm.patch_policies import is_patch_policy
from .associations import GONE, from_api
from .convert import to_plain, to_time
from .errors import aws_errors
from .paging import read_all
from .tags import describe_tags

_AT_ONCE = 8
#: Key of ListAssociations by option.
_FILTERS = {
    "name": "AssociationName",
    "association_id": "AssociationId",
    "document": "Name",
    "instance_id": "InstanceId",
    "status": "AssociationStatusName",
}


def read_associations(client: Any, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the associations that the options of ``ssm_association_info`` select, sorted by name.

    One read for the list, two for each association, one more for its executions and one for each of those with
    ``targets``. An association that is deleted in the meantime is omitted.
    """
    check_filters(options)
    limits.within("executions", options["executions"], 0, 50)
    filters = [{"key": key, "value": options[name]} for name, key in _FILTERS.items() if options[name]]
    request = {"AssociationFilterList": filters} if filters else {}
    rows = read_all(client, "list associations", "list_associations", "Associations", 50, **request)
    with ThreadPoolExecutor(max_workers=_AT_ONCE) as pool:
        found = pool.map(lambda row: _whole(client, row["AssociationId"], options), rows)
        return sorted((item for item in found if item), key=lambda item: (item["name"], item["association_id"]))


def _whole(client: Any, association_id: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        with aws_errors(f"read association {association_id}"):
            row = client.describe_association(AssociationId=association_id)["AssociationDescription"]
        found = to_dict(from_api(row, describe_tags(client, "Association", association_id)))
        if options["executions"]:
            found["executions"] = _executions(client, association_id, options)
    except ServiceError as error:
        if error.code in (GONE, "InvalidResourceId"):
            return None
        raise
    overview = row.get("Overview", {})
    return {
        **found,
        "version": row.get("AssociationVersion", ""),
        "status": overview.get("Status", ""),
        "detailed_status": overview.get("DetailedStatus", ""),
        "counts": dict(overview.get("AssociationStatusAggregatedCount", {})),
        "is_patch_policy": is_patch_policy(row.get("Parameters") or {}),
        "triggered_alarms": to_plain(row.get("TriggeredAlarms", [])),
        "created_at": to_time(row.get("Date")),
        "updated_at": to_time(row.get("LastUpdateAssociationDate")),
        "last_execution_at": to_time(row.get("LastExecutionDate")),
        "last_success_at": to_time(row.get("LastSuccessfulExecutionDate")),
    }


def _executions(client: Any, association_id: str, options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the executions in the order of the service, newest first."""
    with aws_errors(f"list executions of association {association_id}"):
        pages = client.get_paginator("describe_association_executions").paginate(
            AssociationId=association_id, PaginationConfig={"PageSize": min(50, options["executions"])}
        )
        rows = list(islice((row for page in pages for row in page["AssociationExecutions"]), options["executions"]))
    found: list[dict[str, Any]] = to_plain(rows)
    if options["targets"]:
        for item in found:
            item["targets"] = _targets(client, association_id, item["execution_id"])
    return found


def _targets(client: Any, association_id: str, execution_id: str) -> list[dict[str, Any]]:
    rows = read_all(
        client,
        f"list targets of execution {execution_id}",
        "describe_association_execution_targets",
        "AssociationExecutionTargets",
        50,
        AssociationId=association_id,
        ExecutionId=execution_id,
    )
    found: list[dict[str, Any]] = to_plain(rows)
    return found
