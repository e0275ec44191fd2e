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
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.pins import Pins, WebLists, to_store

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
    credentials: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.credentials.append(self.headers.get("Authorization"))
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
    Handler.credentials.clear()
    with https_server(Handler, tmp_path) as (url, certificate):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        yield f"{url}/lists/"


def publish(url: str, folder: Path) -> None:
    """Do what happens to a wave's lists before its first command is sent."""
    state = SimpleNamespace(waves={"all": SimpleNamespace(nodes=["i-1"])}, nodes={"i-1": SimpleNamespace(stage="")})
    promotion = SimpleNamespace(list_of=lambda node: LISTED)
    rollout = SimpleNamespace(state=state, promotion=lambda wave: promotion, clock=FakeClock())
    Pins(rollout, "all", lambda listed: WebLists(url, folder)).publish()  # type: ignore[arg-type] # a list of the fake


def test_a_published_list_is_read_over_tls(server: str, tmp_path: Path) -> None:
    publish(server, tmp_path)


def test_a_list_is_there_to_be_published_and_the_message_says_where(server: str, tmp_path: Path) -> None:
    """A promoted wave has a shorter list than the plan; what somebody changed in the directory is written again."""
    Handler.published = {}
    for before in (None, "changed"):
        if before:
            (tmp_path / NAME).write_text(before, "utf-8")
        with pytest.raises(ListTrouble, match=f"publish the directory {tmp_path} there"):
            publish(server, tmp_path)
        assert (tmp_path / NAME).read_text("utf-8") == text_of(LISTED)


def test_the_list_is_read_as_nodes_read_it_without_credentials(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login someone password secret\n", "utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    publish(server, tmp_path)
    assert Handler.credentials == [None]


@pytest.mark.parametrize(
    ("patching", "address"),
    [
        ({"list_url": "https://l.example/new"}, f"https://l.example/old/{NAME}"),
        ({"list_url": "https://l.example"}, f"s3://lists/{NAME}"),
        ({"buckets": {"eu-central-1": {"name": "lists"}}}, f"https://l.example/{NAME}"),
        ({"buckets": {"us-east-1": {"name": "lists"}}}, f"s3://lists/{NAME}"),
    ],
)
def test_a_policy_that_keeps_lists_elsewhere_than_the_plan_is_refused(
    patching: dict[str, Any], address: str, tmp_path: Path
) -> None:
    """Nodes read the plan's address, so to read another one back proves nothing."""
    policy = to_policy({"version": 1, "name": "p", "waves": [{"name": "all"}], "patching": {"pin": "list", **patching}})
    no_sessions: Any = None
    with pytest.raises(ListTrouble, match=f"elsewhere than {address}"):
        to_store(policy, {}, no_sessions, tmp_path)({**LISTED, "address": address})


def test_lists_on_a_web_server_are_published_from_the_rollouts_directory(tmp_path: Path) -> None:
    rules = {"pin": "list", "list_url": "https://localhost/"}
    policy = to_policy({"version": 1, "name": "p", "waves": [{"name": "all"}], "patching": rules})
    no_sessions: Any = None
    assert to_store(policy, {}, no_sessions, tmp_path)(LISTED) == WebLists("https://localhost/", tmp_path / "lists")


@pytest.mark.parametrize("trouble", ["missing", "changed", "cut", "moved", "untrusted", "not running", "not TLS"])
def test_a_list_that_is_not_published_as_planned_stops_the_wave(
    server: str, trouble: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = f"publish the directory {tmp_path / 'lists'} there"
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
        publish("https://localhost:9/lists" if trouble == "not running" else server, tmp_path / "lists")
    assert told in str(caught.value)
