# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which subscriptions are worked in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.places import find_subscriptions, to_subscriptions
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import AccessDenied, BadInput, ServiceError

A, B = "00000000-0000-0000-0000-00000000000a", "00000000-0000-0000-0000-00000000000b"


class Tenant:
    def __init__(self, rows: Mapping[str, str] | None) -> None:
        self.rows = rows

    def pages(self, *_args: Any) -> Iterator[Mapping[str, Any]]:
        if self.rows is None:
            raise ServiceError("list the subscriptions", "Down", "no answer")
        yield from ({"subscriptionId": key.upper(), "displayName": name} for key, name in self.rows.items())


def find(tenants: Mapping[str, Mapping[str, str] | None], given: list[Any]) -> list[tuple[str, str, bool]]:
    wanted = to_subscriptions("subscriptions", given)
    found = find_subscriptions(lambda tenant: Tenant(tenants[tenant]), wanted)  # type: ignore[arg-type,return-value]  # fakes
    return [(item.id, item.name, item.error is None) for item in found]


def test_all_that_can_be_read() -> None:
    assert find({"": {A: "shop", B: "plant"}}, []) == [(A, "shop", True), (B, "plant", True)]


def test_one_that_cannot_be_read_is_an_error_of_its_own() -> None:
    assert find({"": {A: "shop"}}, [A, B.upper()]) == [(A, "shop", True), (B, "", False)]


def test_a_tenant_that_does_not_answer_hides_no_other() -> None:
    given = [{"id": A}, {"id": B, "tenant": "t2", "name": "mine"}]
    assert find({"": {A: "shop"}, "t2": None}, given) == [(A, "shop", True), (B, "mine", False)]


def test_no_subscription_at_all() -> None:
    with pytest.raises(AccessDenied, match="can read no subscription"):
        find({"": {}}, [])
    with pytest.raises(ServiceError, match="no answer"):
        find({"": None}, [])


def test_that_of_the_environment() -> None:
    assert [item.id for item in to_subscriptions("s", [], A)] == [A]
    assert [item.id for item in to_subscriptions("s", [B], A)] == [B]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["shop"], r"s\[0\]: 'shop' is not valid, expected the ID"),
        ([A, A.upper()], r"s\[1\]: .* expected each subscription once"),
        ([{"id": A, "tennant": "x"}], r"s\[0\].tennant: 'x' is not valid, expected one of id, name, tenant"),
        ([{"name": "x"}], r"s\[0\]: .* expected the ID"),
    ],
)
def test_wrong_subscriptions(given: list[Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        to_subscriptions("s", given)
