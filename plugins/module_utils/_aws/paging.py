# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads all pages of a list operation."""

from __future__ import annotations

from typing import Any

from .errors import aws_errors


def read_all(
    client: Any, action: str, operation: str, key: str, page_size: int | None = None, **request: Any
) -> list[dict[str, Any]]:
    """Return the rows under ``key`` of every page of ``operation``, a client method such as ``describe_patch_groups``.

    :param action: a verb phrase for error messages.
    """
    with aws_errors(action):
        pages = client.get_paginator(operation).paginate(PaginationConfig={"PageSize": page_size}, **request)
        return [row for page in pages for row in page.get(key, [])]


def to_filters(**filters: str) -> list[dict[str, Any]]:
    """Return ``[{"Key": …, "Values": […]}]`` as most SSM operations require it."""
    return [{"Key": key, "Values": [value]} for key, value in filters.items()]


def without_empty(members: dict[str, Any]) -> dict[str, Any]:
    """Drop ``None`` and empty text, which the service refuses. With Replace, omitted parameters are cleared."""
    return {key: value for key, value in members.items() if value is not None and value != ""}
