# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant has that no other one may have without saying so: accounts, places, receivers, people. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from ..policy.notice_rules import Route
from ..policy.values import Policy
from ..trust.bundle import Bundle
from .values import Shared, Tenant


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """:param what: kind and name, such as ``account 111122223333``. :param where: the place that says so.
    :param is_place: whether everything below it belongs to it as well."""

    what: str
    where: str
    is_place: bool = False

    def meets(self, other: Belonging) -> bool:
        """Return whether both are the same, or one is a place in the other."""
        if self.what == other.what:
            return True
        shorter, longer = sorted((self.what, other.what), key=len)
        return self.is_place and other.is_place and longer.startswith(f"{shorter.rstrip('/')}/")


def of_tenant(tenant: Tenant, where: str) -> Iterator[Belonging]:
    """Yield what the provider's file gives to a tenant. :param where: that file."""
    source = f"{where}: tenants.{tenant.name}"
    yield from (Belonging(what=f"account {item}", where=f"{source}.accounts") for item in tenant.accounts)
    yield from (Belonging(what=f"group {item}", where=f"{source}.groups") for item in tenant.groups)
    if tenant.history:
        yield Belonging(what=f"history {tenant.history}", where=f"{source}.history", is_place=True)


def of_policy(policy: Policy, where: str) -> Iterator[Belonging]:
    """Yield what a policy names, without the files of its ledgers. :param where: the file of the policy."""
    yield Belonging(what=f"policy {policy.name}", where=f"{where}: name")
    for region, bucket in policy.patching.buckets.items():
        place = f"lists s3://{bucket.name}/{bucket.prefix.strip('/')}".rstrip("/")
        yield Belonging(what=place, where=f"{where}: patching.buckets.{region}", is_place=True)
    if policy.patching.list_url:
        yield Belonging(what=f"lists {policy.patching.list_url}", where=f"{where}: patching.list_url", is_place=True)
    for index, route in enumerate(policy.notices.routes):
        place = f"{where}: notices.routes[{index}]"
        yield from (Belonging(what=f"receiver {item}", where=place) for item in receivers(route))
    for index, owner in enumerate(policy.owners):
        yield from (Belonging(what=f"owner {item}", where=f"{where}: owners[{index}].people") for item in owner.people)
    for account in policy.estate.accounts:
        named = (("baseline", policy.baselines), ("patch group", policy.patch_groups), ("window", policy.windows))
        for kind, rows in named:
            yield from (Belonging(what=f"{kind} {row.name} in account {account.id}", where=where) for row in rows)


def receivers(route: Route) -> list[str]:
    """Return whom a route reaches: addresses of mail, a topic, or a webhook as the policy names it."""
    if route.mail:
        return sorted({address.strip().lower() for address in route.mail.to})
    if route.sns:
        return [route.sns.topic_arn]
    return [route.webhook.url] if route.webhook else []


def of_bundle(tenant: Tenant, bundle: Bundle, where: str) -> Iterator[Belonging]:
    """Yield the people who can approve plans of a tenant, decide about its rollouts or grant its exceptions.

    An environment counts unless its accounts are all others'. Decisions and exceptions have no environments, so whoever
    has a role in them has it for every tenant.
    """
    mine = set(tenant.accounts)
    names = {item.name for item in bundle.environments if not item.accounts or mine & set(item.accounts)}
    roles: set[str] = set()
    for requirement in bundle.plans:
        if not requirement.environments or names & set(requirement.environments):
            roles.update(role for demand in requirement.people for role in demand.roles)
    for demand in (*bundle.decisions.values(), *bundle.exceptions.steps.values()):
        roles.update(demand.roles)
    for person in bundle.people.values():
        if not person.service and roles & set(person.roles):
            yield Belonging(what=f"approver {person.principal}", where=where)


def foreign_accounts(tenant: Tenant, policy: Policy, where: str) -> list[str]:
    """Return what is wrong with the accounts of a tenant's policy: others' accounts, or none."""
    accounts = policy.estate.accounts
    if not accounts and any(item.isdigit() for item in tenant.accounts):
        return [
            f"{where}: estate.accounts: none, so the credentials of the controller decide; name those of {tenant.name}"
        ]
    return [
        f"{where}: estate.accounts[{index}]: {account.id or account.role_arn} is not an account of {tenant.name}"
        for index, account in enumerate(accounts)
        if account.id not in tenant.accounts
    ]


def overlaps(found: Mapping[str, Sequence[Belonging]], shared: Iterable[Shared]) -> list[str]:
    """Return what two tenants have in common and nobody has said that they share. :param found: by tenant."""
    said = {(item.what, frozenset(pair)) for item in shared for pair in combinations(item.tenants, 2)}
    problems: dict[str, None] = {}
    for one, other in combinations(found, 2):
        pair = frozenset((one, other))
        for mine, theirs in _meetings(found[one], found[other]):
            if not {(mine.what, pair), (theirs.what, pair)} & said:
                places = f"{mine.where}; {theirs.where}" if mine.where != theirs.where else mine.where
                inside = "" if mine.what == theirs.what else f", which is in or around {theirs.what}"
                problems[f"{one} and {other} both have {mine.what}{inside} ({places})"] = None
    return list(problems)


def _meetings(mine: Sequence[Belonging], theirs: Sequence[Belonging]) -> Iterator[tuple[Belonging, Belonging]]:
    by_name = {item.what: item for item in theirs}
    places = [item for item in theirs if item.is_place]
    for item in mine:
        if item.what in by_name:
            yield item, by_name[item.what]
        elif item.is_place:
            yield from ((item, other) for other in places if item.meets(other))
