# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which notices a route is due now: what it wants, what it already has, quiet hours and digests. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone

from ..policy.notice_rules import SEVERITIES, Route
from ..stamp import to_time
from ..times.schedule import to_zone
from .model import Notice

#: Older notices are not sent any more: a new route does not get the history of all rollouts.
OLDEST = timedelta(days=7)
_CRITICAL = SEVERITIES.index("critical")
_FIRST = datetime.min.replace(tzinfo=timezone.utc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What a route gets now: notices one by one, and those of a digest in one message.

    :param digest_at: the moment of the digest, which identifies it; "" if none is due.
    :param later: number of notices that wait for a digest or for the end of quiet hours.
    """

    single: tuple[Notice, ...] = ()
    digest: tuple[Notice, ...] = ()
    digest_at: str = ""
    later: int = 0


def due(route: Route, notices: Iterable[Notice], sent: Collection[str], digests: Collection[str], now: datetime) -> Due:
    """Return what a route is due.

    :param sent: keys (``Notice.key_for``) of what it already has. :param digests: moments of the digests it has.
    """
    mine: dict[str, Notice] = {}
    for notice in notices:
        wanted = _wants(route, notice) and _is_current(notice, now)
        key = notice.key_for(route.name)
        if wanted and key not in sent and (found := notice.only(route.select)):
            mine[key] = found
    waiting = sorted(mine.values(), key=lambda item: (item.at or _FIRST, item.kind, item.key))
    single = tuple(item for item in waiting if _at_once(route, item, now))
    rest = [item for item in waiting if not _at_once(route, item, now)]
    moment = digest_moment(route, now)
    if moment is None or to_time(moment) in digests:
        return Due(single=single, later=len(rest))
    digest = tuple(item for item in rest if (item.at or _FIRST) <= moment)
    return Due(single=single, digest=digest, digest_at=to_time(moment), later=len(rest) - len(digest))


def _wants(route: Route, notice: Notice) -> bool:
    return (not route.kinds or notice.kind in route.kinds) and notice.rank >= SEVERITIES.index(route.severity)


def _is_current(notice: Notice, now: datetime) -> bool:
    if notice.until and notice.until <= now:
        return False
    return notice.at is None or now - OLDEST < notice.at <= now


def _at_once(route: Route, notice: Notice, now: datetime) -> bool:
    """Return whether a notice does not wait: it is critical, nothing holds it, or it would come too late."""
    free = free_at(route, now)
    return free <= now or notice.rank >= _CRITICAL or bool(notice.until and notice.until <= free)


def free_at(route: Route, now: datetime) -> datetime:
    """Return when a notice that is not critical may be sent: now, or when the quiet hours end or the digest is due."""
    if route.digest:
        return _next(route.digest.at, route.digest.timezone, now)
    quiet = route.quiet_hours
    if quiet is None:
        return now
    end = _next(quiet.end, quiet.timezone, now)
    return end if _next(quiet.start, quiet.timezone, now) > end else now


def digest_moment(route: Route, now: datetime) -> datetime | None:
    """Return the last moment at which a digest was due, ``None`` for a route without digests."""
    if route.digest is None:
        return None
    zone = to_zone(route.digest.timezone)
    today = now.astimezone(zone).date()
    moments = (datetime.combine(today - timedelta(days=back), _clock(route.digest.at), zone) for back in (0, 1))
    return next(item for item in moments if item <= now).astimezone(timezone.utc)


def _next(at: str, zone_name: str, now: datetime) -> datetime:
    """Return the next time the clock shows ``at``, after ``now``."""
    zone = to_zone(zone_name)
    today = now.astimezone(zone).date()
    moments = (datetime.combine(today + timedelta(days=ahead), _clock(at), zone) for ahead in (0, 1, 2))
    return next(item.astimezone(timezone.utc) for item in moments if item > now)


def _clock(text: str) -> time:
    return time.fromisoformat(text)
