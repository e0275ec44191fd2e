# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sources of nodes: the services of every account-Region, or the bucket of a Resource Data Sync."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ...module_utils._aws.fleet import FleetCalls
from ...module_utils._aws.fleet_gather import Answer, Wish, gather
from ...module_utils._aws.fleet_models import Slim
from ...module_utils._aws.fleet_sync import Bucket, read_sync
from ...module_utils._aws.fleet_wire import read_directly
from ...module_utils._aws.session import Sessions
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.fleet.facts import add_facts
from ...module_utils._core.fleet.filters import Filters
from ...module_utils._core.fleet.records import Node, Spellings, join, place_members, set_tags
from ...module_utils._core.fleet.regions import is_pattern
from ...module_utils._core.model import Place
from .options import Found, GetOption, find_places, to_fleet_connection, to_wish

#: Options on which answers depend. A cache with other options is not used.
ASKED = (
    "accounts", "assume_role_arn", "bucket", "bucket_prefix", "exclude_regions", "facts", "filters", "instances",
    "maintenance_window_keys", "organizations", "patch_group_keys", "profile", "region", "regions", "role_name",
    "source", "tags",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The answer of an account-Region: its nodes or an error. ``notes`` are errors of extra calls."""

    place: Place
    nodes: list[Node] = field(default_factory=list)
    error: PatchtideError | None = None
    notes: Sequence[PatchtideError] = ()


class Services:
    """Queries SSM, EC2 and the tagging service of every account-Region."""

    def __init__(self, option: GetOption, sessions: Sessions, wish: Wish, keys: Spellings) -> None:
        self._option = option
        self._sessions = sessions
        self._wish = wish
        self._keys = keys

    def places(self) -> Found:
        """Find the account-Regions. The service models are loaded while the call is in progress."""
        with ThreadPoolExecutor(max_workers=1) as pool:
            found = pool.submit(find_places, self._option, self._sessions)
            for service in ("ssm", *(["ec2"] if self._wish.instances else [])):
                with suppress(PatchtideError):
                    self._sessions.client(service, Place(region="us-east-1"))
            return found.result()

    def ask(self, places: Sequence[Place], names: Mapping[str, str]) -> list[Told]:
        if not places:
            return []

        def finish(answer: Answer) -> Told:
            nodes = [] if answer.error else to_nodes(answer, names, self._keys)
            return Told(place=answer.place, nodes=nodes, error=answer.error, notes=answer.notes)

        return gather(places, self._calls, self._wish, finish, workers=self._option("workers"))

    def _calls(self, place: Place) -> FleetCalls:
        def client(service: str) -> Any:
            found = self._sessions.client(service, place)
            read_directly(found, service)
            return found

        return FleetCalls(client, place.label)


class DataSync:
    """Reads the bucket, which counts as one account-Region."""

    def __init__(self, option: GetOption, sessions: Sessions, wish: Wish, keys: Spellings) -> None:
        self._option = option
        self._sessions = sessions
        self._wish = wish
        self._keys = keys
        if not option("bucket"):
            raise BadInput("bucket", option("bucket"), "the bucket of the Resource Data Sync")
        if any(map(is_pattern, option("regions"))):
            raise BadInput("regions", option("regions"), "names of Regions, or none for all that are in the bucket")

    def places(self) -> Found:
        listed = [item for item in self._option("accounts") if isinstance(item, Mapping)]
        names = {str(item.get("id")): str(item.get("name") or "") for item in listed}
        region = self._option("bucket_region") or self._option("region") or "us-east-1"
        return Found(places=[Place(region=region, account=f"s3:{self._option('bucket')}")], names=names)

    def ask(self, places: Sequence[Place], names: Mapping[str, str]) -> list[Told]:
        return [self._read(place, names) for place in places]

    def _read(self, place: Place, names: Mapping[str, str]) -> Told:
        accounts = [str(item.get("id") if isinstance(item, Mapping) else item) for item in self._option("accounts")]
        bucket = Bucket(
            name=self._option("bucket"),
            prefix=self._option("bucket_prefix"),
            accounts=accounts,
            regions=self._option("regions"),
        )
        entry = Place(region=place.region, role_arn=self._option("assume_role_arn"))
        try:
            client = self._sessions.client("s3", entry)
            answers = read_sync(client, bucket, self._wish, workers=self._option("workers"))
        except PatchtideError as error:
            return Told(place=place, error=error)
        return Told(place=place, nodes=[node for one in answers for node in to_nodes(one, names, self._keys)])


def aws_source(option: GetOption, filters: Filters, keys: Spellings) -> Services | DataSync:
    """Return the source of the option ``source``."""
    sessions = Sessions(to_fleet_connection(option), wrap_loader=Slim)
    return SOURCES[option("source")](option, sessions, to_wish(option, filters), keys)


SOURCES: dict[str, Callable[..., Services | DataSync]] = {"api": Services, "resource_data_sync": DataSync}


def to_nodes(answer: Answer, names: Mapping[str, str], keys: Spellings) -> list[Node]:
    """Return the nodes of one answer with their tags and facts."""
    shared = place_members(answer.place, names.get(answer.place.account or "", ""))
    nodes = join(answer.managed, answer.instances, shared)
    for node_id, node in nodes.items():
        set_tags(node, answer.tags.get(node_id) or node["tags"], keys)
    add_facts(
        nodes,
        answer.patch_states,
        answer.missing,
        answer.patch_information,
        answer.windows,
        answer.connectors,
        keys,
    )
    return list(nodes.values())
