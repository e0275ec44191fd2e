# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A directory of tenants: ``patchtide_tenants.yml``, and a directory for each tenant with its ``policy.yml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.policy.values import Policy
from ...module_utils._core.tenants.belongings import (
    Belonging,
    foreign_accounts,
    of_bundle,
    of_policy,
    of_tenant,
    overlaps,
)
from ...module_utils._core.tenants.values import Tenant, TenantError, Tenants, read_tenants
from ..approvals.trust import Trust
from ..files import read_document
from ..notices.ledger import NAME as NOTICES
from ..policy.file import load_policy
from ..rollout.due_plans import POLICY, plan_folders
from ..rollout.stores import NO_CLAIMS, read_stores
from ..tenant_root import TENANTS

HISTORY = "history"
_REMOTE = ("dynamodb:", "s3://")


@dataclass(slots=True)
class Directory:
    """:param root: the directory with ``patchtide_tenants.yml``, without symbolic links."""

    root: Path
    found: Tenants
    _policies: dict[str, Policy] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.root / TENANTS

    def folder(self, tenant: Tenant) -> Path:
        return self.root / tenant.name

    def history(self, tenant: Tenant) -> str:
        return tenant.history or str(self.folder(tenant) / HISTORY)

    def tenant_of(self, path: Path) -> Tenant | None:
        """Return whose directory a path is in, ``None`` if it is not below this one.

        :raises TenantError: it is below, and in the directory of no tenant.
        """
        place = path.expanduser().resolve()
        if not place.is_relative_to(self.root):
            return None
        name = (*place.relative_to(self.root).parts, "")[0]
        if name not in self.found.tenants:
            known = ", ".join(self.found.tenants)
            raise TenantError(f"{path} is in the directory of no tenant that {self.file} names: {known}")
        return self.found.tenants[name]

    def policy(self, tenant: Tenant) -> Policy:
        """Return the policy of a tenant. :raises PatchtideError: it can't be read, or is somebody else's file."""
        if tenant.name not in self._policies:
            path = self.folder(tenant) / POLICY
            if path.resolve() != path:
                raise TenantError(
                    f"{path} is a symbolic link, or in one: {path.resolve()}; a tenant has files of its own"
                )
            self._policies[tenant.name] = load_policy(path)
        return self._policies[tenant.name]

    def belongings(self, tenant: Tenant, trust: Trust | None) -> Iterator[Belonging]:
        """Yield all that a tenant has. :raises PatchtideError: its policy can't be read."""
        policy, where = self.policy(tenant), str(self.folder(tenant) / POLICY)
        yield from of_tenant(tenant, str(self.file))
        yield from of_policy(policy, where)
        ledger = policy.exceptions.ledger
        if ledger:
            yield Belonging(what=f"exceptions {_place(ledger)}", where=f"{where}: exceptions.ledger")
        notices = self.folder(tenant) / (policy.notices.ledger or NOTICES)
        yield Belonging(what=f"notices {notices.resolve()}", where=f"{where}: notices.ledger")
        yield from self.stores(tenant)
        if trust:
            yield from of_bundle(tenant, trust.bundle, trust.pins.bundle)

    def stores(self, tenant: Tenant) -> Iterator[Belonging]:
        """Yield where the rollouts of a tenant keep journals and claims. :raises PatchtideError: one can't be read."""
        for folder in plan_folders(self.folder(tenant)):
            stores = read_stores(folder)
            yield from of_stores(stores.journal, stores.claims, str(folder))

    def problems(self, trust: Trust | None, of: Tenant | None = None) -> list[str]:
        """Return what is not separate, in sentences without a final period.

        :param of: only problems of this tenant count, and others whose files can't be read are compared as far as the
            provider's file goes: they can't run themselves, and nobody else has to wait for them.
        """
        found: dict[str, list[Belonging]] = {}
        problems = []
        for name, tenant in self.found.tenants.items():
            try:
                found[name] = list(self.belongings(tenant, trust))
                mine = foreign_accounts(tenant, self.policy(tenant), str(self.folder(tenant) / POLICY))
                mine += self._relative(tenant)
            except PatchtideError as error:
                found[name], mine = list(of_tenant(tenant, str(self.file))), [str(error)]
            problems += mine if of in (None, tenant) else []
        pairs = combinations(found, 2)
        wanted = [pair for pair in pairs if of is None or of.name in pair]
        return [
            *problems,
            *(text for pair in wanted for text in overlaps({n: found[n] for n in pair}, self.found.shared)),
        ]

    def _relative(self, tenant: Tenant) -> list[str]:
        """Return a ledger whose place depends on where Ansible is started, so that two tenants could get the same."""
        ledger = self.policy(tenant).exceptions.ledger
        if not ledger or ledger.startswith(_REMOTE) or Path(ledger).expanduser().is_absolute():
            return []
        wanted = self.folder(tenant) / ledger
        return [
            f"{self.folder(tenant) / POLICY}: exceptions.ledger: {ledger} depends on where Ansible runs; write {wanted}"
        ]


def of_stores(journal: str, claims: str, where: str) -> Iterator[Belonging]:
    """Yield where a rollout keeps journal and claims; a file of its own directory is nothing to share."""
    if journal.startswith(_REMOTE):
        yield Belonging(what=f"journal {journal}", where=where)
    if claims not in ("", NO_CLAIMS):
        yield Belonging(what=f"claims {claims}", where=where)


def read_directory(root: Path) -> Directory:
    """Read ``patchtide_tenants.yml``. :raises BadInput: it is missing or not valid."""
    file = root / TENANTS
    if not file.is_file():
        raise BadInput("tenants", str(root), f"a directory with {TENANTS}")
    return Directory(root.resolve(), read_tenants(read_document(file, "tenants"), str(file)))


def _place(ledger: str) -> str:
    return ledger if ledger.startswith(_REMOTE) else str(Path(ledger).expanduser().resolve())
