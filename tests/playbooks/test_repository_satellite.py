# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role on the stock collection theforeman.foreman and the simulated Satellite, in trouble.

Its way without trouble is its molecule scenario.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from lab.satellite.server import Satellite
from lab.satellite.world import World

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ERRATA = {"RHSA-2026:1001": ["CVE-2026-1"], "RHSA-2026:1103": ["CVE-2026-2"], "RHSA-2026:1128": ["CVE-2026-3"]}
WORLD: dict[str, Any] = {
    "errata": ERRATA,
    "synced": list(ERRATA),
    "upstream": list(ERRATA),
    "versions": {
        "1.1": {"errata": ["RHSA-2026:1001", "RHSA-2026:1128"], "in": ["Prod"]},
        "2.0": {"errata": ["RHSA-2026:1001", "RHSA-2026:1103"], "in": ["Test"]},
        "3.0": {"errata": list(ERRATA), "in": ["Library", "Dev"]},
    },
    "hosts": {
        "prod-01": {"environment": "Prod", "applicable": []},
        "prod-02": {"environment": "Dev", "applicable": [], "old": True},
        "prod-03": {"environment": "Prod", "applicable": [], "also": "Dev"},
        "prod-04": {"environment": "Prod", "applicable": [], "view": "other"},
        "prod-05": {"environment": "Prod", "applicable": [], "source": "capsule.example"},
        "prod-06": {"environment": "Prod", "applicable": [], "old": True},
    },
}
PROMOTE = {"environment": "Prod", "promote": True}


@dataclass
class Served:
    """A Satellite, and the role's runs on it."""

    satellite: Satellite
    url: str
    folder: Path

    def play(
        self, options: dict[str, Any], *more: str, entry: str = "main", told: Path | None = None, **world: Any
    ) -> tuple[bool, str]:
        """Run the role on a world; return whether it succeeded, and what Ansible said.

        :param entry: its entry point. :param told: gets the errata that ``applicable`` returns.
        """
        self.satellite.world = World.of({**WORLD, **world})
        given = {"server_url": self.url, "username": "patching", "password": "changeme", "organization": "Contoso"}
        given |= {"content_view": "base", "lock_delay": 0, "lock_retries": 2, **options}
        variables = {f"repository_satellite_{name}": value for name, value in given.items()}
        name = {"name": "patchtide.hybrid.repository_satellite", "tasks_from": entry}
        tasks: list[dict[str, Any]] = [{"ansible.builtin.include_role": name}]
        if told:
            content = "{{ repository_satellite_applicable | to_json }}"
            tasks.append({"ansible.builtin.copy": {"content": content, "dest": str(told), "mode": "0600"}})
        role = {"hosts": "localhost", "gather_facts": False, "tasks": tasks}
        (self.folder / "play.json").write_text(json.dumps([role]))
        command = [str(Path(sys.executable).with_name("ansible-playbook")), str(self.folder / "play.json")]
        paths = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "build" / "tree"), "XDG_CACHE_HOME": str(self.folder)}
        done = subprocess.run(
            [*command, "-e", json.dumps(variables), *more],
            env={**os.environ, **paths, "ANSIBLE_NOCOLOR": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode == 0, done.stdout + done.stderr

    @property
    def done(self) -> list[str]:
        """The changes that the server was asked for."""
        return self.satellite.world.calls


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    satellite = Satellite()
    server = make_server("127.0.0.1", 0, satellite, threaded=True)
    Thread(target=server.serve_forever, daemon=True).start()
    yield Served(satellite, f"http://127.0.0.1:{server.server_port}", tmp_path_factory.mktemp("satellite"))
    server.shutdown()


def test_what_development_tries_does_not_reach_production_before(served: Served) -> None:
    good, text = served.play({**PROMOTE, "version": "3.0"})
    assert not good and "Version 3.0 of base is not in Test, which has 2.0" in text
    assert served.done == []


def test_errata_of_production_are_not_lost(served: Served) -> None:
    good, text = served.play(PROMOTE)
    assert not good and "Version 2.0 lacks RHSA-2026:1128, which Prod has in version 1.1" in text
    assert served.done == []
    good, text = served.play({**PROMOTE, "allow_loss": True}, "--check")
    assert good and "changed=1" in text and served.done == []
    good, text = served.play({**PROMOTE, "allow_loss": True}, polls=1)
    assert good and "changed=1" in text and served.done == ["content_view_versions/promote"]


def test_expired_credentials_are_named(served: Served) -> None:
    good, text = served.play(PROMOTE, password="rotated")
    assert not good and "Unable to authenticate user patching" in text
    assert "rotated" not in text and "changeme" not in text


def test_a_locked_content_view_is_waited_for_and_named(served: Served) -> None:
    options = {"environment": "Test", "promote": True}
    good, text = served.play(options, locked=2)
    assert good and served.done == ["content_view_versions/promote"] * 3, text
    good, text = served.play(options, locked=9)
    assert not good and "Required lock is already taken by other running tasks" in text
    assert len(served.done) == 3


def test_a_failed_task_ends_the_role_and_nothing_is_published(served: Served) -> None:
    sync = [{"product": "RHEL 9", "name": "BaseOS"}]
    good, text = served.play({**PROMOTE, "sync": sync, "publish": True}, fails=["synchronize"])
    assert not good and "did not succeed" in text and "502 Bad Gateway" in text
    assert served.done == ["repositories/sync"]


def test_each_host_with_other_content_is_named(served: Served) -> None:
    hosts = [f"prod-0{number}" for number in range(1, 7)]
    good, text = served.play({"environment": "Prod", "hosts": hosts, "content_source": "satellite.example"})
    assert not good and "expected base in Prod, source satellite.example" in text
    assert "prod-02 takes its content from base in Dev," in text
    assert "prod-03 takes its content from base, base in Prod, Dev," in text
    assert "prod-04 takes its content from other in Prod," in text
    assert "prod-05 takes its content from base in Prod, source capsule.example" in text
    assert "prod-01 takes" not in text and "prod-06 takes" not in text


def test_a_cve_without_errata_is_an_error(served: Served) -> None:
    good, text = served.play({"environment": "Prod", "cves": ["CVE-2026-3", "CVE-1999-1"]})
    assert not good and served.done == []
    good, text = served.play({"environment": "Prod", "cves": ["CVE-2026-3", "CVE-2026-2"]}, "--check")
    assert good and "changed=1" in text and '"msg": "RHSA-2026:1103"' in text and served.done == []


def test_errata_that_wait_for_a_promotion_are_returned(served: Served) -> None:
    """The host's environment lacks one of two that apply to it; the Satellite knows nothing of the second host."""
    hosts = {"prod-01": {"environment": "Prod", "applicable": ["RHSA-2026:1103", "RHSA-2026:1128"]}}
    told = served.folder / "told.json"
    good, text = served.play({"hosts": ["prod-01", "prod-99"]}, entry="applicable", told=told, hosts=hosts)
    assert good and not served.satellite.world.refused, text
    (found,) = json.loads(told.read_text())
    assert (found["host"], [item["errata_id"] for item in found["errata"]]) == ("prod-01", ["RHSA-2026:1103"])
    good, text = served.play({"hosts": ["prod-01"]}, entry="applicable", password="rotated")
    assert not good and "Unable to authenticate user patching" in text
