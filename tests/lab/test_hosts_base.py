# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which updates the base of real hosts keeps pending, without building one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.hosts import base

URIS = """\
'http://mirror.invalid/pool/libc6_2.36_amd64.deb' libc6_2.36_amd64.deb 2756000 SHA256:aa
'http://mirror.invalid/pool/tzdata_2026a_all.deb' tzdata_2026a_all.deb 300000 SHA256:bb
'http://mirror.invalid/pool/openssl_3.0.17_amd64.deb' openssl_3.0.17_amd64.deb 1430000 SHA256:cc
"""


@pytest.mark.parametrize(
    ("pending", "kept"), [(2, ["tzdata", "openssl"]), (0, []), (9, ["tzdata", "openssl", "libc6"])]
)
def test_the_smallest_updates_stay_pending_and_all_others_are_installed(
    pending: int, kept: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, str]] = []

    def run(command: Sequence[str], *, text: str = "", **_more: Any) -> str:
        ran.append((" ".join(command), text))
        return URIS if "--print-uris" in command else ""

    monkeypatch.setattr(base, "run", run)
    base._install_all_but(Path("/r"), pending, ["apt-get"], {})
    assert ran[1:] == [
        ("chroot /r dpkg --set-selections", "".join(f"{name} hold\n" for name in kept)),
        ("apt-get dist-upgrade", ""),
        ("chroot /r dpkg --set-selections", "".join(f"{name} install\n" for name in kept)),
        ("apt-get clean", ""),
    ]
