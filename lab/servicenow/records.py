# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables with their columns, and encoded queries over them.

Sources: "Table API" and "Encoded query strings" of ServiceNow's API reference; servicenow.itsm 2.15.1
(plugins/module_utils/snow.py, table.py), which reads these tables on real instances.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: Columns that every table has (system fields); nobody sets them through the Table API.
SYSTEM = ("sys_id", "sys_created_on", "sys_created_by", "sys_updated_on", "sys_updated_by", "sys_mod_count")
_TASK = ("number", "state", "short_description", "description", "assignment_group", "active", "correlation_id",
         "correlation_display", "close_notes", "work_notes", "cmdb_ci", "approval", "priority", "impact",
         "urgency")  # fmt: skip
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "change_request": (
        *_TASK, "type", "chg_model", "risk", "category", "requested_by", "start_date", "end_date", "on_hold",
        "on_hold_reason", "close_code", "conflict_status", "conflict_last_run", "phase_state", "justification",
        "implementation_plan", "backout_plan", "test_plan", "std_change_producer_version",
    ),
    "incident": (*_TASK, "caller_id", "category", "close_code", "hold_reason", "incident_state", "rfc", "caused_by"),
    "em_event": (
        "source", "event_class", "node", "resource", "metric_name", "type", "severity", "message_key", "description",
        "additional_info", "resolution_state", "state", "time_of_event",
    ),
    "sysapproval_approver": ("sysapproval", "approver", "state", "comments"),
    "task_ci": ("task", "ci_item"),
    "cmdb_ci": ("name", "object_id", "serial_number", "sys_class_name", "fqdn"),
    "sys_user": ("user_name", "name", "email", "active"),
    "sys_user_group": ("name",),
    "std_change_producer_version": ("name",),
    "sys_attachment": ("table_name", "table_sys_id", "file_name", "content_type", "size_bytes", "hash"),
}  # fmt: skip
#: Columns that refer to another table.
REFERENCES: Mapping[str, str] = {
    "assignment_group": "sys_user_group", "requested_by": "sys_user", "caller_id": "sys_user", "cmdb_ci": "cmdb_ci",
    "approver": "sys_user", "sysapproval": "change_request", "task": "change_request", "ci_item": "cmdb_ci",
    "rfc": "change_request", "caused_by": "change_request",
}  # fmt: skip
#: Tables that extend cmdb_ci are the same rows, limited to their class.
CLASSES = ("cmdb_ci_server", "cmdb_ci_linux_server", "cmdb_ci_win_server", "cmdb_ci_vm_instance")
_CONDITION = re.compile(r"(?P<column>[a-z_]+)(?P<op>!=|=|IN)(?P<rest>.*)")
Row = dict[str, str]
Tables = Mapping[str, Mapping[str, Row]]


def columns_of(table: str) -> tuple[str, ...] | None:
    """Return the columns of a table; ``None`` if there is none of this name."""
    name = "cmdb_ci" if table in CLASSES else table
    return (*SYSTEM, *COLUMNS[name]) if name in COLUMNS else None


def rows_of(tables: Tables, table: str) -> list[Row]:
    """Return the rows of a table, in the order in which they were made."""
    if table in CLASSES:
        return [row for row in tables["cmdb_ci"].values() if row["sys_class_name"] == table]
    return list(tables[table].values())


def select(tables: Tables, table: str, query: str) -> list[Row]:
    """Return the rows that an encoded query selects.

    A condition on a column that does not exist is dropped, so that all rows match, unless the instance has set
    glide.invalid_query.returns_no_rows ("Available system properties", ServiceNow's platform documentation).
    """
    found = rows_of(tables, table)
    for condition in filter(None, query.split("^")):
        if condition.startswith("ORDERBY"):
            continue
        parts = _CONDITION.fullmatch(condition)
        if parts is None or parts["column"] not in (columns_of(table) or ()):
            continue
        values = parts["rest"].split(",") if parts["op"] == "IN" else [parts["rest"]]
        found = [row for row in found if (row[parts["column"]] in values) is (parts["op"] != "!=")]
    return found


def show(tables: Tables, host: str, table: str, row: Row, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a row as the Table API answers it, by sysparm_fields, sysparm_exclude_reference_link and
    sysparm_display_value."""
    fields = [name for name in query.get("sysparm_fields", "").split(",") if name] or list(columns_of(table) or ())
    return {name: _value(tables, host, row, name, query) for name in fields if name.partition(".")[0] in row}


def _value(tables: Tables, host: str, row: Row, name: str, query: Mapping[str, str]) -> Any:
    column, dot, further = name.partition(".")
    target = REFERENCES.get(column)
    if dot:
        other = tables[target].get(row[column]) if target else None
        return other.get(further, "") if other else ""
    value = row[column]
    other = tables[target].get(value) if target and value else None
    display = (other.get("name") or other.get("number") or value) if other else value
    shown = query.get("sysparm_display_value", "false")
    link = {"link": f"{host}/api/now/table/{target}/{value}"} if target and value else {}
    if query.get("sysparm_exclude_reference_link", "false").lower() == "true":
        link = {}
    if shown == "all":
        return {"display_value": display, "value": value, **link}
    if shown == "true":
        return {"display_value": display, **link} if link else display
    return {**link, "value": value} if link else value
