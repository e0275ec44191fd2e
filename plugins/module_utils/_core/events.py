# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The events of a rollout's journal: what each one says, how it is written, and what is refused when it is read.

A record's data has exactly the members of its class, each of its type; an event that breaks this can't be made, so it
is neither written nor read. Unknown members are refused: a member that this version does not know may change what the
record means. Whoever adds, removes or redefines a member raises the number in ``SCHEMA``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeVar, get_type_hints

from .errors import JournalError, OtherSchema

SCHEMA = "patchtide/journal/3"
E = TypeVar("E", bound="Event")
#: Whether a value fits a member, and what would, as the end of the sentence "expected …".
Rule = tuple[Callable[[Any], bool], str]


class Event:
    """What all events share. ``kind`` is the record's; lists of the record's data are tuples here."""

    __slots__ = ()
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for name, fits, expected in _MEMBERS[type(self)]:
            if not fits(value := getattr(self, name)):
                raise JournalError(f"{self.kind}: {name} is {_shown(value)}, expected {expected}")

    def to_data(self) -> dict[str, Any]:
        """Return a record's data: every member, tuples as lists."""
        members = ((name, getattr(self, name)) for name, _fits, _expected in _MEMBERS[type(self)])
        return {name: list(value) if isinstance(value, tuple) else value for name, value in members}

    @classmethod
    def from_data(cls: type[E], data: Mapping[str, Any]) -> E:
        """Read a record's data.

        :raises JournalError: a member is missing, unknown or of another type.
        """
        return _read(cls, data)


def _one_of(*choices: str) -> dict[str, Rule]:
    return {"rule": (lambda value: value in choices, f"one of {', '.join(choices)}")}


def _is_result(value: object) -> bool:
    return isinstance(value, dict) and isinstance(value.get("node_id"), str)


def _are_results(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_result, value))


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutStarted(Event):
    """The first record. ``approval``: what ``plan.approval`` found, with ``approved_digest`` its digest.
    ``scheduled``: ``run_due`` began the run, and no person."""

    kind: ClassVar[str] = "rollout_started"
    schema: str = SCHEMA
    rollout: str
    plan_digest: str
    policy_digest: str
    operator: str
    controller: str
    approved_digest: str | None = None
    approval: Mapping[str, Any] | None = None
    approval_required: bool = False
    rehearsal: bool = False
    scheduled: bool = False
    waves: tuple[str, ...]
    node_count: int

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> RolloutStarted:
        """Read a record's data.

        :raises OtherSchema: another version wrote the journal.
        :raises JournalError: a member is missing, unknown or of another type.
        """
        schema = data.get("schema") if isinstance(data, Mapping) else SCHEMA
        if schema != SCHEMA and isinstance(schema, str | None):
            raise OtherSchema("journal", schema, SCHEMA)
        return _read(cls, data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed(Event):
    """A later run continues the rollout; a pause ends with it. ``policy_digest``: of the policy that it uses, empty for
    the one of the start."""

    kind: ClassVar[str] = "resumed"
    operator: str
    controller: str
    rehearsal: bool = False
    policy_digest: str = ""
    scheduled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved(Event):
    """Enough people approve of a wave, by the trust bundle of this moment. ``proofs``: what they signed, each with
    ``principal``, ``roles``, ``source``, ``statement`` and ``signature``."""

    kind: ClassVar[str] = "approved"
    wave: str
    bundle_version: int
    bundle_digest: str
    proofs: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp(Event):
    """Nodes that the end of a window left over are due again: a reboot that was put off, or all of their work."""

    kind: ClassVar[str] = "taken_up"
    wave: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveStarted(Event):
    kind: ClassVar[str] = "wave_started"
    wave: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed(Event):
    """No other rollout works on these nodes until they are released."""

    kind: ClassVar[str] = "claimed"
    wave: str
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent(Event):
    """Written before a stage begins on nodes. ``token`` finds the command again if the controller dies before
    ``Sent``. ``snapshot_id``: what a patch state must have to be this attempt's; "" where there is no such state."""

    kind: ClassVar[str] = "intent"
    wave: str
    stage: str
    attempt: int
    nodes: tuple[str, ...]
    token: str
    snapshot_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent(Event):
    """The service accepted the command of an intent. ``begun_at``: shortly before that; ``""``: when it was announced.

    A later run than the one that announced it may have sent it.
    """

    kind: ClassVar[str] = "sent"
    wave: str
    stage: str
    token: str
    place: str
    command_id: str
    nodes: tuple[str, ...]
    begun_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome(Event):
    """How a stage ended on nodes: a JSON object for each, with its ``node_id``."""

    kind: ClassVar[str] = "outcome"
    wave: str
    stage: str
    results: tuple[Mapping[str, Any], ...] = field(
        metadata={"rule": (_are_results, "a list of objects, each with node_id as text")}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared(Event):
    """Written before nodes are prepared. ``details``: by node, what restoring it needs."""

    kind: ClassVar[str] = "prepared"
    wave: str
    what: str
    nodes: tuple[str, ...]
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored(Event):
    """``problems``: by node, why it is restored and not in service."""

    kind: ClassVar[str] = "restored"
    wave: str
    what: str
    nodes: tuple[str, ...]
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class GateJudged(Event):
    kind: ClassVar[str] = "gate"
    wave: str
    verdict: str = field(metadata=_one_of("promote", "pause", "abort"))
    numbers: Mapping[str, Any] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    health_checks: tuple[Mapping[str, Any], ...] = ()


#: What people decide about a rollout.
DECISIONS = ("promote", "retry", "skip", "write_off", "accept_policy", "run_now", "abort")


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision(Event):
    """A person's decision. ``wave`` is empty if none is named. ``what``: what is written off, or the digest of the
    policy that is accepted. ``statement`` and ``signature``: what ``by`` signed, empty where no bundle asks for it."""

    kind: ClassVar[str] = "decision"
    by: str
    action: str = field(metadata=_one_of(*DECISIONS))
    wave: str = ""
    reason: str
    nodes: tuple[str, ...] = ()
    what: str = ""
    statement: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveFinished(Event):
    kind: ClassVar[str] = "wave_finished"
    wave: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolloutFinished(Event):
    """The last record. A pause is no end: it writes none."""

    kind: ClassVar[str] = "rollout_finished"
    status: str = field(metadata=_one_of("completed", "aborted"))
    reason: str


def read_event(kind: str, data: Mapping[str, Any]) -> Event:
    """Read a record's event.

    :raises OtherSchema: another version wrote the journal.
    :raises JournalError: there is no such kind, or its data is malformed.
    """
    event = EVENTS.get(kind) if isinstance(kind, str) else None
    if event is None:
        raise JournalError(f"unknown event {_shown(kind)}, expected one of {', '.join(EVENTS)}")
    return event.from_data(data)


def _read(cls: type[E], data: Mapping[str, Any]) -> E:
    if not isinstance(data, dict):
        raise JournalError(f"{cls.kind}: its data is {_shown(data)}, expected an object")
    members = _MEMBERS[cls]
    try:
        found = {
            name: tuple(value) if isinstance(value := data[name], list) else value for name, _fits, _expected in members
        }
    except KeyError as error:
        (name,) = error.args
        expected = next(expected for member, _fits, expected in members if member == name)
        raise JournalError(f"{cls.kind}: {name} is missing, expected {expected}") from error
    if len(data) != len(members):
        unknown = ", ".join(_shown(name) for name in data if name not in found)
        raise JournalError(f"{cls.kind}: unknown {unknown}, expected {', '.join(found)} alone")
    return cls(**found)


def _shown(value: object) -> str:
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_texts(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_text, value))


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_object(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def _are_objects(value: object) -> bool:
    return isinstance(value, tuple) and all(map(_is_object, value))


def _holds(value: Any, kind: type) -> bool:
    return _is_object(value) and all(isinstance(item, kind) for item in value.values())


#: By the type of a member.
_RULES: Mapping[object, Rule] = {
    str: (_is_text, "text"),
    str | None: (lambda value: value is None or _is_text(value), "text or null"),
    bool: (lambda value: isinstance(value, bool), "true or false"),
    int: (_is_count, "a whole number, 0 or more"),
    tuple[str, ...]: (_are_texts, "a list of text"),
    Mapping[str, Any]: (_is_object, "an object"),
    Mapping[str, Any] | None: (lambda value: value is None or _is_object(value), "an object or null"),
    Mapping[str, str]: (lambda value: _holds(value, str), "an object whose values are text"),
    Mapping[str, Mapping[str, Any]]: (lambda value: _holds(value, dict), "an object whose values are objects"),
    tuple[Mapping[str, Any], ...]: (_are_objects, "a list of objects"),
}


def _members(event: type[Any]) -> tuple[tuple[str, Callable[[Any], bool], str], ...]:
    types = get_type_hints(event)
    return tuple((item.name, *item.metadata.get("rule", _RULES[types[item.name]])) for item in fields(event))


#: Every kind of record.
EVENTS: Mapping[str, type[Event]] = {
    event.kind: event
    for event in (
        RolloutStarted,
        Resumed,
        TakenUp,
        Approved,
        WaveStarted,
        Claimed,
        Intent,
        Sent,
        Outcome,
        Prepared,
        Restored,
        GateJudged,
        Decision,
        WaveFinished,
        RolloutFinished,
    )
}
_MEMBERS: Mapping[type[Event], tuple[tuple[str, Callable[[Any], bool], str], ...]] = {
    event: _members(event) for event in EVENTS.values()
}
