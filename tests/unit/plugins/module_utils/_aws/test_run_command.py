# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SendCommand: confirmed right before each attempt, and never repeated where it may have been carried out."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.run_command import SsmFleet
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import Ambiguous, InvalidNodes
from botocore.exceptions import ClientError, ReadTimeoutError

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow down"}}, "SendCommand")
LOST = ReadTimeoutError(endpoint_url="https://ssm")


def invalid(text: str) -> ClientError:
    return ClientError({"Error": {"Code": "InvalidInstanceId", "Message": text}}, "SendCommand")


class Client:
    """Ends its calls as ``answers`` say, in order; the last one is a command."""

    def __init__(self, *answers: Exception) -> None:
        self.answers = list(answers)
        self.sent = 0
        self.meta = SimpleNamespace(events=SimpleNamespace(register=self.ignore, register_first=self.ignore))

    def ignore(self, *_arguments: object, **_more: object) -> None:
        pass

    def send_command(self, **_members: Any) -> dict[str, Any]:
        self.sent += 1
        if self.answers:
            raise self.answers.pop(0)
        return {"Command": {"CommandId": "c-1"}}


def fleet(client: Any, naps: list[float]) -> SsmFleet:
    sessions: Any = SimpleNamespace(client=lambda *_place, **_more: client)
    found = SsmFleet(Place(region="eu-central-1"), sessions, naps.append)
    found._paces.watch = lambda client: client
    return found


def test_each_attempt_is_confirmed() -> None:
    """Throttled for long, a controller may have been succeeded between two attempts."""
    client, naps, asked = Client(THROTTLED, THROTTLED), list[float](), list[int]()
    assert fleet(client, naps).send_members("send", {}, lambda: asked.append(client.sent)) == "c-1"
    assert asked == [0, 1, 2] and len(naps) == 2


def test_what_is_not_confirmed_is_not_sent() -> None:
    client = Client(THROTTLED)

    def confirm() -> None:
        if client.sent:
            raise TakenOver("another one runs it")

    with pytest.raises(TakenOver):
        fleet(client, []).send_members("send", {}, confirm)
    assert client.sent == 1


def test_a_lost_answer_is_not_sent_again_behind_our_back() -> None:
    client = Client(LOST)
    with pytest.raises(Ambiguous):
        fleet(client, []).send_members("send", {})
    assert client.sent == 1


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Instances [[i-0123456789abcdef0, mi-0123456789abcdef0]] not in a valid state for account 1", 2),
        ("Instances not in a valid state for account 123456789012", 0),
        ("", 0),
    ],
)
def test_invalid_instances_are_read_from_the_message_where_it_names_them(text: str, named: int) -> None:
    with pytest.raises(InvalidNodes) as caught:
        fleet(Client(invalid(text)), []).send_members("send", {})
    assert len(caught.value.node_ids) == named


class Listing:
    """Lists one node a page, a token after each. ``read``: the pages that were read."""

    def __init__(self, *nodes: str) -> None:
        self.nodes = nodes
        self.read = 0
        self.paginators = 0
        self.meta = Client().meta

    def get_paginator(self, _operation: str) -> Listing:
        self.paginators += 1
        return self

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        for node in self.nodes:
            self.read += 1
            yield {"CommandInvocations": [{"InstanceId": node, "Status": "Success"}]}


def test_no_page_is_read_after_that_of_the_last_node_of_a_command() -> None:
    client = Listing("i-1", "i-2", "i-3")
    port = fleet(client, [])
    assert [row.node_id for row in port.invocations("c-1", False, ("i-2", "i-1"))] == ["i-1", "i-2"]
    assert (client.read, client.paginators) == (2, 1)
    assert len(port.invocations("c-1", False, ("i-1", "i-4"))) == 3
    assert len(port.invocations("c-1", False)) == 3
    assert client.paginators == 1
