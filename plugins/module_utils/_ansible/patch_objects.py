# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kinds of objects that a policy declares in Systems Manager: each with its options and what manages it.

A module for one object and the module for all of them take the same options.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._aws.baselines import SsmBaselines
from .._aws.patch_groups import SsmPatchGroups
from .._aws.window_targets import SsmWindowTargets
from .._aws.window_tasks import SsmWindowTasks
from .._aws.windows import SsmWindows
from .._core.ssm.baseline_noun import BaselineNoun
from .._core.ssm.baselines import COMPLIANCE_LEVELS, OPERATING_SYSTEMS
from .._core.ssm.baselines import to_given as to_given_baseline
from .._core.ssm.patch_groups import PatchGroupNoun
from .._core.ssm.window_targets import WindowTargetNoun
from .._core.ssm.window_tasks import TASK_TYPES, WindowTaskNoun
from .._core.ssm.windows import WindowNoun
from .._core.ssm.windows import to_given as to_given_window
from .run import Kind
from .spec import STATE, TAGS, TARGETS

Options = Mapping[str, Any]

_TEXT = {"type": "str"}
_STRINGS = {"type": "list", "elements": "str"}
_LEVEL = {"type": "str", "choices": list(COMPLIANCE_LEVELS)}
_RULE = {
    "classification": _STRINGS,
    "severity": _STRINGS,
    "product": _STRINGS,
    "filters": {"type": "dict"},
    "compliance_level": {**_LEVEL, "default": "UNSPECIFIED"},
    "approve_after_days": {"type": "int"},
    "approve_until_date": _TEXT,
    "enable_non_security": {"type": "bool", "default": False},
}
_SOURCE = {
    "name": {"type": "str", "required": True},
    "products": {**_STRINGS, "required": True},
    "configuration": {"type": "str", "required": True, "no_log": True},
}


def _baseline(port: Any, options: Options) -> BaselineNoun:
    given, present = to_given_baseline(options), options["state"] == "present"
    return BaselineNoun(port, given, present=present, purge_tags=options["purge_tags"])


BASELINE = Kind(
    name="patch_baseline",
    header=lambda options: f"patch baseline {options['name'] or options['baseline_id']}",
    port=SsmBaselines,
    make=_baseline,
    rules={"required_one_of": [("name", "baseline_id")]},
    spec={
        **STATE,
        **TAGS,
        "name": _TEXT,
        "baseline_id": _TEXT,
        "operating_system": {"type": "str", "choices": list(OPERATING_SYSTEMS)},
        "description": _TEXT,
        "global_filters": {"type": "dict"},
        "rules": {"type": "list", "elements": "dict", "options": _RULE},
        "approved_patches": _STRINGS,
        "approved_patches_compliance_level": _LEVEL,
        "approved_patches_enable_non_security": {"type": "bool"},
        "rejected_patches": _STRINGS,
        "rejected_patches_action": {"type": "str", "choices": ["ALLOW_AS_DEPENDENCY", "BLOCK"]},
        "sources": {"type": "list", "elements": "dict", "options": _SOURCE},
        "available_security_updates_status": {"type": "str", "choices": ["COMPLIANT", "NON_COMPLIANT"]},
        "default": {"type": "bool"},
    },
)

PATCH_GROUP = Kind(
    name="patch_group",
    header=lambda options: f"patch group {options['name']}",
    port=SsmPatchGroups,
    make=PatchGroupNoun,
    rules={"required_if": [("state", "present", ["baselines"])]},
    spec={
        **STATE,
        "name": {"type": "str", "required": True},
        "baselines": _STRINGS,
        "rebind": {"type": "bool", "default": False},
        "purge_baselines": {"type": "bool", "default": False},
    },
)


def _window(port: Any, options: Options) -> WindowNoun:
    given, present = to_given_window(options), options["state"] == "present"
    return WindowNoun(port, given, present=present, purge_tags=options["purge_tags"])


WINDOW = Kind(
    name="maintenance_window",
    header=lambda options: f"maintenance window {options['name'] or options['window_id']}",
    port=SsmWindows,
    make=_window,
    rules={"required_one_of": [("name", "window_id")]},
    spec={
        **STATE,
        **TAGS,
        "name": _TEXT,
        "window_id": _TEXT,
        "schedule": _TEXT,
        "timezone": _TEXT,
        "offset_days": {"type": "int"},
        "start": _TEXT,
        "end": _TEXT,
        "duration_hours": {"type": "int"},
        "cutoff_hours": {"type": "int"},
        "allow_unassociated_targets": {"type": "bool"},
        "enabled": {"type": "bool"},
        "description": _TEXT,
    },
)

WINDOW_TARGET = Kind(
    name="maintenance_window_target",
    header=lambda options: (
        f"target {options['name'] or options['target_id']} of maintenance window {options['window']}"
    ),
    port=SsmWindowTargets,
    make=WindowTargetNoun,
    rules={"required_one_of": [("name", "target_id")]},
    spec={
        **STATE,
        **TARGETS,
        "window": {"type": "str", "required": True},
        "name": _TEXT,
        "target_id": _TEXT,
        "owner_information": _TEXT,
        "description": _TEXT,
        "safe": {"type": "bool", "default": True},
    },
)

_RUN_COMMAND = {
    "parameters": {"type": "dict"},
    "comment": _TEXT,
    "document_version": _TEXT,
    "document_hash": _TEXT,
    "document_hash_type": {**_TEXT, "choices": ["Sha256", "Sha1"]},
    "delivery_timeout": {"type": "int"},
    "notification_role_arn": _TEXT,
    "output_s3_bucket": _TEXT,
    "output_s3_prefix": _TEXT,
    "cloudwatch_output": {"type": "bool"},
    "cloudwatch_log_group": _TEXT,
    "notification_arn": _TEXT,
    "notification_events": {
        **_STRINGS,
        "choices": ["All", "InProgress", "Success", "TimedOut", "Cancelled", "Failed"],
    },
    "notification_type": {**_TEXT, "choices": ["Command", "Invocation"]},
}

WINDOW_TASK = Kind(
    name="maintenance_window_task",
    header=lambda options: f"task {options['name'] or options['task_id']} of maintenance window {options['window']}",
    port=SsmWindowTasks,
    make=WindowTaskNoun,
    rules={
        "mutually_exclusive": [("window_targets", "instance_ids")],
        "required_one_of": [("name", "task_id")],
    },
    spec={
        **STATE,
        "window": {"type": "str", "required": True},
        "name": _TEXT,
        "task_id": _TEXT,
        "task_type": {"type": "str", "choices": list(TASK_TYPES)},
        "task_arn": _TEXT,
        "window_targets": _STRINGS,
        "instance_ids": _STRINGS,
        "service_role_arn": _TEXT,
        "priority": {"type": "int"},
        "max_concurrency": _TEXT,
        "max_errors": _TEXT,
        "description": _TEXT,
        "cutoff_behavior": {"type": "str", "choices": ["CONTINUE_TASK", "CANCEL_TASK"]},
        "alarm": _TEXT,
        "ignore_alarm_failure": {"type": "bool"},
        "run_command": {"type": "dict", "options": _RUN_COMMAND},
        "automation": {"type": "dict", "options": {"parameters": {"type": "dict"}, "document_version": _TEXT}},
        "lambda_function": {
            "type": "dict",
            "options": {"payload": _TEXT, "qualifier": _TEXT, "client_context": _TEXT},
        },
        "step_functions": {"type": "dict", "options": {"input": _TEXT, "name": _TEXT}},
    },
)

#: By the names of the lists in which a policy declares them, in the order in which they must be created.
KINDS: Mapping[str, Kind] = {
    "baselines": BASELINE,
    "patch_groups": PATCH_GROUP,
    "windows": WINDOW,
    "window_targets": WINDOW_TARGET,
    "window_tasks": WINDOW_TASK,
}
