# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""At least once, bounded in time, and never twice while the ledger is there; a kill repeats a message with its key."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.tags import Alarm
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.line_file import LineFileError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices import delivery
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.delivery import BATCH, Result, deliver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.ledger import Busy, NoticeLedger
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.message import Message
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.sender import NotSent

from tests.fakes.fleet_port import START
from tests.fakes.receivers import web_receiver


def message(number: int, route: str = "r") -> Message:
    key = f"{route}-{number}"
    data = {"kind": "paused", "severity": "warning"}
    return Message(route=route, key=key, keys=(key,), subject=f"subject {number}", text="", data=data)


@dataclass
class Fake:
    """``answers``: to the next messages; an error is raised. ``hold``: seconds before each answer."""

    answers: list[NotSent | str] = field(default_factory=list)
    hold: float = 0
    got: list[str] = field(default_factory=list)
    shown: str = "the fake"

    def send(self, message: Message, timeout: float) -> str:
        time.sleep(self.hold)
        self.got.append(message.key)
        answer = self.answers.pop(0) if self.answers else ""
        if isinstance(answer, NotSent):
            raise answer
        return answer


@pytest.fixture
def ledger(tmp_path: Path) -> NoticeLedger:
    return NoticeLedger(tmp_path / "notices.jsonl")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "PAUSES", (0.01, 0.02))


def run(ledger: NoticeLedger, senders: dict[str, Any], count: int = 2, seconds: float = 5) -> Result:
    queues: dict[str, Sequence[Message]] = {
        route: [message(number, route) for number in range(count)] for route in senders
    }
    return deliver(queues, senders, ledger, START, seconds)


def busy(again: bool = True, wait: float = 0) -> NotSent:
    return NotSent("busy", again=again, wait=wait)


def test_what_was_accepted_is_recorded(ledger: NoticeLedger) -> None:
    found = run(ledger, {"a": Fake(["b@example.com refused"]), "b": Fake()})
    assert {item.key for item in found.sent} == {"a-0", "a-1", "b-0", "b-1"} and not found.failed
    assert found.remarks == {"a": "b@example.com refused"}
    assert ledger.read().sent == {"a": {"a-0", "a-1"}, "b": {"b-0", "b-1"}}
    assert ledger.path.stat().st_mode & 0o777 == 0o600


def test_a_receiver_is_asked_three_times_and_the_rest_of_its_route_waits(ledger: NoticeLedger) -> None:
    sick, well = Fake([busy(), busy(), busy()]), Fake([busy(), busy()])
    found = run(ledger, {"a": sick, "b": well})
    assert (sick.got, found.failed) == (["a-0"] * 3, {"a": "busy"})
    assert well.got == ["b-0"] * 3 + ["b-1"]
    assert ledger.read().sent == {"b": {"b-0", "b-1"}}


def test_a_final_refusal_is_not_repeated(ledger: NoticeLedger) -> None:
    fake = Fake([busy(again=False)])
    assert run(ledger, {"a": fake}).failed == {"a": "busy"} and fake.got == ["a-0"]


def test_a_wait_that_is_longer_than_the_time_left_ends_the_attempts(ledger: NoticeLedger) -> None:
    fake, begun = Fake([busy(wait=30)]), time.monotonic()
    assert run(ledger, {"a": fake}, seconds=1).failed == {"a": "busy"}
    assert time.monotonic() - begun < 0.9


def test_a_receiver_that_hangs_holds_nobody_up(ledger: NoticeLedger) -> None:
    begun = time.monotonic()
    found = run(ledger, {"a": Fake(hold=30), "b": Fake()}, seconds=1)
    assert time.monotonic() - begun < 5
    assert found.failed == {"a": "the fake did not answer within 1 seconds"}
    assert [item.route for item in found.sent] == ["b", "b"]


def test_an_unexpected_error_is_that_of_its_route(ledger: NoticeLedger) -> None:
    class Broken(Fake):
        def send(self, message: Message, timeout: float) -> str:
            raise ValueError("secret value")

    found = run(ledger, {"a": Broken(), "b": Fake()})
    assert found.failed == {"a": "the fake: ValueError"} and len(found.sent) == 2


def test_a_run_sends_a_bounded_number_of_messages(ledger: NoticeLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NoticeLedger, "note", lambda *_args: None)
    assert len(run(ledger, {"a": Fake()}, count=BATCH + 5).sent) == BATCH


def test_a_message_that_cannot_be_recorded_is_a_failure(ledger: NoticeLedger) -> None:
    ledger.path.mkdir()
    found = run(ledger, {"a": Fake()})
    assert "could not write" in found.failed["a"] and not found.sent


def test_alarms_are_kept_until_they_are_sent(ledger: NoticeLedger) -> None:
    alarm = Alarm(kind="hand_edited", text="The tag was edited.", node_id="i-1", exception_id="EX-1")
    ledger.raise_alarms([alarm], START)
    assert ledger.read().alarms == ((START, alarm),)


@pytest.mark.parametrize("line", ['{"at": "x", "alarm": {}}', '{"keys": []}', '{"route": "r", "keys": 3}'])
def test_a_file_of_something_else_is_refused(line: str, ledger: NoticeLedger) -> None:
    ledger.path.write_text(line + "\n")
    with pytest.raises(LineFileError, match=r"notices.jsonl has a wrong record"):
        ledger.read()


def test_one_process_sends_at_a_time(ledger: NoticeLedger) -> None:
    with ledger.alone(1), pytest.raises(Busy, match="another process sends notices"), ledger.alone(0.1):
        pytest.fail("both send")
    with ledger.alone(0.1):
        pass


CHILD = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.notice_rules import Webhook
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.delivery import deliver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.ledger import NoticeLedger
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.message import Message
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.webhook import WebhookSender

ledger, data = NoticeLedger(Path(sys.argv[2])), {"kind": "paused", "severity": "warning"}
sent = ledger.read().sent.get("r", ())
queue = [Message(route="r", key=k, keys=(k,), subject=k, text="", data=data) for k in ("k1", "k2") if k not in sent]
deliver({"r": queue}, {"r": WebhookSender(Webhook(url=sys.argv[1]))}, ledger, datetime.now(timezone.utc), 60)
"""


def test_a_kill_between_delivery_and_record_repeats_one_message_with_its_key(tmp_path: Path) -> None:
    """The receiver has the first message when the sender is killed; the next run sends it again, and then the rest."""
    path = tmp_path / "notices.jsonl"
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    with web_receiver() as server:
        command = [sys.executable, "-c", CHILD, server.url, str(path)]
        children: list[subprocess.Popen[bytes]] = []
        server.before = lambda: children[0].send_signal(signal.SIGKILL) if len(children) == 1 else None
        for _run in range(3):
            children.append(subprocess.Popen(command, env=environment))
            children[-1].wait(120)
    assert [child.returncode for child in children] == [-signal.SIGKILL, 0, 0]
    assert [headers["webhook-id"] for headers, _body in server.requests] == ["k1", "k1", "k2"]
    assert NoticeLedger(path).read().sent == {"r": {"k1", "k2"}}
