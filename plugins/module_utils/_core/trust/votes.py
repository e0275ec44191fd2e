# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The findings of a source of approvals: a person's verdict on a plan, or why something proves nothing."""

from __future__ import annotations

from dataclasses import dataclass

#: Verdicts that stop a plan, whoever else approves it.
STOPPING = ("reject", "revoke")


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """A person's verdict, proved by its source.

    ``roles``: those in which it counts. ``environments`` and ``waves``: what it covers, empty for all. ``hours``: how
    long it counts, or since when. ``proof``: how to find it again, such as the SHA-256 of a statement.
    """

    principal: str
    verdict: str
    roles: tuple[str, ...]
    source: str
    hours: float
    environments: tuple[str, ...] = ()
    waves: tuple[str, ...] = ()
    reason: str = ""
    proof: str = ""

    def covers(self, wave: str, environments: frozenset[str]) -> bool:
        """Return whether it covers a wave with nodes of these environments."""
        if self.waves and wave not in self.waves:
            return False
        return not self.environments or environments <= set(self.environments)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One finding of a source. ``objection`` says why it proves nothing; then there is no vote.

    ``statement`` and ``signature`` are kept for the journal and the evidence pack.
    """

    label: str
    source: str
    vote: Vote | None = None
    objection: str = ""
    statement: bytes = b""
    signature: bytes = b""
