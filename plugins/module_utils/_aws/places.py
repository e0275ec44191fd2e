# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an account-Region answers at all."""

from __future__ import annotations

from typing import Any

from .._core.model import Place
from .errors import aws_errors
from .session import Sessions


def describe_place(sessions: Sessions, place: Place) -> dict[str, Any]:
    """Ask Systems Manager for one thing that every account has, and say whose account it is."""
    with aws_errors("reach Systems Manager"):
        sessions.client("ssm", place).describe_patch_groups(MaxResults=1)
    return {"account": sessions.account(place), "region": place.region}
