# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tasks of maintenance windows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from ..arns import name_of
from ..change import Change, carry_out, merge
from ..errors import BadInput
from . import limits
from .parameters import check_automation_parameters, to_parameters
from .targets import Targets
from .window_targets import find_by_id_or_name, missing_window

#: Option with the invocation parameters of each task type.
INVOCATION_OPTIONS = {
    "RUN_COMMAND": "run_command",
    "AUTOMATION": "automation",
    "LAMBDA": "lambda_function",
    "STEP_FUNCTIONS": "step_functions",
}
TASK_TYPES = tuple(INVOCATION_OPTIONS)
#: Characters that a text among the invocation parameters has at most (botocore's service model).
_LONGEST = {
    "payload": 4096,
    "input": 4096,
    "name": 80,
    "client_context": 8000,
    "qualifier": 128,
    "document_hash": 256,
    "output_s3_prefix": 500,
    "cloudwatch_log_group": 512,
}
TARGET_IDS, INSTANCE_IDS = "WindowTargetIds", "InstanceIds"
#: Members that have no effect without ``notification_arn``.
_NOTIFICATION = ("notification_arn", "notification_events", "notification_type")


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """A task of a maintenance window, known by its ID, else by its name within the window.

    ``targets`` has the key ``WindowTargetIds`` or ``InstanceIds``, or is empty for a task without nodes.
    ``invocation`` holds the parameters with the names of the type's option (``run_command``, …).
    ``task_parameters`` and ``logging_info`` are the API's deprecated forms of the same. An existing task may have
    them, and an update with ``Replace`` deletes what it does not repeat (UpdateMaintenanceWindowTask).
    """

    name: str
    task_type: str = "RUN_COMMAND"
    task_arn: str = ""
    targets: Targets = field(default_factory=dict)
    service_role_arn: str = ""
    priority: int = 1
    max_concurrency: str = ""
    max_errors: str = ""
    description: str = ""
    cutoff_behavior: str = "CONTINUE_TASK"
    alarm: str = ""
    ignore_alarm_failure: bool = False
    invocation: Mapping[str, Any] = field(default_factory=dict)
    task_parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    logging_info: Mapping[str, str] = field(default_factory=dict)
    window_id: str | None = None
    task_id: str | None = None


class WindowTaskPort(Protocol):
    """Tasks of the windows of one account-Region."""

    def find_window(self, reference: str) -> str | None:
        """Return the ID of the window with this name or ID."""

    def target_ids(self, window_id: str) -> Mapping[str, str]:
        """Return the IDs of the window's targets by name."""

    def find(self, window_id: str, name: str) -> WindowTask | None:
        """Return the task with this name; ``None`` if it or the window does not exist."""

    def get(self, window_id: str, task_id: str) -> WindowTask | None:
        """Return the task of that ID; ``None`` if it or the window does not exist."""

    def register(self, wanted: WindowTask) -> str:
        """Create it in ``wanted.window_id`` and return its ID."""

    def update(self, wanted: WindowTask) -> None:
        """Replace everything except the type, by ``wanted.task_id``."""

    def deregister(self, task: WindowTask) -> None:
        """Delete it; does nothing if it does not exist."""


def plan_window_task(
    before: WindowTask | None, given: Mapping[str, Any], window_id: str | None, *, present: bool
) -> Change[WindowTask]:
    """Return the change that the declaration requires. Members that are ``None`` in ``given`` keep their values.

    :raises BadInput: a limit of the service is exceeded.
    """
    if not present:
        return Change(before, None)
    start = before or WindowTask(name=given["name"], window_id=window_id)
    kind = given.get("task_type") or start.task_type
    same_kind = kind == start.task_type
    invocation = _merge_invocation(start.invocation if same_kind else {}, given.get("invocation"))
    wanted = replace(merge(start, {**given, "invocation": None}), invocation=invocation)
    wanted = _with_rate(wanted, given)
    check_window_task(wanted)
    if before and not same_kind:
        reason = f"the type of a window task can't change ({before.task_type} to {kind})"
        return Change(before, replace(wanted, task_id=None), recreate=reason)
    return Change(before, wanted)


def _merge_invocation(before: Mapping[str, Any], given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Members that are not set keep their values, empty ones are cleared. Defaults of the service are not a difference.

    Without a topic there are no notifications, so clearing it also clears the other notification members.
    """
    merged = {**before, **{key: value for key, value in (given or {}).items() if value is not None}}
    if not merged.get("notification_arn"):
        merged = {key: value for key, value in merged.items() if key not in _NOTIFICATION}
    return {key: value for key, value in merged.items() if value not in ("", 0, {}, (), [])}


def _with_rate(task: WindowTask, given: Mapping[str, Any]) -> WindowTask:
    """Tasks with targets must have a rate (here the defaults of Run Command), tasks without targets must not."""
    if task.targets:
        return replace(task, max_concurrency=task.max_concurrency or "50", max_errors=task.max_errors or "0")
    for option in ("max_concurrency", "max_errors"):
        if given.get(option):
            raise BadInput(option, given[option], "no value: a task without targets can't have it")
    return replace(task, max_concurrency="", max_errors="")


def check_window_task(wanted: WindowTask) -> None:
    """Validate the values against the limits of the service.

    :raises BadInput: names the option.
    """
    limits.name("name", wanted.name or None)
    limits.shorter("description", wanted.description, 128)
    limits.matches("task_arn", wanted.task_arn, r".{1,1600}", "the document, function or state machine to run")
    limits.within("priority", wanted.priority, 0, 2**31 - 1)
    for values in wanted.targets.values():
        limits.at_most("window_targets" if TARGET_IDS in wanted.targets else "instance_ids", values, 50)
    if wanted.max_concurrency:
        limits.concurrency("max_concurrency", wanted.max_concurrency)
        limits.errors("max_errors", wanted.max_errors)
    if wanted.task_type == "RUN_COMMAND" and not wanted.targets:
        raise BadInput("window_targets", [], "targets, which Run Command requires")
    if wanted.task_type == "LAMBDA" and not name_of(wanted.task_arn).startswith("SSM"):
        raise BadInput("task_arn", wanted.task_arn, "a function whose name begins with SSM")
    limits.alarm("alarm", wanted.alarm)
    _check_invocation(INVOCATION_OPTIONS[wanted.task_type], wanted.invocation)


def _check_invocation(where: str, invocation: Mapping[str, Any]) -> None:
    limits.shorter(f"{where}.comment", invocation.get("comment"), 100)
    limits.within(f"{where}.delivery_timeout", invocation.get("delivery_timeout"), 30, 2592000, "seconds")
    limits.document_version(f"{where}.document_version", invocation.get("document_version"))
    limits.bucket(f"{where}.output_s3_bucket", invocation.get("output_s3_bucket"))
    for name, most in _LONGEST.items():
        limits.shorter(f"{where}.{name}", invocation.get(name), most)
    if where == "automation":
        check_automation_parameters(f"{where}.parameters", invocation.get("parameters") or {})


def ensure_window_task(port: WindowTaskPort, change: Change[WindowTask]) -> WindowTask | None:
    """Apply the change and return the resulting task."""
    return carry_out(
        change,
        create=lambda task: replace(task, task_id=port.register(task)),
        update=port.update,
        remove=port.deregister,
    )


def to_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Convert the module's options to members of ``WindowTask``, without targets; ``None`` if not set.

    :raises BadInput: parameters of another task type.
    """
    given = {name: options[name] for name in WindowTask.__dataclass_fields__.keys() & options.keys()}
    filled = [name for name in INVOCATION_OPTIONS.values() if options.get(name) is not None]
    if len(filled) > 1:
        raise BadInput(filled[1], "…", f"no value: {filled[0]} is set, and a task has one type")
    if not filled:
        return given
    kind = next(kind for kind, name in INVOCATION_OPTIONS.items() if name == filled[0])
    if given.get("task_type") not in (None, kind):
        raise BadInput(
            filled[0], "…", f"{INVOCATION_OPTIONS[given['task_type']]} for a task of type {given['task_type']}"
        )
    return {**given, "task_type": kind, "invocation": _to_invocation(options[filled[0]])}


def _to_invocation(option: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(option)
    if found.get("parameters") is not None:
        found["parameters"] = to_parameters(found["parameters"])
    if found.get("notification_events") is not None:
        found["notification_events"] = tuple(sorted(found["notification_events"]))
    return found


class WindowTaskNoun:
    """Declared task of a window at one place.

    A missing window or target is an error only when the task is written, so that check mode can predict the tasks of
    windows that the same policy would create.
    """

    def __init__(self, port: WindowTaskPort, options: Mapping[str, Any]) -> None:
        self._port = port
        self._options = options
        self._missing: list[str] = []

    def plan(self) -> Change[WindowTask]:
        options = self._options
        given, present = to_given(options), options["state"] == "present"
        window_id = self._port.find_window(options["window"])
        if present:
            given["targets"] = self._targets(window_id)
        before = find_by_id_or_name(self._port, window_id, "task_id", options)
        return plan_window_task(before, given, window_id, present=present)

    def _targets(self, window_id: str | None) -> dict[str, tuple[str, ...]] | None:
        names, instances = self._options["window_targets"], self._options["instance_ids"]
        if names is None and instances is None:
            return None
        if not names:
            return {INSTANCE_IDS: tuple(sorted(instances))} if instances else {}
        ids = self._port.target_ids(window_id) if window_id else {}
        known = {name: ids.get(name, name) for name in names}
        self._missing = [name for name in names if name not in ids and known[name] not in ids.values()]
        return {TARGET_IDS: tuple(sorted(known.values()))}

    def apply(self, change: Change[WindowTask]) -> WindowTask | None:
        if change.after and not change.after.window_id:
            raise missing_window(self._options["window"])
        if change.after and self._missing:
            raise BadInput("window_targets", self._missing[0], "the name or ID of a target of this window")
        return ensure_window_task(self._port, change)
