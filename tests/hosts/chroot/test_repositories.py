# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories of the real apt, dnf and zypper: compared with the policy's, corrected, and usable (TM-14)."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.drift import (
    HostRepositories,
    drifts,
    read_host,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import to_expected
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.repair import repaired
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.script import (
    KEPT,
    read_script,
    write_script,
)

from tests.hosts.chroot.roots import RULES, Root
from tests.hosts.chroot.test_apt import LOCKS, TAKE
from tests.hosts.chroot.toys import Deb, Rpm, Signer, archive, has, installed, repository

DEB, RPM = Deb(name="toy", version="1.2"), Rpm(name="toy", version="1.2")


@pytest.fixture
def key(tmp_path: Path) -> Iterator[Signer]:
    signer = Signer.make(tmp_path / "signer")
    yield signer
    subprocess.run(["gpgconf", "--homedir", str(signer.home), "--kill", "all"], check=False)


def look(root: Root) -> HostRepositories:
    return read_host(root._run(["sh", "-s"], stdin=read_script(RULES)).stdout)


def now() -> datetime:
    return datetime.now(timezone.utc)


def codes(root: Root, item: dict[str, Any]) -> list[str]:
    return [drift.code for drift in drifts(look(root), to_expected([item], "x"), now())]


def repair(root: Root, item: dict[str, Any]) -> HostRepositories:
    """Correct a root's repositories, and prove that nothing is left to correct."""
    expected = to_expected([item], "x")
    host = look(root)
    files = repaired(host, expected, drifts(host, expected, now()))
    after = read_host(root._run(["sh", "-s"], stdin=write_script(files, "stamp", RULES)).stdout)
    assert drifts(after, expected, now()) == ()
    assert repaired(look(root), expected, drifts(look(root), expected, now())) == {}
    return after


def test_apt_is_corrected_with_url_snapshot_and_key(apt: Root, key: Signer) -> None:
    has(apt, Deb(name="toy", version="1.0"))
    archive(apt, "20260601", [DEB])
    key.sign_archive(apt.folder / "20260601")
    old = "deb [trusted=yes] file:/srv/20260501 ./\n"
    apt.write("/etc/apt/sources.list.d/20260601.list", old)
    item = {"name": "toys", "manager": "apt", "urls": ["file:/srv/{snapshot}"], "suites": ["./"], "key": key.public}
    item |= {"snapshot": "20260601"}
    assert codes(apt, item) == ["wrong_snapshot"]
    with pytest.raises(PatchtideError, match="apt, refresh"):
        apt.listing()
    assert repair(apt, item).refresh == ""
    assert [patch.id for patch in apt.listing().patches] == [DEB.id]
    assert apt.install(DEB.id).installed == (DEB.id,)
    assert apt.sh(f"cat {KEPT}/stamp/etc/apt/sources.list.d/20260601.list") == old


def test_a_repair_that_apt_can_not_use_says_why(apt: Root, key: Signer, tmp_path: Path) -> None:
    archive(apt, "toys", [DEB])
    key.sign_archive(apt.folder / "toys")
    other = Signer.make(tmp_path / "other")
    item = {"name": "toys", "manager": "apt", "urls": ["file:/srv/toys"], "suites": ["./"], "key": other.public}
    expected = to_expected([item], "x")
    host = look(apt)
    files = repaired(host, expected, drifts(host, expected, now()))
    after = read_host(apt._run(["sh", "-s"], stdin=write_script(files, "stamp", RULES)).stdout)
    (left,) = drifts(after, expected, now())
    assert left.code == "unreadable" and "its signature can't be verified: the key is missing or wrong" in left.text


def test_an_expired_key_is_told_by_name_and_date(apt: Root, tmp_path: Path) -> None:
    """apt says EXPKEYSIG, and goes on with old lists (Debian bug 982716)."""
    old = Signer.make(tmp_path / "old", created="20200101T000000", valid="1y")
    archive(apt, "toys", [DEB])
    apt.write("/etc/apt/keyrings/toys.asc", old.public)
    apt.write("/etc/apt/sources.list.d/toys.list", "deb [signed-by=/etc/apt/keyrings/toys.asc] file:/srv/toys ./\n")
    item = {"name": "toys", "manager": "apt", "urls": ["file:/srv/toys"], "suites": ["./"]}
    (found,) = drifts(look(apt), to_expected([item], "x"), now())
    assert found.code == "key_expired" and "on 2020-12-31" in found.text


def test_dnf_is_corrected_in_its_own_file(dnf: Root, key: Signer) -> None:
    installed(dnf, Rpm(name="toy", version="1.0"))
    repository(dnf, "base", [RPM], [])
    text = "[other]\nname=o\nbaseurl=file:///srv/base\nenabled=0\n\n[base]\nname=mine\nmetalink=http://l.invalid/\npriority=7\n"
    dnf.write("/etc/yum.repos.d/base.repo", text)
    item = {"name": "base", "manager": "dnf", "urls": ["file:///srv/base"], "key": key.public}
    assert codes(dnf, item) == ["wrong_url"]
    assert repair(dnf, item).refresh == ""
    assert dnf.sh("cat /etc/yum.repos.d/base.repo") == text.replace("metalink=http://l.invalid/\n", "").replace(
        "priority=7\n",
        "priority=7\nbaseurl=file:///srv/base\nenabled=1\ngpgcheck=1\n"
        "gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-base\n",
    )
    assert [patch.id for patch in dnf.listing().patches] == [RPM.id]
    assert "signature can't be verified" in dnf.install(RPM.id).failed[RPM.id]


def test_zypper_trusts_the_policys_key_without_a_question(zypper: Root, key: Signer) -> None:
    """Without a terminal zypper rejects a key that it does not know, and skips the repository in silence
    (crowbar/crowbar-core#771)."""
    installed(zypper, Rpm(name="toy", version="1.0"))
    repository(zypper, "sle", [RPM], [])
    key.sign_metadata(zypper.folder / "sle")
    item = {"name": "sle", "manager": "zypper", "urls": ["file:///srv/sle"], "key": key.public}
    assert sorted(set(codes(zypper, item))) == ["unsigned", "wrong_key"]
    assert repair(zypper, item).refresh == ""
    assert zypper.install(RPM.id).installed == (RPM.id,)


@pytest.mark.parametrize("family", ["apt", "dnf", "zypper"])
def test_a_missing_repository_is_added(family: str, request: pytest.FixtureRequest) -> None:
    root: Root = request.getfixturevalue(family)
    if family == "apt":
        archive(root, "toys", [DEB])
        root.sh("rm /etc/apt/sources.list.d/toys.list")
    else:
        repository(root, "toys", [RPM], [])
        root.sh("rm /etc/*/repos.d/toys.repo /etc/yum.repos.d/toys.repo 2>/dev/null", check=False)
    item = {"name": "toys", "manager": family, "urls": ["file:///srv/toys"]}
    item |= {"suites": ["./"]} if family == "apt" else {}
    assert codes(root, item) == ["missing"]
    expected = to_expected([item], "x")
    host = look(root)
    files = repaired(host, expected, drifts(host, expected, now()))
    after = read_host(root._run(["sh", "-s"], stdin=write_script(files, "stamp", RULES)).stdout)
    assert [drift.code for drift in drifts(after, expected, now())] in ([], ["unreadable"])  # it is not signed


def test_a_clock_that_is_wrong_is_told(apt: Root) -> None:
    """Signatures and certificates are not valid yet, or no longer (apt, "is not valid yet")."""
    future = datetime.fromtimestamp(now().timestamp() - 7200, timezone.utc)
    (found,) = drifts(look(apt), (), future)
    assert found.code == "clock" and "seconds ahead" in found.text


def test_nothing_is_written_while_the_package_manager_is_locked(apt: Root) -> None:
    holder = apt.start(TAKE.format(LOCKS[1], 20))
    script = write_script({"/etc/apt/sources.list.d/x.sources": "Types: deb\n"}, "s", replace(RULES, lock_seconds=0))
    time.sleep(1)
    found = read_host(apt._run(["sh", "-s"], stdin=script).stdout)
    assert found.refresh and found.refresh.startswith("the package manager is locked by perl")
    assert "x.sources" not in apt.sh("ls /etc/apt/sources.list.d")
    holder.kill()
    holder.wait()


def test_apt_takes_a_snapshot_whose_release_file_has_expired(apt: Root, key: Signer) -> None:
    """Snapshots keep Valid-Until as it was (Debian's snapshot archive, "Usage"); the signature counts as ever."""
    has(apt, Deb(name="toy", version="1.0"))
    for date in ("20260501", "20260601"):
        archive(apt, date, [DEB])
        release = apt.folder / date / "Release"
        release.write_text("Valid-Until: Mon, 01 Jun 2020 00:00:00 UTC\n" + release.read_text())
        key.sign_archive(apt.folder / date)
        apt.sh(f"rm /etc/apt/sources.list.d/{date}.list")
    apt.write("/etc/apt/keyrings/own.asc", key.public)
    apt.write("/etc/apt/sources.list.d/mine.list", "deb [signed-by=/etc/apt/keyrings/own.asc] file:/srv/20260501 ./\n")
    with pytest.raises(PatchtideError, match="apt, refresh"):
        apt.listing()
    item = {"name": "toys", "manager": "apt", "urls": ["file:/srv/{snapshot}"], "suites": ["./"], "key": key.public}
    assert repair(apt, {**item, "snapshot": "20260601"}).refresh == ""
    assert [patch.id for patch in apt.listing().patches] == [DEB.id]


class _Door(BaseHTTPRequestHandler):
    """Answers /open with a page, everything else as a proxy that refuses."""

    def do_GET(self) -> None:
        self.send_error(404 if self.path.startswith("/open") else 403)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.mark.parametrize("family", ["apt", "dnf"])
def test_a_url_that_has_to_be_closed_is_tried_from_the_host(family: str, request: pytest.FixtureRequest) -> None:
    root: Root = request.getfixturevalue(family)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_port
    open_url, refusing = f"http://127.0.0.1:{port}/open", f"http://127.0.0.1:{port}/refused"
    urls = (open_url, refusing, "http://127.0.0.1:9/", "http://nobody.invalid/")
    found = read_host(root._run(["sh", "-s"], stdin=read_script(RULES, urls)).stdout)
    server.shutdown()
    by_connection = "yes" if family == "dnf" and "curl" not in root.sh("ls /usr/bin") else "unknown"
    assert found.answers == dict(zip(urls, ("yes", by_connection, "no", "no"), strict=True))
    assert [drift.code for drift in drifts(found, (), now())] == [
        "open",
        "unproven" if by_connection == "unknown" else "open",
    ]
