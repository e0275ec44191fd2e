# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rehearsal clock asks the lab's seldom, and never tells a time that was overtaken."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible import clock
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible.clock import RehearsalClock

START = datetime(2026, 6, 1, tzinfo=timezone.utc)


class Lab:
    """A clock over HTTP that stands still unless somebody advances it, and counts who asks."""

    def __init__(self) -> None:
        self.now, self.asked = START, 0


@contextmanager
def serving(lab: Lab) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            lab.asked += 1
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            lab.now += timedelta(seconds=json.loads(body)["advance"] if body else 0)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"now": lab.now.isoformat()}).encode())

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def found(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[RehearsalClock]:
    """A clock whose real time the tests move: ``clock.time.monotonic``."""
    monkeypatch.setattr(clock.time, "monotonic", lambda: 100.0)
    with serving(lab) as url:
        yield RehearsalClock(url)


def test_it_asks_once_in_a_moment(lab: Lab, found: RehearsalClock, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found.now() == START
    monkeypatch.setattr(clock.time, "monotonic", lambda: 100.04)
    assert found.now() == START + timedelta(seconds=0.04), "virtual time passes like real time"
    assert lab.asked == 1


def test_it_asks_again_because_others_advance_the_clock(
    lab: Lab, found: RehearsalClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found.now() == START
    lab.now += timedelta(hours=3)
    monkeypatch.setattr(clock.time, "monotonic", lambda: 100.06)
    assert found.now() == START + timedelta(hours=3)


def test_a_clock_that_was_stepped_back_is_believed(
    lab: Lab, found: RehearsalClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found.now() == START
    lab.now -= timedelta(hours=1)
    monkeypatch.setattr(clock.time, "monotonic", lambda: 100.06)
    assert found.now() == found.now() == START - timedelta(hours=1)
    assert lab.asked == 2


def test_sleeping_is_seen_at_once(lab: Lab, found: RehearsalClock) -> None:
    assert found.now() == START
    found.sleep(600)
    assert found.now() == START + timedelta(minutes=10)
    assert lab.asked == 2


def test_an_answer_that_another_thread_has_overtaken_is_not_kept(lab: Lab, found: RehearsalClock) -> None:
    found.sleep(600)
    lab.now = START + timedelta(minutes=5)
    assert found._ask(None) == START + timedelta(minutes=5), "the answer to a question of before"
    assert found.now() == START + timedelta(minutes=10)
