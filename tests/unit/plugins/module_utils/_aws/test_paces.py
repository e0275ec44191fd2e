# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Real botocore clients on one pace: every attempt waits for its turn, refused ones slow the next ones down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.paces import Paces
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.pacer import FIRST
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError


class Service:
    """Answers instead of the network; ``refusals`` of its next answers are throttled."""

    def __init__(self) -> None:
        self.refusals = 0
        self.naps: list[float] = []
        self.clock = 0.0
        self.paces = Paces(self.pause, lambda: self.clock)

    def pause(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.clock += seconds

    def client(self, attempts: int) -> Any:
        config = Config(retries={"mode": "standard", "total_max_attempts": attempts})
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        client = botocore.session.Session().create_client("ssm", "eu-central-1", config=config, **keys)
        self.paces.watch(client)
        client.meta.events.register_last("before-send.ssm", self.answer)
        return client

    def answer(self, request: Any, **_unused: object) -> AWSResponse:
        refuse, self.refusals = self.refusals > 0, max(self.refusals - 1, 0)
        body = b'{"__type":"ThrottlingException"}' if refuse else b"{}"
        answer = AWSResponse(request.url, 400 if refuse else 200, {}, None)
        answer._content = body
        return answer


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # botocore's own wait before it tries again
    return Service()


def test_clients_share_the_pace_of_an_operation_and_operations_do_not(service: Service) -> None:
    one, other = service.client(1), service.client(3)
    one.list_commands()
    other.list_commands()
    one.list_documents()
    assert service.naps == [1 / FIRST]


def test_a_client_is_paced_once_however_often_it_is_given(service: Service) -> None:
    client = service.client(1)
    service.paces.watch(client)
    client.list_commands()
    client.list_commands()
    assert service.naps == [1 / FIRST]


def test_each_attempt_waits_for_its_turn(service: Service) -> None:
    service.refusals = 1
    service.client(2).list_commands()
    assert service.naps == [2 / FIRST]


def test_a_refused_call_slows_the_next_one_down(service: Service) -> None:
    service.refusals = 1
    client = service.client(1)
    with pytest.raises(ClientError, match="Throttling"):
        client.list_commands()
    client.list_commands()
    assert service.naps == [2 / FIRST]
