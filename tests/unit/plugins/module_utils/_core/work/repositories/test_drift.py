# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences from the policy's repositories, their repair and their trend."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.packages.listing import PackageRules
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.drift import (
    HostRepositories,
    drifts,
    read_host,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.expected import (
    RepositoryRules,
    to_expected,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.repair import (
    CLOUD,
    CLOUD_KEEP,
    RHSM,
    RHSM_REPOSITORIES,
    repaired,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.script import write_script
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.trend import (
    FINE,
    FOUND,
    incidents,
    proposal,
)

from tests.fakes.openpgp_keys import EXPIRED, EXPIRED_FINGERPRINT, GOOD, GOOD_FINGERPRINT
from tests.fakes.package_answers import document

NOW = datetime(2026, 6, 10, tzinfo=timezone.utc)
APT: dict[str, Any] = {
    "name": "debian",
    "manager": "apt",
    "urls": ["http://m.example/debian"],
    "suites": ["bookworm"],
    "components": ["main"],
}
DNF: dict[str, Any] = {
    "name": "base",
    "manager": "dnf",
    "urls": ["http://m.example/{snapshot}/os"],
    "snapshot": "20260601",
}
LINE, REPO = "/etc/apt/sources.list", "/etc/yum.repos.d/os.repo"
SECTION = "[base]\nname=b\nbaseurl={}\ngpgcheck={}\nenabled={}\n"


def host(manager: str, files: dict[str, str], **more: Any) -> HostRepositories:
    return HostRepositories(manager=manager, files=files, **more)


def apt(*lines: str, **more: Any) -> HostRepositories:
    return host("apt", {LINE: "".join(f"{line}\n" for line in lines)}, **more)


def dnf(url: str = "http://m.example/20260601/os", check: int = 1, enabled: int = 1, **more: Any) -> HostRepositories:
    return host("dnf", {REPO: SECTION.format(url, check, enabled)}, **more)


def codes(found: HostRepositories, item: dict[str, Any]) -> list[str]:
    return [drift.code for drift in drifts(found, to_expected([item], "x"), NOW)]


RIGHT = "deb http://m.example/debian/ bookworm main contrib"


@pytest.mark.parametrize(
    ("found", "item", "wanted"),
    [
        (apt(RIGHT), APT, []),
        (apt(RIGHT), DNF, []),
        (apt(), APT, ["missing"]),
        (apt(f"#{RIGHT}"), APT, ["missing"]),
        (apt("deb http://old.example/debian bookworm main"), APT, ["missing"]),
        (
            apt(RIGHT, "deb http://old.example/d bookworm main"),
            {**APT, "replaces": ["http://old.example/*"]},
            ["wrong_url"],
        ),
        (apt("deb http://m.example/debian bookworm contrib"), APT, ["wrong_components"]),
        (apt("deb http://m.example/debian bookworm contrib", "deb http://m.example/debian bookworm main"), APT, []),
        (apt("deb [trusted=yes] http://m.example/debian bookworm main"), APT, ["unsigned"]),
        (apt(RIGHT), {**APT, "suites": ["bookworm", "bookworm-updates"]}, ["missing"]),
        (apt(RIGHT), {**APT, "fingerprints": [GOOD_FINGERPRINT]}, ["wrong_key"]),
        (apt(RIGHT, keys={"/etc/apt/trusted.gpg": GOOD.encode()}), {**APT, "fingerprints": [GOOD_FINGERPRINT]}, []),
        (apt(RIGHT, keys={"/etc/apt/trusted.gpg": EXPIRED.encode()}), APT, ["key_expired"]),
        (apt(RIGHT, keys={"/etc/apt/trusted.gpg": f"{EXPIRED}{GOOD}".encode()}), APT, []),
        (apt(RIGHT, clock=int(NOW.timestamp()) - 4000), APT, ["clock"]),
        (apt(RIGHT, clock=int(NOW.timestamp()) + 200), APT, []),
        (apt(RIGHT, refresh="DNS can't resolve the name"), APT, ["unreadable"]),
        (dnf(), DNF, []),
        (dnf("http://m.example/20260501/os"), DNF, ["wrong_snapshot"]),
        (dnf("http://old.example/os"), DNF, ["wrong_url"]),
        (dnf(enabled=0), DNF, ["disabled"]),
        (dnf(check=0), DNF, ["unsigned"]),
        (host("dnf", {}), DNF, ["missing"]),
        (host("dnf", {REPO: "[base]\nmetalink=http://l.example/\n"}), DNF, ["wrong_url"]),
        (dnf(keys={"rpm": EXPIRED.encode()}), {**DNF, "fingerprints": [EXPIRED_FINGERPRINT]}, ["key_expired"]),
        (dnf(keys={"rpm": EXPIRED.encode()}), {**DNF, "key": GOOD}, ["wrong_key"]),
    ],
)
def test_each_difference_has_a_name(found: HostRepositories, item: dict[str, Any], wanted: list[str]) -> None:
    assert codes(found, item) == wanted


def test_a_sentence_says_what_is_there_and_what_is_expected() -> None:
    (found,) = drifts(dnf("http://m.example/20260501/os"), to_expected([DNF], "x"), NOW)
    assert found.sentence == f"repository base: it is at snapshot 20260501, 20260601 expected ({REPO})"
    (key,) = drifts(apt(RIGHT, keys={"/etc/apt/trusted.gpg": EXPIRED.encode()}), to_expected([APT], "x"), NOW)
    assert key.text == f"its signing key has expired: {EXPIRED_FINGERPRINT[-16:]} on 2020-12-31"
    assert (
        drifts(apt(RIGHT, clock=0, keys={"/etc/apt/trusted.gpg": EXPIRED.encode()}), to_expected([APT], "x"), None)
        == ()
    )


@pytest.mark.parametrize(
    ("found", "item"),
    [
        (apt(), APT),
        (apt("deb [trusted=yes] http://m.example/debian bookworm main"), APT),
        (apt(RIGHT, "deb http://old.example/debian bookworm main"), {**APT, "replaces": ["http://old.example/*"]}),
        (apt(RIGHT), {**APT, "key": GOOD}),
        (dnf("http://m.example/20260501/os"), DNF),
        (dnf("http://old.example/os", check=0, enabled=0), {**DNF, "key": GOOD}),
        (host("zypper", {}), {**DNF, "manager": "zypper"}),
        (
            host("dnf", {REPO: "[base]\nmetalink=http://l.example/\n[x]\nbaseurl=http://o.example\n"}),
            {**DNF, "replaces": ["http://o.*"]},
        ),
    ],
)
def test_after_a_repair_nothing_differs_and_nothing_is_left_to_write(
    found: HostRepositories, item: dict[str, Any]
) -> None:
    expected = to_expected([item], "x")
    files = repaired(found, expected, drifts(found, expected, NOW))
    assert files
    keys = {path: text.encode() for path, text in files.items() if "PGP" in text}
    rpm = {"rpm": GOOD.encode()} if found.manager != "apt" and keys else {}
    after = host(found.manager, {**found.files, **files}, keys={**keys, **rpm})
    assert drifts(after, expected, NOW) == ()
    assert repaired(after, expected, [], permanent=True) == {}


def test_a_repository_without_a_difference_is_left_alone() -> None:
    other = {**APT, "name": "vendor", "urls": ["http://v.example/"], "suites": ["stable"]}
    expected = to_expected([APT, other], "x")
    found = apt(RIGHT)
    assert list(repaired(found, expected, drifts(found, expected, NOW))) == ["/etc/apt/sources.list.d/vendor.sources"]


def test_a_stanza_with_other_suites_is_not_disabled() -> None:
    text = "Types: deb\nURIs: http://m.example/debian\nSuites: bookworm bookworm-backports\nComponents: contrib\n"
    found = host("apt", {"/etc/apt/sources.list.d/a.sources": text})
    expected = to_expected([APT], "x")
    files = repaired(found, expected, drifts(found, expected, NOW))
    assert list(files) == ["/etc/apt/sources.list.d/debian.sources"]


def test_a_permanent_repair_stops_what_writes_the_files_again() -> None:
    """cloud-init writes sources.list of a new instance, subscription-manager redhat.repo (rhsm.conf(5))."""
    cloud = host("apt", {CLOUD: "a: b\n"})
    expected = to_expected([APT], "x")
    found = drifts(cloud, expected, NOW)
    assert CLOUD_KEEP not in repaired(cloud, expected, found)
    assert "preserve_sources_list: true" in repaired(cloud, expected, found, permanent=True)[CLOUD_KEEP]
    rhel = host("dnf", {RHSM_REPOSITORIES: SECTION.format("http://o", 1, 1), RHSM: "[rhsm]\nmanage_repos = 1\nx = 1\n"})
    expected = to_expected([DNF], "x")
    files = repaired(rhel, expected, drifts(rhel, expected, NOW), permanent=True)
    assert files[RHSM] == "[rhsm]\nmanage_repos = 0\nx = 1\n"
    assert RHSM not in repaired(rhel, expected, drifts(rhel, expected, NOW))
    elsewhere = host("dnf", {REPO: SECTION.format("http://o", 1, 1), RHSM: "manage_repos = 1\n"})
    assert RHSM not in repaired(elsewhere, expected, drifts(elsewhere, expected, NOW), permanent=True)


@pytest.mark.parametrize(
    ("change", "option"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": "../x"}, "name"),
        ({"manager": "pacman"}, "manager"),
        ({"urls": []}, "urls"),
        ({"urls": ["ldap://x"]}, "urls"),
        ({"urls": ["http://user:secret@m.example/"]}, "urls"),
        ({"urls": ["http://m.example/\nenabled=1"]}, "urls"),
        ({"snapshot": "x"}, "snapshot"),
        ({"urls": ["http://m.example/{snapshot}"]}, "snapshot"),
        ({"suites": []}, "suites"),
        ({"suites": ["a\nb"]}, "suites"),
        ({"components": ["a b"]}, "components"),
        ({"fingerprints": ["ABCD"]}, "fingerprints"),
        ({"key": "no key"}, "key"),
        ({"suits": ["x"]}, "suits"),
    ],
)
def test_a_wrong_repository_is_refused_with_its_option(change: dict[str, Any], option: str) -> None:
    with pytest.raises(BadInput) as error:
        to_expected([{**APT, **change}], "repositories")
    assert error.value.option == f"repositories[0].{option}" and error.value.expected


def test_hosts_are_selected() -> None:
    rules = RepositoryRules(expected=to_expected([{**APT, "select": {"patch_groups": ["test"]}}], "x"))
    assert len(rules.of(Candidate(node_id="a", host="a", patch_group="test"), "dev")) == 1
    assert rules.of(Candidate(node_id="a", host="a", patch_group="prod"), "dev") == ()


def record(state: str, days: float, node: str = "a") -> dict[str, Any]:
    return {"node_id": node, "state": state, "at": f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"}


def test_what_comes_back_after_a_correction_is_another_incident() -> None:
    rows = [record(FOUND, 100), record("corrected", 99), record(FOUND, 50), record(FOUND, 49), record(FINE, 40)]
    rows += [record(FOUND, 20), record(FOUND, 3, "b"), record("corrected", 19), record(FOUND, 0)]
    assert incidents(rows, "a", NOW, 90) == 3
    assert incidents(rows, "a", NOW, 30) == 2
    assert incidents(rows, "b", NOW, 90) == 1
    assert [proposal(count, 3) for count in (1, 2, 3, 4)] == ["once", "once", "permanent", "permanent"]


def test_the_hosts_answer_is_read() -> None:
    files = ["F /etc/apt/sources.list", "ZGViIGh0dHA6Ly9tLmV4YW1wbGUvZGViaWFuIGJvb2t3b3JtIG1haW4K", "F /empty"]
    parts: dict[str, Any] = {
        "files": (0, files),
        "keys": (0, ["F rpm", "AAAA"]),
        "clock": (0, ["5"]),
        "release": (0, ["debian 12"]),
    }
    found = read_host(document("yum", parts))
    assert found.files == {"/etc/apt/sources.list": "deb http://m.example/debian bookworm main\n", "/empty": ""}
    assert (found.manager, found.keys, found.clock, found.refresh) == ("dnf", {"rpm": b"\0\0\0"}, 5, None)
    assert read_host(document("apt", {**parts, "refresh": (100, ["E: Could not resolve 'x'"])})).refresh.startswith(
        "DNS"
    )
    for bad in ({"refused": (1, ["an image-based system"])}, {"files": (0, ["F /x", "!"])}):
        with pytest.raises(PatchtideError):
            read_host(document("apt", {**parts, **bad}))


def test_nothing_is_written_outside_of_etc() -> None:
    for path in ("/root/x", "/etc/../root/x", "/etc/a b", "/etc/a'b"):
        with pytest.raises(BadInput):
            write_script({path: ""}, "s", PackageRules())


@pytest.mark.parametrize("snapshot", ["20260601", ""])
def test_a_snapshot_of_apt_may_have_expired_lists_and_no_other_repository(snapshot: str) -> None:
    item = {**APT, "urls": ["http://m.example/{snapshot}/debian" if snapshot else "http://m.example/debian"]}
    expected = to_expected([{**item, "snapshot": snapshot}], "x")
    files = repaired(apt(), expected, drifts(apt(), expected, NOW))
    (text,) = files.values()
    assert ("Check-Valid-Until: no\n" in text) == bool(snapshot)
