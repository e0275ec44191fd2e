# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Translates a policy into options of the modules that create its objects in AWS. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import asdict
from typing import Any

from ..model import place_label
from ..ssm.targets import MAX_VALUES
from .values import Policy, Window

#: The name of a window's target, within the window.
TARGET_NAME = "patch-groups"
DOCUMENT = "AWS-RunPatchBaseline"


def to_declared(policy: Policy) -> dict[str, list[dict[str, Any]]]:
    """Return the options of one module call per object, by kind, in the order in which they must be created.

    An option that is not in it shall be left as it is.

    Kinds: ``baselines``, ``patch_groups``, ``windows``, ``window_targets``, ``window_tasks``.
    """
    return {
        "baselines": [
            _given({**asdict(baseline), "tags": {**baseline.tags, **_marks(policy)}, "purge_tags": False})
            for baseline in policy.baselines
        ],
        "patch_groups": [
            {"name": group.name, "baselines": list(group.baselines)} for group in policy.patch_groups if group.baselines
        ],
        "windows": [_window(policy, window) for window in policy.windows],
        "window_targets": [target for window in policy.windows for target in _targets(policy, window)],
        "window_tasks": [task for window in policy.windows for task in _tasks(policy, window)],
    }


def to_targets(policy: Policy, without: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return the fewest sets of ``regions`` and ``accounts`` that cover all places: modules work in every pair.

    :param without: labels of places to leave out.
    """
    sets: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for account in policy.estate.accounts:
        regions = tuple(region for region in policy.estate.regions if place_label(account.id, region) not in without)
        role = {"role_arn": account.role_arn, "external_id": account.external_id}
        if regions or not policy.estate.regions:
            sets.setdefault(regions, []).append(role)
    if not policy.estate.accounts:
        regions = tuple(region for region in policy.estate.regions if region not in without)
        if regions or not policy.estate.regions:
            sets[regions] = []
    return [{"regions": list(regions), "accounts": accounts} for regions, accounts in sets.items()]


def _given(options: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _marks(policy: Policy) -> dict[str, str]:
    return {"ManagedBy": "patchtide", "Policy": policy.name}


def _window(policy: Policy, window: Window) -> dict[str, Any]:
    """Return the options of a window; empty text and 0 clear what an earlier policy set."""
    return {
        "name": window.name,
        "description": window.description,
        "schedule": window.schedule,
        "timezone": window.timezone,
        "offset_days": window.offset_days or 0,
        "duration_hours": window.duration_hours,
        "cutoff_hours": window.cutoff_hours,
        "enabled": window.enabled,
        "start": window.start_date or "",
        "end": window.end_date or "",
        "allow_unassociated_targets": window.allow_unassociated_targets,
        "tags": {**window.tags, **_marks(policy)},
        "purge_tags": False,
    }


def _targets(policy: Policy, window: Window) -> Iterator[dict[str, Any]]:
    for name, first in _target_names(window):
        yield {
            "window": window.name,
            "name": name,
            "description": f"Patch groups of {window.name}"[:128],
            "instance_tags": {policy.tags.patch_group: list(window.patch_groups[first : first + MAX_VALUES])},
        }


def _target_names(window: Window) -> Iterator[tuple[str, int]]:
    """One target holds 50 values; further groups go to further targets, which the service works one after another."""
    for number, first in enumerate(range(0, len(window.patch_groups), MAX_VALUES), 1):
        yield (TARGET_NAME if number == 1 else f"{TARGET_NAME}-{number}"), first


def _tasks(policy: Policy, window: Window) -> Iterator[dict[str, Any]]:
    for task in window.tasks:
        parameters = {"Operation": [task.operation]}
        if task.operation == "Install":
            parameters["RebootOption"] = [task.reboot_option]
        options = {
            "window": window.name,
            "name": task.name,
            "description": task.description,
            "task_arn": DOCUMENT,
            "window_targets": [name for name, _first in _target_names(window)],
            "priority": task.priority,
            "max_concurrency": str(task.max_concurrency),
            "max_errors": str(task.max_errors),
            "cutoff_behavior": task.cutoff_behavior,
            "service_role_arn": task.service_role_arn,  # omitted: the service uses its service-linked role
            "run_command": {
                "comment": f"patchtide {policy.name}"[:100],
                "parameters": parameters,
                "delivery_timeout": task.delivery_timeout,
            },
        }
        yield _given(options)
