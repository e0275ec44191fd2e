# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which answers of a web service mean that a message has arrived, and what errors show."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices import sender
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.notices.sender import NotSent, post


class Reply(SimpleNamespace):
    """An answer of ``open_url``."""

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_why: object) -> None:
        pass


def send(monkeypatch: pytest.MonkeyPatch, status: int, only: int) -> None:
    monkeypatch.setattr(sender, "open_url", lambda *_given, **_more: Reply(status=status))
    post("events of sn", "https://sn.example", b"{}", {}, 5, only=only)


@pytest.mark.parametrize(("status", "only"), [(200, 0), (204, 0), (201, 201)])
def test_arrived(monkeypatch: pytest.MonkeyPatch, status: int, only: int) -> None:
    send(monkeypatch, status, only)


@pytest.mark.parametrize(
    ("status", "only", "text", "again"),
    [
        (200, 201, "events of sn answered 200, not 201", False),
        (302, 0, "events of sn answered 302", False),
        (429, 0, "events of sn answered 429", True),
        (503, 201, "events of sn answered 503, not 201", True),
    ],
)
def test_not_arrived(monkeypatch: pytest.MonkeyPatch, status: int, only: int, text: str, again: bool) -> None:
    with pytest.raises(NotSent) as caught:
        send(monkeypatch, status, only)
    assert (str(caught.value), caught.value.again) == (text, again)


def test_an_error_of_the_network_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_given: Any, **_more: Any) -> None:
        raise OSError("no route to https://hooks.example/T0/s3cr3t-path")

    monkeypatch.setattr(sender, "open_url", fail)
    with pytest.raises(NotSent) as caught:
        post("a webhook", "https://hooks.example/T0/s3cr3t-path", b"{}", {}, 5, ("s3cr3t-path",))
    assert "s3cr3t" not in str(caught.value) and "no route to" in str(caught.value) and caught.value.again
