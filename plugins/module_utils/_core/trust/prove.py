# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Verifies a signed statement against the bundle: who made it, in which role, and whether it counts now."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..errors import BadInput, PatchtideError
from .bundle import Bundle, Person
from .keys import Key, fingerprint
from .ports import SignatureCheck
from .signature import read_envelope
from .statement import Statement, namespace, statement_digest


class NotProved(PatchtideError):
    """A statement does not prove what it claims."""

    code = "NotProved"


def prove(
    data: bytes, signature: bytes, *, act: str, bundle: Bundle, check: SignatureCheck, now: datetime
) -> Statement:
    """Return a person's signed statement, if it counts now.

    The caller must compare its subject: see ``check_subject``.

    :param act: the act that it must state.
    :raises NotProved: with the reason in one line.
    """
    try:
        statement = Statement.from_bytes(data, "statement")
        envelope = read_envelope(signature, "signature")
    except BadInput as error:
        raise NotProved(str(error)) from error
    if statement.act != act:
        raise NotProved(f"it is a statement about {_article(statement.act)}, not about {_article(act)}")
    if envelope.namespace != namespace(act):
        raise NotProved(f"it was signed for {envelope.namespace!r}, not for {namespace(act)!r}")
    person = _person(statement, bundle, now)
    key = _key(person, envelope.key, bundle, now)
    if why := _time(statement, data, bundle, now):
        raise NotProved(why)
    if why := check.objection(data, signature, namespace=namespace(act), principal=person.principal, key=key, at=now):
        raise NotProved(why)
    return statement


def _article(act: str) -> str:
    return f"an {act}" if act[0] in "aeiou" else f"a {act}"


def _person(statement: Statement, bundle: Bundle, now: datetime) -> Person:
    person = bundle.people.get(statement.principal)
    if person is None:
        raise NotProved(f"{statement.principal!r} is not a person of the bundle")
    if person.service:
        raise NotProved(f"{person.principal} is a service account, and those never count")
    if why := bundle.revoked("person", person.principal, now):
        raise NotProved(why)
    if statement.role not in person.roles:
        raise NotProved(f"{person.principal} does not have the role {statement.role!r}")
    return person


def _key(person: Person, blob: bytes, bundle: Bundle, now: datetime) -> Key:
    key = next((item for item in person.keys if item.blob == blob), None)
    if key is None:
        raise NotProved(f"key {fingerprint(blob)} is not a key of {person.principal}")
    if why := bundle.revoked("key", key.fingerprint, now) or key.objection(now):
        raise NotProved(why)
    return key


def _time(statement: Statement, data: bytes, bundle: Bundle, now: datetime) -> str:
    if now < statement.begins:
        return f"it counts only from {statement.not_before}"
    if now >= statement.ends:
        return f"it expired on {statement.expires}"
    if statement.bundle_version > bundle.version:
        return f"it was signed under bundle {statement.bundle_version}, and this controller has bundle {bundle.version}"
    return bundle.revoked("statement", statement_digest(data), now)


def check_subject(statement: Statement, expected: Mapping[str, Any]) -> None:
    """:raises NotProved: the statement is about something else."""
    for name, value in expected.items():
        if statement.subject.get(name) != value:
            raise NotProved(f"its {name.replace('_', ' ')} is {statement.subject.get(name)!r}, not {value!r}")
