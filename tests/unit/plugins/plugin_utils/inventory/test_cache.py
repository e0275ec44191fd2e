# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every place has an age of its own; a place that fails is served from what is known of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.session import Sessions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.cache import FleetCache
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.options import Found

from tests.fakes.fleet import FakeCloud, FakePlugin, fill, managed

EU, US = "111111111111/eu-central-1", "111111111111/us-east-1"
PLACE = Place(region="eu-central-1", account="111111111111")


class Store(dict[str, Any]):
    """A cache plugin in memory."""

    contains = dict.__contains__

    def get(self, key: str) -> Any:  # type: ignore[override]  # a cache plugin has no default
        return self[key]

    def set(self, key: str, value: Any) -> None:
        self[key] = value


def cache(store: Store | None, now: float = 1000.0, asked: str = "x") -> FleetCache:
    return FleetCache(store, "key", asked, now, 60.0)


def test_an_entry_is_fresh_for_the_timeout_and_stays_for_ever() -> None:
    store = Store()
    first = cache(store)
    first.put_nodes(PLACE, [{"node_id": "i-1"}])
    first.put_places(Found(places=[PLACE], names={"1": "shop"}))
    first.save()
    assert cache(store, 1060.0).nodes(PLACE) == ([{"node_id": "i-1"}], 60)
    assert cache(store, 1060.0).places() == Found(places=[PLACE], names={"1": "shop"})
    late = cache(store, 5000.0)
    assert late.nodes(PLACE) is None
    assert late.places() is None
    assert late.nodes(PLACE, any_age=True) == ([{"node_id": "i-1"}], 4000)


def test_entries_of_other_options_are_of_no_use() -> None:
    store = Store()
    first = cache(store)
    first.put_nodes(PLACE, [])
    first.save()
    assert cache(store, asked="y").nodes(PLACE, any_age=True) is None


@pytest.mark.parametrize("content", [None, [], {"format": 1}, "x"])
def test_what_somebody_else_left_is_ignored(content: Any) -> None:
    store = Store(key=content)
    assert cache(store).nodes(PLACE, any_age=True) is None


def test_without_a_store_nothing_is_remembered() -> None:
    none = cache(None)
    none.put_nodes(PLACE, [{"node_id": "i-1"}])
    none.save()
    assert none.nodes(PLACE) is None


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> FakeCloud:
    found = FakeCloud()
    monkeypatch.setattr(Sessions, "client", lambda self, service, place, retry=True: found.client(service, place))
    found.at(EU).managed = [managed("i-0aaaaaaaaaaaaaaaa")]
    found.at(US).managed = [managed("i-0bbbbbbbbbbbbbbbb")]
    return found


def cached(path: Path, **options: Any) -> FakePlugin:
    regions = ["eu-central-1", "us-east-1"]
    named = {"cache_plugin": "jsonfile", "cache_connection": str(path), "cache_prefix": "t_"}
    return FakePlugin(cache=True, regions=regions, **named, **options)


def test_a_fresh_cache_needs_no_call_at_all(cloud: FakeCloud, tmp_path: Path) -> None:
    first = fill(cached(tmp_path))
    cloud.calls.clear()
    second = fill(cached(tmp_path))
    assert not cloud.calls
    assert {name: host.vars for name, host in first.hosts.items()} == {
        name: host.vars for name, host in second.hosts.items()
    }
    fill(cached(tmp_path), fresh=True)
    assert cloud.calls["describe_instance_properties"] == 2


def test_the_place_that_fails_is_stale_and_the_others_are_not(cloud: FakeCloud, tmp_path: Path) -> None:
    fill(cached(tmp_path))
    cloud.errors[US, "describe_instance_properties"] = "ThrottlingException"
    plugin = cached(tmp_path)
    hosts = fill(plugin, fresh=True).hosts
    assert {name: host.vars["patchtide_stale"] for name, host in hosts.items()} == {
        "i-0aaaaaaaaaaaaaaaa": False,
        "i-0bbbbbbbbbbbbbbbb": True,
    }
    assert plugin.warnings[0].startswith(f"{US} is served from the cache, 0 seconds old: Could not")
    with pytest.raises(PatchtideError):
        fill(cached(tmp_path, strict_permissions=True), fresh=True)


def test_everything_fails_and_the_cache_still_knows(cloud: FakeCloud, tmp_path: Path) -> None:
    fill(cached(tmp_path))
    cloud.errors[EU, "get_caller_identity"] = cloud.errors["eu-central-1", "get_caller_identity"] = "ExpiredToken"
    for label in (EU, US):
        cloud.errors[label, "describe_instances"] = "ExpiredToken"
    plugin = cached(tmp_path)
    assert len(fill(plugin, fresh=True).hosts) == 2
    assert len(plugin.warnings) == 3
