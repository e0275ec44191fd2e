# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which subscriptions to work in: those of the options, or all that the credentials can read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._core.errors import AccessDenied, BadInput, PatchtideError
from . import machines
from .arm import Arm

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MEMBERS = frozenset({"id", "name", "tenant"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """A subscription. :param tenant: its tenant if it is not that of the login. :param error: why it can't be read."""

    id: str
    name: str = ""
    tenant: str = ""
    error: PatchtideError | None = None


def to_subscriptions(option: str, given: Sequence[Any], otherwise: str = "") -> list[Subscription]:
    """Read IDs, or dictionaries with ``id``, ``name`` and ``tenant``. Nothing given: all that can be read.

    :param otherwise: the subscription of the environment or profile.
    """
    found: list[Subscription] = []
    for index, item in enumerate(given or ([otherwise] if otherwise else [])):
        row = item if isinstance(item, Mapping) else {"id": item}
        path = f"{option}[{index}]"
        if unknown := set(row) - _MEMBERS:
            raise BadInput(f"{path}.{sorted(unknown)[0]}", row[sorted(unknown)[0]], "one of id, name, tenant")
        number = str(row.get("id") or "").lower()
        if not _ID.fullmatch(number):
            raise BadInput(path, item, "the ID of a subscription, such as 00000000-0000-0000-0000-000000000000")
        if number in {known.id for known in found}:
            raise BadInput(path, item, "each subscription once")
        found.append(Subscription(id=number, name=str(row.get("name") or ""), tenant=str(row.get("tenant") or "")))
    return found


def find_subscriptions(arm: Callable[[str], Arm], wanted: Sequence[Subscription]) -> list[Subscription]:
    """Return the subscriptions with their names. One that the credentials can't read has an error.

    Resource Graph leaves out what the caller can't read without a word, so this is asked for, once per tenant.

    :param wanted: empty for all that the login's tenant shows.
    :raises PatchtideError: none is given, and none can be read.
    """
    found: list[Subscription] = []
    for tenant in dict.fromkeys([item.tenant for item in wanted] or [""]):
        mine = [item for item in wanted if item.tenant == tenant]
        try:
            names = machines.subscriptions(arm(tenant))
        except PatchtideError as error:
            if not mine:
                raise
            found.extend(replace(item, error=error) for item in mine)
            continue
        for item in mine or [Subscription(id=number) for number in names]:
            refused = None if item.id in names else _refused(item.id)
            found.append(replace(item, name=item.name or names.get(item.id, ""), error=refused))
    if not found:
        raise AccessDenied("list the subscriptions", "NoSubscription", "the credentials can read no subscription")
    return found


def _refused(number: str) -> PatchtideError:
    text = "the credentials can't read it, or it does not exist: give them the role Reader"
    return AccessDenied(f"read subscription {number}", "SubscriptionNotReadable", text)
