# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the inventory: ask all places, make nodes, add hosts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..module_utils._aws.fleet import FleetCalls
from ..module_utils._aws.fleet_gather import Answer, Wish, gather
from ..module_utils._aws.fleet_wire import read_directly
from ..module_utils._aws.session import Sessions
from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.fleet import Node, TagKeys, join, place_members, set_tags
from ..module_utils._core.model import Place
from .fleet_hosts import HostWriter
from .fleet_options import find_places, first_region, to_fleet_accounts, to_fleet_connection

try:
    import boto3  # noqa: F401

    HAS_SDK = True
except ImportError:
    HAS_SDK = False


class FleetRun:
    """What the plugin does, apart from being a plugin."""

    def __init__(self, plugin: Any, path: str) -> None:
        self._plugin = plugin
        self._path = path
        self._option: Callable[[str], Any] = plugin.get_option

    def fill(self, inventory: Any, fresh: bool) -> None:
        """Add all hosts to the inventory.

        :param fresh: the user asked for no cached data.
        """
        nodes = self._ask()
        HostWriter(inventory).add_all(((node["node_id"], node) for node in nodes), self._constructed())

    def _ask(self) -> list[Node]:
        sessions = Sessions(to_fleet_connection(self._option))
        home = first_region(self._option, sessions)
        accounts = to_fleet_accounts(self._option, sessions, home)
        places = find_places(self._option, sessions, accounts, home)
        wish = Wish(instances=self._option("instances"), tags=self._option("tags"))
        answers = gather(
            places,
            lambda place: FleetCalls(_direct_clients(sessions, place), place.label),
            wish,
            workers=self._option("workers"),
        )
        self._report(answers)
        names = {account.id: account.name for account in accounts}
        return [node for answer in answers if not answer.error for node in self._nodes(answer, names)]

    def _nodes(self, answer: Answer, names: dict[str, str]) -> list[Node]:
        keys = TagKeys(
            patch_group=self._option("patch_group_keys"), maintenance_window=self._option("maintenance_window_keys")
        )
        shared = place_members(answer.place, names.get(answer.place.account or "", ""))
        nodes = join(answer.managed, answer.instances, shared)
        for node_id, node in nodes.items():
            set_tags(node, answer.tags.get(node_id) or node["tags"], keys)
        return [nodes[node_id] for node_id in sorted(nodes)]

    def _report(self, answers: Sequence[Answer]) -> None:
        failed = [answer for answer in answers if answer.error]
        if failed and (self._option("strict_permissions") or len(failed) == len(answers)):
            listed = "; ".join(f"{answer.place.label}: {answer.error}" for answer in failed)
            raise PatchtideError(f"{len(failed)} of {len(answers)} account-Regions failed: {listed}")
        for answer in failed:
            self._plugin.display.warning(f"{answer.place.label} is missing in the inventory: {answer.error}")

    def _constructed(self) -> Callable[[str, dict[str, Any]], None] | None:
        """Return what applies compose, groups and keyed_groups to a host, or nothing if the user set none of them."""
        option, plugin = self._option, self._plugin
        compose, groups, keyed, strict = option("compose"), option("groups"), option("keyed_groups"), option("strict")
        if not (compose or groups or keyed):
            return None

        def apply(name: str, variables: dict[str, Any]) -> None:
            plugin._set_composite_vars(compose, variables, name, strict=strict)
            plugin._add_host_to_composed_groups(groups, variables, name, strict=strict, fetch_hostvars=False)
            plugin._add_host_to_keyed_groups(keyed, variables, name, strict=strict, fetch_hostvars=False)

        return apply


def _direct_clients(sessions: Sessions, place: Place) -> Callable[[str], Any]:
    def client(service: str) -> Any:
        found = sessions.client(service, place)
        read_directly(found, service)
        return found

    return client
