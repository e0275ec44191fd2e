# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Definitions of CloudFormation stack sets: what is declared, and what of it differs. Pure.

Limits: API reference of CloudFormation, CreateStackSet and CreateStackInstances.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..change import merge
from ..errors import BadInput, Conflict
from ..ssm import limits
from ..tags import check_tag_count, merge_tags

SERVICE_MANAGED, SELF_MANAGED = "SERVICE_MANAGED", "SELF_MANAGED"
#: Bytes of a template in a request.
TEMPLATE_BYTES = 51_200
_UNIT = r"ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32}"
#: What the service shows instead of the value of a NoEcho parameter.
HIDDEN = "****"


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSet:
    """A definition. Self-managed ones have the two roles, service-managed ones the automatic deployment."""

    name: str
    template: str = ""
    description: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    capabilities: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    permission_model: str = SELF_MANAGED
    administration_role_arn: str = ""
    execution_role_name: str = ""
    auto_deployment: bool = False
    retain_stacks_on_account_removal: bool = False
    managed_execution: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What CloudFormation reads in a template. ``hidden``: parameters with NoEcho; ``required``: without a default."""

    parameters: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    capabilities: tuple[str, ...] = ()


def plan_definition(before: StackSet | None, options: Mapping[str, Any], summary: Summary) -> StackSet:
    """Return the declared definition. Parameters that the options leave out keep their value or get their default.

    :param options: of the module ``stack_set``; ``None`` leaves a member as it is.
    :raises BadInput: an option has a value that the service would refuse.
    :raises Conflict: the permission model differs, which the service cannot change.
    """
    names = StackSet.__dataclass_fields__.keys() & options.keys() - {"parameters", "tags", "capabilities"}
    given = {name: options[name] for name in names}
    start = before or StackSet(name=options["name"])
    wanted = replace(
        merge(start, given),
        template=_template(options["template_body"]),
        parameters=_parameters(start.parameters, options["parameters"] or {}, summary),
        capabilities=tuple(sorted(options["capabilities"] or start.capabilities)),
        tags=merge_tags(start.tags, options["tags"], options["purge_tags"]),
    )
    _check(wanted, summary)
    if before and before.permission_model != wanted.permission_model:
        raise Conflict(
            f"Stack set {wanted.name} is {before.permission_model}, and the service cannot make it "
            f"{wanted.permission_model}. Use another name, or delete it first with state=absent."
        )
    return wanted


def _template(text: str) -> str:
    """The service keeps a template as it was sent; line ends at the end of files come and go."""
    if len(text.encode()) > TEMPLATE_BYTES:
        raise BadInput("template_body", f"{len(text.encode())} bytes", f"at most {TEMPLATE_BYTES} bytes")
    return text.rstrip("\n") + "\n"


def _parameters(before: Mapping[str, str], given: Mapping[str, Any], summary: Summary) -> dict[str, str]:
    if unknown := sorted(given.keys() - summary.parameters):
        raise BadInput(f"parameters.{unknown[0]}", given[unknown[0]], f"one of {', '.join(sorted(summary.parameters))}")
    kept = {key: value for key, value in before.items() if key in summary.parameters}
    # The value of a hidden parameter cannot be read, so that a difference is not known.
    wanted = {**kept, **{key: HIDDEN if key in summary.hidden else _text(value) for key, value in given.items()}}
    if missing := sorted(summary.required - wanted.keys()):
        raise BadInput(f"parameters.{missing[0]}", None, "a value, because the template has no default")
    return wanted


def to_send(wanted: StackSet, given: Mapping[str, Any]) -> dict[str, str | None]:
    """Return the parameters of a request; ``None``: the value that the set has."""
    return {
        key: _text(given[key]) if key in given else None if value == HIDDEN else value
        for key, value in wanted.parameters.items()
    }


def _text(value: Any) -> str:
    """CloudFormation takes texts; lists are separated by commas."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _check(wanted: StackSet, summary: Summary) -> None:
    limits.matches("name", wanted.name, r"[a-zA-Z][-a-zA-Z0-9]{0,127}", "a letter, then letters, digits and hyphens")
    limits.shorter("description", wanted.description, 1024)
    check_tag_count(wanted.tags)
    if missing := sorted(_uncovered(summary.capabilities, wanted.capabilities)):
        raise BadInput("capabilities", list(wanted.capabilities), f"{missing[0]}, which the template needs")
    service = wanted.permission_model == SERVICE_MANAGED
    roles = {
        "administration_role_arn": wanted.administration_role_arn,
        "execution_role_name": wanted.execution_role_name,
    }
    for option, value in roles.items():
        if service and value:
            raise BadInput(option, value, "no value, because service-managed stack sets have no roles of their own")
    if wanted.auto_deployment and not service:
        raise BadInput("auto_deployment", True, f"permission_model={SERVICE_MANAGED} beside it")
    if wanted.retain_stacks_on_account_removal and not wanted.auto_deployment:
        raise BadInput("retain_stacks_on_account_removal", True, "auto_deployment=true beside it")


def _uncovered(needed: Collection[str], given: Collection[str]) -> set[str]:
    """CAPABILITY_NAMED_IAM covers CAPABILITY_IAM."""
    covered = {*given, "CAPABILITY_IAM"} if "CAPABILITY_NAMED_IAM" in given else set(given)
    return set(needed) - covered


def check_targets(options: Mapping[str, Any], permission_model: str) -> None:
    """Refuse targets that the permission model does not have.

    :raises BadInput: names the option.
    """
    units, accounts, regions = (options[name] for name in ("organizational_units", "target_accounts", "target_regions"))
    if (units or accounts) and not regions:
        raise BadInput("target_regions", regions, "Regions for the stacks")
    if regions and not units and not accounts:
        raise BadInput("target_regions", regions, "organizational_units or target_accounts beside it")
    for account in accounts or []:
        limits.matches("target_accounts", account, r"\d{12}", "numbers of 12 digits")
    for unit in units or []:
        limits.matches("organizational_units", unit, _UNIT, "a unit such as ou-ab12-cdefgh34, or the root")
    limits.at_most("organizational_units", units, 50)
    if permission_model == SELF_MANAGED and units:
        raise BadInput("organizational_units", units, f"permission_model={SERVICE_MANAGED} beside it")
    if permission_model == SERVICE_MANAGED and accounts and not (units and options["account_filter"] != "NONE"):
        raise BadInput("target_accounts", accounts, "organizational_units and account_filter beside it")
    if permission_model == SERVICE_MANAGED and options["account_filter"] != "NONE" and not accounts:
        raise BadInput("account_filter", options["account_filter"], "target_accounts beside it")
