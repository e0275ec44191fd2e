# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes to topics of Amazon SNS."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.arns import parse_arn
from .._core.errors import BadInput
from .._core.model import Place
from .errors import aws_errors
from .session import Sessions

#: "Messages … up to 256 KiB (262,144 bytes)", attributes included (Publish).
_BYTES = 262_144 - 4_096
#: "Subjects must be ASCII text that begins with a letter, number, or punctuation mark; must not include line breaks or
#: control characters; and must be less than 100 characters long." (Publish)
_SUBJECT = 99


class Topic:
    """One topic. Requires ``sns:Publish``. :raises BadInput: it is not the ARN of a topic."""

    def __init__(self, arn: str, sessions: Sessions) -> None:
        found = parse_arn(arn, "sns")
        if found is None or not found.region:
            raise BadInput("sns.topic_arn", arn, "the ARN of an SNS topic")
        self.arn = arn
        self._client = sessions.client("sns", Place(region=found.region))

    def publish(self, subject: str, text: str, key: str, attributes: Mapping[str, str]) -> None:
        """Publish one message.

        :param key: a FIFO topic drops another message with this key for five minutes (Publish,
            MessageDeduplicationId); other topics deliver it again.
        :raises ServiceError: it was not accepted.
        """
        request = {
            "TopicArn": self.arn,
            "Subject": to_subject(subject),
            "Message": _cut(text, _BYTES),
            "MessageAttributes": {
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items() if value
            },
        }
        if self.arn.endswith(".fifo"):
            request |= {"MessageDeduplicationId": key, "MessageGroupId": attributes.get("rollout") or "patchtide"}
        with aws_errors(f"publish to {self.arn}"):
            self._client.publish(**request)


def to_subject(text: str) -> str:
    """Return a subject that SNS accepts: ASCII, one line, less than 100 characters."""
    ascii_text = text.encode("ascii", "replace").decode()
    return "".join(char if char.isprintable() else " " for char in ascii_text).strip()[:_SUBJECT] or "Patching"


def _cut(text: str, limit: int) -> str:
    data = text.encode("utf-8", "replace")
    return data.decode() if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"
