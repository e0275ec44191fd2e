# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of many SSM resources. EC2 instances have their tags in EC2, hybrid nodes in SSM; both are supported."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.errors import NotFound
from .._core.ssm.resource_tags import TagsOfResources, is_on_ec2
from .._core.tags import tag_steps
from .convert import to_tag_list
from .errors import aws_errors
from .paging import read_all, to_filters
from .tags import describe_tags, ensure_tags
from .windows import find_window_id

#: Concurrent calls. SSM has no bulk operation for tags, and more calls would be throttled.
AT_ONCE = 8
#: Values of one filter of DescribeTags (EC2 API reference).
_EC2_CHUNK = 200


class SsmResourceTags:
    """The ``ResourceTagPort`` of one type in one account-Region.

    :param client: its SSM client.
    :param ec2: returns its EC2 client; only called for EC2 instances.
    """

    def __init__(self, client: Any, ec2: Callable[[], Any], resource_type: str) -> None:
        self._client = client
        self._ec2 = ec2
        self._type = resource_type

    def resolve(self, references: Sequence[str]) -> list[str]:
        find = {"MaintenanceWindow": self._window, "PatchBaseline": self._baseline}.get(self._type, str)
        return list(dict.fromkeys(find(reference) for reference in references))

    def _window(self, reference: str) -> str:
        return find_window_id(self._client, reference) or self._missing(reference)

    def _baseline(self, reference: str) -> str:
        if reference.startswith("pb-") and len(reference) == 20:
            return reference
        filters = to_filters(NAME_PREFIX=reference, OWNER="Self")
        rows = read_all(
            self._client, "list patch baselines", "describe_patch_baselines", "BaselineIdentities", Filters=filters
        )
        found = [str(row["BaselineId"]) for row in rows if row["BaselineName"] == reference]
        return found[0] if len(found) == 1 else self._missing(reference)

    def _missing(self, reference: str) -> str:
        raise NotFound(
            f"look up {self._type} {reference}", "NotFound", "there is none, or more than one, with this name"
        )

    def read(self, ids: Sequence[str]) -> dict[str, dict[str, str]]:
        on_ec2 = [item for item in ids if self._is_on_ec2(item)]
        found = read_ec2_tags(self._ec2(), on_ec2) if on_ec2 else {}
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            rest = [item for item in ids if item not in found]
            tags = pool.map(lambda item: describe_tags(self._client, self._type, item), rest)
            found.update(zip(rest, tags, strict=True))
        return {item: found[item] for item in ids}

    def write(self, before: TagsOfResources, after: TagsOfResources) -> None:
        changed = [item for item in after if before[item] != after[item]]
        on_ec2 = [item for item in changed if self._is_on_ec2(item)]
        if on_ec2:
            _write_ec2(self._ec2(), on_ec2, before, after)
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            rest = [item for item in changed if not self._is_on_ec2(item)]
            list(pool.map(lambda item: ensure_tags(self._client, self._type, item, before[item], after[item]), rest))

    def _is_on_ec2(self, item: str) -> bool:
        return is_on_ec2(self._type, item)


def read_ec2_tags(client: Any, ids: Sequence[str], key: str | None = None) -> dict[str, dict[str, str]]:
    """Return the tags of these instances, or only the one with ``key``, 200 instances per call."""
    found: dict[str, dict[str, str]] = {item: {} for item in ids}
    for start in range(0, len(ids), _EC2_CHUNK):
        filters = [{"Name": "resource-id", "Values": list(ids[start : start + _EC2_CHUNK])}]
        filters += [{"Name": "key", "Values": [key]}] if key else []
        for row in read_all(client, "read tags of EC2 instances", "describe_tags", "Tags", 1000, Filters=filters):
            found[row["ResourceId"]][row["Key"]] = row["Value"]
    return found


def _write_ec2(client: Any, ids: Sequence[str], before: TagsOfResources, after: TagsOfResources) -> None:
    """Instances that need the same change share a call: CreateTags accepts up to 1,000 resources."""
    steps: dict[tuple[Any, ...], list[str]] = {}
    for item in ids:
        to_set, to_remove = tag_steps(before[item], after[item])
        steps.setdefault((tuple(sorted(to_set.items())), tuple(to_remove)), []).append(item)
    for (to_set_items, to_remove_keys), members in steps.items():
        for start in range(0, len(members), 1000):
            some = members[start : start + 1000]
            with aws_errors(f"tag {len(some)} EC2 instances"):
                if to_set_items:
                    client.create_tags(Resources=some, Tags=to_tag_list(dict(to_set_items)))
                if to_remove_keys:
                    client.delete_tags(Resources=some, Tags=[{"Key": key} for key in to_remove_keys])
