# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of ServiceNow on the simulated instance: what arrives, and which answers may be tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Thread
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.notice_rules import ServiceNowEvents
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.event import EventSender, to_event
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.message import Message
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.sender import NotSent
from werkzeug.serving import WSGIRequestHandler, make_server

from lab.servicenow.server import ServiceNow


class Quiet(WSGIRequestHandler):
    """Writes no log."""

    def log(self, *_given: Any) -> None:
        pass


@pytest.fixture
def instance(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ServiceNow, EventSender]]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SN_EVENTS", "changeme")
    found = ServiceNow()
    server = make_server("127.0.0.1", 0, found, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    yield found, EventSender(ServiceNowEvents(url=url, user="patching", password="${SN_EVENTS}"))
    server.shutdown()


def message(severity: str = "critical", **data: Any) -> Message:
    nodes = [{"name": "web-1", "host": "web-1.example"}]
    known = {
        "kind": "aborted",
        "severity": severity,
        "rollout": "5eed",
        "wave": "canary",
        "nodes": nodes,
        "node_count": 1,
    }
    return Message(route="r", key="k1", keys=("k1",), subject="Aborted", text="why\nnext", data={**known, **data})


@pytest.mark.parametrize(("severity", "number"), [("critical", "1"), ("warning", "4"), ("info", "5")])
def test_a_notice_is_an_event_with_its_key(
    severity: str, number: str, instance: tuple[ServiceNow, EventSender]
) -> None:
    served, sender = instance
    assert sender.send(message(severity), 5) == ""
    (row,) = served.world.tables["em_event"].values()
    assert (row["source"], row["type"], row["node"], row["resource"]) == ("patchtide", "aborted", "web-1", "5eed")
    assert (row["severity"], row["message_key"], row["description"]) == (number, "k1", "Aborted\nwhy\nnext")
    assert json.loads(row["additional_info"]) == {"node_count": "1", "rollout": "5eed", "wave": "canary"}


def test_an_event_is_bound_to_a_node_only_if_it_is_about_one_and_fields_are_not_too_long() -> None:
    several = to_event(message(nodes=[{"name": "a"}, {"name": "b"}], rollout="r" * 300))
    assert several["node"] == "" and len(several["resource"]) == 100
    long = Message(route="r", key="k", keys=("k",), subject="s", text="ü" * 9000, data=message().data)
    assert len(to_event(long)["description"].encode()) <= 4000


def test_what_is_refused_and_whether_it_is_tried_again(instance: tuple[ServiceNow, EventSender]) -> None:
    served, sender = instance
    served.world.busy = 1
    with pytest.raises(NotSent, match="answered 429") as caught:
        sender.send(message(), 5)
    assert caught.value.again and caught.value.wait == 1
    served.world.events = False
    with pytest.raises(NotSent, match="answered 403") as caught:
        sender.send(message(), 5)
    assert not caught.value.again
    served.world.password = "another"
    with pytest.raises(NotSent, match="answered 401") as caught:
        sender.send(message(), 5)
    assert not caught.value.again and "changeme" not in str(caught.value)
    assert not served.world.tables["em_event"]


def test_an_instance_that_does_not_answer_is_tried_again_and_a_missing_password_is_named() -> None:
    with pytest.raises(BadInput, match="SN_UNSET"):
        EventSender(ServiceNowEvents(url="https://x.example", user="u", password="${SN_UNSET}"))
    with pytest.raises(NotSent) as caught:
        EventSender(ServiceNowEvents(url="http://127.0.0.1:1", user="u", password="p")).send(message(), 1)
    assert caught.value.again
