# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Executions of maintenance windows. There are none: the lab's windows have a schedule and never open (README.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .operations import Answer, Request, SsmError, operation, page

if TYPE_CHECKING:
    from .backend import Place


@operation("DescribeMaintenanceWindowExecutions")
def describe_executions(place: Place, request: Request) -> Answer:
    return page("WindowExecutions", [], request, 50)


def _no_execution(place: Place, request: Request) -> Answer:
    raise SsmError("DoesNotExistException", f"Window execution {request['WindowExecutionId']} does not exist")


for _name in (
    "GetMaintenanceWindowExecution",
    "GetMaintenanceWindowExecutionTask",
    "GetMaintenanceWindowExecutionTaskInvocation",
    "DescribeMaintenanceWindowExecutionTasks",
    "DescribeMaintenanceWindowExecutionTaskInvocations",
    "CancelMaintenanceWindowExecution",
):
    operation(_name)(_no_execution)
