# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The exception tags of the nodes of one account-Region: of instances in EC2, of all others in SSM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .._core.arns import name_of
from .errors import aws_errors
from .resource_tags import SsmResourceTags

_TYPES = ["ec2:instance", "ssm:managed-instance"]


class ExceptionTags:
    """One tag of many nodes.

    :param client: returns the client of a service in this account-Region.
    :param key: key of the tag.
    """

    def __init__(self, client: Callable[[str], Any], key: str) -> None:
        self._client = client
        self._key = key
        self._tags = SsmResourceTags(client("ssm"), lambda: client("ec2"), "ManagedInstance")

    def read_all(self) -> dict[str, str]:
        """Return the tag by node ID for all nodes of the account-Region that have it, 100 per call."""
        found: dict[str, str] = {}
        request: dict[str, Any] = {"TagFilters": [{"Key": self._key}], "ResourceTypeFilters": _TYPES}
        while True:
            with aws_errors(f"read the tags {self._key}"):
                reply = self._client("resourcegroupstaggingapi").get_resources(**request)
            for row in reply["ResourceTagMappingList"]:
                tags = {tag["Key"]: tag["Value"] for tag in row["Tags"]}
                if self._key in tags:
                    found[name_of(row["ResourceARN"])] = tags[self._key]
            if not reply.get("PaginationToken"):
                return found
            request["PaginationToken"] = reply["PaginationToken"]

    def read(self, node_ids: Sequence[str]) -> dict[str, str | None]:
        """Return the tag of these nodes from EC2 and SSM, which are always up to date."""
        return {node_id: tags.get(self._key) for node_id, tags in self._tags.read(node_ids).items()}

    def write(self, before: Mapping[str, str | None], after: Mapping[str, str | None]) -> None:
        """Set or remove the tag. Other tags are not changed."""
        self._tags.write(
            {node_id: self._as_tags(before.get(node_id)) for node_id in after},
            {node_id: self._as_tags(value) for node_id, value in after.items()},
        )

    def _as_tags(self, value: str | None) -> dict[str, str]:
        return {} if value is None else {self._key: value}
