# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes a statement for a person to sign, and returns the command that signs it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from ...module_utils._core.errors import BadInput
from ...module_utils._core.trust.bundle import Bundle
from ...module_utils._core.trust.operator import Operator
from ...module_utils._core.trust.statement import Statement, namespace
from ..files import write_bytes
from .ssh import read_bounded, signature_of


def write_statement(folder: Path, statement: Statement, now: datetime, *, write: bool) -> tuple[Path, Statement, bool]:
    """Write a statement, unless an equal one exists that still counts.

    :returns: its file, its content, and whether it is new.
    """
    for path in sorted(folder.glob(f"{statement.act}-*.json")):
        before = _read(path)
        if before and now < before.ends and _same(before, statement):
            return path, before, False
    name = re.sub(r"[^a-z0-9.-]", "_", statement.principal)
    path = folder / f"{statement.act}-{name}-{statement.nonce[:12]}.json"
    if write:
        write_bytes(path, statement.to_bytes())
    return path, statement, True


def _read(path: Path) -> Statement | None:
    try:
        return Statement.from_bytes(read_bounded(path) or b"", str(path))
    except BadInput:
        return None


def _same(before: Statement, after: Statement) -> bool:
    """The time and the nonce always differ."""
    moved = replace(after, nonce=before.nonce, not_before=before.not_before, expires=before.expires)
    return moved == before and before.hours == after.hours


def sign_command(path: Path, act: str) -> str:
    """Return the command that signs a statement. Only the signer has the key."""
    return f"ssh-keygen -Y sign -n {namespace(act)} -f ~/.ssh/id_ed25519 {shlex.quote(str(path))}"


def is_signed(path: Path) -> bool:
    return signature_of(path).exists()


def signer_of(bundle: Bundle, given: str | None, operator: Operator) -> str:
    """Return who is to sign: the named person, otherwise the one person with this account.

    :raises BadInput: the bundle has no such person.
    """
    people = sorted(bundle.people_of(operator))
    if given is None and len(people) == 1:
        return people[0]
    if given not in bundle.people:
        raise BadInput("principal", given, f"a person of the trust bundle: {', '.join(sorted(bundle.people))}")
    return str(given)


def role_of(bundle: Bundle, principal: str, given: str | None, wanted: Sequence[str]) -> str:
    """Return the role in which a person signs: the named one, otherwise their only role that is required.

    :raises BadInput: they do not have the role, or several are possible.
    """
    able = [role for role in bundle.people[principal].roles if role in wanted]
    if given is None and len(able) == 1:
        return able[0]
    if given not in able:
        expected = f"one of the roles of {principal} that count here: {', '.join(able) or 'there is none'}"
        raise BadInput("role", given, expected)
    return str(given)


def wanted_roles(bundle: Bundle, act: str, action: str) -> list[str]:
    """Return the roles that may sign an act. Everybody may reject a plan."""
    if act == "plan":
        return [role for rule in bundle.plans for demand in rule.people for role in demand.roles]
    demands: Mapping[str, object] = bundle.decisions if act == "decision" else bundle.exceptions.steps
    found = bundle.decisions.get(action) if act == "decision" else bundle.exceptions.steps.get(action)
    if found is None:
        raise BadInput("act", f"{act} {action}", f"something that the bundle gives to a role: {', '.join(demands)}")
    return list(found.roles)
