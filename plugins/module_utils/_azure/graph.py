# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Queries Azure Resource Graph, page by page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .._core.errors import ServiceError
from .arm import MOST_PAGES, Arm

API = "2022-10-01"
_PATH = "/providers/Microsoft.ResourceGraph/resources"
#: Rows of a page at most (Microsoft.ResourceGraph 2022-10-01, QueryRequestOptions, $top).
PAGE = 1000


def rows(arm: Arm, query: str, subscriptions: Sequence[str], action: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a query over some subscriptions.

    The query has to project ``id`` and sort by it, or pages would lose rows. If the service reports that it cut the
    result, this is an error: rows would be missing (Microsoft Learn, "Working with large Azure resource data sets").
    Rows that the caller may not read are left out by the service without a word.
    """
    options: dict[str, Any] = {"$top": PAGE, "resultFormat": "objectArray"}
    for _page in range(MOST_PAGES):
        body = {"query": query, "subscriptions": list(subscriptions), "options": options}
        found = arm.query(_PATH, API, body, action).data
        yield from (row for row in found.get("data") or () if isinstance(row, Mapping))
        token = found.get("$skipToken")
        if not token:
            if str(found.get("resultTruncated", "false")).lower() == "true":
                raise ServiceError(action, "ResultTruncated", "Resource Graph cut the result, so rows are missing")
            return
        options = {**options, "$skipToken": str(token)}
    raise ServiceError(action, "TooManyPages", f"the result has not ended after {MOST_PAGES} pages")
