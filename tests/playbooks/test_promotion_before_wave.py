# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A wave's content view is promoted before its nodes are touched, and the next wave's after the gate, or never."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from lab.aws.launch import lab
from lab.satellite.server import Satellite
from lab.satellite.world import World
from tests.playbooks.test_rollout_preparations import Night

pytestmark = pytest.mark.slow

VERSIONS = {"1.0": {"errata": [], "in": ["Dev", "Test", "Prod"]}, "2.0": {"errata": [], "in": ["Library"]}}


class Watched(World):
    """Notes which nodes have been installed on whenever a version is promoted."""

    night: Night
    seen: list[tuple[int, list[str]]]

    def promote(self, key: int, wanted: list[int], *, force: bool) -> dict[str, Any]:
        self.seen.append((wanted[0], sorted(self.night.installs())))
        return super().promote(key, wanted, force=force)


@pytest.fixture
def satellite() -> Iterator[tuple[Satellite, str]]:
    found = Satellite()
    server = make_server("127.0.0.1", 0, found, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield found, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def night(tmp_path: Path) -> Iterator[Night]:
    with lab(Path(__file__).parent / "preparations_estate.yml") as aws:
        yield Night(aws, tmp_path)


def test_a_wave_is_promoted_before_it_and_after_the_gate_of_the_one_before(
    night: Night, satellite: tuple[Satellite, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server, url = satellite
    world = Watched.of({"versions": VERSIONS, "password": "rotated"})
    assert isinstance(world, Watched)
    world.night, world.seen = night, []
    server.world = world
    monkeypatch.setenv("XDG_CACHE_HOME", str(night.folder / "cache"))
    night.policy["stopped_nodes"] = {"start": False}
    about = {"organization": "Contoso", "content_view": "base", "version": "2.0"}
    # the wave dev has the environment Dev here, and prod has Test
    server_of = {"kind": "satellite", "address": url, "targets": {"dev": "Dev", "prod": "Test"}, **about}
    night.policy["repositories"] = {"servers": [server_of]}
    night.prepare()

    login = {"repository_satellite_username": "patching", "repository_satellite_password": "changeme"}
    done = night.play("rollout_patches", **login)
    assert done.status != 0 and "Unable to authenticate user" in done.output
    assert night.installs() == {} and world.seen == []
    assert "intent" not in night.kinds()

    world.password = "changeme"
    done = night.play("rollout_patches", **login)
    assert done.status == 0, done.output + done.errors
    dev = ["web-01", "web-02"]
    assert world.seen == [(2, []), (3, dev)]
    assert world.to_data()["versions"]["2.0"]["in"] == ["Library", "Dev", "Test"]
    events = [json.loads(line) for line in (night.run / "journal.jsonl").read_text("utf-8").splitlines()]
    promoted = [
        item["data"] for item in events if item["data"].get("what") == "promoted" and item["kind"] == "prepared"
    ]
    steps = [item["details"]["*"]["servers"][0] for item in promoted]
    assert [(step["target"], step["version"]) for step in steps] == [("Dev", "2.0"), ("Dev", "2.0"), ("Test", "2.0")]
    kinds = night.kinds()
    gate = kinds.index("gate")
    assert kinds.index("prepared") < kinds.index("intent") < gate < len(kinds) - 1 - kinds[::-1].index("prepared")
    assert sorted(set(night.installs()) - set(dev)) == ["alone-01", "alone-02", "db-01", "db-02", "db-03"]
