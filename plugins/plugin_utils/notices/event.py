# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Events of ServiceNow: one row of ``em_event`` for each message.

"Event collection via web service API" of ServiceNow's documentation: ``POST /api/now/table/em_event`` by an account
with the role evt_mgmt_integration. ``message_key`` "is used for de-duplication of events": events with the same key
belong to the same alert, so a repeated message opens no second one. ``severity`` is 1 (critical) to 5 (OK).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ...module_utils._core.policy.notice_rules import ServiceNowEvents
from .message import Message
from .sender import cut_bytes, post, secret

_SEVERITIES: Mapping[str, str] = {"critical": "1", "warning": "4", "info": "5"}
#: Characters of ``source``, ``node``, ``type`` and ``resource``, and of ``description`` ("Event field format").
_SHORT, _LONG = 100, 4000
_FACTS = ("policy", "rollout", "wave", "window", "exception", "at", "node_count", "point_count")


class EventSender:
    """:raises BadInput: the variable of the password is not set."""

    def __init__(self, rules: ServiceNowEvents) -> None:
        self._rules = rules
        self._password = secret(rules.password, "servicenow.password")

    @property
    def shown(self) -> str:
        return f"events of {self._rules.url}"

    def send(self, message: Message, timeout: float) -> str:
        post(
            self.shown,
            f"{self._rules.url.rstrip('/')}/api/now/table/em_event",
            json.dumps(to_event(message)).encode(),
            {"Content-Type": "application/json", "Accept": "application/json"},
            timeout,
            (self._password,) if self._password else (),
            only=201,  # what an instance that is asleep answers with 200 is a page
            login={"url_username": self._rules.user, "url_password": self._password, "force_basic_auth": True},
        )
        return ""


def to_event(message: Message) -> dict[str, str]:
    """Return the row. ``node`` is that of a notice about one node, by which ServiceNow finds its configuration item."""
    data = message.data
    nodes: Sequence[Mapping[str, Any]] = data.get("nodes") or ()
    facts = {name: str(data[name]) for name in _FACTS if data.get(name)}
    row = {
        "source": "patchtide",
        "node": str(nodes[0]["name"] or nodes[0]["host"]) if len(nodes) == 1 else "",
        "type": message.kind,
        "resource": str(data.get("rollout") or data.get("exception") or data.get("policy") or ""),
    }
    return {
        **{name: value[:_SHORT] for name, value in row.items()},
        "severity": _SEVERITIES[message.severity],
        "message_key": message.key,
        "description": cut_bytes(f"{message.subject}\n{message.text}".strip(), _LONG),
        "additional_info": json.dumps(facts, sort_keys=True),
    }
