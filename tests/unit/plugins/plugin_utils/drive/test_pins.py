# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Override lists that a web server publishes: read over TLS, and compared with the plan before anything is sent."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.address import to_name
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.override_list import text_of, to_text
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.planned import ListTrouble
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.pins import Pins, WebLists

from tests.fakes.fleet_port import FakeClock
from tests.fakes.https import https_server

ROWS = [("openssl.x86_64", "openssl.x86_64:1:3.0.7-27")]
NAME = to_name(to_text("web", ROWS))
LISTED = {"name": NAME, "label": "web", "address": f"https://localhost/{NAME}", "region": "eu-central-1"}
LISTED |= {"patches": [{"id": patch_id, "title": title} for patch_id, title in ROWS]}


class Handler(BaseHTTPRequestHandler):
    """Serves what a test has published; ``moved`` sends readers elsewhere."""

    published: ClassVar[dict[str, bytes]] = {}
    moved: ClassVar[str] = ""

    def do_GET(self) -> None:
        found = self.published.get(self.path)
        self.send_response(302 if self.moved else 404 if found is None else 200)
        if self.moved:
            self.send_header("Location", self.moved)
        self.send_header("Content-Length", str(len(found or b"")))
        self.end_headers()
        self.wfile.write(found or b"")

    def log_message(self, *_given: Any) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    Handler.published, Handler.moved = {f"/lists/{NAME}": text_of(LISTED).encode()}, ""
    with https_server(Handler, tmp_path) as (url, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield f"{url}/lists/"


def publish(url: str) -> None:
    """Do what happens to a wave's lists before its first command is sent."""
    state = SimpleNamespace(waves={"all": SimpleNamespace(nodes=["i-1"])}, nodes={"i-1": SimpleNamespace(stage="")})
    promotion = SimpleNamespace(list_of=lambda node: LISTED)
    rollout = SimpleNamespace(state=state, promotion=lambda wave: promotion, clock=FakeClock())
    Pins(rollout, "all", lambda listed: WebLists(url)).publish()  # type: ignore[arg-type] # a list of the fake


def test_a_published_list_is_read_over_tls(server: str) -> None:
    publish(server)


@pytest.mark.parametrize("trouble", ["missing", "changed", "cut", "moved", "untrusted", "not running", "not TLS"])
def test_a_list_that_is_not_published_as_planned_stops_the_wave(
    server: str, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "publish the directory lists of the rollout there"
    if trouble == "missing":
        Handler.published = {}
    elif trouble in ("changed", "cut"):
        text = text_of(LISTED)
        Handler.published = {f"/lists/{NAME}": (text[:-1] if trouble == "cut" else text.replace("27", "28")).encode()}
        told = "somebody changed it"
    elif trouble == "moved":
        Handler.published |= {"/other": text_of(LISTED).encode()}
        Handler.moved = "/other"
    elif trouble == "untrusted":
        monkeypatch.delenv("SSL_CERT_FILE")
    elif trouble == "not TLS":
        server = server.replace("https:", "http:")
    with pytest.raises(ListTrouble, match="Nothing was sent to its nodes") as caught:
        publish("https://localhost:9/lists" if trouble == "not running" else server)
    assert told in str(caught.value)
