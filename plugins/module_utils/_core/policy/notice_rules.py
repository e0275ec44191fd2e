# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is notified of what, and how: the ``notices`` of a policy. Pure values.

They are no part of the policy's digest: other receivers need no new approval of a plan.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..nodes import Select

SEVERITIES = ("info", "warning", "critical")
#: Kinds of notices with their severity. Of ``finished``, the outcome decides.
KINDS: Mapping[str, str] = {
    "plan_made": "info",
    "impending": "info",
    "started": "info",
    "paused": "warning",
    "aborted": "critical",
    "nodes_failed": "warning",
    "finished": "info",
    "exception_requested": "info",
    "exception_approved": "info",
    "exception_rejected": "info",
    "exception_revoked": "warning",
    "exception_alarm": "warning",
    "exceptions_listed": "info",
    "coverage_found": "warning",
    "repository_repaired": "info",
    "report_published": "info",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """Times of day, ``HH:MM``, between which only critical notices are sent."""

    start: str
    end: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """The time of day, ``HH:MM``, at which the notices since the last digest are sent in one message."""

    at: str
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class SnsTopic:
    topic_arn: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """``password``: ``${NAME}``, an environment variable of the controller. ``security``: starttls, tls or none."""

    host: str
    sender: str
    to: tuple[str, ...]
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """``url`` and ``key`` may be ``${NAME}``, an environment variable of the controller. ``format``: generic, slack or
    teams. ``key`` signs requests of the generic format."""

    url: str
    format: str = "generic"
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceNowEvents:
    """Events of an instance. ``password``: ``${NAME}``, an environment variable of the controller."""

    url: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Notices of some kinds and nodes to one receiver: exactly one of ``sns``, ``mail``, ``webhook``, ``servicenow``.

    :param kinds: all, if empty. :param severity: the lowest one that is sent.
    :param select: the nodes about which the receiver is notified; it learns of no others.
    """

    name: str
    kinds: tuple[str, ...] = ()
    severity: str = "info"
    select: Select = field(default_factory=Select)
    quiet_hours: QuietHours | None = None
    digest: Digest | None = None
    sns: SnsTopic | None = None
    mail: Mail | None = None
    webhook: Webhook | None = None
    servicenow: ServiceNowEvents | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRules:
    """``ledger`` and ``templates`` are relative to the policy file; "" for ``notices.jsonl`` and the built-in texts.

    :param ahead_hours: hours before a window at which its nodes are announced.
    :param rehearsals: whether notices of rehearsals are sent.
    """

    ledger: str = ""
    templates: str = ""
    ahead_hours: tuple[int, ...] = (96, 24)
    rehearsals: bool = False
    routes: tuple[Route, ...] = ()
