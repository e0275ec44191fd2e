# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated ServiceNow answers as its REST API reference says, and refuses what its business rules refuse."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from lab.servicenow.server import ServiceNow

CHANGES, NOW = "/api/now/table/change_request", "2026-12-01 12:00:00"
#: States by name, see facts of servicenow.itsm, plugins/module_utils/change_request.py.
ASSESS, AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED, CANCELED = "-4", "-3", "-2", "-1", "0", "3", "4"


class Asked:
    """A client with an instance of its own."""

    def __init__(self, **world: Any) -> None:
        self.client = Client(ServiceNow())
        self.client.put("/lab", json=world)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(path, query_string=query, auth=("patching", "changeme"))

    def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get(path, **query).get_json()["result"]
        return found

    def make(self, **values: Any) -> dict[str, Any]:
        given = {"short_description": "Patching", "assignment_group": self.id_of("sys_user_group"), **values}
        answer = self.client.post(CHANGES, json=given, auth=("patching", "changeme"))
        assert answer.status_code == 201, answer.get_json()
        return self.row(answer.get_json()["result"]["sys_id"])

    def row(self, sys_id: str, **query: Any) -> dict[str, Any]:
        query = query or {"sysparm_exclude_reference_link": "true"}
        found: dict[str, Any] = self.get(f"{CHANGES}/{sys_id}", **query).get_json()["result"]
        return found

    def patch(self, row: dict[str, Any], **values: Any) -> TestResponse:
        return self.client.patch(f"{CHANGES}/{row['sys_id']}", json=values, auth=("patching", "changeme"))

    def id_of(self, table: str) -> str:
        return str(self.client.get("/lab").get_json()[table][0]["sys_id"])

    def decide(self, row: dict[str, Any], verdict: str = "approved", **more: str) -> None:
        self.client.post("/lab/decide", json={"number": row["number"], "login": "ana", "verdict": verdict, **more})

    def state(self, row: dict[str, Any]) -> tuple[str, str]:
        found = self.row(row["sys_id"])
        return found["state"], found["approval"]


def refusal(answer: TestResponse) -> str:
    assert answer.status_code == 403, answer.get_json()
    return str(answer.get_json()["error"]["detail"])


def test_pages_have_a_total_and_a_link() -> None:
    asked = Asked()
    for _number in range(5):
        asked.make()
    answer = asked.get(CHANGES, sysparm_limit="2", sysparm_offset="2")
    assert [row["number"] for row in answer.get_json()["result"]] == ["CHG0000003", "CHG0000004"]
    assert answer.headers["X-Total-Count"] == "5" and 'sysparm_offset=4>;rel="next"' in answer.headers["Link"]


def test_references_have_links_unless_they_are_excluded() -> None:
    asked = Asked()
    row = asked.make()
    group = asked.id_of("sys_user_group")
    linked = asked.row(row["sys_id"], sysparm_exclude_reference_link="False")["assignment_group"]
    assert linked == {"link": f"http://localhost/api/now/table/sys_user_group/{group}", "value": group}
    assert row["assignment_group"] == group
    shown = asked.row(row["sys_id"], sysparm_display_value="all", sysparm_exclude_reference_link="true")
    assert shown["assignment_group"] == {"display_value": "Patching", "value": group}


def test_a_query_on_an_unknown_column_selects_everything() -> None:
    """glide.invalid_query.returns_no_rows is not set by default."""
    asked = Asked()
    asked.make(correlation_id="a")
    asked.make(correlation_id="b")
    assert len(asked.rows(CHANGES, sysparm_query="correlationid=a")) == 2
    assert len(asked.rows(CHANGES, sysparm_query="correlation_id=a")) == 1
    assert len(asked.rows(CHANGES, sysparm_query="correlation_idINa,b^number!=CHG0000001")) == 1
    assert len(asked.rows(CHANGES, correlation_id="b")) == 1


def test_columns_of_a_reference_can_be_read_and_hidden_ones_are_left_out() -> None:
    asked = Asked(hidden=["approval"])
    row = asked.make()
    fields = {"sysparm_fields": "number,approval,assignment_group.name"}
    assert asked.row(row["sys_id"], **fields) == {"number": "CHG0000001", "assignment_group.name": "Patching"}


def test_a_normal_change_goes_its_way_and_no_other() -> None:
    asked = Asked()
    row = asked.make()
    for state in (AUTHORIZE, SCHEDULED, IMPLEMENT, REVIEW, CLOSED):
        assert "aborted by Business Rule" in refusal(
            asked.patch(row, state=state, close_code="successful", close_notes="x")
        )
    assert asked.patch(row, state=ASSESS).status_code == 200
    assert asked.state(row) == (ASSESS, "requested")
    asked.patch(row, approval="approved")
    assert "Check State Transition" in refusal(asked.patch(row, state=AUTHORIZE))
    asked.decide(row)
    assert asked.state(row) == (SCHEDULED, "approved")
    for state in (IMPLEMENT, REVIEW):
        assert asked.patch(row, state=state).status_code == 200
    assert "mandatory: Close code" in refusal(asked.patch(row, state=CLOSED))
    assert refusal(asked.patch(row, state=CANCELED))
    assert asked.patch(row, state=CLOSED, close_code="successful", close_notes="done").status_code == 200
    assert refusal(asked.patch(row, description="later"))


@pytest.mark.parametrize(("kind", "first"), [("standard", SCHEDULED), ("emergency", AUTHORIZE)])
def test_other_types_have_other_ways(kind: str, first: str) -> None:
    asked = Asked()
    row = asked.make(type=kind)
    assert refusal(asked.patch(row, state=ASSESS))
    assert asked.patch(row, state=first).status_code == 200
    assert refusal(asked.patch(row, type="normal"))
    if kind == "emergency":
        asked.decide(row)
    assert asked.state(row) == (SCHEDULED, "approved")


def test_leaving_new_needs_a_group() -> None:
    asked = Asked()
    row = asked.make(assignment_group="")
    assert "mandatory: Assignment group" in refusal(asked.patch(row, state=ASSESS))


def test_a_rejected_change_is_new_again_and_its_approvals_are_withdrawn() -> None:
    asked = Asked(approvers=["ana", "ben"])
    row = asked.make()
    asked.patch(row, state=ASSESS)
    asked.decide(row)
    assert asked.state(row) == (ASSESS, "requested")
    asked.decide(row, login="ben")
    asked.patch(row, state="-5")
    states = {item["state"] for item in asked.rows("/api/now/table/sysapproval_approver")}
    assert asked.state(row) == ("-5", "not requested") and states == {"cancelled"}
    asked.patch(row, state=ASSESS)
    asked.decide(row, "rejected")
    assert asked.state(row) == ("-5", "rejected")


def test_on_hold_needs_a_reason_and_holds() -> None:
    asked = Asked()
    row = asked.make(type="standard")
    asked.patch(row, state=SCHEDULED)
    assert "On hold reason" in refusal(asked.patch(row, on_hold=True))
    assert asked.patch(row, on_hold=True, on_hold_reason="freeze").status_code == 200
    assert refusal(asked.patch(row, state=IMPLEMENT))


def test_a_silent_rule_leaves_the_record_as_it_was() -> None:
    """ansible-collections/servicenow.itsm#278."""
    asked = Asked(silent=True)
    row = asked.make()
    answer = asked.patch(row, state=IMPLEMENT)
    assert answer.status_code == 200 and answer.get_json()["result"]["state"] == "-5"


def test_an_incident_needs_a_caller_and_a_resolution() -> None:
    asked = Asked()
    url, auth = "/api/now/table/incident", ("patching", "changeme")
    assert "Caller" in refusal(asked.client.post(url, json={"short_description": "x"}, auth=auth))
    made = {"short_description": "x", "caller_id": asked.id_of("sys_user")}
    row = asked.client.post(url, json=made, auth=auth).get_json()["result"]
    one = f"{url}/{row['sys_id']}"
    assert "Close notes" in refusal(
        asked.client.patch(one, json={"state": "6", "close_code": "Known error"}, auth=auth)
    )
    done = {"state": "6", "close_code": "Solution provided", "close_notes": "patched"}
    assert asked.client.patch(one, json=done, auth=auth).status_code == 200


def test_files_have_the_hash_of_their_bytes() -> None:
    asked = Asked()
    row = asked.make()
    query = {"table_name": "change_request", "table_sys_id": row["sys_id"], "file_name": "plan.html", "hash": "0" * 64}
    url, auth = "/api/now/attachment/file", ("patching", "changeme")
    answer = asked.client.post(url, query_string=query, data=b"plan", content_type="text/html", auth=auth)
    assert answer.status_code == 201
    (found,) = asked.rows("/api/now/attachment", table_sys_id=row["sys_id"])
    assert found["hash"] == hashlib.sha256(b"plan").hexdigest() and found["size_bytes"] == "4"
    answer = asked.client.post(
        url, query_string={**query, "table_sys_id": "0" * 32}, data=b"x", content_type="text/html", auth=auth
    )
    assert answer.status_code == 404


def test_affected_items_and_conflicts() -> None:
    asked = Asked(cis=[{"name": "web-1", "object_id": "i-1", "sys_class_name": "cmdb_ci_vm_instance"}], blackout=True)
    row, auth = asked.make(), ("patching", "changeme")
    (item,) = asked.rows("/api/now/table/cmdb_ci_vm_instance", sysparm_query="object_idINi-1,i-2")
    body = {"cmdb_ci_sys_ids": f"{item['sys_id']},{'0' * 32}", "association_type": "affected"}
    for _twice in range(2):
        asked.client.post(f"/api/sn_chg_rest/change/{row['sys_id']}/ci", json=body, auth=auth)
    assert [link["ci_item"]["value"] for link in asked.rows("/api/now/table/task_ci")] == [item["sys_id"]]
    assert row["conflict_status"] == "Not Run"
    asked.client.post(f"/api/sn_chg_rest/change/{row['sys_id']}/conflict", json={}, auth=auth)
    assert asked.row(row["sys_id"])["conflict_status"] == "Conflict"


def test_who_may_not_and_what_is_not_there() -> None:
    asked = Asked(busy=1)
    assert asked.client.get(CHANGES).status_code == 401
    answer = asked.get(CHANGES)
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "1"
    assert asked.get(CHANGES).status_code == 200
    assert asked.get(f"{CHANGES}/{'0' * 32}").status_code == 404
    assert asked.get("/api/now/table/nothing").status_code == 400
    assert asked.get("/api/now/nothing").status_code == 400
