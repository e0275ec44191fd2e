# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a Windows host says about itself: the document of ``state_script``, read with distrust. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...stamp import from_time
from ..node_answer import SIZE, BadAnswer, read_object, words
from ..repositories.drift import HostRepositories, drifts
from .hresults import to_hresult

VERSION = 1
#: How far two boot times of the same boot may be apart: Windows computes them from its clock, which may be set.
SAME_BOOT_SECONDS = 60
#: Rows of the history that are read.
_MOST = 1000
#: The history has no numbers but those of titles, which end with ``(KB5001234)`` and may mention others before.
_KB = re.compile(r".*\((KB[0-9]{6,8})\)|.*?(KB[0-9]{6,8})", re.IGNORECASE)


#: What events of the system log say about a reboot.
_EVENTS = (
    ((1074,), "a program asked for the reboot (event 1074)"),
    ((41, 6008), "Windows was not shut down cleanly (event 41 or 6008)"),
    ((6005,), "the system log began again (event 6005)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry of the history of Windows Update.

    ``result``: 1 in progress, 2 succeeded, 3 succeeded with errors, 4 failed, 5 aborted; ``operation``: 1 install, 2
    uninstall (Windows Update Agent API, OperationResultCode and UpdateOperation).
    """

    at: datetime
    title: str
    kb: str
    operation: int
    result: int
    hresult: int
    client: str

    @property
    def is_installed(self) -> bool:
        return self.operation == 1 and self.result in (2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What the host keeps for a token. ``state``: ``absent``, ``claimed`` (work may have begun) or ``closed`` (it never
    begins). ``fresh``: whoever asks has taken it. ``code``: the exit code of shutdown.exe, where it is known."""

    state: str
    fresh: bool = False
    since: datetime | None = None
    boot: datetime | None = None
    code: int | None = None
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostState:
    """``None`` is what the host could not tell.

    :param ready: the login screen was shown since the boot, so that "Working on updates" is over.
    :param installing: whether an install runs, whoever began it. :param processes: whether there are processes of
        win_updates; one that has ended waits for its reader until it is stopped or the host reboots.
    :param events: IDs and times of what the system log says about reboots, the newest first. :param servicing: whether
        Windows is completing updates. :param reboot: what each source says about a pending one.
    """

    now: datetime
    boot: datetime | None
    ready: bool
    installing: bool | None
    processes: bool | None
    servicing: bool
    reboot: Mapping[str, bool | None]
    history: tuple[Entry, ...] | None
    claim: Claim
    events: tuple[tuple[datetime, int], ...] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def since(self, moment: datetime) -> tuple[Entry, ...]:
        """Return what Windows Update did since a moment of the host's clock, the newest first."""
        return tuple(item for item in self.history or () if item.at >= moment)

    def has_ended(self, kbs: Iterable[str], moment: datetime) -> bool:
        """Tell whether the history shows how each of these KBs ended since a moment."""
        ended = {item.kb for item in self.since(moment) if item.result in (2, 3, 4, 5)}
        return ended.issuperset(kbs)

    def days_until(self, moment: datetime) -> float:
        """Return how many days of the host's clock are left until a moment; below 0, how many have passed since."""
        return (moment - self.now).total_seconds() / 86400

    def reboot_notes(self, moment: datetime) -> list[str]:
        """Return what the system log says about a reboot since a moment of the host's clock, as sentences."""
        if self.events is None:
            return ["the system log could not be read"]
        seen = {number for at, number in self.events if at >= moment}
        if not seen:
            return ["the system log shows no reboot"]
        return [text for numbers, text in _EVENTS if seen.intersection(numbers)]

    def open_urls(self, closed: Iterable[str]) -> list[str]:
        """Return a sentence for each URL that must not answer from the host, and did, or for which nobody knows."""
        rows = self.details.get("closed")
        listed = rows if isinstance(rows, list) else [rows]
        said = {url: state for state, _space, url in (row.partition(" ") for row in listed if isinstance(row, str))}
        answers = {url: said.get(url, "unknown") for url in closed}
        return [item.sentence for item in drifts(HostRepositories(manager="wua", answers=answers), (), None)]

    def rebooted_since(self, boot: datetime | None) -> bool:
        """Tell whether the host has booted after the boot at that time."""
        if boot is None or self.boot is None:
            return False
        return (self.boot - boot).total_seconds() > SAME_BOOT_SECONDS


def read_state(output: str) -> HostState:
    """Read the script's output. A shell may print a banner before the document.

    :raises BadAnswer: there is no document.
    """
    lines = [line for line in output.lstrip("\ufeff")[-SIZE:].splitlines() if line.lstrip().startswith("{")]
    found = next((item for line in reversed(lines[-100:]) if (item := read_object(line)) is not None), None)
    if found is None or found.get("windows") != VERSION or found.get("windows") is True:
        shown = words(output.strip()[-200:])
        raise BadAnswer(f"the host shows no state of Windows Update: {shown!r}")
    now = to_moment(found.get("now"))
    if now is None:
        raise BadAnswer("the host does not tell its time")
    live, rows = _mapping(found.get("live")), found.get("history")
    return HostState(
        now=now,
        boot=to_moment(found.get("boot")),
        ready=found.get("ready") is True,
        installing=_answer(live.get("installing")),
        processes=_has_processes(live),
        servicing=live.get("servicing") is True,
        reboot={words(key, 40): _answer(value) for key, value in list(_mapping(found.get("reboot")).items())[:50]},
        history=_history(rows) if isinstance(rows, (list, dict)) else None,
        events=_events(found.get("events")),
        claim=_claim(_mapping(found.get("work"))),
        details={key: value for key, value in found.items() if key not in _KNOWN},
    )


_KNOWN = frozenset({"windows", "now", "boot", "ready", "live", "reboot", "history", "events", "work"})


def _has_processes(live: Mapping[str, Any]) -> bool | None:
    """One source that says yes counts. Without both, nobody knows."""
    if _some(live.get("pipes")) or _some(live.get("workers")):
        return True
    return None if live.get("pipes") is None and live.get("workers") is None else False


def _some(value: object) -> bool:
    """PowerShell turns lists of one entry into the entry."""
    return bool(value) if isinstance(value, (list, str)) else isinstance(value, int) and not isinstance(value, bool)


def _history(rows: object) -> tuple[Entry, ...]:
    listed = rows if isinstance(rows, list) else [rows]
    found = [item for row in listed[:_MOST] if isinstance(row, Mapping) and (item := _entry(row)) is not None]
    return tuple(sorted(found, key=lambda item: item.at, reverse=True))


def _entry(row: Mapping[str, Any]) -> Entry | None:
    at, title = to_moment(row.get("at")), words(row.get("title") or "", 300)
    if at is None:
        return None
    kb = _KB.match(title)
    return Entry(
        at=at,
        title=title,
        kb=(kb[1] or kb[2]).upper() if kb else "",
        operation=_code(row.get("operation")),
        result=_code(row.get("result")),
        hresult=to_hresult(row.get("hresult")) or 0,
        client=words(row.get("client") or "", 100),
    )


def _events(rows: object) -> tuple[tuple[datetime, int], ...] | None:
    if not isinstance(rows, (list, dict)):
        return None
    listed = rows if isinstance(rows, list) else [rows]
    found = [
        (at, _code(row.get("id")))
        for row in listed[:_MOST]
        if isinstance(row, Mapping) and (at := to_moment(row.get("at")))
    ]
    return tuple(sorted(found, reverse=True))


def _claim(row: Mapping[str, Any]) -> Claim:
    state, code = row.get("state"), row.get("exit")
    return Claim(
        state=state if state in ("claimed", "closed") else "absent",
        fresh=row.get("fresh") is True,
        since=to_moment(row.get("since")),
        boot=to_moment(row.get("boot")),
        code=int(code) if isinstance(code, str) and re.fullmatch(r"[0-9]{1,9}", code) else None,
        text=words(row.get("text") or "", 300),
    )


def _code(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _answer(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def to_moment(value: object) -> datetime | None:
    """Read a time as the script writes it; ``None`` for everything else."""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z", value):
        return None
    try:
        return from_time(value)
    except ValueError:
        return None
