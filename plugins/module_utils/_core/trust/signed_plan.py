# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns signed statements about a plan into votes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .bundle import Bundle
from .ports import SignatureCheck
from .prove import NotProved, check_subject, prove
from .statement import statement_digest
from .votes import Found, Vote

SOURCE = "ssh"


def read_signed(
    label: str,
    data: bytes,
    signature: bytes,
    *,
    plan: Mapping[str, Any],
    bundle: Bundle,
    check: SignatureCheck,
    now: datetime,
) -> Found:
    """Return a person's verdict on a plan, or why a statement proves none.

    :param label: the file, for messages.
    """
    try:
        statement = prove(data, signature, act="plan", bundle=bundle, check=check, now=now)
        check_subject(statement, {"rollout": plan["rollout"], "plan_digest": plan["digest"]})
    except NotProved as error:
        return Found(label=label, source=SOURCE, objection=str(error), statement=data, signature=signature)
    vote = Vote(
        principal=statement.principal,
        verdict=statement.verdict,
        roles=(statement.role,),
        source=SOURCE,
        hours=statement.hours,
        environments=tuple(statement.subject["environments"]),
        waves=tuple(statement.subject["waves"]),
        reason=statement.reason,
        proof=statement_digest(data),
    )
    return Found(label=label, source=SOURCE, vote=vote, statement=data, signature=signature)
