# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of the inventory: find and query account-Regions, merge the nodes, add hosts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

from ...module_utils._ansible.clock import find_clock
from ...module_utils._core.azure_ids import machine_key
from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.executors import find, known
from ...module_utils._core.fleet.coverage import Coverage, check_version
from ...module_utils._core.fleet.exceptions import set_exceptions
from ...module_utils._core.fleet.filters import Filters, to_filters
from ...module_utils._core.fleet.merge import merge_nodes
from ...module_utils._core.fleet.names import check_names, host_names
from ...module_utils._core.fleet.records import Node, Spellings
from ...module_utils._core.model import Place
from ..large_json import collector_paused
from .cache import FleetCache, open_store
from .construct import Construct
from .hosts import HostWriter, known_machines
from .options import Found, GetOption
from .sources import Told


def executor_order(option: GetOption, path: str) -> Sequence[str]:
    """Return executors in the order of preference: those of the policy, or of the option ``executor_order``.

    :param path: the inventory file, whose directory relative paths begin at.
    :raises BadInput: an executor is unknown, the policy can't be read, or both are given and differ.
    """
    names, policy_file = list(option("executor_order")), option("policy_file")
    for index, name in enumerate(names):
        if find(name) is None:
            raise BadInput(f"executor_order[{index}]", name, f"one of {known()}")
    if not policy_file:
        return names
    from ..policy.file import load_policy  # takes longer to import than a small estate to read

    wanted = list(load_policy(Path(path).parent / Path(policy_file).expanduser()).estate.executor_order)
    if names and names != wanted:
        raise BadInput("executor_order", names, f"{wanted} as in the policy of policy_file, or only one of the two")
    return wanted


class Source(Protocol):
    """Where nodes come from: account-Regions of AWS, or subscriptions of Azure."""

    def places(self) -> Found:
        """Find the places to query."""

    def ask(self, places: Sequence[Place], names: Mapping[str, str]) -> list[Told]:
        """Query places. One that fails is an answer with an error."""


#: Makes the source from options, filters and tag keys.
MakeSource = Callable[[GetOption, Filters, Spellings], Source]


class FleetRun:
    """The work of an inventory plugin, without Ansible's plugin interface.

    :param asked: options on which answers depend. A cache with other options is not used.
    """

    def __init__(self, plugin: Any, path: str, asked: Sequence[str], make_source: MakeSource) -> None:
        self._plugin = plugin
        self._make_source = make_source
        self._option: Callable[[str], Any] = plugin.get_option
        now = find_clock().now()
        self._keys = Spellings(
            patch_group=self._option("patch_group_keys"), maintenance_window=self._option("maintenance_window_keys")
        )
        self._filters = to_filters(self._option("filters"))
        self._order = executor_order(self._option, path)
        self._preferences = check_names(self._option("hostnames"))
        self._coverage = Coverage(
            now=now,
            stale_minutes=self._option("stale_ping_minutes"),
            oldest_agent=check_version("oldest_agent", self._option("oldest_agent")),
        )
        given = repr([(name, self._option(name)) for name in asked])
        store, key = open_store(plugin), plugin.get_cache_key(path)
        self._cache = FleetCache(store, key, given, now.timestamp(), float(self._option("cache_timeout") or 0))

    def fill(self, inventory: Any, fresh: bool) -> None:
        """Add all hosts to the inventory.

        :param fresh: ignore cached data, except for account-Regions that fail.
        """
        with collector_paused():
            self._add(inventory, self._judged(self._nodes(fresh)))

    def _judged(self, nodes: list[Node]) -> list[Node]:
        """Return the selected nodes, each machine once, with its findings."""
        rules = [rule for rule in self._option("merge") if rule != "inventory"]
        nodes = merge_nodes(nodes, rules, self._keys)
        self._coverage.findings(nodes)
        set_exceptions(nodes, self._option("exception_keys"), self._coverage.now.date())
        return [node for node in nodes if self._filters.matches(node)]

    def _nodes(self, fresh: bool) -> list[Node]:
        """Return the nodes of all account-Regions from queries or cache, sorted by account, Region and ID."""
        source = self._make_source(self._option, self._filters, self._keys)
        found = self._found(source, fresh)
        places, names = found.places, found.names
        known = {} if fresh else {place: kept for place in places if (kept := self._cache.nodes(place))}
        nodes = [node for kept, _age in known.values() for node in kept]
        told = source.ask([place for place in places if place not in known], names)
        for one in told:
            if not one.error:
                self._cache.put_nodes(one.place, one.nodes)
                nodes.extend(one.nodes)
            for note in one.notes[:1]:
                self._warn(f"{one.place.label} lacks facts, {len(one.notes)} calls failed, the first: {note}")
        nodes.extend(self._stand_ins([one for one in told if one.error], len(places)))
        self._cache.save()
        nodes.sort(key=lambda node: (node["account"], node["region"], node["node_id"]))
        return nodes

    def _found(self, source: Source, fresh: bool) -> Found:
        """Return the account-Regions to query, or with a warning those in the cache if they cannot be listed."""
        known = None if fresh else self._cache.places()
        if known:
            return known
        known = self._cache.places(any_age=True)
        strict = self._option("strict_permissions")
        try:
            found = source.places()
        except PatchtideError as error:
            if not known or isinstance(error, BadInput) or strict:
                raise
            self._warn(f"Accounts and Regions are taken from the cache: {error}")
            return known
        for number, refusal in found.errors.items():
            if strict:
                raise refusal
            found = self._with_known_regions(found, known, number, refusal)
        if not found.errors:
            self._cache.put_places(found)
        return found

    def _with_known_regions(self, found: Found, known: Found | None, number: str, error: PatchtideError) -> Found:
        cached = [place for place in known.places if place.account == number] if known else []
        asked = cached or [place for place in found.places if place.account == number]
        listed = ", ".join(place.region for place in asked)
        self._warn(f"Account {number} is queried in {listed} only, its other Regions are missing: {error}")
        return replace(found, places=[*(place for place in found.places if place.account != number), *asked])

    def _stand_ins(self, failed: Sequence[Told], asked: int) -> Iterator[Node]:
        """Yield cached nodes of failed account-Regions, with one warning each; fail with ``strict_permissions``."""
        known = {one.place: self._cache.nodes(one.place, any_age=True) for one in failed}
        if failed and (self._option("strict_permissions") or (len(failed) == asked and not any(known.values()))):
            listed = "; ".join(f"{one.place.label}: {one.error}" for one in failed)
            raise PatchtideError(f"{len(failed)} of {asked} account-Regions failed: {listed}")
        for one in failed:
            found = known[one.place]
            if found is None:
                self._warn(f"{one.place.label} is missing in the inventory: {one.error}")
                continue
            nodes, age = found
            self._warn(f"{one.place.label} is served from the cache, {age} seconds old: {one.error}")
            yield from ({**node, "stale": True, "cache_age": age} for node in nodes)

    def _warn(self, message: str) -> None:
        line = " ".join(message.split())
        self._plugin.display.warning(line if len(line) <= 400 else f"{line[:400]}…")

    def _add(self, inventory: Any, nodes: Sequence[Node]) -> None:
        writer, construct = HostWriter(inventory), Construct(self._plugin)
        construct.attach(inventory, writer)
        if construct.selects:
            nodes = [node for node in nodes if construct.wants(writer.to_variables(node))]
        merges = "inventory" in self._option("merge") and inventory.hosts
        machines = known_machines(inventory.hosts.values()) if merges else {}
        names = host_names(nodes, self._preferences, {*inventory.groups, *inventory.hosts})
        names.reverse()
        nodes = list(reversed(nodes))
        while nodes:  # each record is released as soon as its host exists
            name, node = names.pop(), nodes.pop()
            host = _known_as(node, machines) or name if machines else name
            variables = writer.add(host, node, self._order)
            if construct.builds:
                construct.build(host, variables)


def _known_as(node: Node, machines: dict[str, str]) -> str | None:
    """Return the host of an earlier inventory source that is this machine."""
    ids = (node["node_id"], node["source_id"], *node["merged_ids"])
    return next((machines[key] for key in map(machine_key, ids) if key in machines), None)
