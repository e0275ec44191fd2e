# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's calls in one account-Region: managed nodes, EC2 instances, tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .._core.errors import AccessDenied, ServiceError
from .._core.fleet.records import from_tag_rows, iso, text
from .._core.fleet.windows import Window
from .errors import aws_errors

Rows = list[Mapping[str, Any]]

#: Maximum number of items per call.
PROPERTIES_A_PAGE = 1000
INFORMATION_A_PAGE = 50
INSTANCES_A_PAGE = 1000
ARNS_A_CALL = 100
STATES_A_CALL = 50
INVENTORY_A_CALL = 40
PATCH_INFORMATION = "Custom:PatchInformation"
#: After this many empty pages in a row, a listing is considered endless.
EMPTY_PAGES = 1000

_LIVE = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped", "shutting-down"]}


class FleetCalls:
    """The inventory's view of one account-Region.

    :param client: returns the client of a service in this account-Region.
    :param label: name of the account-Region in errors.
    """

    def __init__(self, client: Callable[[str], Any], label: str) -> None:
        self._client = client
        self._label = label

    def managed(self, filters: Sequence[Mapping[str, Any]] = ()) -> Iterator[Rows]:
        """Yield pages of managed nodes, at most 1,000 each.

        The operation is the console's and refused to some: then pages of 50 with fewer members, from the documented
        one, whose filters have the same keys.

        :param filters: as ``DescribeInstanceProperties`` takes them, with the operator ``Equal``.
        """
        request: dict[str, Any] = {"MaxResults": PROPERTIES_A_PAGE}
        if filters:
            request["FiltersWithOperator"] = list(filters)
        pages = self._pages("ssm", "describe_instance_properties", request, "InstanceProperties", "managed nodes")
        try:
            first = next(pages, [])
        except AccessDenied:
            yield from self._information(filters)
            return
        yield first
        yield from pages

    def _information(self, filters: Sequence[Mapping[str, Any]]) -> Iterator[Rows]:
        request: dict[str, Any] = {"MaxResults": INFORMATION_A_PAGE}
        if filters:
            request["Filters"] = [{"Key": row["Key"], "Values": row["Values"]} for row in filters]
        return self._pages("ssm", "describe_instance_information", request, "InstanceInformationList", "managed nodes")

    def instances(self, filters: Sequence[Mapping[str, Any]] = ()) -> Iterator[Rows]:
        """Yield pages of EC2 instances that still exist, tags included, at most 1,000 each."""
        request = {"MaxResults": INSTANCES_A_PAGE, "Filters": [_LIVE, *filters]}
        for page in self._pages("ec2", "describe_instances", request, "Reservations", "EC2 instances"):
            yield [row for reservation in page for row in reservation.get("Instances") or ()]

    def tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the tags of up to 100 resources by ARN, without resources that have none."""
        with aws_errors(f"read tags in {self._label}"):
            reply = self._client("resourcegroupstaggingapi").get_resources(ResourceARNList=list(arns))
        rows = reply.get("ResourceTagMappingList") or ()
        return {row["ResourceARN"]: from_tag_rows(row.get("Tags")) for row in rows if row.get("ResourceARN")}

    def patch_states(self, ids: Sequence[str]) -> Rows:
        """Return the patch states of up to 50 nodes, without nodes that were never scanned."""
        request = {"InstanceIds": list(ids), "MaxResults": 100}
        pages = self._pages("ssm", "describe_instance_patch_states", request, "InstancePatchStates", "patch states")
        return [row for page in pages for row in page]

    def missing(self, node_id: str) -> Rows:
        """Return the missing patches of one node."""
        request = {"InstanceId": node_id, "Filters": [{"Key": "State", "Values": ["Missing"]}], "MaxResults": 100}
        pages = self._pages("ssm", "describe_instance_patches", request, "Patches", f"missing patches of {node_id}")
        return [row for page in pages for row in page]

    def patch_information(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the custom inventory ``Custom:PatchInformation`` of up to 40 nodes, without nodes that have none."""
        request = {
            "Filters": [{"Key": "AWS:InstanceInformation.InstanceId", "Values": list(ids), "Type": "Equal"}],
            "ResultAttributes": [{"TypeName": PATCH_INFORMATION}],
            "MaxResults": 50,
        }
        pages = self._pages("ssm", "get_inventory", request, "Entities", "custom inventory")
        return {row["Id"]: found for page in pages for row in page if (found := _content(row))}

    def windows(self) -> list[Window]:
        """Return the enabled maintenance windows with their targets: one call, and one per window."""
        request = {"Filters": [{"Key": "Enabled", "Values": ["true"]}], "MaxResults": 100}
        pages = self._pages("ssm", "describe_maintenance_windows", request, "WindowIdentities", "maintenance windows")
        return [self._window(row) for page in pages for row in page]

    def connectors(self) -> Rows:
        """Return the cloud connectors (Azure, GCP) of the account-Region. Requires botocore 1.44."""
        if not hasattr(self._client("ssm"), "list_cloud_connectors"):
            raise ServiceError(
                f"list cloud connectors in {self._label}", "OldBotocore", "requires botocore 1.44 or later"
            )
        pages = self._pages("ssm", "list_cloud_connectors", {"MaxResults": 10}, "CloudConnectors", "cloud connectors")
        return [row for page in pages for row in page]

    def _window(self, row: Mapping[str, Any]) -> Window:
        request, what = {"WindowId": row["WindowId"], "MaxResults": 100}, f"targets of window {row['WindowId']}"
        pages = self._pages("ssm", "describe_maintenance_window_targets", request, "Targets", what)
        targets = [target.get("Targets") or () for page in pages for target in page]
        return Window(name=text(row.get("Name")), next_at=iso(row.get("NextExecutionTime")), targets=targets)

    def _pages(
        self, service: str, operation: str, request: Mapping[str, Any], member: str, what: str
    ) -> Iterator[Rows]:
        """Yield the pages of a listing. A repeated token is an error, because it has no end; an empty page is not."""
        action = f"list {what} in {self._label}"
        with aws_errors(action):
            call = getattr(self._client(service), operation)
        seen: set[str] = set()
        token, empty = None, 0
        while True:
            with aws_errors(action):
                reply = call(**request, **({"NextToken": token} if token else {}))
            rows = reply.get(member) or []
            empty = 0 if rows else empty + 1
            yield rows
            token = reply.get("NextToken")
            if not token:
                return
            if token in seen or empty > EMPTY_PAGES:
                raise ServiceError(action, "EndlessPages", f"the listing does not end (token {str(token)[:40]!r})")
            seen.add(token)


def _content(row: Mapping[str, Any]) -> dict[str, str]:
    entries = ((row.get("Data") or {}).get(PATCH_INFORMATION) or {}).get("Content") or [{}]
    return {str(key): text(value) for key, value in entries[0].items()}


def node_arn(node_id: str, partition: str, region: str, account: str) -> str:
    """Return the node's ARN in the tagging service."""
    kind = "ssm:{}:{}:managed-instance" if node_id.startswith("mi-") else "ec2:{}:{}:instance"
    return f"arn:{partition}:{kind.format(region, account)}/{node_id}"
