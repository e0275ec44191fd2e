# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Topics of Amazon SNS: what Publish accepts, and which of its errors another attempt can help."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.notice_rules import SnsTopic
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices import topic as module
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.message import Message
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.sender import NotSent
from botocore.stub import ANY, Stubber
from moto import mock_aws

ARN = "arn:aws:sns:eu-west-1:111122223333:patching"


class OneClient:
    """Sessions whose only client belongs to the topic's Region."""

    def __init__(self) -> None:
        keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b"}
        self.sns = boto3.client("sns", region_name="eu-west-1", **keys)

    def client(self, service: str, place: Any) -> Any:
        assert (service, place.region) == ("sns", "eu-west-1")
        return self.sns


@pytest.fixture
def sns(monkeypatch: pytest.MonkeyPatch) -> Stubber:
    sessions = OneClient()
    monkeypatch.setattr(module, "to_sessions", lambda _options: sessions)
    return Stubber(sessions.sns)


def message(subject: str = "contoso: paused", text: str = "text") -> Message:
    data = {"kind": "paused", "severity": "warning", "rollout": "r1", "wave": ""}
    return Message(route="r", key="k" * 64, keys=("k" * 64,), subject=subject, text=text, data=data)


def send(sns: Stubber, what: Message, arn: str = ARN) -> None:
    with sns:
        module.TopicSender(SnsTopic(topic_arn=arn), {}).send(what, 5)
    sns.assert_no_pending_responses()


def published(subject: Any = ANY, text: Any = ANY, **more: str) -> dict[str, Any]:
    names = {"kind": "paused", "severity": "warning", "rollout": "r1"}
    given = {name: {"DataType": "String", "StringValue": value} for name, value in names.items()}
    return {"TopicArn": ARN, "Subject": subject, "Message": text, "MessageAttributes": given, **more}


def test_a_message_has_its_facts_as_attributes_for_filters(sns: Stubber) -> None:
    sns.add_response("publish", {"MessageId": "m"}, published("contoso: paused", "contoso: paused\ntext"))
    send(sns, message())


def test_a_fifo_topic_gets_the_key_of_the_message(sns: Stubber) -> None:
    keys = {"MessageDeduplicationId": "k" * 64, "MessageGroupId": "r1", "TopicArn": f"{ARN}.fifo"}
    sns.add_response("publish", {"MessageId": "m"}, published(**keys))
    send(sns, message(), f"{ARN}.fifo")


def test_a_subject_is_short_ascii_in_one_line(sns: Stubber) -> None:
    """Publish: "must be ASCII text … must not include line breaks or control characters; and must be less than 100
    characters long"."""
    sns.add_response("publish", {"MessageId": "m"}, published("a ?" + "b" * 96))
    send(sns, message("a\nä" + "b" * 300))


def test_a_text_is_at_most_256_kib_long(sns: Stubber) -> None:
    class Short:
        def __eq__(self, other: object) -> bool:
            return isinstance(other, str) and 250_000 < len(other.encode()) <= 262_144 and other.endswith("…")

    sns.add_response("publish", {"MessageId": "m"}, published(text=Short()))
    send(sns, message(text="ä" * 200_000))


@pytest.mark.parametrize(
    ("code", "again"),
    [("Throttled", True), ("InternalError", True), ("NotFound", False), ("AuthorizationError", False)],
)
def test_errors_that_another_attempt_can_help(sns: Stubber, code: str, again: bool) -> None:
    sns.add_client_error("publish", code, "why", http_status_code=400)
    with pytest.raises(NotSent, match=f"Could not publish to {ARN}: {code}: why") as caught:
        send(sns, message())
    assert caught.value.again is again


@pytest.mark.slow
@mock_aws
def test_moto_delivers_it_to_a_subscriber_and_a_topic_that_is_gone_is_final() -> None:
    place = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    sns, sqs = boto3.client("sns", **place), boto3.client("sqs", **place)
    arn, queue = sns.create_topic(Name="patching")["TopicArn"], sqs.create_queue(QueueName="q")["QueueUrl"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint="arn:aws:sqs:eu-west-1:123456789012:q")
    options = {"region": "eu-west-1", "access_key": "a", "secret_key": "b"}
    sender = module.TopicSender(SnsTopic(topic_arn=arn), options)
    assert sender.send(message(), 5) == ""
    (found,) = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert json.loads(found["Body"])["Message"] == "contoso: paused\ntext"
    sns.delete_topic(TopicArn=arn)
    with pytest.raises(NotSent) as caught:
        sender.send(message(), 5)
    assert not caught.value.again
