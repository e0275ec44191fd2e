# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The notice of a published report, with an address that lets its receivers read it for a while. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..stamp import from_time
from .model import Notice


def report_notice(latest: Mapping[str, Any], page: str, link: tuple[str, datetime] | None, policy: str) -> Notice:
    """Return the notice of the newest report. It is the same one, whatever its link is.

    :param latest: the content of ``latest.json``. :param page: where the page is.
    :param link: an address for everybody and until when it is valid; ``None`` if the page is in a directory.
    """
    valid = f"For everybody until {link[1]:%Y-%m-%d %H:%M} UTC at the latest: {link[0]}" if link else ""
    return Notice(
        kind="report_published",
        about=(policy, page, str(latest["digest"])),
        facts={
            "policy": policy,
            "period": str(latest["period"]["name"]),
            "headline": str(latest["headline"]),
            "page": page,
            "link": valid,
        },
        at=from_time(str(latest["published_at"])),
    )
