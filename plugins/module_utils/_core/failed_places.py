# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Account-Regions that failed, in the one shape in which every module returns them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def failed_place(label: str, error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of one account-Region.

    :param label: ``account/region``, or only the Region if the account is unknown.
    :param error: ``{"code": str, "message": str}``.
    """
    account, _slash, region = label.rpartition("/")
    return {"place": label, "account": account or None, "region": region, "error": dict(error)}


def failed_text(count: int, failed: Sequence[Mapping[str, Any]]) -> str:
    """Return the message of a task that worked in ``count`` account-Regions, of which those in ``failed`` failed."""
    if count == 1:
        return str(failed[0]["error"]["message"])
    listed = "; ".join(f"{row['place']}: {row['error']['message']}" for row in failed)
    return f"{len(failed)} of {count} account-Regions failed: {listed}"
