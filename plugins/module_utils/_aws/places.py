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


def reach_place(sessions: Sessions, place: Place) -> list[dict[str, Any]]:
    """Call Systems Manager once and return one row."""
    with aws_errors("reach Systems Manager"):
        sessions.client("ssm", place).describe_patch_groups(MaxResults=1)
    return [{"place": place.label, "account": sessions.account(place)}]


class OwnClients:
    """The clients of one account-Region. Refuses credentials of another account, where no node would be found."""

    def __init__(self, place: Place, sessions: Sessions) -> None:
        self._place = place
        self._sessions = sessions
        self._own = False

    def __call__(self, service: str, *, retry: bool = True) -> Any:
        """Return the client of a service. :raises AccessDenied: no role is given for the account."""
        self.check()
        return self._sessions.client(service, self._place, retry=retry)

    def check(self) -> None:
        """Identify the account of the credentials once, if no role is given."""
        if self._own or self._place.role_arn or not self._place.account:
            return
        found = self._sessions.own_account(self._place.region)
        if found != self._place.account:
            text = f"no role is given for it, and the credentials belong to account {found}"
            raise AccessDenied(f"reach account {self._place.account}", "NoRole", text)
        self._own = True
