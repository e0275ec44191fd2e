# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Time zones of maintenance configurations, under the names of Windows: by the table of CLDR that tzlocal has."""

from __future__ import annotations

from .._core.errors import BadInput, PatchtideError

try:
    from tzlocal.windows_tz import tz_win, win_tz

    HAS_ZONES = True
except ImportError:  # reported by zones_missing()
    HAS_ZONES = False


def zones_missing() -> str:
    """Return what to install if the table of time zones is missing, else ``""``."""
    return "" if HAS_ZONES else "pip install tzlocal"


def to_windows(name: str, option: str = "timezone") -> str:
    """Return the Windows name of an IANA time zone. :raises BadInput: it has none."""
    _check()
    found = tz_win.get(name)
    if not found:
        raise BadInput(option, name, "an IANA time zone that Windows knows, such as Europe/Berlin or UTC")
    return str(found)


def to_iana(name: str) -> str:
    """Return the IANA time zone of a Windows name, upper or lower case; ``""`` if there is none."""
    _check()
    folded = {key.casefold(): value for key, value in win_tz.items()}
    found = str(folded.get(name.casefold(), ""))
    return "UTC" if found in ("Etc/UTC", "Etc/GMT") and name.casefold() == "utc" else found


def _check() -> None:
    if why := zones_missing():
        raise PatchtideError(f"time zones of Azure can't be read: {why}")
