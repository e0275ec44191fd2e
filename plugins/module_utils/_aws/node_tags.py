# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One tag of many nodes: the ``TagPort``. Instances are tagged in EC2, all other nodes in SSM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .._core.errors import NotFound
from .._core.model import Place
from .errors import aws_errors
from .isolate import isolate
from .places import OwnClients
from .resource_tags import AT_ONCE, read_ec2_tags
from .session import Sessions
from .tags import describe_tags, ensure_tags

_SSM = "ManagedInstance"
#: "Constraints: Up to 1000 resource IDs" (CreateTags, DeleteTags)
_TAGGED = 1000
_GONE = frozenset({"InvalidInstanceID.NotFound", "InvalidID", "InvalidResourceId"})


class AwsNodeTags:
    """The ``TagPort`` of one account-Region. One call per 1,000 instances (200 to read), and one per hybrid node."""

    def __init__(self, place: Place, sessions: Sessions) -> None:
        self.place = place
        self._clients = OwnClients(place, sessions)

    def tags(self, ids: Sequence[str], key: str) -> dict[str, str]:
        on_ec2, hybrid = _sides(ids)
        found = read_ec2_tags(self._clients("ec2"), on_ec2, key) if on_ec2 else {}
        if hybrid:
            client = self._clients("ssm")
            with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
                found.update(zip(hybrid, pool.map(lambda item: _of_hybrid(client, item), hybrid), strict=True))
        return {item: tags[key] for item, tags in found.items() if key in tags}

    def put(self, ids: Sequence[str], key: str, value: str) -> dict[str, str]:
        def on_ec2(client: Any, some: list[str]) -> None:
            client.create_tags(Resources=some, Tags=[{"Key": key, "Value": value}])

        return self._write(ids, on_ec2, lambda client, item: ensure_tags(client, _SSM, item, {}, {key: value}))

    def drop(self, ids: Sequence[str], key: str) -> dict[str, str]:
        def on_ec2(client: Any, some: list[str]) -> None:
            client.delete_tags(Resources=some, Tags=[{"Key": key}])

        problems = self._write(ids, on_ec2, lambda client, item: ensure_tags(client, _SSM, item, {key: ""}, {}))
        return {item: text for item, text in problems.items() if text.partition(":")[0] not in _GONE}

    def _write(
        self, ids: Sequence[str], on_ec2: Callable[[Any, list[str]], None], on_ssm: Callable[[Any, str], None]
    ) -> dict[str, str]:
        instances, hybrid = _sides(ids)

        def many(some: list[str]) -> None:
            client = self._clients("ec2")
            with aws_errors(f"tag {len(some)} EC2 instances in {self.place.label}"):
                on_ec2(client, some)

        def one(item: str) -> dict[str, str]:
            return isolate([item], 1, lambda some: on_ssm(self._clients("ssm"), some[0]))

        found = isolate(instances, _TAGGED, many)
        with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
            for problems in pool.map(one, hybrid):
                found.update(problems)
        return found


def _sides(ids: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return (instances of EC2, hybrid nodes)."""
    unique = dict.fromkeys(ids)
    return [item for item in unique if item.startswith("i-")], [item for item in unique if item.startswith("mi-")]


def _of_hybrid(client: Any, node_id: str) -> dict[str, str]:
    try:
        return describe_tags(client, _SSM, node_id)
    except NotFound:
        return {}
