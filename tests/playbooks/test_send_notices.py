# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Notices to a topic, a mailbox and a webhook: shown in check mode, sent once, and nothing again (PG-15, CG-11)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import boto3
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import to_time

from lab.aws.launch import Lab
from tests.fakes.driving import night, planned
from tests.fakes.fleet_port import START
from tests.fakes.plans import completed
from tests.fakes.receivers import MailReceiver, WebReceiver, mail_receiver, web_receiver
from tests.playbooks.playing import Played, play

SECRET = "a-key-of-the-signature"


@dataclass
class Receivers:
    """What each medium got."""

    web: WebReceiver
    mail: MailReceiver
    topic_arn: str
    queue: Any
    published: list[dict[str, Any]] = field(default_factory=list)

    def read_topic(self) -> list[dict[str, Any]]:
        """Take what was published so far."""
        for row in self.queue.receive_messages(MaxNumberOfMessages=10):
            self.published.append(json.loads(row.body))
            row.delete()
        return self.published


@contextmanager
def receivers(aws: Lab) -> Iterator[Receivers]:
    given = {name.lower(): value for name, value in aws.environment().items()}
    options = {
        "region_name": "eu-central-1",
        "endpoint_url": given["aws_endpoint_url"],
        "aws_access_key_id": given["aws_access_key_id"],
        "aws_secret_access_key": given["aws_secret_access_key"],
    }
    topic = boto3.resource("sns", **options).create_topic(Name="patching")
    queue = boto3.resource("sqs", **options).create_queue(QueueName="notices")
    topic.subscribe(Protocol="sqs", Endpoint=queue.attributes["QueueArn"])
    with web_receiver() as web, mail_receiver() as mail:
        yield Receivers(web, mail, topic.arn, queue)


def write(folder: Path, found: Receivers) -> None:
    """Write a policy with three routes, and a plan whose only night opens in ten hours."""
    mail = {"host": "127.0.0.1", "port": found.mail.port, "sender": "a@example.com"}
    mail |= {"to": ["web@example.com"], "security": "none"}
    routes = [
        {"name": "topic", "sns": {"topic_arn": found.topic_arn}, "kinds": ["impending"]},
        {"name": "mail", "mail": mail, "kinds": ["impending"]},
        {"name": "hook", "webhook": {"url": "${HOOK}", "key": "${HOOK_KEY}"}},
        {"name": "others", "select": {"nodes": ["b"]}, "webhook": {"url": "${HOOK}"}},
    ]
    policy = {"version": 1, "name": "p", "notices": {"routes": routes}}
    (folder / "policy.yml").write_text(yaml.safe_dump(policy), "utf-8")
    now = datetime.now(timezone.utc)
    nights = [night(1, (now + timedelta(hours=10) - START).total_seconds() / 60, 30)]
    wave = {"name": "dev", "nodes": [{**planned("a", 1), "night": 1}], "nights": nights, "turns": 1}
    members = {"windows": [{"name": "w", "occurrences": nights}], "created_at": to_time(now)}
    (folder / "r").mkdir()
    (folder / "r" / "plan.json").write_text(json.dumps(completed([wave], rollout="5eed" * 8, **members)), "utf-8")


def send(aws: Lab, folder: Path, found: Receivers, *options: str) -> Played:
    environment = {"PATCHTIDE_CLOCK": None, "HOOK": found.web.url, "HOOK_KEY": SECRET, "no_proxy": "127.0.0.1"}
    variables = [f"-epatchtide_policy_file={folder / 'policy.yml'}", f"-epatchtide_plans={folder}"]
    return play(aws, "send_notices", *variables, *options, environment=environment)


def test_notices_are_shown_and_sent_once(aws: Lab, tmp_path: Path) -> None:
    with receivers(aws) as found:
        write(tmp_path, found)
        shown = send(aws, tmp_path, found, "--check")
        assert (shown.status, found.web.requests, found.mail.mails, found.read_topic()) == (0, [], [], [])
        assert "mail: would be sent to mail to web@example.com: p: 1 node will be patched" in shown.output
        assert not (tmp_path / "notices.jsonl").exists()
        done = send(aws, tmp_path, found)
        assert (done.status, done.changed) == (0, 1), done.output + done.errors
        assert len(found.mail.mails) == 1 and found.mail.mails[0]["Subject"].startswith("p: 1 node will be patched")
        assert {json.loads(body)["kind"] for _headers, body in found.web.requests} == {"plan_made", "impending"}
        (published,) = found.read_topic()
        assert published["MessageAttributes"]["kind"]["Value"] == "impending"
        again = send(aws, tmp_path, found)
        assert (again.status, again.changed) == (0, 0)
        assert (len(found.web.requests), len(found.mail.mails), len(found.read_topic())) == (2, 1, 1)
        written = (tmp_path / "notices.jsonl").read_text()
        assert not [text for text in (shown.output, done.output, written) if SECRET in text or found.web.url in text]
