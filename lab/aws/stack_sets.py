# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Stack sets: requests and answers. moto's operations succeed at once, whatever they are for; these take their time.

Rules: API reference of CloudFormation (CreateStackSet, CreateStackInstances, DeploymentTargets, StackSetOperation, …).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.cloudformation import models, parsing, responses
from moto.cloudformation.exceptions import CloudFormationError, ValidationError
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult, EmptyResult
from moto.events.models import EventBus
from moto.iam.models import Role

from .stack_operations import Operation, StackSet, accounts_of, delegated, management_account
from .world import world

#: What a template with them needs (user guide, acknowledging IAM resources in templates).
_IAM, _NAMED = "CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"
_NAMES = {"AWS::IAM::Role": "RoleName", "AWS::IAM::ManagedPolicy": "ManagedPolicyName", "AWS::IAM::User": "UserName"}


def refuse(code: str, message: str) -> CloudFormationError:
    """Return an error with the code that the API reference has."""
    error = CloudFormationError(message)
    error.code = code
    return error


class _Answers(CloudFormationResponse):
    """Methods that take the place of moto's of the same names."""

    def create_stack_set(self) -> ActionResult:
        params = self._get_params()
        name, model = params["StackSetName"], params.get("PermissionModel") or "SELF_MANAGED"
        _check_caller(self, model)
        if name in _sets(self):
            raise refuse("NameAlreadyExistsException", f"StackSet {name} already exists")
        made = StackSet(name=name, account=self.current_account, region=self.region, model=model)
        _define(made, params)
        _sets(self)[name] = made
        return ActionResult({"StackSetId": made.set_id})

    def update_stack_set(self) -> ActionResult:
        params, found = self._get_params(), _find(self)
        _check_free(found, params)
        _define(found, params)
        operation = _start(found, "UPDATE", sorted(found.rows), params)
        return ActionResult({"OperationId": operation.operation_id})

    def create_stack_instances(self) -> ActionResult:
        params, found = self._get_params(), _find(self)
        _check_free(found, params)
        targets = _targets(found, params)
        for (account, region), unit in targets.items():
            found.add(account, region, unit)
        units = (params.get("DeploymentTargets") or {}).get("OrganizationalUnitIds", [])
        found.units |= set(units)
        found.regions |= set(params["Regions"])
        return ActionResult({"OperationId": _start(found, "CREATE", list(targets), params).operation_id})

    def update_stack_instances(self) -> ActionResult:
        return _existing(self, "UPDATE")

    def delete_stack_instances(self) -> ActionResult:
        return _existing(self, "DELETE")

    def detect_stack_set_drift(self) -> ActionResult:
        found, params = _find(self), self._get_params()
        _check_free(found, params)
        return ActionResult({"OperationId": _start(found, "DETECT_DRIFT", sorted(found.rows), params).operation_id})

    def delete_stack_set(self) -> ActionResult:
        found = _find(self)
        if found.rows:
            raise refuse("StackSetNotEmptyException", "StackSet is not empty")
        del _sets(self)[found.name]
        return EmptyResult()

    def describe_stack_set(self) -> ActionResult:
        return ActionResult({"StackSet": _find(self).to_api()})

    def list_stack_instances(self) -> ActionResult:
        return ActionResult({"Summaries": [row.to_api() for _key, row in sorted(_find(self).rows.items())]})

    def describe_stack_set_operation(self) -> ActionResult:
        return ActionResult({"StackSetOperation": _operation(self).to_api()})

    def list_stack_set_operation_results(self) -> ActionResult:
        return ActionResult({"Summaries": _operation(self).results})

    def get_template_summary(self) -> ActionResult:
        text = self._get_param("TemplateBody")
        template = _read(text)
        summary = responses.get_template_summary_response_from_template(text)
        return ActionResult({**summary, "Capabilities": _capabilities(template)})


def _sets(self: Any) -> dict[str, StackSet]:
    """A reset of moto's backend forgets them."""
    found: dict[str, StackSet] = self.cloudformation_backend.__dict__.setdefault("lab_sets", {})
    return found


def _find(self: Any) -> StackSet:
    name = self._get_param("StackSetName")
    found = _sets(self).get(name)
    if found is None:
        raise refuse("StackSetNotFoundException", f"StackSet {name} not found")
    _check_caller(self, found.model)
    found.catch_up(world().clock.now())
    return found


def _check_caller(self: Any, model: str) -> None:
    """ "The default is SELF"; delegated administrators set CallAs in each call, and only for service-managed sets."""
    call_as, account = self._get_param("CallAs") or "SELF", self.current_account
    if model == "SELF_MANAGED":
        if call_as != "SELF":
            raise ValidationError(message="CallAs DELEGATED_ADMIN is for stack sets with service-managed permissions")
        return
    allowed = account in delegated() if call_as == "DELEGATED_ADMIN" else account == management_account(account)
    if not allowed:
        text = "You must be the management account or delegated admin account of an organization before operating"
        raise ValidationError(message=f"{text} a SERVICE_MANAGED stack set")


def _read(text: str) -> dict[str, Any]:
    """Parse a template (GetTemplateSummary and CreateStackSet refuse what is none)."""
    if not text or len(text.encode()) > 51_200:
        raise ValidationError(message="templateBody must have length less than or equal to 51200")
    try:
        found = models.Stack.parse_template(text)
    except Exception as error:
        raise ValidationError(message=f"Template format error: {error}") from error
    if not isinstance(found, dict) or not found.get("Resources"):
        raise ValidationError(message="Template format error: At least one Resources member must be defined.")
    return found


def _capabilities(template: dict[str, Any]) -> list[str]:
    made = template["Resources"].values()
    if any(item.get("Properties", {}).get(_NAMES.get(item["Type"], ""), None) for item in made):
        return [_NAMED]
    return [_IAM] if any(item["Type"].startswith("AWS::IAM::") for item in made) else []


def _define(made: StackSet, params: dict[str, Any]) -> None:
    text = params.get("TemplateBody") or made.template
    template = _read(text)
    given = params.get("Capabilities") or []
    if missing := [
        name for name in _capabilities(template) if name not in (*given, *([_IAM] if _NAMED in given else []))
    ]:
        raise refuse("InsufficientCapabilitiesException", f"Requires capabilities : {missing}")
    made.parameters = _parameters(template.get("Parameters") or {}, made.parameters, params.get("Parameters") or [])
    auto = params.get("AutoDeployment")
    if auto and made.model == "SELF_MANAGED":
        raise ValidationError(message="AutoDeployment is for stack sets with service-managed permissions")
    made.template, made.capabilities = text, list(given)
    made.description = params.get("Description") or made.description
    made.hidden = {key for key, item in (template.get("Parameters") or {}).items() if item.get("NoEcho")}
    made.auto = auto or made.auto
    made.managed = params.get("ManagedExecution") or made.managed
    made.execution_role = params.get("ExecutionRoleName") or made.execution_role
    made.administration_role = params.get("AdministrationRoleARN") or made.administration_role
    if "Tags" in params or not made.tags:
        made.tags = params.get("Tags") or []


def _parameters(declared: dict[str, Any], before: dict[str, str], given: list[dict[str, Any]]) -> dict[str, str]:
    """The texts of the errors are CloudFormation's."""
    names = {item["ParameterKey"] for item in given}
    if unknown := sorted(names - declared.keys()):
        raise ValidationError(message=f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    found = {}
    for item in given:
        key = item["ParameterKey"]
        found[key] = before[key] if str(item.get("UsePreviousValue")).lower() == "true" else item["ParameterValue"]
    if missing := sorted(key for key, item in declared.items() if "Default" not in item and key not in found):
        raise ValidationError(message=f"Parameters: [{', '.join(missing)}] must have values")
    for key, value in found.items():
        if value not in map(str, declared[key].get("AllowedValues", [value])):
            raise ValidationError(message=f"Parameter '{key}' must be one of AllowedValues")
    return found


def _check_free(found: StackSet, params: dict[str, Any]) -> None:
    if params.get("OperationId") in found.operations:
        raise refuse("OperationIdAlreadyExistsException", "The specified operation ID already exists.")
    if found.running and str((found.managed or {}).get("Active")).lower() != "true":
        text = f"Another Operation on StackSet {found.set_id} is in progress: {found.running[0].operation_id}"
        raise refuse("OperationInProgressException", text)


def _targets(found: StackSet, params: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Return the unit of each account and Region that a request is for."""
    regions, targets = params.get("Regions") or [], params.get("DeploymentTargets") or {}
    if not regions:
        raise ValidationError(message="Regions must not be empty")
    units = targets.get("OrganizationalUnitIds") or []
    if found.model == "SELF_MANAGED":
        accounts = params.get("Accounts") or targets.get("Accounts") or []
        if units or not accounts:
            text = "StackSets with SELF_MANAGED permission model can only have accounts as target"
            raise ValidationError(message=text)
        return {(account, region): "" for account in accounts for region in regions}
    if not units or params.get("Accounts"):
        text = "StackSets with SERVICE_MANAGED permission model can only have OrganizationalUnit as target"
        raise ValidationError(message=text)
    # "UNION (default value): Includes both accounts and OUs" (DeploymentTargets, AccountFilterType)
    kind, named = targets.get("AccountFilterType") or "UNION", targets.get("Accounts") or []
    members = accounts_of(found.account, units)
    if kind == "INTERSECTION":
        members = {account: unit for account, unit in members.items() if account in named}
    elif kind == "DIFFERENCE":
        members = {account: unit for account, unit in members.items() if account not in named}
    elif kind == "UNION":
        members |= {account: "" for account in named if account not in members}
    return {(account, region): unit for account, unit in members.items() for region in regions}


def _existing(self: Any, action: str) -> ActionResult:
    params, found = self._get_params(), _find(self)
    _check_free(found, params)
    keys = list(_targets(found, params))
    if action == "UPDATE" and not set(keys) <= found.rows.keys():
        raise refuse("StackInstanceNotFoundException", "The specified stack instance doesn't exist.")
    return ActionResult(
        {"OperationId": _start(found, action, [key for key in keys if key in found.rows], params).operation_id}
    )


def _start(found: StackSet, action: str, keys: list[tuple[str, str]], params: dict[str, Any]) -> Operation:
    wishes = params.get("OperationPreferences") or {}
    for pair in (
        ("FailureToleranceCount", "FailureTolerancePercentage"),
        ("MaxConcurrentCount", "MaxConcurrentPercentage"),
    ):
        if all(name in wishes for name in pair):
            raise ValidationError(message=f"Only one of {pair[0]} and {pair[1]} can be specified")
    if params.get("Regions") and set(wishes.get("RegionOrder") or []) - set(params["Regions"]):
        raise ValidationError(message="RegionOrder has Regions that are not in Regions")
    retain = str(params.get("RetainStacks")).lower() == "true"
    return found.begin(params.get("OperationId") or "", action, keys, wishes, retain, world().clock.now())


def _operation(self: Any) -> Operation:
    found, operation_id = _find(self), self._get_param("OperationId")
    if operation_id not in found.operations:
        raise refuse("OperationNotFoundException", "The specified ID refers to an operation that doesn't exist.")
    return found.operations[operation_id]


def _change_set(original: Callable[..., Any]) -> Callable[..., Any]:
    """ "By default, CloudFormation specifies UPDATE" (CreateChangeSet, ChangeSetType); moto creates another stack."""

    def create_change_set(self: Any) -> Any:
        read = self._get_param
        self._get_param = lambda name, default=None: read(name, "UPDATE" if name == "ChangeSetType" else default)
        return original(self)

    return create_change_set


def _update(original: Callable[..., Any]) -> Callable[..., Any]:
    """An update without changes is an error (UpdateStack); moto compares without the defaults of parameters."""

    def update_stack(self: Any) -> Any:
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        declared = stack.template_dict.get("Parameters") or {}
        defaults = {key: str(item["Default"]) for key, item in declared.items() if "Default" in item}
        given = {item["ParameterKey"]: item.get("ParameterValue") for item in self._get_param("Parameters", [])}
        same = self._get_param("TemplateBody") == stack.template
        if same and {**defaults, **given} == {**defaults, **stack.parameters}:
            raise ValidationError(message="No updates are to be performed.")
        return original(self)

    return update_stack


def _short_form(original: Callable[..., Any]) -> Callable[..., Any]:
    """``!Condition name`` is ``Condition: name`` (user guide, condition functions); moto makes a function of it."""

    def construct(loader: Any, tag: Any, node: Any) -> Any:
        return {"Condition": node.value} if tag == "!Condition" else original(loader, tag, node)

    return construct


@cache
def bind() -> None:
    """Put this into moto, which takes seconds to load: only once somebody asks CloudFormation."""
    from . import stack_types  # noqa: F401 # moto finds them as subclasses of its own

    parsing.get_model_list.cache_clear()
    parsing.get_model_map.cache_clear()
    parsing.get_name_type_map.cache_clear()
    for name, method in vars(_Answers).items():
        if not name.startswith("_"):
            setattr(CloudFormationResponse, name, method)
    CloudFormationResponse.create_change_set = _change_set(CloudFormationResponse.create_change_set)
    CloudFormationResponse.update_stack = _update(CloudFormationResponse.update_stack)
    # A change set without changes is made and fails (CreateChangeSet); moto refuses it.
    CloudFormationResponse._validate_different_update = lambda *_values: None
    constructor = _short_form(models.yaml_tag_constructor)
    models.yaml_tag_constructor = responses.yaml_tag_constructor = constructor
    clean = parsing.clean_json

    def clean_json(data: Any, resources: Any) -> Any:
        """AWS::NoValue removes an entry of a list as well (user guide, pseudo parameters)."""
        found = clean(data, resources)
        return [item for item in found if item is not None] if isinstance(data, list) else found

    parsing.clean_json = clean_json
    put = Role.put_policy

    def put_policy(self: Any, name: str, document: Any) -> None:
        """Policies of templates are texts as well (GetRolePolicy); moto answers Python's form of them."""
        put(self, name, document if isinstance(document, str) else json.dumps(document))

    Role.put_policy = put_policy
    # "Ref returns the name of the event bus" (template reference, AWS::Events::EventBus).
    EventBus.physical_resource_id = property(lambda self: self.name)
