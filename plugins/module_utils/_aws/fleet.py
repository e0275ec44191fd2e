# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The calls behind the inventory of one place: nodes that SSM manages, EC2 instances, tags."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .._core.errors import ServiceError
from .._core.fleet import from_tag_rows
from .errors import aws_errors

Rows = list[Mapping[str, Any]]

#: Members per call that the services allow.
PROPERTIES_A_PAGE = 1000
INSTANCES_A_PAGE = 1000
ARNS_A_CALL = 100
#: A service that answers this many empty pages in a row is not going to say anything.
EMPTY_PAGES = 1000

_LIVE = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped", "shutting-down"]}


class FleetCalls:
    """The inventory's view of one place.

    :param client: gives the client of a service at that place.
    :param label: names the place in errors.
    """

    def __init__(self, client: Callable[[str], Any], label: str) -> None:
        self._client = client
        self._label = label

    def managed(self, filters: Sequence[Mapping[str, Any]] = ()) -> Iterator[Rows]:
        """Yield pages of SSM's nodes, at most 1,000 each (``DescribeInstanceInformation`` stops at 50)."""
        request: dict[str, Any] = {"MaxResults": PROPERTIES_A_PAGE}
        if filters:
            request["FiltersWithOperator"] = list(filters)
        return self._pages("ssm", "describe_instance_properties", request, "InstanceProperties", "managed nodes")

    def instances(self, filters: Sequence[Mapping[str, Any]] = ()) -> Iterator[Rows]:
        """Yield pages of EC2 instances that still exist, tags included, at most 1,000 each."""
        request = {"MaxResults": INSTANCES_A_PAGE, "Filters": [_LIVE, *filters]}
        for page in self._pages("ec2", "describe_instances", request, "Reservations", "EC2 instances"):
            yield [row for reservation in page for row in reservation.get("Instances") or ()]

    def tags(self, arns: Sequence[str]) -> dict[str, dict[str, str]]:
        """Return the tags of up to 100 resources by ARN. Untagged ones are missing in the answer."""
        with aws_errors(f"read tags in {self._label}"):
            reply = self._client("resourcegroupstaggingapi").get_resources(ResourceARNList=list(arns))
        rows = reply.get("ResourceTagMappingList") or ()
        return {row["ResourceARN"]: from_tag_rows(row.get("Tags")) for row in rows if row.get("ResourceARN")}

    def _pages(
        self, service: str, operation: str, request: Mapping[str, Any], member: str, what: str
    ) -> Iterator[Rows]:
        """Yield a listing's pages. A token that repeats would never end and is an error, an empty page is not."""
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


def node_arn(node_id: str, partition: str, region: str, account: str) -> str:
    """The ARN under which the tagging service knows a node."""
    kind = "ssm:{}:{}:managed-instance" if node_id.startswith("mi-") else "ec2:{}:{}:instance"
    return f"arn:{partition}:{kind.format(region, account)}/{node_id}"


def id_of(arn: str) -> str:
    """The node id at the end of its ARN."""
    return arn.rpartition("/")[2]
