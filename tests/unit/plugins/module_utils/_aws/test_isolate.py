# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is bad among many is found with few calls, and what is wrong with the place is not asked for every node."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.errors import aws_errors
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.isolate import isolate, patiently
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from botocore.exceptions import ClientError, EndpointConnectionError

IDS = [f"i-{number:017x}" for number in range(50)]


class Service:
    """Does all or nothing, as EC2 does; ``names`` says whether its errors name the first bad id."""

    def __init__(self, bad: list[str], code: str = "InsufficientInstanceCapacity", names: bool = False) -> None:
        self.bad, self.code, self.names = bad, code, names
        self.calls = 0
        self.done: list[str] = []

    def __call__(self, ids: list[str]) -> None:
        self.calls += 1
        wrong = [item for item in ids if item in self.bad]
        if wrong:
            text = f"The instance '{wrong[0]}' is bad." if self.names else "There is a bad one."
            with aws_errors("start"):
                raise ClientError({"Error": {"Code": self.code, "Message": text}}, "StartInstances")
        self.done += ids


@pytest.mark.parametrize("bad", [[], IDS[:1], IDS[49:], IDS[3:9], IDS[::7], IDS])
def test_only_the_bad_ones_are_left_out(bad: list[str]) -> None:
    for names in (False, True):
        service = Service(bad, names=names)
        found = isolate(IDS, 20, service)
        assert sorted(found) == sorted(bad)
        assert sorted(service.done) == sorted(set(IDS) - set(bad))


def test_cost_of_one_bad_one() -> None:
    named, unnamed = Service(IDS[17:18], names=True), Service(IDS[17:18])
    isolate(IDS, 50, named)
    isolate(IDS, 50, unnamed)
    assert (named.calls, unnamed.calls <= 13) == (2, True)


def test_an_id_is_not_found_inside_another() -> None:
    service = Service(["i-12"], names=True)
    assert set(isolate(["i-1", "i-12"], 50, service)) == {"i-12"}


def test_denied_for_some_is_isolated_and_for_all_is_believed() -> None:
    some, everything = Service(IDS[:2], "UnauthorizedOperation"), Service(IDS * 20, "UnauthorizedOperation")
    assert sorted(isolate(IDS, 50, some)) == IDS[:2]
    ids = [f"{item}{number}" for item in IDS for number in range(4)]
    everything.bad = ids
    assert set(isolate(ids, 50, everything)) == set(ids)
    assert everything.calls == 15


def test_what_is_wrong_with_the_place_ends_it() -> None:
    calls = []

    def call(ids: list[str]) -> None:
        calls.append(ids)
        with aws_errors("start"):
            raise EndpointConnectionError(endpoint_url="https://ec2.example")

    found = isolate(IDS, 10, call)
    assert set(found) == set(IDS) and len(calls) == 1
    assert found[IDS[0]].startswith("EndpointConnectionError: ")


@pytest.mark.parametrize(("code", "tries"), [("RequestLimitExceeded", 8), ("InternalError", 8), ("AuthFailure", 1)])
def test_patience_has_an_end_and_is_for_outages(code: str, tries: int) -> None:
    pauses: list[float] = []
    service = Service(["i-1"], code)
    with pytest.raises(ServiceError):
        patiently(lambda: service(["i-1"]), pauses.append)
    assert service.calls == tries == len(pauses) + 1
    assert all(0 < pause <= 20 for pause in pauses)
