# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roots for a test; where this machine can't mount any, the tests are left out (in CI they fail)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab.hosts.requirements import HOST_COMMANDS, TOY_COMMANDS, ensure_able
from lab.hosts.running import LeftOut
from tests.hosts.chroot.roots import UBUNTU, Root

#: The release that the roots are of, such as bullseye; this machine's own by default (make test-hosts-suites).
SUITE = os.environ.get("PATCHTIDE_SUITE", "")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Callable[..., Root]]:
    """Bring up a root of a family."""
    try:
        ensure_able({**HOST_COMMANDS, **TOY_COMMANDS})
    except LeftOut as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(f"left out: {reason}")
    roots: list[Root] = []

    def bring_up(family: str) -> Root:
        if family != "apt" and SUITE in UBUNTU:
            # only where PATCHTIDE_SUITE names a release of Ubuntu, which CI does not
            pytest.skip("look-alikes are Debian")
        folder = tmp_path / f"{family}{len(roots)}"
        folder.mkdir()
        roots.append(Root.up(family, folder, SUITE))
        return roots[-1]

    yield bring_up
    for root in roots:
        root.down()


@pytest.fixture
def apt(up: Callable[..., Root]) -> Root:
    return up("apt")


@pytest.fixture
def dnf(up: Callable[..., Root]) -> Root:
    return up("dnf")


@pytest.fixture
def zypper(up: Callable[..., Root]) -> Root:
    return up("zypper")
