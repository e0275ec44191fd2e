# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The ports for judging approvals: a check of signatures, and sources of approvals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from .keys import Key
from .votes import Found


class SignatureCheck(Protocol):
    """Checks a signature over exact bytes."""

    def objection(
        self, data: bytes, signature: bytes, *, namespace: str, principal: str, key: Key, at: datetime
    ) -> str:
        """Return why the signature does not prove that this person's key signed the data; empty if it does.

        :param at: the key must count at this time, by the service's clock.
        """


class ApprovalSource(Protocol):
    """Reads approvals of a plan from one source."""

    @property
    def name(self) -> str:
        """Return the name by which a bundle's requirements admit it."""

    def gather(self, plan: Mapping[str, Any], now: datetime) -> Sequence[Found]:
        """Return everything found, whether it counts or not; with the reason if it proves nothing.

        :raises PatchtideError: the source can't be read, so it is unknown whether an approval is still valid.
        """
