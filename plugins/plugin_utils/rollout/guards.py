# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What prevents patching apart from windows: exceptions and freezes, re-read from their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeGuard

from ...module_utils._aws.documents import calendar_state
from ...module_utils._aws.exception_tags import ExceptionTags
from ...module_utils._aws.session import Sessions, each_place
from ...module_utils._core.arns import name_of, parse_arn
from ...module_utils._core.errors import BadInput
from ...module_utils._core.exceptions.guard import ExceptionGuard
from ...module_utils._core.exceptions.records import ExceptionRules
from ...module_utils._core.model import Place, place_label
from ...module_utils._core.nodes import Candidate
from ...module_utils._core.policy.values import FreezeCalendars
from ...module_utils._core.stamp import from_time, to_time
from ...module_utils._core.times.calendars import Calendar, ask_calendar
from ...module_utils._core.times.schedule import to_zone
from ..aws_options import accounts_of, node_places, own_region, to_sessions
from ..exceptions.open_ledger import open_ledger

#: Calendars, ledgers and tags are re-read after this many seconds.
FRESH_SECONDS = 60
#: Events are read a year ahead, so that the end of a freeze is known.
_AHEAD = timedelta(days=366)
Span = tuple[datetime, datetime]


def read_guard(exceptions: ExceptionRules, options: Mapping[str, Any]) -> ExceptionGuard:
    """Read the ledger that the policy's ``exceptions`` names.

    :param options: with the AWS connection.
    """
    records = tuple(open_ledger(exceptions.ledger, options).read()) if exceptions.ledger else ()
    zone = to_zone(exceptions.timezone, "exceptions.timezone")
    return ExceptionGuard(records=records, tag=exceptions.tag, zone=zone)


def read_calendars(
    freeze: FreezeCalendars, spans: Sequence[Span], options: Mapping[str, Any], regions: Sequence[str] = ()
) -> list[Calendar]:
    """Read the policy's ``freeze`` calendars for some times.

    :param regions: of the estate; the first one is used if neither ARN nor connection names a Region.
    """
    if not spans:
        return []
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    found = [_read_file(Path(name).expanduser(), start, end + _AHEAD, freeze.timezone) for name in freeze.ics]
    if not freeze.change_calendars:
        return found
    sessions = to_sessions(options)
    usual = own_region(options, sessions) or next(iter(regions), None)
    for name in freeze.change_calendars:
        arn = parse_arn(name, "ssm", "document")
        region = arn.region if arn else usual
        if not region:
            raise BadInput("region", None, f"the Region of the change calendar {name}: set region or AWS_REGION")
        client = sessions.client("ssm", Place(region=region))

        def ask(moment: datetime, name: str = name, client: Any = client) -> tuple[bool, datetime | None]:
            state = calendar_state(client, [name], to_time(moment))
            change = state["next_transition_time"]
            return state["state"] == "OPEN", from_time(change) if change else None

        label = name_of(name)
        events = {event for span in spans for event in ask_calendar(ask, label, *span)}
        found.append(Calendar(name=label, events=tuple(sorted(events))))
    return found


def _read_file(path: Path, start: datetime, end: datetime, zone: str | None) -> Calendar:
    try:
        text = path.read_text("utf-8")
    except (OSError, ValueError) as error:
        raise BadInput("freeze.ics", str(path), f"a readable iCalendar file ({error})") from error
    # Imported here because its libraries take 0.2 s of CPU to load, and few policies need them.
    from ...module_utils._ansible.ics import read_calendar

    return read_calendar(text, path.name, start, end, zone)


@dataclass(slots=True)
class LiveTags:
    """The current exception tags of managed nodes, read once for all nodes of an account-Region.

    :param options: with the AWS connection and ``accounts``.
    """

    tag: str
    options: Mapping[str, Any]
    _sessions: Sessions | None = None
    _read: dict[str, tuple[datetime, Mapping[str, str]]] = field(default_factory=dict)

    def on(self, nodes: Sequence[Candidate], now: datetime) -> tuple[list[Candidate], dict[str, str]]:
        """Return the nodes with these tags, and the places that could not be read.

        Nodes of such a place, and hosts without tags in AWS, keep their known tags.
        """
        asked = [node for node in nodes if node.in_aws]
        if not self.tag or not asked:
            return list(nodes), {}
        places = node_places([(node.account, node.region) for node in asked], accounts_of(self.options))
        old = [place for place in places if not is_fresh(self._read.get(place.label), now)]
        outcomes = each_place(old, self._ask) if old else []
        failed = {place.label: str(error) for place, _found, error in outcomes if error}
        self._read.update({place.label: (now, found or {}) for place, found, error in outcomes if not error})
        return [self._seen(node) if _label(node) not in failed else node for node in nodes], failed

    def _ask(self, place: Place) -> dict[str, str]:
        sessions = self._sessions = self._sessions or to_sessions(self.options)
        return ExceptionTags(lambda service: sessions.client(service, place), self.tag).read_all()

    def _seen(self, node: Candidate) -> Candidate:
        if not node.in_aws:
            return node
        rest = {key: value for key, value in node.tags.items() if key != self.tag}
        value = self._read[_label(node)][1].get(node.node_id)
        return replace(node, tags={**rest, self.tag: value} if value is not None else rest)


def is_fresh(entry: tuple[datetime, Any] | None, now: datetime) -> TypeGuard[tuple[datetime, Any]]:
    """Return whether something read at that time is still fresh."""
    return entry is not None and timedelta() <= now - entry[0] < timedelta(seconds=FRESH_SECONDS)


def _label(node: Candidate) -> str:
    return place_label(node.account, node.region)
