# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of time zones, to Windows and back."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure import zones
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError


@pytest.mark.parametrize(
    ("iana", "windows"),
    [
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("America/New_York", "Eastern Standard Time"),
        ("Asia/Kolkata", "India Standard Time"),
        ("UTC", "UTC"),
    ],
)
def test_names(iana: str, windows: str) -> None:
    assert zones.to_windows(iana) == windows
    assert zones.to_windows(zones.to_iana(windows)) == zones.to_windows(zones.to_iana(windows.upper())) == windows


def test_several_zones_are_one_in_windows() -> None:
    assert zones.to_windows("Europe/Vienna") == zones.to_windows("Europe/Berlin")


def test_unknown_ones() -> None:
    assert zones.to_iana("Middle Earth Standard Time") == ""
    with pytest.raises(BadInput, match="timezone"):
        zones.to_windows("Europe/Atlantis")


def test_without_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "HAS_ZONES", False)
    with pytest.raises(PatchtideError, match="pip install tzlocal"):
        zones.to_iana("UTC")
