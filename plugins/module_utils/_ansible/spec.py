# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of argument specs that modules share, and the connection that the options describe."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._aws.session import Connection, Sessions, to_places
from .._core.accounts import to_accounts
from .._core.model import Place

PLACES: dict[str, Any] = {
    "regions": {"type": "list", "elements": "str"},
    "accounts": {
        "type": "list",
        "elements": "dict",
        "options": {
            "role_arn": {"type": "str", "required": True},
            "external_id": {"type": "str", "no_log": False},
            "id": {"type": "str"},
            "name": {"type": "str"},
        },
    },
    "role_cache": {"type": "path"},
    "on_place_error": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
}
TAGS: dict[str, Any] = {
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}
TARGETS: dict[str, Any] = {
    "instance_ids": {"type": "list", "elements": "str"},
    "instance_tags": {"type": "dict"},
    "tag_keys": {"type": "list", "elements": "str", "no_log": False},
    "resource_group": {"type": "str"},
    "resource_types": {"type": "list", "elements": "str"},
}
STATE: dict[str, Any] = {"state": {"type": "str", "choices": ["present", "absent"], "default": "present"}}


def to_connection(
    info: tuple[str | None, str | None, Mapping[str, Any]],
    config: Mapping[str, Any] | None,
    role_cache: str | None = None,
) -> Connection:
    """Convert the connection options that amazon.aws read from options and environment.

    :param info: Region, endpoint URL and boto parameters, as ``get_aws_connection_info`` returns them.
    :param config: the option ``aws_config``.
    :param role_cache: the option of that name.
    """
    _region, endpoint, boto = info
    return Connection(
        profile=boto.get("profile_name"),
        access_key=boto.get("aws_access_key_id"),
        secret_key=boto.get("aws_secret_access_key"),
        session_token=boto.get("aws_session_token"),
        endpoint_url=endpoint,
        verify=boto.get("verify"),
        config=dict(config or {}),
        role_cache=role_cache,
    )


def to_module_places(params: Mapping[str, Any], region: str | None, sessions: Sessions) -> list[Place]:
    """Return the account-Regions that ``region``, ``regions`` and ``accounts`` select, or that of the profile."""
    found = region or (None if params.get("regions") else sessions.default_region)
    return to_places(params.get("regions") or ([found] if found else []), to_accounts(params.get("accounts") or []))
