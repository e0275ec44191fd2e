# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose accounts and hosts are whose, and what tenants share: the provider's ``patchtide_tenants.yml``. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from typing import Any

from ..errors import BadInput, PatchtideError
from ..shape import NAME, TEXT, Each, Object, Values, check_shape

_TENANT = Object({}, {"title": TEXT, "accounts": Each(NAME), "groups": Each(NAME), "history": NAME})
_SHARED = Object({"what": NAME, "tenants": Each(NAME, least=2), "reason": NAME})
_SHAPE = Object({"tenants": Values(_TENANT)}, {"shared": Each(_SHARED)})
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_HISTORY = re.compile(r"(s3:/)?/[^/].*")


class TenantError(PatchtideError):
    """Tenants are not separate from one another."""

    code = "TenantError"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A tenant or team. ``name`` is also that of its directory.

    :param accounts: account numbers and subscriptions. :param groups: inventory groups of its hosts in no account.
    :param history: ``s3://bucket/prefix`` or an absolute path; "" for ``history`` in its directory.
    """

    name: str
    title: str = ""
    accounts: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    history: str = ""

    def owns(self, account: str, groups: Collection[str]) -> bool:
        """Return whether a node is the tenant's. Groups can come from tags, so they count only without an account."""
        return account.lower() in self.accounts if account else bool(set(groups) & set(self.groups))


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What tenants have in common on purpose. ``what``: kind and name, as the message says that refuses it."""

    what: str
    tenants: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenants:
    """The whole document; tenants by name."""

    tenants: Mapping[str, Tenant]
    shared: tuple[Shared, ...] = ()


def read_tenants(data: Any, where: str) -> Tenants:
    """Read ``patchtide_tenants.yml``. :param where: the file. :raises BadInput: names the first invalid place."""
    check_shape(data, _SHAPE, where)
    _check_names(data, ("tenants", "shared"), where)
    if not data["tenants"]:
        raise BadInput(f"{where}.tenants", data["tenants"], "at least one tenant")
    tenants = {name: _tenant(name, row, f"{where}.tenants.{name}") for name, row in data["tenants"].items()}
    shared = []
    for index, row in enumerate(data.get("shared") or ()):
        _check_names(row, [item.name for item in fields(Shared)], f"{where}.shared[{index}]")
        for name in row["tenants"]:
            if name not in tenants:
                raise BadInput(f"{where}.shared[{index}].tenants", name, f"one of {', '.join(tenants)}")
        shared.append(Shared(what=row["what"], tenants=tuple(row["tenants"]), reason=row["reason"]))
    return Tenants(tenants=tenants, shared=tuple(shared))


def _tenant(name: str, row: Mapping[str, Any], where: str) -> Tenant:
    _check_names(row, ("title", "accounts", "groups", "history"), where)
    if not _NAME.fullmatch(name):
        raise BadInput(where, name, "1 to 32 lower-case letters, digits, - and _: it is the name of a directory")
    if not row.get("accounts") and not row.get("groups"):
        raise BadInput(
            where, row, "accounts, or groups of hosts in no account: nothing else says which nodes are its own"
        )
    history = row.get("history") or ""
    if history and not _HISTORY.fullmatch(history):
        raise BadInput(f"{where}.history", history, "s3://bucket/prefix or an absolute path")
    return Tenant(
        name=name,
        title=row.get("title") or name,
        accounts=tuple(account.lower() for account in row.get("accounts") or ()),
        groups=tuple(row.get("groups") or ()),
        history=history.rstrip("/"),
    )


def _check_names(row: Mapping[str, Any], known: Collection[str], where: str) -> None:
    for name in row:
        if name not in known:
            raise BadInput(f"{where}.{name}", row[name], f"one of {', '.join(known)}")
