# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbooks: their types, defaults and documentation, and the check before a playbook begins.

``docs/playbooks.md`` is made from this. A blank variable counts as unset, because AWX sends the unanswered questions of
a survey as blanks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.events import DECISIONS
from ..module_utils._core.nodes import BY, EMPTY, PREFIX
from ..module_utils._core.text import nearest, plain


class WrongVariables(PatchtideError):
    """A variable is unknown, missing or refused."""

    code = "WrongVariables"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """``kind``: ``text``, ``path``, ``number``, ``minutes``, ``seconds``, ``hours``, ``yes or no``, ``list`` or
    ``data``."""

    what: str
    kind: str = "text"
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Playbook:
    """``needs``: required variables; of ``a|b`` one is enough. ``takes``: the others with their defaults.

    ``refuses``: extra variables that would replace what the playbook itself sets, and ``instead`` what to set.
    """

    what: str
    needs: tuple[str, ...] = ()
    takes: Mapping[str, Any]
    refuses: tuple[str, ...] = ()
    instead: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Every variable that it reads, required ones first."""
        return (*(name for item in self.needs for name in item.split("|")), *self.takes)


#: All variables, without the prefix ``patchtide_``.
VARIABLES: Mapping[str, Variable] = {
    "after": Variable(what="The later plan: a plan.json or the directory of a rollout.", kind="path"),
    "ahead_minutes": Variable(what="How long before a window a rollout is due.", kind="minutes"),
    "allow_changed_policy": Variable(
        what="Whether a plan may be carried out although the policy was changed since.", kind="yes or no"
    ),
    "approval_file": Variable(what="The approval of the plan, if the policy requires one.", kind="path"),
    "approved_digest": Variable(what="Digest of the plan that was approved. No other plan is carried out."),
    "athena": Variable(
        what="Runs the queries on Athena, as athena of patchtide_query, in the Region of the history.", kind="data"
    ),
    "at": Variable(what="Time for which the plan is made, such as 2026-06-01T20:00:00Z. Without it, now."),
    "awx_content": Variable(
        what="What to configure: a tenant with its templates, or the team and templates of one owner.",
        choices=("tenant", "owner"),
    ),
    "awx_dir": Variable(what="Directory of the content to configure. Without it, that of the collection.", kind="path"),
    "awx_settings": Variable(what="File with what differs from site to site, a copy of awx/settings.yml.", kind="path"),
    "azure_export_path": Variable(what="File for the list of machines, CSV or JSON by its name.", kind="path"),
    "azure_required_tags": Variable(what="The required tags, as in azure_vm_tags.", kind="data"),
    "azure_resource_groups": Variable(what="Resource groups. Without it, all.", kind="list"),
    "azure_subscriptions": Variable(what="Subscriptions by ID or name. Without it, all that can be read.", kind="list"),
    "azure_tags_mode": Variable(
        what="Whether missing tags that have a default are set (ensure).", choices=("audit", "ensure")
    ),
    "azure_tags_respell": Variable(what="Whether ensure corrects upper and lower case of tag names.", kind="yes or no"),
    "before": Variable(what="The earlier plan: a plan.json or the directory of a rollout.", kind="path"),
    "catch_up": Variable(what="catch_up.json of an earlier rollout, whose nodes were missed.", kind="path"),
    "claims": Variable(
        what="Where claims of nodes are kept, as in rollout_journal: file:PATH, dynamodb:TABLE or none."
    ),
    "custom_compliance": Variable(
        what="Whether Systems Manager shows the state of its nodes as custom compliance, Custom:Patchtide.",
        kind="yes or no",
    ),
    "custom_inventory": Variable(
        what="Whether on-premises nodes get tags from their inventory of type Custom:PatchInformation.",
        kind="yes or no",
    ),
    "decision": Variable(what="What is decided.", choices=tuple(DECISIONS)),
    "dir": Variable(what="Directory of the rollout, one for each patch cycle.", kind="path"),
    "emergency": Variable(
        what="Whether to plan only patches of findings that cannot wait for the next window of their nodes.",
        kind="yes or no",
    ),
    "endpoints": Variable(
        what="Addresses that nodes must reach beside those of AWS, such as that of Satellite or WSUS.", kind="list"
    ),
    "environments": Variable(what="Environments that the approval is for. Without it, those of the plan.", kind="list"),
    "estate_accounts": Variable(
        what="Accounts as role ARNs or with name, role_arn and external_id. Without it, that of the credentials.",
        kind="data",
    ),
    "estate_file": Variable(what="File for the exported estate.", kind="path"),
    "estate_regions": Variable(
        what="Regions, for bootstrap_estate the home Region first. Without it, that of the credentials.", kind="list"
    ),
    "exception_decision": Variable(
        what="What is decided about the exception.", choices=("approved", "rejected", "revoked")
    ),
    "exception_from": Variable(what="First day of the exception, such as 2026-12-01."),
    "exception_id": Variable(what="ID of the exception, as in the notice of its request."),
    "exception_to": Variable(what="Last day of the exception, such as 2026-12-31."),
    "finding_sources": Variable(
        what="Files of scanners that are imported before the plan is made, as sources of vulnerability_import.",
        kind="data",
    ),
    "finding_kev": Variable(what="CISA's catalogue of exploited vulnerabilities, for finding_sources.", kind="path"),
    "form": Variable(what="YAML or JSON file with nodes, window, until and reason instead of variables.", kind="path"),
    "init_dir": Variable(what="Directory for the drafts of inventory and policy.", kind="path"),
    "history": Variable(what="The history: a directory, or s3://bucket/prefix."),
    "history_kms_key": Variable(what="KMS key of new objects of the history. Without it, the bucket's default."),
    "history_region": Variable(what="Region of the history's bucket. Without it, that of the credentials."),
    "history_since": Variable(what="First day of the history to read, such as 2026-01-01. Without it, all of it."),
    "from_nodes": Variable(
        what="Whether the nodes of the inventory try endpoints and repositories themselves, by a command or over SSH.",
        kind="yes or no",
    ),
    "hub_parameters": Variable(
        what="Parameters of templates/hub.template. Without it, no hub; {} takes the defaults.", kind="data"
    ),
    "internet": Variable(
        what="Whether nodes may use a way to the internet. If not, each such way is reported.", kind="yes or no"
    ),
    "inventory_dir": Variable(
        what="Directory of the inventory, where the windows of hosts in no cloud are written.", kind="path"
    ),
    "journal": Variable(what="Where the journal is kept, as in rollout_journal: file or dynamodb:TABLE."),
    "lists_parameters": Variable(
        what="Parameters of templates/lists.template. Without it, no buckets of override lists.", kind="data"
    ),
    "link_hours": Variable(what="How long the link to a report is valid at most, up to 168.", kind="hours"),
    "nodes": Variable(what="Nodes by ID or inventory name.", kind="list"),
    "owner_pages": Variable(
        what="Whether the dashboard has a page for each owner, with the rows of that owner alone.", kind="yes or no"
    ),
    "owner_parameters": Variable(
        what=(
            "Parameters of templates/owner.template, one entry for each owner: Owner, Email, Accounts. They need "
            "hub_parameters."
        ),
        kind="data",
    ),
    "patch_baselines": Variable(
        what="What ssm_patch_baseline_info returns with effective_patches: which patches are rejected.", kind="data"
    ),
    "period": Variable(what="What the report is about: last_30_days, last_month, or a month such as 2026-11."),
    "plans": Variable(what="Directory above the directories of all rollouts.", kind="path"),
    "policy_digest": Variable(what="Digest of the changed policy, for the decision accept_policy."),
    "policy_file": Variable(what="The policy.", kind="path"),
    "policy_name": Variable(what="Name of the drafted policy."),
    "poll_interval": Variable(
        what="How often the state of running commands is read; in a rollout, that of long ones every 30 seconds.",
        kind="seconds",
    ),
    "principal": Variable(what="Who signs, as in the trust bundle, such as ana@example.com."),
    "pseudonyms": Variable(what="Whether names and IDs of nodes and owners are replaced.", kind="yes or no"),
    "reason": Variable(what="Why, in one sentence. It is recorded."),
    "repair": Variable(
        what="Which repair is made; none shows the differences and proposes one.",
        choices=("none", "once", "permanent", "by_trend"),
    ),
    "report_dir": Variable(what="Directory of the report. Without it, report in the rollout's directory.", kind="path"),
    "report_formats": Variable(what="Formats of the report. Without it, json, csv and html.", kind="list"),
    "reports": Variable(what="Place of the reports: a directory, or s3://bucket/prefix."),
    "repository_history": Variable(
        what="History of the repositories of all hosts. Without it, repositories.jsonl in the directory.", kind="path"
    ),
    "role": Variable(what="Role in which the person signs. Without it, the only one that the person has."),
    "scan_file": Variable(
        what="The newest scan.json: the compliance of nodes, and how severe the patches are that stay missing.",
        kind="path",
    ),
    "sla_days": Variable(
        what="Days within which missing patches have to be installed, by severity. Without it, the published ones.",
        kind="data",
    ),
    "soak_wait_minutes": Variable(
        what="How long to wait for the end of a soak time. Without it, to its end.", kind="minutes"
    ),
    "split_at_most": Variable(what="Number of child plans; 0 for one for each group of nodes.", kind="number"),
    "split_by": Variable(what="By what nodes are grouped into child plans.", choices=BY),
    "spoke_parameters": Variable(
        what="Parameters of templates/spoke.template beside those that follow from hub and lists. Without it, none.",
        kind="data",
    ),
    "spoke_targets": Variable(
        what=(
            "Accounts of the spokes, as options of stack_set: target_accounts, or organizational_units with "
            "permission_model, call_as, account_filter, auto_deployment; also operation_preferences and the two roles."
        ),
        kind="data",
    ),
    "statements": Variable(
        what="Directory of the statements about exceptions that people sign. Without it, exceptions.", kind="path"
    ),
    "tag_keys": Variable(
        what="Keys of tags: patch_group, maintenance_window, application, owner, environment.", kind="data"
    ),
    "takeover_minutes": Variable(
        what="After how long without a record a rollout of another machine is taken over.", kind="minutes"
    ),
    "tenants": Variable(what="Directory with patchtide_tenants.yml and a directory for each tenant.", kind="path"),
    "until": Variable(what="Last day of the choice, such as 2026-12-31. Without it, the choice is for good."),
    "valid_hours": Variable(what="How long the approval is valid.", kind="hours"),
    "verdict": Variable(what="What the person says of the plan.", choices=("approve", "reject")),
    "vpcs": Variable(what="VPCs by ID. Without it, all that have instances.", kind="list"),
    "wave": Variable(what="The wave that is decided on."),
    "waves": Variable(what="Waves that the approval is for. Without it, all.", kind="list"),
    "what": Variable(what="What was restored by hand, for the decision write_off, such as drained."),
    "window": Variable(what="Name of a window of the policy."),
    "window_ledger": Variable(what="Ledger of the owners' choices, a JSON file.", kind="path"),
    "window_wait_minutes": Variable(what="How long to wait for a window to open.", kind="minutes"),
}

_ROLLOUT = {"journal": None, "claims": None, "poll_interval": 15}

#: The playbooks in the order of a patch cycle.
PLAYBOOKS: Mapping[str, Playbook] = {
    "init_policy": Playbook(
        what="Shows what an estate has and what is missing, and drafts an inventory and a policy.",
        takes={
            "init_dir": "patching",
            "policy_name": "patching",
            "estate_regions": [],
            "estate_accounts": [],
            "tag_keys": {},
        },
    ),
    "bootstrap_estate": Playbook(
        what="Prepares AWS accounts with CloudFormation: hub, buckets of override lists and spokes.",
        needs=("estate_regions",),
        takes={
            "hub_parameters": None,
            "owner_parameters": [],
            "lists_parameters": None,
            "spoke_parameters": None,
            "spoke_targets": {},
        },
    ),
    "rehearsal_export": Playbook(
        what="Exports nodes, tags and missing patches for a rehearsal.",
        needs=("policy_file",),
        takes={"estate_file": "estate.yml", "pseudonyms": False},
    ),
    "apply_policy": Playbook(
        what="Creates and updates the patch baselines, patch groups and maintenance windows of a policy.",
        takes={"policy_file": "policy.yml"},
    ),
    "scan_compliance": Playbook(
        what="Scans every node and writes the missing patches to scan.json.",
        needs=("policy_file", "dir"),
        takes={"poll_interval": 15, "custom_compliance": False},
    ),
    "repair_repositories": Playbook(
        what="Compares the repositories of Linux hosts with the policy's, and corrects them.",
        needs=("policy_file", "dir"),
        takes={"repair": "none", "repository_history": None},
    ),
    "plan_rollout": Playbook(
        what="Creates plan.json from policy, inventory and scan.",
        needs=("policy_file", "dir"),
        takes={"catch_up": None, "at": None, "finding_sources": [], "finding_kev": None, "emergency": False},
    ),
    "diff_plans": Playbook(what="Compares a plan with an earlier plan.", needs=("before", "after|dir"), takes={}),
    "split_plan": Playbook(
        what="Splits a plan into child plans, which several controllers carry out with shared budgets and gates.",
        needs=("dir", "claims"),
        takes={"split_by": "account_region", "split_at_most": 0, "journal": None},
    ),
    "approve_plan": Playbook(
        what="Shows who has approved a plan and what is missing, and writes the statement that a person signs.",
        needs=("dir",),
        takes={
            "reason": None,
            "verdict": "approve",
            "principal": None,
            "role": None,
            "environments": [],
            "waves": [],
            "valid_hours": 72,
        },
    ),
    "rollout_patches": Playbook(
        what="Carries out the plan, wave by wave.",
        needs=("policy_file", "dir"),
        takes={
            "approved_digest": None,
            "approval_file": None,
            "allow_changed_policy": False,
            "window_wait_minutes": 60,
            "soak_wait_minutes": None,
            **_ROLLOUT,
        },
    ),
    "run_due": Playbook(
        what="Starts or continues the most urgent rollout that is due, among all plans in a directory.",
        needs=("plans",),
        takes={"ahead_minutes": 30, "takeover_minutes": 30, **_ROLLOUT},
        refuses=(
            "dir",
            "policy_file",
            "approval_file",
            "approved_digest",
            "window_wait_minutes",
            "soak_wait_minutes",
        ),
        instead=(
            "it would count for all rollouts. Set patchtide_plans, the directory above all rollouts; policy.yml and "
            "approval.yml of a rollout are in its directory, and policy.yml may be above it"
        ),
    ),
    "steer_rollout": Playbook(
        what="Records a decision on a rollout in its journal, with name and reason.",
        needs=("dir", "decision", "reason"),
        takes={
            "wave": None,
            "nodes": [],
            "what": None,
            "policy_digest": None,
            "principal": None,
            "role": None,
            "journal": None,
        },
    ),
    "report_compliance": Playbook(
        what="Reports on a rollout, or on a scan without a plan.",
        needs=("dir",),
        takes={"policy_file": None, "report_dir": None, "report_formats": None, "patch_baselines": None},
    ),
    "publish_history": Playbook(
        what="Publishes scan, rollout, findings and exceptions to the history.",
        needs=("policy_file", "dir", "history"),
        takes={"history_region": None, "history_kms_key": None, "sla_days": None, "patch_baselines": None},
    ),
    "report_history": Playbook(
        what="Answers the standing questions from the history as CSV files, and writes the dashboard.",
        needs=("history|athena", "report_dir"),
        takes={"history_region": None, "history_since": None, "owner_pages": False},
    ),
    "publish_report": Playbook(
        what="Publishes the report of a month or of 30 days, and sends its link.",
        needs=("history", "reports"),
        takes={
            "period": "last_30_days",
            "policy_file": None,
            "link_hours": 24,
            "history_region": None,
            "history_kms_key": None,
        },
    ),
    "choose_window": Playbook(
        what="Lets owners choose a window of the policy for their own nodes.",
        needs=("policy_file", "window_ledger"),
        takes={"nodes": None, "window": None, "until": None, "reason": None, "form": None, "inventory_dir": None},
    ),
    "request_exception": Playbook(
        what="Lets owners request an exception for their own nodes.",
        needs=("policy_file", "nodes", "exception_from", "exception_to", "reason"),
        takes={"scan_file": None, "statements": None},
    ),
    "decide_exception": Playbook(
        what="Approves, rejects or revokes an exception, in the name of the person who runs it.",
        needs=("policy_file", "exception_id", "exception_decision"),
        takes={"reason": None, "scan_file": None, "statements": None},
    ),
    "report_own_nodes": Playbook(
        what="Shows owners the compliance, windows and exceptions of their own nodes.",
        needs=("policy_file", "scan_file"),
        takes={},
    ),
    "sync_windows": Playbook(
        what="Creates maintenance windows, targets and patch groups from the tags of nodes.",
        needs=("policy_file",),
        takes={"window_ledger": None, "custom_inventory": True, "inventory_dir": None},
    ),
    "enroll_nodes": Playbook(
        what="Finds nodes that a plan would miss, repairs what the policy allows, and shows the fix of the rest.",
        needs=("policy_file",),
        takes={"nodes": [], "poll_interval": 15},
    ),
    "check_connectivity": Playbook(
        what="Checks whether nodes in AWS reach what patching needs, and shows the exact change where they do not.",
        needs=("policy_file",),
        takes={"vpcs": [], "internet": True, "from_nodes": False, "endpoints": [], "poll_interval": 15},
    ),
    "check_azure_tags": Playbook(
        what="Checks the required tags of Azure virtual machines and Azure Arc servers, and sets missing ones.",
        needs=("azure_required_tags",),
        takes={
            "azure_subscriptions": [],
            "azure_tags_mode": "audit",
            "azure_tags_respell": False,
            "azure_resource_groups": [],
            "azure_export_path": None,
        },
    ),
    "sync_exceptions": Playbook(
        what="Synchronizes the tags of nodes with the exception ledger and reports alarms.",
        needs=("policy_file",),
        takes={},
    ),
    "send_notices": Playbook(
        what="Sends the notices that are due, and nothing twice.",
        needs=("policy_file",),
        takes={"plans": None},
    ),
    "tenants_overview": Playbook(
        what="Shows the provider all tenants on one page, after checking that they are separate.",
        needs=("tenants", "report_dir"),
        takes={"history_region": None},
    ),
    "configure_awx": Playbook(
        what="Creates and updates templates, workflows, schedules, teams and their rights in AWX.",
        needs=("awx_settings",),
        takes={"awx_dir": None, "awx_content": "tenant"},
    ),
}

#: What jobs hand on to later jobs of an AWX workflow, which get it as extra variables.
HANDED_ON = ("plan_digest", "rollout_id", "exception_alarms")


def paths_in(given: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
    """Yield the given variables that name a file or directory, without prefix, with their paths."""
    for name, value in given.items():
        text = str(value)
        if VARIABLES[name].kind == "path" or (name == "history" and "://" not in text):
            yield name, Path(text)
        elif name == "claims" and text.startswith("file:"):
            yield name, Path(text.removeprefix("file:"))


def read(playbook: str, given: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    """Return the variables of a playbook in their types, with defaults; without what is unset and has none.

    :param given: values by name with prefix. :param extra: all extra variables of this run.
    :raises PatchtideError: a variable is unknown, missing, refused or has an invalid value.
    """
    row = PLAYBOOKS[playbook]
    _check_names(extra)
    for name in row.refuses:
        if not _is_blank(extra.get(PREFIX + name)):
            raise WrongVariables(f"{playbook} takes no {PREFIX}{name}: {row.instead}.")
    is_set = {name: given[PREFIX + name] for name in row.names if not _is_blank(given.get(PREFIX + name))}
    for item in row.needs:
        if not any(name in is_set for name in item.split("|")):
            raise WrongVariables(f"{playbook} needs {' or '.join(map(_described, item.split('|')))}.")
    defaults = {name: value for name, value in row.takes.items() if value is not None}
    return defaults | {name: _typed(name, value) for name, value in is_set.items()}


def _described(name: str) -> str:
    known = VARIABLES[name]
    values = f": {', '.join(known.choices)}" if known.choices else ""
    return f"{PREFIX}{name} ({known.what.rstrip('.')}{values})"


def _check_names(extra: Iterable[str]) -> None:
    known = {PREFIX + name for name in (*VARIABLES, *HANDED_ON, *EMPTY)}
    wrong = sorted(name for name in extra if name.startswith(PREFIX) and name not in known)
    if wrong:
        told = [
            f"{plain(name)} (did you mean {hint}?)" if (hint := nearest(name, known)) else plain(name) for name in wrong
        ]
        raise WrongVariables(f"No playbook has these extra variables: {', '.join(told)}. See docs/playbooks.md.")


def _is_blank(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _typed(name: str, value: Any) -> Any:
    known = VARIABLES[name]
    found, expected = _KINDS[known.kind](value)
    if found is None or (known.choices and found not in known.choices):
        raise BadInput(PREFIX + name, value, f"one of {', '.join(known.choices)}" if known.choices else expected)
    return found


def _text(value: Any) -> tuple[Any, str]:
    if isinstance(value, date):  # YAML reads a day or a time without quotes as one
        return value.isoformat(), ""
    return (str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None), "a text"


def _number(value: Any) -> int | None:
    text = str(value).strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _minutes(value: Any) -> tuple[Any, str]:
    return _number(value), "a whole number of minutes, 0 or more"


def _at_least_one(unit: str) -> Callable[[Any], tuple[Any, str]]:
    return lambda value: (_number(value) or None, f"a whole number of {unit}, 1 or more")


def _flag(value: Any) -> tuple[Any, str]:
    try:
        return boolean(value), "true or false"
    except TypeError:
        return None, "true or false"


def _list(value: Any) -> tuple[Any, str]:
    items = [item.strip() for item in re.split(r"[,\n]", value) if item.strip()] if isinstance(value, str) else value
    return (items if isinstance(items, list) else None), "a list, or texts separated by commas or line ends"


def _data(value: Any) -> tuple[Any, str]:
    return value, "data"


_KINDS: Mapping[str, Callable[[Any], tuple[Any, str]]] = {
    "text": _text,
    "path": _text,
    "number": lambda value: (_number(value), "a whole number, 0 or more"),
    "minutes": _minutes,
    "seconds": _at_least_one("seconds"),
    "hours": _at_least_one("hours"),
    "yes or no": _flag,
    "list": _list,
    "data": _data,
}
