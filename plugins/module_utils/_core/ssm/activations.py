# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hybrid activations, which register machines outside EC2 as managed nodes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from ..change import Change
from ..errors import BadInput
from ..tags import check_tags
from . import limits

MOST_HOURS = 30 * 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Activation:
    """An activation. It is identified by its description, because activations have no names.

    ``created_at`` and ``expires_at`` are ISO 8601 in UTC. ``registrations`` counts the nodes that used it.
    ``activation_code`` is known only right after its creation and never appears in a diff.
    """

    description: str
    iam_role: str = ""
    default_instance_name: str = ""
    registration_limit: int = 1
    registrations: int = 0
    created_at: str = ""
    expires_at: str = ""
    expired: bool = False
    tags: Mapping[str, str] = field(default_factory=dict)
    activation_id: str | None = None
    activation_code: str | None = None

    @property
    def is_usable(self) -> bool:
        return not self.expired and self.registrations < self.registration_limit


class ActivationPort(Protocol):
    """Activations of one account-Region."""

    def find(self, description: str) -> list[Activation]:
        """Return all activations with this description."""

    def create(self, wanted: Activation, metadata: Mapping[str, str]) -> tuple[str, str]:
        """Create it and return (ID, code). The code cannot be retrieved later."""

    def delete(self, activation_id: str) -> None:
        """Delete it; does nothing if it does not exist."""


def plan_activation(
    found: list[Activation], given: Mapping[str, Any], now: datetime, *, present: bool, renew: bool = False
) -> Change[Activation]:
    """Return the change that the declaration requires. A usable activation that matches is kept.

    An activation cannot be modified. A different role, name, limit or tag requires a new one, and the old ones are
    deleted.

    :raises BadInput: a limit of the service is exceeded, or a new one has no role.
    """
    before = next((item for item in found if item.is_usable), found[0] if found else None)
    if not present:
        return Change(before, None)
    wanted = _wanted(before, given, now)
    _check(wanted, given)
    same = before and before == replace(
        wanted,
        activation_id=before.activation_id,
        registrations=before.registrations,
        created_at=before.created_at,
        expires_at=before.expires_at,
    )
    if before and same and before.is_usable and not renew:
        return Change(before, before)
    if before is None:
        return Change(None, wanted)
    reason = "asked for" if renew else "an activation can't change" if before.is_usable else "it is used up or expired"
    return Change(before, wanted, recreate=reason)


def _wanted(before: Activation | None, given: Mapping[str, Any], now: datetime) -> Activation:
    start = before or Activation(description=given["description"])
    names = ("iam_role", "default_instance_name", "registration_limit", "tags")
    changes = {name: given[name] for name in names if given.get(name) is not None}
    expires = (now + timedelta(hours=given["valid_hours"])).strftime("%Y-%m-%dT%H:%M:%SZ")
    return replace(
        start, **changes, registrations=0, created_at="", expired=False, expires_at=expires, activation_id=None
    )


def _check(wanted: Activation, given: Mapping[str, Any]) -> None:
    if not wanted.iam_role:
        raise BadInput("iam_role", None, "the name of a role that SSM can assume, which a new activation requires")
    limits.shorter("iam_role", wanted.iam_role, 64)
    limits.matches("description", wanted.description, r".{1,256}", "1 to 256 characters")
    limits.shorter("default_instance_name", wanted.default_instance_name, 256)
    name = wanted.default_instance_name
    limits.matches("default_instance_name", name, r"[\w\s.:/=+\-@]*", "letters, digits, spaces and _.:/=+-@")
    limits.within("registration_limit", wanted.registration_limit, 1, 1000)
    limits.within("valid_hours", given["valid_hours"], 1, MOST_HOURS, "hours")
    check_tags(wanted.tags)


class ActivationNoun:
    """Declared activation of one account-Region."""

    def __init__(self, port: ActivationPort, options: Mapping[str, Any], now: datetime) -> None:
        self._port = port
        self._options = options
        self._now = now
        self._found: list[Activation] = []

    def plan(self) -> Change[Activation]:
        options = self._options
        self._found = self._port.find(options["description"])
        present = options["state"] == "present"
        return plan_activation(self._found, options, self._now, present=present, renew=options["renew"])

    def apply(self, change: Change[Activation]) -> Activation | None:
        after = change.after
        if after:
            activation_id, code = self._port.create(after, self._options["registration_metadata"] or {})
            after = replace(after, activation_id=activation_id, activation_code=code)
        for old in self._found:
            self._port.delete(str(old.activation_id))
        return after
