# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a trust bundle. Anything malformed, unknown or ambiguous causes the whole bundle to be refused."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import BadInput
from ..exceptions.severity import SEVERITIES
from ..shape import COUNT, FLAG, NAME, Each, Object, Rule, Values, check_shape
from .bundle import (
    ACTIONS,
    ACTIVITIES,
    SCHEMA,
    Bundle,
    Demand,
    Environment,
    ExceptionDemands,
    Person,
    Requirement,
    Responsibility,
    Revocation,
)
from .keys import read_key, read_moment

_PRINCIPAL = re.compile(r"[a-z0-9]([a-z0-9._+-]{0,62}[a-z0-9])?(@[a-z0-9]([a-z0-9.-]{0,120}[a-z0-9])?)?")
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,62}")
#: Accounts that many people can use; they identify nobody.
SHARED_LOGINS = ("root", "ansible", "awx", "runner", "nobody")
SOURCES = ("ssh", "awx", "servicenow")
STEPS = ("request", "approve", "reject", "revoke")
_WHAT = ("key", "person", "statement")

PRINCIPAL = Rule(
    lambda value: isinstance(value, str) and bool(_PRINCIPAL.fullmatch(value)),
    "one exact name of lower-case letters, digits and . _ + -, such as dana@example.com; no wildcards",
)
_ROLE = Rule(
    lambda value: isinstance(value, str) and bool(_WORD.fullmatch(value)),
    "a name of lower-case letters, digits, - and _ that begins with a letter",
)
_POSITIVE = Rule(lambda value: COUNT.fits(value) and value >= 1, "a whole number, 1 or more")
_ROLES = Each(_ROLE, least=1)
_SYS_ID = Rule(
    lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{32}", value)),
    "a sys_id of 32 hexadecimal digits",
)
_KEY = Rule(lambda value: isinstance(value, str) and 0 < len(value) < 5000, "a public key")


def _one_of(*names: str) -> Rule:
    return Rule(lambda value: isinstance(value, str) and value in names, f"one of {', '.join(names)}")


_DEMAND = Object({"roles": _ROLES}, {"count": _POSITIVE})
_ONE = Object({"roles": _ROLES})
_PERSON = Object(
    {"principal": PRINCIPAL, "roles": Each(_ROLE)},
    {
        "name": NAME,
        "service": FLAG,
        "logins": Each(NAME),
        "awx": Each(Object({"controller": NAME, "user_id": _POSITIVE})),
        "servicenow": Each(Object({"instance": NAME, "user_id": _SYS_ID})),
        "keys": Each(Object({"key": _KEY, "valid_from": NAME, "valid_until": NAME})),
    },
)
_SHAPE = Object(
    {
        "schema": Rule(lambda value: value == SCHEMA, SCHEMA),
        "version": _POSITIVE,
        "roles": Values(NAME),
        "people": Each(_PERSON, least=1),
        "environments": Each(
            Object(
                {"name": _ROLE},
                {
                    "accounts": Each(NAME, least=1),
                    "regions": Each(NAME, least=1),
                    "patch_groups": Each(NAME, least=1),
                    "tags": Values(Each(NAME, least=1)),
                },
            ),
            least=1,
        ),
        "requirements": Object(
            {
                "plans": Each(
                    Object(
                        {"people": Each(_DEMAND, least=1)},
                        {
                            "environments": _ROLES,
                            "waves": Each(NAME, least=1),
                            "sources": Each(_one_of(*SOURCES), least=1),
                            "max_hours": _POSITIVE,
                        },
                    ),
                    least=1,
                ),
            },
            {
                "decisions": Values(_ONE),
                "exceptions": Object({}, {**dict.fromkeys(STEPS, _ONE), "max_days": Values(_POSITIVE)}),
                "unknown_identity": _one_of("refuse", "one_more"),
            },
        ),
    },
    {
        "revocations": Each(Object({"since": NAME, "reason": NAME}, dict.fromkeys(_WHAT, NAME))),
        "responsibilities": Each(
            Object(
                {"activity": NAME},
                {"checked": FLAG, **dict.fromkeys(("responsible", "accountable", "consulted", "informed"), _ROLES)},
            )
        ),
        "awx_workflows": Each(Object({"controller": NAME, "workflow_templates": Each(_POSITIVE, least=1)})),
    },
)


def read_bundle(data: Any, where: str) -> Bundle:
    """Read a bundle's data.

    :param where: the file.
    :raises BadInput: anything in it is malformed, unknown, ambiguous or refers to something missing.
    """
    check_shape(data, _SHAPE, where)
    _refuse_unknown(data, _SHAPE, where)
    roles = {str(name): str(text) for name, text in data["roles"].items()}
    for name in roles:
        if not _ROLE.fits(name):
            raise BadInput(f"{where}.roles", name, _ROLE.expected)
    people = _unique((_person(item, f"{where}.people[{index}]") for index, item in enumerate(data["people"])), where)
    requirements = data["requirements"]
    exceptions = requirements.get("exceptions") or {}
    bundle = Bundle(
        version=data["version"],
        people=people,
        roles=roles,
        environments=tuple(_environment(item) for item in data["environments"]),
        plans=tuple(_requirement(item) for item in requirements["plans"]),
        decisions={name: _demand(item) for name, item in (requirements.get("decisions") or {}).items()},
        exceptions=ExceptionDemands(
            steps={name: _demand(exceptions[name]) for name in STEPS if name in exceptions},
            max_days=dict(exceptions.get("max_days") or {}),
        ),
        revocations=tuple(
            _revocation(item, f"{where}.revocations[{index}]")
            for index, item in enumerate(data.get("revocations") or [])
        ),
        responsibilities=tuple(_responsibility(item, where) for item in data.get("responsibilities") or []),
        unknown_identity=requirements.get("unknown_identity", "refuse"),
        awx_workflows={
            _address(item["controller"], f"{where}.awx_workflows"): tuple(item["workflow_templates"])
            for item in data.get("awx_workflows") or []
        },
    )
    _check_references(bundle, where)
    return bundle


def _refuse_unknown(data: Any, shape: object, where: str) -> None:
    """A member with a typing error must not be ignored: it may be the one that forbids something."""
    if isinstance(shape, Object):
        known = {**shape.members, **shape.maybe}
        for name, item in data.items():
            if name not in known:
                raise BadInput(f"{where}.{name}", item, f"one of the members {', '.join(known)}")
            _refuse_unknown(item, known[name], f"{where}.{name}")
    elif isinstance(shape, Each):
        for index, item in enumerate(data):
            _refuse_unknown(item, shape.item, f"{where}[{index}]")
    elif isinstance(shape, Values):
        for name, item in data.items():
            if not NAME.fits(name):
                raise BadInput(where, name, NAME.expected)
            _refuse_unknown(item, shape.item, f"{where}.{name}")


def _person(data: Mapping[str, Any], where: str) -> Person:
    logins = tuple(data.get("logins") or ())
    for login in logins:
        if login in SHARED_LOGINS:
            raise BadInput(f"{where}.logins", login, "accounts that one person alone can use")
    awx = _accounts(data, "awx", "controller", where)
    servicenow = _accounts(data, "servicenow", "instance", where)
    keys = tuple(
        read_key(item["key"], item["valid_from"], item["valid_until"], f"{where}.keys[{index}]")
        for index, item in enumerate(data.get("keys") or [])
    )
    return Person(
        principal=data["principal"],
        name=data.get("name", ""),
        roles=tuple(data["roles"]),
        service=data.get("service", False),
        logins=logins,
        awx=awx,
        servicenow=servicenow,
        keys=keys,
    )


def _accounts(data: Mapping[str, Any], kind: str, place: str, where: str) -> dict[str, Any]:
    """Return a person's accounts by the address of the service."""
    rows = data.get(kind) or []
    found = {_address(item[place], f"{where}.{kind}"): item["user_id"] for item in rows}
    if len(found) != len(rows):
        raise BadInput(f"{where}.{kind}", rows, f"each {place} once")
    return found


def _address(text: str, where: str) -> str:
    """Return an address in the form in which addresses are compared."""
    if not re.fullmatch(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[a-z0-9./_-]*)?", text):
        raise BadInput(where, text, "an address such as https://awx.example.com, in lower case")
    return text.rstrip("/")


def _unique(people: Iterable[Person], where: str) -> dict[str, Person]:
    """Check that nobody is listed twice, and no key or account belongs to two people."""
    found: dict[str, Person] = {}
    owners: dict[tuple[str, object], str] = {}
    for person in people:
        if person.principal in found:
            raise BadInput(f"{where}.people", person.principal, "each person once")
        found[person.principal] = person
        traits: Sequence[tuple[str, object]] = [
            *(("key", key.blob) for key in person.keys),
            *(("login", login) for login in person.logins),
            *(("awx", account) for account in person.awx.items()),
            *(("servicenow", account) for account in person.servicenow.items()),
        ]
        for trait in traits:
            if trait in owners:
                expected = f"a {trait[0]} of one person; {owners[trait]} has it already"
                raise BadInput(f"{where}.people", person.principal, expected)
            owners[trait] = person.principal
    return found


def _environment(data: Mapping[str, Any]) -> Environment:
    return Environment(
        name=data["name"],
        accounts=tuple(data.get("accounts") or ()),
        regions=tuple(data.get("regions") or ()),
        patch_groups=tuple(data.get("patch_groups") or ()),
        tags={key: tuple(values) for key, values in (data.get("tags") or {}).items()},
    )


def _demand(data: Mapping[str, Any]) -> Demand:
    return Demand(roles=tuple(data["roles"]), count=data.get("count", 1))


def _requirement(data: Mapping[str, Any]) -> Requirement:
    return Requirement(
        people=tuple(_demand(item) for item in data["people"]),
        environments=tuple(data.get("environments") or ()),
        waves=tuple(data.get("waves") or ()),
        sources=tuple(data.get("sources") or ("ssh",)),
        max_hours=data.get("max_hours", 168),
    )


def _revocation(data: Mapping[str, Any], where: str) -> Revocation:
    named = [what for what in _WHAT if what in data]
    if len(named) != 1:
        raise BadInput(where, named, f"exactly one of {', '.join(_WHAT)}")
    since = read_moment(data["since"], f"{where}.since")
    return Revocation(what=named[0], name=data[named[0]], since=since, reason=data["reason"])


def _responsibility(data: Mapping[str, Any], where: str) -> Responsibility:
    if (data["activity"] in ACTIVITIES) is not data.get("checked", True):
        expected = f"one of {', '.join(ACTIVITIES)}; another activity only with checked: false"
        raise BadInput(f"{where}.responsibilities", data["activity"], expected)
    names = ("responsible", "accountable", "consulted", "informed")
    return Responsibility(activity=data["activity"], **{name: tuple(data.get(name) or ()) for name in names})


def _check_references(bundle: Bundle, where: str) -> None:
    demands = [demand for item in bundle.plans for demand in item.people]
    demands += [*bundle.decisions.values(), *bundle.exceptions.steps.values()]
    used: list[tuple[str, str]] = [("requirements", role) for demand in demands for role in demand.roles]
    used += [(f"people: {person.principal}", role) for person in bundle.people.values() for role in person.roles]
    for row in bundle.responsibilities:
        roles = (*row.doers, *row.consulted, *row.informed)
        used += [(f"responsibilities: {row.activity}", role) for role in roles]
    _must_be_known(used, bundle.roles, where)
    names = [item.name for item in bundle.environments]
    _must_be_known([("requirements.plans", name) for item in bundle.plans for name in item.environments], names, where)
    _once(names, f"{where}.environments")
    for row in bundle.responsibilities:
        for place, demand in _signers(bundle, row.activity):
            _must_be_known([(place, role) for role in demand.roles], row.doers, where)
    _once([row.activity for row in bundle.responsibilities], f"{where}.responsibilities")
    _must_be_known([("requirements.decisions", name) for name in bundle.decisions], ACTIONS, where)
    _must_be_known(
        [("requirements.exceptions.max_days", name) for name in bundle.exceptions.max_days], (*SEVERITIES, "any"), where
    )
    people = [("revocations", item.name) for item in bundle.revocations if item.what == "person"]
    _must_be_known(people, bundle.people, where)
    _check_enough(bundle, demands, where)


def _signers(bundle: Bundle, activity: str) -> Iterator[tuple[str, Demand]]:
    """Yield who signs an activity, and where the bundle says so: they must be responsible or accountable for it."""
    if activity == "approve_plan":
        yield from (("requirements.plans", demand) for item in bundle.plans for demand in item.people)
    if activity == "decide":
        yield from ((f"requirements.decisions.{name}", demand) for name, demand in bundle.decisions.items())
    for step, demand in bundle.exceptions.steps.items():
        if activity == ("request_exception" if step == "request" else "approve_exception"):
            yield f"requirements.exceptions.{step}", demand


def _check_enough(bundle: Bundle, demands: Iterable[Demand], where: str) -> None:
    """Refuse demands for more people than exist: they could never be met."""
    for demand in demands:
        able = [item for item in bundle.people.values() if not item.service and set(item.roles) & set(demand.roles)]
        if len(able) < demand.count:
            expected = f"no more people than have one of the roles {', '.join(demand.roles)}, which are {len(able)}"
            raise BadInput(f"{where}.requirements", demand.count, expected)


def _must_be_known(used: Iterable[tuple[str, str]], known: Iterable[str], where: str) -> None:
    names = list(known)
    for place, name in used:
        if name not in names:
            raise BadInput(f"{where}.{place}", name, f"one of {', '.join(names)}")


def _once(names: Sequence[str], where: str) -> None:
    for name in names:
        if names.count(name) > 1:
            raise BadInput(where, name, "each name once")
