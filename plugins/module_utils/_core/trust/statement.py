# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements that people sign: their content, their canonical form, and what is refused when they are read."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from ..errors import BadInput
from ..shape import COUNT, NAME, Each, Object, Rule, check_shape
from .keys import read_moment

SCHEMA = "patchtide/statement/1"
LARGEST = 262_144
#: The valid verdicts of each act. Each act has its own namespace, so that no signature counts for another act.
VERDICTS: Mapping[str, tuple[str, ...]] = {
    "plan": ("approve", "reject", "revoke"),
    "exception": ("request", "approve", "reject", "revoke"),
    "decision": ("approve",),
}


def _hexadecimal(digits: int) -> Rule:
    return Rule(
        lambda value: isinstance(value, str) and len(value) == digits and bool(re.fullmatch("[0-9a-f]+", value)),
        f"{digits} hexadecimal digits",
    )


_HEX64, _HEX32 = _hexadecimal(64), _hexadecimal(32)
_LINE = Rule(
    lambda value: isinstance(value, str) and len(value) <= 500 and (not value or value.isprintable()),
    "text of up to 500 printable characters",
)
_REASON = Rule(lambda value: _LINE.fits(value) and bool(value.strip()), "a reason of up to 500 printable characters")
_SUBJECTS: Mapping[str, Object] = {
    "plan": Object(
        {"rollout": _HEX32, "plan_digest": _HEX64, "environments": Each(NAME, least=1), "waves": Each(NAME)}
    ),
    "exception": Object({"exception_id": NAME, "request": Object({"requested_by": NAME})}),
    "decision": Object(
        {
            "rollout": _HEX32,
            "plan_digest": _HEX64,
            "action": NAME,
            "wave": _LINE,
            "nodes": Each(NAME),
            "what": _LINE,
            "head": _HEX64,
            "head_seq": COUNT,
        }
    ),
}


def namespace(act: str) -> str:
    """Return the purpose for which a key signs, for ``ssh-keygen -n``."""
    return f"{act}@patchtide"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A person's statement. ``subject`` identifies what it is about; its members depend on ``act``."""

    act: str
    verdict: str
    subject: Mapping[str, Any]
    principal: str
    role: str
    not_before: str
    expires: str
    bundle_version: int
    nonce: str
    reason: str

    def __post_init__(self) -> None:
        _check({"schema": SCHEMA, **asdict(self)}, "statement")

    @property
    def begins(self) -> datetime:
        return read_moment(self.not_before, "not_before")

    @property
    def ends(self) -> datetime:
        return read_moment(self.expires, "expires")

    @property
    def hours(self) -> float:
        """Return how long it counts."""
        return (self.ends - self.begins).total_seconds() / 3600

    def to_bytes(self) -> bytes:
        """Return the bytes to sign: readable JSON, identical from every writer."""
        data = {"schema": SCHEMA, **asdict(self)}
        return f"{json.dumps(data, indent=2, sort_keys=True, ensure_ascii=False)}\n".encode()

    @classmethod
    def from_bytes(cls, data: bytes, where: str) -> Statement:
        """Read a statement.

        :raises BadInput: it is not a statement, or not in its canonical form.
        """
        if len(data) > LARGEST:
            raise BadInput(where, f"{len(data)} bytes", f"a statement of at most {LARGEST} bytes")
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            raise BadInput(where, data[:60], "a statement as approve_plan writes it") from None
        _check(found, where)
        statement = cls(**{name: value for name, value in found.items() if name != "schema"})
        if statement.to_bytes() != data:
            raise BadInput(where, data[:60], "a statement in its canonical form, as approve_plan writes it")
        return statement


def statement_digest(data: bytes) -> str:
    """Return the digest that identifies a statement in revocations and journals."""
    return hashlib.sha256(data).hexdigest()


def _check(data: Any, where: str) -> None:
    members = {
        "schema": Rule(lambda value: value == SCHEMA, SCHEMA),
        "act": Rule(lambda value: isinstance(value, str) and value in VERDICTS, f"one of {', '.join(VERDICTS)}"),
        "principal": NAME,
        "role": _LINE,
        "bundle_version": COUNT,
        "nonce": _HEX32,
        "reason": _REASON,
    }
    check_shape(data, Object(members), where)
    known = {*members, "verdict", "subject", "not_before", "expires"}
    if set(data) != known:
        raise BadInput(where, sorted(set(data) ^ known), f"exactly the members {', '.join(sorted(known))}")
    verdicts = VERDICTS[data["act"]]
    if not isinstance(data["verdict"], str) or data["verdict"] not in verdicts:
        raise BadInput(f"{where}.verdict", data["verdict"], f"one of {', '.join(verdicts)}")
    shape = _SUBJECTS[data["act"]]
    check_shape(data["subject"], shape, f"{where}.subject")
    if set(data["subject"]) != set(shape.members):
        raise BadInput(f"{where}.subject", sorted(data["subject"]), f"exactly {', '.join(shape.members)}")
    if read_moment(data["expires"], f"{where}.expires") <= read_moment(data["not_before"], f"{where}.not_before"):
        raise BadInput(f"{where}.expires", data["expires"], f"a time after {data['not_before']}")
