# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of earlier runs by account-Region, in any of Ansible's cache plugins.

The cache plugin keeps entries indefinitely; each entry contains its age. A failed account-Region is served from its
entry and queried again the next time, while the entries of the others remain valid.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleParserError
from ansible.plugins.loader import cache_loader

from ...module_utils._core.fleet.records import Node
from ...module_utils._core.model import Place
from .options import Found

_FORMAT = 2


class FleetCache:
    """Entries of one inventory file. Without a cache plugin, nothing is cached.

    :param store: a cache plugin; :param key: this inventory's key in it.
    :param asked: options that the entries depend on; entries of other options are not used.
    :param now: seconds since the epoch; :param timeout: seconds for which an entry replaces a query, 0 for no limit.
    """

    def __init__(self, store: Any, key: str, asked: str, now: float, timeout: float) -> None:
        self._store = store
        self._key = key
        self._now = now
        self._timeout = timeout
        self._changed = False
        self._data: dict[str, Any] = {"format": _FORMAT, "asked": asked, "places": None, "nodes": {}}
        found = None if store is None else _load(store, key)
        if isinstance(found, Mapping) and all(found.get(name) == self._data[name] for name in ("format", "asked")):
            self._data = dict(found)

    def places(self, any_age: bool = False) -> Found | None:
        """Return the cached account-Regions, if they are fresh or any age is accepted."""
        known = self._data["places"]
        if not known or not (any_age or self._is_fresh(known["at"])):
            return None
        return Found(places=[Place(**item) for item in known["places"]], names=known["names"])

    def put_places(self, found: Found) -> None:
        members = ("region", "account", "role_arn", "external_id")
        rows = [{name: getattr(place, name) for name in members} for place in found.places]
        self._data["places"] = {"at": self._now, "places": rows, "names": found.names}
        self._changed = True

    def nodes(self, place: Place, any_age: bool = False) -> tuple[list[Node], int] | None:
        """Return an account-Region's cached nodes and their age in seconds, if fresh or any age is accepted."""
        entry = self._data["nodes"].get(place.label)
        if not entry or not (any_age or self._is_fresh(entry["at"])):
            return None
        return [dict(node) for node in entry["nodes"]], max(0, int(self._now - entry["at"]))

    def put_nodes(self, place: Place, nodes: Sequence[Node]) -> None:
        if self._store is not None:
            self._data["nodes"][place.label] = {"at": self._now, "nodes": [dict(node) for node in nodes]}
            self._changed = True

    def save(self) -> None:
        """Write new entries, if there are any."""
        if self._store is not None and self._changed:
            self._store.set(self._key, self._data)

    def _is_fresh(self, at: float) -> bool:
        return not self._timeout or self._now - at <= self._timeout


def open_store(plugin: Any) -> Any:
    """Return the cache plugin of the inventory's cache options; ``None`` if the cache is disabled."""
    option = plugin.get_option
    if not option("cache"):
        return None
    given = {"_uri": option("cache_connection"), "_prefix": option("cache_prefix")}
    options = {name: value for name, value in given.items() if value is not None}
    store = cache_loader.get(option("cache_plugin"), _timeout=0, **options)
    if store is None:
        raise AnsibleParserError(f"cache_plugin: {option('cache_plugin')!r} is not an installed cache plugin")
    return store


def _load(store: Any, key: str) -> Any:
    try:
        return store.get(key) if store.contains(key) else None
    except KeyError:
        return None
