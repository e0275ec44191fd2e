# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GetResources with AWS's page sizes: moto cuts a page at 100 tags even where TagsPerPage was not asked for."""

from __future__ import annotations

from functools import cache
from typing import Any

from moto.resourcegroupstaggingapi.exceptions import ResourceGroupsTaggingAPIError
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

_NO_LIMIT = 1_000_000


@cache
def bind() -> None:
    original = ResourceGroupsTaggingAPIBackend.get_resources

    def get_resources(self: Any, **request: Any) -> Any:
        arns = request.get("resource_arn_list") or []
        if arns:
            # "You can specify a maximum of 100 different ARNs"; the other parameters go without a list of ARNs only
            mixed = request.get("tag_filters") or request.get("resource_type_filters")
            if len(arns) > 100 or mixed:
                text = "ResourceARNList takes up to 100 ARNs and no TagFilters, ResourceTypeFilters or page size"
                raise ResourceGroupsTaggingAPIError("InvalidParameterException", text)
            request["resources_per_page"] = 100
        if request.get("tags_per_page", 100) == 100:
            request["tags_per_page"] = _NO_LIMIT
        return original(self, **request)

    ResourceGroupsTaggingAPIBackend.get_resources = get_resources
