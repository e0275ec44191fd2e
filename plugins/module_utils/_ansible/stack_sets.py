# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module ``stack_set``: plan, apply unless in check mode, and the row of results."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.change import to_data
from .._core.clock import Clock
from .._core.stacks.deploy import Deployment, InstancesFailed, StackSetPort, plan


def run_stack_set(
    port: StackSetPort, options: Mapping[str, Any], clock: Clock, *, check: bool, header: str = ""
) -> dict[str, Any]:
    """Return the row of one account-Region.

    :param header: of the diff; "" for none.
    :raises InstancesFailed: stacks are not as declared, and ``on_instance_error`` is ``fail``.
    """
    todo, work = plan(port, options), Deployment(port, options, clock)
    if todo.change.changed and not check:
        work.apply(todo)
    if options["detect_drift"] and todo.before and todo.after and not check:
        work.detect_drift()
    rows = port.instances(options["name"]) if (todo.before if check else todo.after) else []
    failed = work.outdated(rows) if check or not todo.after else work.failed(rows)
    if failed and not check and options["on_instance_error"] == "fail":
        raise InstancesFailed(options["name"], failed, work.operations)
    result: dict[str, Any] = {
        "changed": todo.change.changed,
        "created": todo.before is None and todo.after is not None,
        "stack_set": todo.change.after or {},
        "instances": to_data(rows),
        "failed_instances": failed,
        "operations": work.operations,
        "undeclared": todo.undeclared,
    }
    if header and todo.change.changed:
        result["diff"] = todo.change.to_diff(header)
    return result
