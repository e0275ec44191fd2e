# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of an instance, and the business rules that guard them.

Sources: "State model and transitions" and "Change request states" of ServiceNow's Change Management documentation;
"Abort a database action in a business rule" (setAbortAction); servicenow.itsm 2.15.1, plugins/modules/change_request.py
and incident.py, for the fields that are mandatory in a state. An aborted write is answered with 403 "Operation Failed"
and "was aborted by Business Rule", or, where a rule says nothing, with 200 and the unchanged record
(ansible-collections/servicenow.itsm#278).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .records import COLUMNS, SYSTEM, Row

NEW, ASSESS, AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED, CANCELED = "-5", "-4", "-3", "-2", "-1", "0", "3", "4"
#: The only state that each state leads to, by type of change.
LADDERS: Mapping[str, tuple[str, ...]] = {
    "normal": (NEW, ASSESS, AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED),
    "standard": (NEW, SCHEDULED, IMPLEMENT, REVIEW, CLOSED),
    "emergency": (NEW, AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED),
}
CLOSE_CODES = ("successful", "successful_issues", "unsuccessful")
RESOLVED = "6"
INCIDENT_CLOSE_CODES = ("Duplicate", "Known error", "No resolution provided", "Resolved by caller",
                        "Resolved by change", "Resolved by problem", "Resolved by request", "Solution provided",
                        "Workaround provided", "User error")  # fmt: skip
_NUMBERS = {"change_request": "CHG", "incident": "INC"}
_NAMES = {"assignment_group": "Assignment group", "close_code": "Close code", "close_notes": "Close notes",
          "short_description": "Short description", "caller_id": "Caller",
          "on_hold_reason": "On hold reason"}  # fmt: skip


class Refused(Exception):
    """A request that is answered with an error. ``detail``: the second text of ServiceNow's errors."""

    def __init__(self, status: int, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.status, self.message, self.detail = status, message, detail


class Dropped(Exception):
    """A write that a business rule aborts without a word."""


def to_sys_id(table: str, number: int) -> str:
    """Return 32 hexadecimal digits, the same in every run."""
    return hashlib.md5(f"{table} {number}".encode(), usedforsecurity=False).hexdigest()


@dataclass
class World:
    """``silent``: business rules abort without an error. ``hidden``: columns that the account may not read.

    ``approvers``: user names of those who are asked. ``blackout``: whether the conflict check finds one.
    ``busy``: number of requests that are answered with 429 first. ``events``: whether the account may send events.
    """

    now: str = "2026-12-01 12:00:00"
    password: str = "changeme"
    silent: bool = False
    hidden: list[str] = field(default_factory=list)
    approvers: list[str] = field(default_factory=lambda: ["ana"])
    blackout: bool = False
    busy: int = 0
    events: bool = True
    tables: dict[str, dict[str, Row]] = field(default_factory=lambda: {name: {} for name in COLUMNS})
    files: dict[str, bytes] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    made: int = 0

    def __post_init__(self) -> None:
        for login in ("patching", "ana", "ben"):
            self.insert("sys_user", {"user_name": login, "name": login.title(), "active": "true"}, "admin")
        self.insert("sys_user_group", {"name": "Patching"}, "admin")
        self.insert("std_change_producer_version", {"name": "Monthly patching"}, "admin")

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> World:
        """Return a world of a JSON object: members of this class, and ``cis``, rows of cmdb_ci."""
        world = cls(**{name: value for name, value in data.items() if name != "cis"})
        for row in data.get("cis", ()):
            world.insert("cmdb_ci", {"sys_class_name": "cmdb_ci_server", **row}, "admin")
        return world

    def insert(self, table: str, values: Mapping[str, str], by: str) -> Row:
        """Make a row with its system fields; columns that do not exist are ignored, as the Table API does."""
        rows = self.tables[table]
        self.made += 1
        row = dict.fromkeys((*SYSTEM, *COLUMNS[table]), "")
        row |= {name: value for name, value in values.items() if name in COLUMNS[table]}
        row |= {"sys_id": to_sys_id(table, self.made), "sys_mod_count": "0", "sys_created_on": self.now}
        row |= {"sys_created_by": by, "sys_updated_on": self.now, "sys_updated_by": by}
        rows[row["sys_id"]] = row
        return row

    def update(self, row: Row, values: Mapping[str, str], by: str) -> None:
        """Write what differs; an update without a difference does not count as one."""
        if changed := {name: value for name, value in values.items() if row.get(name) != value}:
            row |= changed
            row |= {
                "sys_mod_count": str(int(row["sys_mod_count"]) + 1),
                "sys_updated_on": self.now,
                "sys_updated_by": by,
            }

    def create(self, table: str, values: Mapping[str, str], by: str) -> Row:
        """Insert through the Table API."""
        if table == "change_request":
            values = _new_change(values)
        elif table == "em_event" and not self.events:
            # "Role required: evt_mgmt_integration" ("Event collection via web service API")
            raise Refused(403, "Operation Failed", "ACL Exception Insert Failed due to security constraints")
        elif table == "incident":
            _mandatory(values, "short_description", "caller_id")
            values = {"state": "1", "active": "true", **values}
            _check_incident(values)
        if prefix := _NUMBERS.get(table):
            values = {**values, "number": f"{prefix}{len(self.tables[table]) + 1:07d}"}
        return self.insert(table, values, by)

    def change(self, table: str, row: Row, values: Mapping[str, str], by: str) -> None:
        """Update through the Table API.

        :raises Refused: a data policy or a business rule objects. :raises Dropped: a rule that says nothing objects.
        """
        own = {name: value for name, value in values.items() if name in COLUMNS[table] and name != "number"}
        if table == "change_request":
            own.pop("approval", None)  # only the approval engine writes it
            self._check_change(row, {**row, **own})
        elif table == "incident":
            _check_incident({**row, **own})
        elif table == "sysapproval_approver":
            raise Refused(403, "Operation Failed", "ACL Exception Update Failed due to security constraints")
        before = row.get("state")
        self.update(row, own, by)
        if table == "change_request" and row["state"] != before:
            self._entered(row)

    def _check_change(self, old: Row, new: Row) -> None:
        if old["state"] in (CLOSED, CANCELED) and new != old:
            self._abort("Change Request: closed records are read only")
        if new["type"] != old["type"] and old["state"] != NEW:
            self._abort("Change Type: changed only in New")
        if new["on_hold"] == "true" and old["on_hold"] != "true":
            _mandatory(new, "on_hold_reason")
            if old["state"] in (NEW, CLOSED, CANCELED):
                self._abort("Change Request: on hold only while open")
        if new["state"] == old["state"]:
            return
        if new["state"] != NEW:
            _mandatory(new, "assignment_group", "short_description")
        if new["state"] == CLOSED:
            _mandatory(new, "close_code", "close_notes")
            if new["close_code"] not in CLOSE_CODES:
                raise Refused(403, "Operation Failed", "Invalid close code")
        if not self._leads(old, new["state"]):
            self._abort("Change Model: Check State Transition")

    def _leads(self, row: Row, state: str) -> bool:
        """Return whether a person or an integration may take a change from its state to this one."""
        if state == CANCELED:
            return row["state"] not in (REVIEW, CLOSED)
        if row["on_hold"] == "true":
            return False
        if state == NEW:
            return row["state"] in (ASSESS, AUTHORIZE, SCHEDULED)
        ladder = LADDERS[row["type"]]
        if state not in ladder or row["state"] not in ladder or ladder.index(state) != ladder.index(row["state"]) + 1:
            return False
        return row["state"] == NEW or row["approval"] == "approved"

    def _abort(self, rule: str) -> None:
        if self.silent:
            raise Dropped
        detail = f"Operation against file 'change_request' was aborted by Business Rule '{rule}^0a'."
        raise Refused(403, "Operation Failed", f"{detail} Business Rule Stack:{rule}")

    def _entered(self, row: Row) -> None:
        """Ask for approvals, or withdraw them. A standard change is approved by its template."""
        if row["state"] == NEW:
            row["approval"] = "not requested"
            for item in self._approvals(row):
                self.update(item, {"state": "cancelled"}, "system")
        elif row["state"] == SCHEDULED and row["type"] == "standard":
            row["approval"] = "approved"
        elif row["state"] in (ASSESS, AUTHORIZE) and row["approval"] != "approved":
            row["approval"] = "requested"
            users = {item["user_name"]: key for key, item in self.tables["sys_user"].items()}
            for login in self.approvers:
                asked = {"sysapproval": row["sys_id"], "approver": users[login], "state": "requested"}
                self.insert("sysapproval_approver", asked, "system")
        row["active"] = "false" if row["state"] in (CLOSED, CANCELED) else "true"

    def _approvals(self, row: Row) -> list[Row]:
        return [item for item in self.tables["sysapproval_approver"].values() if item["sysapproval"] == row["sys_id"]
                and item["state"] in ("requested", "approved")]  # fmt: skip

    def decide(self, number: str, login: str, verdict: str, by: str) -> None:
        """A person approves or rejects in ServiceNow; a change that all have approved is scheduled, a rejected one is
        New again."""
        row = next(item for item in self.tables["change_request"].values() if item["number"] == number)
        users = {key: item["user_name"] for key, item in self.tables["sys_user"].items()}
        asked = self._approvals(row)
        for item in asked:
            if users[item["approver"]] == login:
                self.update(item, {"state": verdict}, by)
        if verdict == "rejected":
            self.update(row, {"approval": "rejected", "state": NEW}, "system")
        elif all(item["state"] == "approved" for item in asked):
            self.update(row, {"approval": "approved", "state": SCHEDULED}, "system")

    def conflict(self, row: Row) -> None:
        """Check for conflicts with blackout windows."""
        status = "Conflict" if self.blackout else "No Conflict"
        self.update(row, {"conflict_status": status, "conflict_last_run": self.now}, "system")

    def attach(self, values: Mapping[str, str], data: bytes, by: str) -> Row:
        """Keep a file of a record; its hash is that of its bytes, whatever the request says."""
        sizes = {"size_bytes": str(len(data)), "hash": hashlib.sha256(data).hexdigest()}
        row = self.insert("sys_attachment", {**values, **sizes}, by)
        self.files[row["sys_id"]] = data
        return row

    def to_data(self) -> dict[str, Any]:
        """Return what became of it."""
        return {
            "now": self.now,
            "calls": self.calls,
            **{name: list(rows.values()) for name, rows in self.tables.items()},
        }


def _new_change(values: Mapping[str, str]) -> dict[str, str]:
    kind = values.get("type") or "normal"
    if kind not in LADDERS:
        raise Refused(400, "Invalid type", kind)
    if values.get("state", NEW) != NEW:
        raise Refused(403, "Operation Failed", "aborted by Business Rule 'Change Model: Check State Transition^0a'")
    given = {name: value for name, value in values.items() if name != "approval"}
    fixed = {"type": kind, "state": NEW, "approval": "not requested", "active": "true", "on_hold": "false"}
    return {**given, **fixed, "conflict_status": "Not Run"}


def _check_incident(new: Mapping[str, str]) -> None:
    if new.get("state") in (RESOLVED, "7"):
        _mandatory(new, "close_code", "close_notes")
        if new["close_code"] not in INCIDENT_CLOSE_CODES:
            raise Refused(403, "Operation Failed", f"Invalid close code {new['close_code']}")


def _mandatory(row: Mapping[str, str], *names: str) -> None:
    """:raises Refused: as a data policy does, which REST obeys ("Data policy", ServiceNow's platform documentation)."""
    if missing := [_NAMES[name] for name in names if not row.get(name)]:
        text = f"Data Policy Exception: The following fields are mandatory: {', '.join(missing)}"
        raise Refused(403, "Operation Failed", text)
