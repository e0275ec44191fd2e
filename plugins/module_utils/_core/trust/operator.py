# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who runs a step: the account of the process, and the user of AWX if AWX names one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """``login`` is the account that the process runs as; the members of AWX are empty or 0 outside of AWX.

    What AWX reports is a claim until it is read from its API: an extra variable could have set it.
    """

    login: str
    awx_user: str = ""
    awx_user_id: int = 0
    awx_job: int = 0

    @property
    def name(self) -> str:
        """Return the name that people know; for AWX, with the job that proves it."""
        return f"{self.awx_user} (AWX job {self.awx_job})" if self.awx_user else self.login

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, as in plans."""
        return asdict(self)
