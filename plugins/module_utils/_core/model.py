# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The nouns every layer shares: places, nodes and the one result record of a patched node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import Enum
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One account and Region. ``role_arn`` is assumed to get there; without it the caller's own identity is used."""

    region: str
    account: str | None = None
    role_arn: str | None = None
    external_id: str | None = None

    @property
    def label(self) -> str:
        """See ``place_label``."""
        return place_label(self.account, self.region)


def place_label(account: str | None, region: str | None) -> str:
    """Return ``account/region``, or the one of them that is known."""
    return "/".join(part for part in (account, region) if part)


class Status(str, Enum):
    """How the work on one node ended (design: one result schema)."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    NO_OP = "no_op"
    #: Nobody knows: an answer was lost, the node or its state could not be read. Never good, never "nothing ran".
    UNKNOWN = "unknown"
    #: Patched, and the reboot that it needs was put off: first in line the next night.
    REBOOT_PENDING = "reboot_pending"

    @property
    def is_good(self) -> bool:
        return self in (Status.SUCCEEDED, Status.NO_OP)

    @property
    def is_failure(self) -> bool:
        """Counts against the failure budget. A skipped node was never worked on, so it does not."""
        return self in (Status.FAILED, Status.UNREACHABLE, Status.TIMED_OUT, Status.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch of one node: a KB number, or ``package.arch:version`` as SSM names Linux patches.

    :param download_bytes: ``None`` where its source does not say it.
    """

    id: str
    title: str = ""
    classification: str = ""
    severity: str = ""
    state: str = ""
    cve_ids: tuple[str, ...] = ()
    download_bytes: int | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return plain data; a size that is not known is left out."""
        data = {**asdict(self), "cve_ids": list(self.cve_ids)}
        return {name: value for name, value in data.items() if value is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResult:
    """The record every executor returns per node, so that gates, reports and journals never ask where a node lives.

    Times are ISO 8601 in UTC. ``counts`` uses SSM's names in snake case (``missing_count``, …).
    ``proof`` says where ``installed`` is from, ``changes`` are the packages that changed (``id``, ``old``, ``new``) and
    ``differences`` what differs from the plan (``code``, ``id``, ``title``, ``text``), see ``work/proof.py``.
    ``evidence`` holds API ids; ``error`` is ``{"code": str, "text": str}`` or ``None``.
    """

    node_id: str
    executor: str
    status: Status
    account: str | None = None
    region: str | None = None
    platform: str | None = None
    started_at: str | None = None
    ended_at: str | None = None
    installed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    missing_after: tuple[str, ...] = ()
    pending_reboot: bool | None = None
    rebooted: bool | None = None
    boot_id_before: str | None = None
    boot_id_after: str | None = None
    kernel_before: str | None = None
    kernel_after: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    evidence: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, str] | None = None
    proof: str = ""
    changes: tuple[Mapping[str, str], ...] = ()
    differences: tuple[Mapping[str, str], ...] = ()
    differences_total: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON data: every member, the status as text, tuples as lists; what these hold is shared."""
        data = {name: getattr(self, name) for name in _MEMBERS}
        data["status"] = self.status.value
        return {key: list(item) if isinstance(item, tuple) else item for key, item in data.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> NodeResult:
        """Read what ``to_dict`` wrote."""
        known = dict(data)
        for name in ("installed", "failed", "missing_after", "changes", "differences"):
            known[name] = tuple(known.get(name) or ())
        known["status"] = Status(known["status"])
        return cls(**known)


_MEMBERS = tuple(member.name for member in fields(NodeResult))
