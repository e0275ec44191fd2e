# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Repositories in files as distributions ship them (sources.list(5), dnf.conf(5))."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.repositories.sources import (
    Source,
    read_sources,
    with_values,
    without,
)

LIST = """\
# comment
deb http://first.example/debian bookworm main contrib # why
deb-src http://first.example/debian bookworm main
deb [arch=amd64 Signed-By=/etc/apt/keyrings/a.gpg,/b.asc trusted=yes] http://vendor.example/apt stable main
"""
SOURCES = """\
# first
Types: deb deb-src
URIs: http://first.example/debian
 http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 AAAA
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://off.example/debian
Suites: bookworm-security
Components: main
enabled: no
"""
REPO = """\
[main]
cachedir=/var/cache
[base]
name = Base
baseurl=http://one.example/os
   http://two.example/os
gpgcheck=1
gpgkey=file:///etc/pki/rpm-gpg/KEY
[off]
mirrorlist=http://list.example/
enabled=0
"""


def only(path: str, text: str) -> list[Source]:
    return list(read_sources({path: text}))


def test_lines_of_apt() -> None:
    first, second = only("/etc/apt/sources.list", LIST)
    assert (first.urls, first.suites, first.components) == (
        ("http://first.example/debian",),
        ("bookworm",),
        ("main", "contrib"),
    )
    assert (first.signed, first.keys) == (None, ())
    assert (second.signed, second.keys) == (False, ("/etc/apt/keyrings/a.gpg", "/b.asc"))


def test_stanzas_of_apt() -> None:
    first, second = only("/x/debian.sources", SOURCES)
    assert first.urls == ("http://first.example/debian", "http://mirror.example/debian")
    assert (first.suites, first.components, first.enabled) == (("bookworm", "bookworm-updates"), ("main",), True)
    assert "-----\n\nAAAA" in first.keys[0]
    assert (second.enabled, second.suites) == (False, ("bookworm-security",))


def test_sections_of_dnf_and_zypper() -> None:
    base, off = only("/etc/yum.repos.d/x.repo", REPO)
    assert (base.name, base.urls, base.signed) == ("base", ("http://one.example/os", "http://two.example/os"), True)
    assert base.keys == ("file:///etc/pki/rpm-gpg/KEY",)
    assert (off.enabled, off.listed, off.signed) == (False, "http://list.example/", None)


@pytest.mark.parametrize(("path", "text"), [("/a.list", LIST), ("/a.sources", SOURCES), ("/a.repo", REPO)])
def test_a_disabled_repository_is_disabled_and_the_rest_of_the_file_is_as_it_was(path: str, text: str) -> None:
    first, *others = only(path, text)
    changed = without(text, first)
    left = only(path, changed)
    assert [(item.urls, item.suites, item.enabled) for item in left if item.urls != first.urls or item.enabled] == [
        (item.urls, item.suites, item.enabled) for item in others
    ]
    kept = [line for line in text.splitlines() if first.urls[0] not in line]
    assert [line for line in kept if line not in changed.splitlines()] == []


def test_values_of_a_section_are_replaced_added_and_removed() -> None:
    base, off = only("/a.repo", REPO)
    changed = with_values(
        REPO, base, {"baseurl": "http://new.example/os", "gpgcheck": "0", "proxy": "p", "gpgkey": None}
    )
    assert changed == REPO.replace(
        "baseurl=http://one.example/os\n   http://two.example/os\ngpgcheck=1\ngpgkey=file:///etc/pki/rpm-gpg/KEY\n",
        "baseurl=http://new.example/os\ngpgcheck=0\nproxy=p\n",
    )
    assert with_values(changed, off, {"enabled": "1"}).endswith("mirrorlist=http://list.example/\nenabled=1\n")


def test_other_files_have_no_repositories() -> None:
    assert read_sources({"/etc/rhsm/rhsm.conf": REPO, "/etc/apt/sources.list.save": LIST}) == ()
