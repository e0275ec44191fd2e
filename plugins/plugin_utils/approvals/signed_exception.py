# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of exceptions that the trust bundle assigns to roles: written as statements and verified before they count."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from ...module_utils._core.errors import BadInput
from ...module_utils._core.exceptions.records import ExceptionRecord
from ...module_utils._core.trust.bundle import Bundle
from ...module_utils._core.trust.keys import moment
from ...module_utils._core.trust.operator import Operator
from ...module_utils._core.trust.prove import NotProved, check_subject, prove
from ...module_utils._core.trust.responsibilities import check_operator, check_roles
from ...module_utils._core.trust.statement import Statement
from .ssh import read_bounded, signature_of
from .trust import Trust
from .write_statement import role_of, sign_command, write_statement

_HOURS = 72
#: The step that leads to each state of a record.
STEPS = {"requested": "request", "approved": "approve", "rejected": "reject", "revoked": "revoke"}


def check_step(bundle: Bundle, state: str, principal: str, operator: Operator) -> None:
    """Check who is responsible for a step: the person who signs it or is named, otherwise whoever runs the task.

    :raises NotResponsible: the bundle assigns it to others.
    """
    activity = "request_exception" if state == "requested" else "approve_exception"
    if principal in bundle.people:
        check_roles(bundle, activity, principal, bundle.people[principal].roles)
    if STEPS[state] not in bundle.exceptions.steps:
        check_operator(bundle, activity, operator)


def prove_step(
    record: ExceptionRecord,
    state: str,
    severities: Sequence[str],
    *,
    principal: str,
    folder: Path,
    trust: Trust,
    now: datetime,
    write: bool,
) -> None:
    """Check that a step of an exception is signed; write the statement first if there is none.

    :param severities: of the patches that stay missing.
    :param principal: who takes the step.
    :param folder: where statements about exceptions are kept.
    :raises NotProved: it is not signed yet (the error has the command that signs it), or the signature does not count.
    """
    bundle, step = trust.bundle, STEPS[state]
    demand = bundle.exceptions.steps[step]
    if principal not in bundle.people:
        raise BadInput("decided_by", principal, f"a person of the trust bundle: {', '.join(sorted(bundle.people))}")
    if step == "approve":
        _check_requester(record.requested_by, principal, bundle)
    subject = _subject(record, severities)
    begin = now.replace(microsecond=0)
    statement = Statement(
        act="exception",
        verdict=step,
        subject=subject,
        principal=principal,
        role=role_of(bundle, principal, None, demand.roles),
        not_before=moment(begin),
        expires=moment(begin + timedelta(hours=_HOURS)),
        bundle_version=bundle.version,
        nonce=secrets.token_hex(16),
        reason=record.reason,
    )
    path, _statement, _new = write_statement(folder, statement, now, write=write)
    data, signature = read_bounded(path), read_bounded(signature_of(path))
    if data is None or signature is None:
        raise NotProved(f"{principal} has to sign it: {sign_command(path, 'exception')}, then run this again")
    signed = prove(data, signature, act="exception", bundle=bundle, check=trust.check, now=now)
    check_subject(signed, subject)
    if (signed.principal, signed.verdict) != (principal, step) or signed.role not in demand.roles:
        raise NotProved(f"{path} is the {signed.verdict} of {signed.principal} as {signed.role}")


def _check_requester(name: str, principal: str, bundle: Bundle) -> None:
    """:raises NotProved: they requested it themselves, or nobody knows who did."""
    people = {name} & set(bundle.people) | bundle.people_of(Operator(login=name))
    if not people:
        raise NotProved(
            f"nobody knows who requested the exception: {name!r} is no person of the trust bundle, so it could be "
            f"{principal}. Request it with requested_by set to a person of the bundle"
        )
    if principal in people:
        raise NotProved(f"{principal} requested the exception, so their approval does not count")


def _subject(record: ExceptionRecord, severities: Sequence[str]) -> dict[str, Any]:
    found = record.to_dict()
    request = {name: found[name] for name in ("select", "from", "to", "reason", "requested_by")}
    return {"exception_id": record.exception_id, "request": {**request, "severities": list(severities)}}
