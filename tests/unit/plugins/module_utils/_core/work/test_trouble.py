# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Causes that an administrator would name, from what the tools print."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.trouble import to_cause


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("E: You don't have enough free space: No space left on device", "a disk is full"),
        ("Release file for http://x/ is not valid yet (invalid for another 3h)", "the clock is wrong"),
        ("curl error (60): SSL certificate problem: certificate has expired", "its certificate has expired"),
        ("curl error (60): SSL certificate problem: self signed", "its certificate is not trusted"),
        ("The following signatures were invalid: EXPKEYSIG 0E98404D386FA1D9", "its signing key has expired"),
        (
            " trying to overwrite '/opt/shared', which is also in package other 1",
            "another package has one of its files",
        ),
        (
            "file /opt/x from install of a-1 conflicts with file from package b-1",
            "another package has one of its files",
        ),
        ("NO_PUBKEY 648ACFD622F3D138", "the key is missing or wrong"),
        ("Public key for toy-1.rpm is not installed", "the key is missing or wrong"),
        ("Could not resolve 'deb.example'", "DNS can't resolve the name"),
        ("407  Proxy Authentication Required", "the proxy refused"),
        ("Status code: 403 for https://cdn.example/repodata/repomd.xml", "credentials or subscription"),
        ("Repository 'x' changed its 'Label' value from 'a' to 'b'", "became another one"),
        ("File has unexpected size (1 != 2). Mirror sync in progress?", "the mirror is being updated"),
        ('Error: There are no enabled repositories in "/etc/yum.repos.d".', "is the host registered"),
        ("E: The repository 'http://x' does not have a Release file.", "has no such file"),
        ("Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)", "it can't be reached"),
        ("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'", "dpkg run was interrupted"),
        ("E: Version '9' for 'x' was not found", "no longer offered"),
        ('<message type="error">No provider of &apos;x&apos; found.</message>', "no longer offered"),
        ("  - nothing provides /bin/sh needed by toy-1.1-1.noarch", "dependencies can't be fulfilled"),
        ("warning: %post(toy-1.1-1.noarch) scriptlet failed, exit status 1", "its maintainer script failed"),
        ("Warning: toy-1.2-1.noarch.rpm %posttrans script failed (returned 1)", "its maintainer script failed"),
    ],
)
def test_the_cause_is_named_and_the_line_is_shown(line: str, cause: str) -> None:
    said = to_cause(["Reading package lists...", line])
    assert cause in said.partition(";")[0] and "Reading" not in said
    assert "<message" not in said and "&apos;" not in said


@pytest.mark.parametrize(
    "line",
    [
        "warning: %post(toy-1.2-1.noarch) scriptlet failed, exit status 1",
        "Warning: toy-1.2-1.noarch.rpm %posttrans script failed (returned 1)",
    ],
)
def test_the_package_whose_script_failed_is_named(line: str) -> None:
    assert "; package toy-1.2-1.noarch;" in to_cause([line])


def test_nothing_said_is_said() -> None:
    assert to_cause([]) == "it said nothing"


def test_what_it_says_is_bounded_and_plain() -> None:
    said = to_cause(["error \x1b[31m" + "x" * 5000] * 20)
    assert len(said) <= 500 and said.isprintable()
