# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an account-Region answers, and whether it is the expected one."""

from __future__ import annotations

from typing import Any

from .._core.errors import AccessDenied
from .._core.model import Place
from .errors import aws_errors
from .session import Sessions


def describe_place(sessions: Sessions, place: Place) -> dict[str, Any]:
    """Ask Systems Manager for one thing that every account has, and say whose account it is."""
    with aws_errors("reach Systems Manager"):
        sessions.client("ssm", place).describe_patch_groups(MaxResults=1)
    return {"account": sessions.account(place), "region": place.region}


class OwnClients:
    """The clients of one place. Those of another account are refused: seen from there, every node looks gone."""

    def __init__(self, place: Place, sessions: Sessions) -> None:
        self._place = place
        self._sessions = sessions
        self._own = False

    def __call__(self, service: str, *, retry: bool = True) -> Any:
        """Return the client of a service. :raises AccessDenied: no role leads to the place's account."""
        self.check()
        return self._sessions.client(service, self._place, retry=retry)

    def check(self) -> None:
        """Ask once whose the credentials are, if no role is given for the account."""
        if self._own or self._place.role_arn or not self._place.account:
            return
        found = self._sessions.account(Place(region=self._place.region))
        if found != self._place.account:
            text = f"no role is given for it, and the credentials are those of account {found}"
            raise AccessDenied(f"reach account {self._place.account}", "NoRole", text)
        self._own = True
