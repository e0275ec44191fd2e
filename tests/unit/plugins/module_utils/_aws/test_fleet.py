# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory's calls: pages that end, pages that don't, many places at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet import FleetCalls, node_arn
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.fleet_gather import Wish, gather
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.arns import name_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.fleet import FakeCloud, instance, managed

HERE = Place(region="eu-central-1", account="111111111111")


class Scripted:
    """A client whose listing answers what it is told, in order; a call too many is an IndexError."""

    def __init__(self, *pages: dict[str, Any]) -> None:
        self._pages = list(pages)
        self.requests: list[dict[str, Any]] = []

    def describe_instance_properties(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return self._pages.pop(0)


def calls(client: Any) -> FleetCalls:
    return FleetCalls(lambda _service: client, HERE.label)


def test_an_empty_page_with_a_token_is_not_the_end() -> None:
    client = Scripted({"NextToken": "a"}, {"InstanceProperties": [], "NextToken": "b"}, {"InstanceProperties": [{}]})
    assert [len(page) for page in calls(client).managed()] == [0, 0, 1]
    assert [request.get("NextToken") for request in client.requests] == [None, "a", "b"]


def test_a_token_that_repeats_is_an_error_not_a_loop() -> None:
    client = Scripted(*[{"InstanceProperties": [{}], "NextToken": "a"}] * 2)
    with pytest.raises(ServiceError, match=r"list managed nodes in 111111111111/eu-central-1: EndlessPages"):
        list(calls(client).managed())


def test_empty_pages_without_end_are_an_error() -> None:
    client = Scripted(*[{"NextToken": str(number)} for number in range(2000)])
    with pytest.raises(ServiceError, match="EndlessPages"):
        list(calls(client).managed())


class Refused(Scripted):
    """Only the documented operation answers."""

    def describe_instance_properties(self, **request: Any) -> dict[str, Any]:
        raise AccessDenied("list managed nodes", "AccessDeniedException", "not authorized")

    def describe_instance_information(self, **request: Any) -> dict[str, Any]:
        self.requests.append(request)
        return self._pages.pop(0)


def test_where_the_consoles_operation_is_refused_the_documented_one_answers() -> None:
    client = Refused({"InstanceInformationList": [{}], "NextToken": "a"}, {"InstanceInformationList": [{}, {}]})
    filters = [{"Key": "PingStatus", "Values": ["Online"], "Operator": "Equal"}]
    assert [len(page) for page in calls(client).managed(filters)] == [1, 2]
    assert client.requests[0] == {"MaxResults": 50, "Filters": [{"Key": "PingStatus", "Values": ["Online"]}]}


def test_where_both_are_refused_the_place_fails() -> None:
    client = Refused()
    client.describe_instance_information = client.describe_instance_properties
    with pytest.raises(AccessDenied):
        list(calls(client).managed())


@given(st.lists(st.lists(st.integers(), max_size=3), min_size=1, max_size=8))
def test_pages_of_any_size_add_up(pages: list[list[int]]) -> None:
    answers: list[dict[str, Any]] = [
        {"InstanceProperties": page, "NextToken": str(at)} for at, page in enumerate(pages)
    ]
    del answers[-1]["NextToken"]
    assert list(calls(Scripted(*answers)).managed()) == pages


@pytest.mark.parametrize("node_id", ["i-0aaaaaaaaaaaaaaaa", "mi-0aaaaaaaaaaaaaaaa"])
def test_arns(node_id: str) -> None:
    arn = node_arn(node_id, "aws-cn", "cn-north-1", "1")
    kind = "ssm:cn-north-1:1:managed-instance" if node_id.startswith("mi-") else "ec2:cn-north-1:1:instance"
    assert arn == f"arn:aws-cn:{kind}/{node_id}"
    assert name_of(arn) == node_id


def fleet(places: int, nodes: int) -> tuple[FakeCloud, list[Place]]:
    cloud, found = FakeCloud(), []
    for number in range(places):
        place = Place(region=f"r-{number}", account="111111111111")
        ids = [f"{'mi' if at % 2 else 'i'}-{number:04x}{at:013x}" for at in range(nodes)]
        cloud.at(place.label).managed = [managed(node_id) for node_id in ids]
        cloud.at(place.label).instances = [instance(node_id) for node_id in ids if node_id.startswith("i-")]
        cloud.at(place.label).tags = {node_id: {"Name": node_id} for node_id in ids}
        found.append(place)
    return cloud, found


def asked(cloud: FakeCloud, places: list[Place], workers: int, **wish: Any) -> list[Any]:
    def at(place: Place) -> FleetCalls:
        return FleetCalls(lambda service: cloud.client(service, place), place.label)

    return gather(places, at, Wish(**wish), lambda answer: answer, workers=workers)


@pytest.mark.parametrize("workers", [1, 3, 32])
def test_any_number_of_workers_brings_everything(workers: int) -> None:
    cloud, places = fleet(5, 230)
    answers = asked(cloud, places, workers)
    assert [answer.place for answer in answers] == places
    assert all(len(answer.managed) == 230 and len(answer.instances) == 115 for answer in answers)
    assert all(set(answer.tags) == {row["InstanceId"] for row in answer.managed[1::2]} for answer in answers)


def test_calls_for_many_nodes() -> None:
    """One describe call of each kind per 1,000 nodes, one tag call per 100 hybrid nodes, 50 patch states a call."""
    cloud, places = fleet(1, 2000)
    asked(cloud, places, 4, want_patch_states=True, want_windows=True)
    assert cloud.calls == {
        "describe_instance_properties": 2,
        "describe_instances": 1,
        "get_resources": 10,
        "describe_instance_patch_states": 40,
        "describe_maintenance_windows": 1,
    }


def test_no_more_calls_at_once_than_workers() -> None:
    cloud, places = fleet(6, 10)
    running, most, lock = 0, 0, threading.Lock()
    plain = cloud.client

    def counted(service: str, place: Place) -> Any:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        try:
            return plain(service, place)
        finally:
            with lock:
                running -= 1

    cloud.client = counted
    asked(cloud, places, 3)
    assert 1 <= most <= 3


def test_every_place_is_finished_once_however_its_jobs_end() -> None:
    """Jobs that end at the same moment must not both think that the other one is the last."""
    cloud, places = fleet(40, 120)
    finished: list[str] = []

    def at(place: Place) -> FleetCalls:
        return FleetCalls(lambda service: cloud.client(service, place), place.label)

    for _round in range(5):
        gather(places, at, Wish(want_windows=True), lambda answer: finished.append(answer.place.label), workers=16)
    assert sorted(finished) == sorted([place.label for place in places] * 5)


def test_a_bug_is_raised_and_does_not_hang() -> None:
    cloud, places = fleet(2, 10)
    cloud.at(places[1].label).managed = [None]  # type: ignore[list-item]  # the bug
    with pytest.raises(AttributeError):
        asked(cloud, places, 2)
