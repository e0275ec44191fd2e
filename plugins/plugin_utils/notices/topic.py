# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics of Amazon SNS as a medium."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...module_utils._aws.topics import Topic
from ...module_utils._core.errors import AccessDenied, NotFound, ServiceError
from ...module_utils._core.policy.notice_rules import SnsTopic
from ..aws_options import to_sessions
from .message import Message
from .sender import NotSent

#: Errors of Publish that another attempt does not help (Amazon SNS API reference, Publish).
_FINAL = frozenset(
    (
        *("AuthorizationError", "EndpointDisabled", "InvalidParameter", "NotFound", "ParameterValueInvalid"),
        *("KMSAccessDenied", "KMSDisabled", "KMSInvalidState", "KMSNotFound", "KMSOptInRequired"),
    )
)


class TopicSender:
    """:param options: the AWS connection. :raises BadInput: the ARN is not valid."""

    def __init__(self, rules: SnsTopic, options: Mapping[str, Any]) -> None:
        self._topic = Topic(rules.topic_arn, to_sessions(options))

    @property
    def shown(self) -> str:
        return f"topic {self._topic.arn}"

    def send(self, message: Message, timeout: float) -> str:
        """The SDK has time limits and retries of its own."""
        names = ("kind", "severity", "policy", "rollout", "wave")
        attributes = {name: str(message.data.get(name) or "") for name in names}
        try:
            self._topic.publish(message.subject, f"{message.subject}\n{message.text}", message.key, attributes)
        except ServiceError as error:
            final = isinstance(error, (AccessDenied, NotFound)) or error.code in _FINAL
            raise NotSent(str(error), again=not final) from None
        return ""
