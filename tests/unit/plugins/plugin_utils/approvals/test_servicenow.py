# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals of ServiceNow, read from the simulated instance."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.ticket.texts import correlation_id, page_name
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle_read import read_bundle
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.judge import find_actors, judge
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.operator import Operator
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.pins import Pins, read_pins
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.votes import Found
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals import https_read
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.servicenow import (
    ServiceNowApprovals,
    to_servicenow,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.trust import Trust
from werkzeug.test import Client

from lab.servicenow.server import ServiceNow
from tests.fakes.trusted import AT, PLAN_DIGEST, Trusted

INSTANCE = "https://contoso.service-now.com"
PLAN = {"digest": PLAN_DIGEST, "waves": [{"name": "broad", "nodes": [{"account": "2", "tags": {}}]}]}
#: The lab's time of the request, and of the click.
ASKED, CLICKED = "2026-12-01 12:00:00", "2026-12-01 20:00:00"


class World:
    """An instance with a change of the plan that ana has approved, and a bundle that admits it."""

    def __init__(self, trusted: Trusted) -> None:
        self.instance = ServiceNow()
        self.trusted, self.revocations = trusted, list[dict[str, str]]()
        self.calls: list[str] = []
        self.broken: dict[str, Any] = {}
        self.change = self.world.create(
            "change_request",
            {
                "short_description": "x",
                "assignment_group": next(iter(self.world.tables["sys_user_group"])),
                "correlation_id": correlation_id(PLAN),
                "start_date": "2026-12-01 21:00:00",
                "end_date": "2026-12-02 03:00:00",
            },
            "patching",
        )
        self.attach()
        self.world.change("change_request", self.change, {"state": "-4"}, "patching")

    @property
    def world(self) -> Any:
        return self.instance.world

    @property
    def users(self) -> dict[str, str]:
        return {row["user_name"]: key for key, row in self.world.tables["sys_user"].items()}

    def attach(self, name: str = page_name(PLAN)) -> None:
        values = {"table_name": "change_request", "table_sys_id": self.change["sys_id"], "file_name": name}
        self.world.attach(values, b"<html>", "patching")

    def decide(self, verdict: str = "approved", **more: str) -> None:
        self.world.now = CLICKED
        self.world.decide(self.change["number"], "ana", verdict, more.get("by", "ana"))

    def fetch(self, path: str) -> Any:
        self.calls.append(path)
        for part, answer in self.broken.items():
            if part in path:
                return answer
        answer = Client(self.instance).get(path, auth=("patching", "changeme"))
        if answer.status_code != 200:
            raise https_read.Unreadable(f"{answer.status_code}")
        return answer.get_json()

    def gather(self, now: str = AT) -> list[Found]:
        data = self.trusted.bundle(revocations=self.revocations)
        accounts = {"ana@example.com": self.users["ana"], "robot": self.users["ben"]}
        for person in data["people"]:
            if user := accounts.get(person["principal"]):
                person["servicenow"] = [{"instance": INSTANCE, "user_id": user}]
        data["requirements"]["plans"][1]["sources"] = ["ssh", "servicenow"]
        self.bundle = read_bundle(data, "bundle.yml")
        return ServiceNowApprovals(INSTANCE, self.bundle, self.fetch).gather(PLAN, from_time(now))

    def read(self, now: str = AT) -> tuple[str, str]:
        """Return (who approved, why not)."""
        found = self.gather(now)
        return (
            " ".join(item.vote.principal for item in found if item.vote and item.vote.verdict == "approve"),
            "; ".join(f"{item.label}: {item.objection}" for item in found if not item.vote),
        )


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    return Trusted(tmp_path_factory.mktemp("servicenow"))


@pytest.fixture
def world(trusted: Trusted) -> World:
    return World(trusted)


def test_who_approved_the_change_of_this_plan(world: World) -> None:
    world.decide()
    (found,) = world.gather()
    assert found.vote and (found.vote.principal, found.vote.hours) == ("ana@example.com", 2.0)
    kept = json.loads(found.statement)
    assert kept["change"]["sys_mod_count"] == world.change["sys_mod_count"] and kept["change"]["number"] == "CHG0000001"
    assert kept["approval"]["approver.user_name"] == "ana" and kept["approval"]["state"] == "approved"
    actors = find_actors(world.bundle, Operator(login="dana"), Operator(login="dana"))
    assert judge(PLAN, world.bundle, [found], actors).missing == {"broad": ()}


def test_work_that_has_begun_is_still_approved(world: World) -> None:
    """Each wave asks again, while the change is in Implement."""
    world.decide()
    world.world.change("change_request", world.change, {"state": "-1"}, "patching")
    assert world.read()[0] == "ana@example.com"


def test_nobody_has_approved_yet(world: World) -> None:
    who, why = world.read()
    assert who == "" and "its approval is 'requested'" in why and "its state is Assess" in why


def late_page(world: World) -> None:
    """The change was approved for another plan, and given this one's ID and page afterwards."""
    world.world.tables["sys_attachment"].clear()
    world.decide()
    world.attach()


def other_change(world: World) -> None:
    world.decide()
    world.world.insert("change_request", {"correlation_id": correlation_id(PLAN), "number": "CHG2"}, "ben")


def set_approver(world: World, **values: str) -> None:
    world.decide()
    next(iter(world.world.tables["sysapproval_approver"].values())).update(values)


CASES: dict[str, tuple[Callable[[World], object], str]] = {
    "no change": (lambda w: w.world.tables["change_request"].clear(), "0 changes that this account may read"),
    "two changes": (other_change, "2 changes that this account may read"),
    "a page attached after the request": (late_page, "was not attached to the change before"),
    "the page of another plan": (
        lambda w: (w.world.tables["sys_attachment"].clear(), w.attach("plan-0.html"), w.decide()),
        "was not attached",
    ),
    "approved on behalf": (lambda w: w.decide(by="admin"), "admin wrote it last, not the approver"),
    "a stranger": (lambda w: set_approver(w, approver="0" * 32), "is nobody of the bundle"),
    "a service account": (
        lambda w: set_approver(w, approver=w.users["ben"], sys_updated_by="ben"),
        "is robot, a service account",
    ),
    "a revoked person": (
        lambda w: (
            w.decide(),
            w.revocations.append({"person": "ana@example.com", "since": "2026-11-01T00:00:00Z", "reason": "left"}),
        ),
        "was revoked on 2026-11-01: left",
    ),
    "a click in the future": (
        lambda w: set_approver(w, sys_updated_on="2026-12-01 22:00:01"),
        "in the future",
    ),
    "taken back": (
        lambda w: (w.decide(), w.world.change("change_request", w.change, {"state": "-5"}, "ben")),
        "its state is New",
    ),
    "on hold": (
        lambda w: (
            w.decide(),
            w.world.change("change_request", w.change, {"on_hold": "true", "on_hold_reason": "x"}, "ben"),
        ),
        "it is on hold",
    ),
    "approved in the state New": (
        lambda w: (w.decide(), w.change.update(state="-5")),
        "its state is New",
    ),
    "a hidden field": (lambda w: (w.decide(), w.world.hidden.append("approval")), "cannot read its approval"),
    "approved by its template": (
        lambda w: (w.decide(), w.world.tables["sysapproval_approver"].clear()),
        "no person has approved it",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_approves_nothing(world: World, name: str) -> None:
    change, told = CASES[name]
    change(world)
    who, why = world.read()
    assert who == "" and told in why and "\n" not in why


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("2026-12-01T20:59:59Z", "begins at 2026-12-01 21:00:00"),
        ("2026-12-02T03:00:00Z", "ended at 2026-12-02 03:00:00"),
    ],
)
def test_outside_of_the_planned_window_nothing_is_approved(world: World, now: str, told: str) -> None:
    world.decide()
    who, why = world.read(now)
    assert who == "" and told in why and "its change does not let the plan run now" in why


def test_a_rejection_stops_the_plan_whatever_the_state(world: World) -> None:
    world.decide("rejected")
    found = world.gather()
    (vote,) = (item.vote for item in found if item.vote)
    assert (vote.verdict, vote.reason) == ("reject", "rejected in change CHG0000001")


def test_an_instance_that_drops_the_condition_changes_nothing(world: World) -> None:
    """Without glide.invalid_query.returns_no_rows, all rows come: none of another change counts."""
    world.decide()
    foreign = world.world.insert("change_request", {"number": "CHG9"}, "ben")
    world.world.insert("sysapproval_approver", {"sysapproval": foreign["sys_id"], "state": "rejected"}, "ben")
    plain = world.fetch

    def dropped(path: str) -> Any:
        return plain(path.replace("sysparm_query=", "sysparm_nothing="))

    world.fetch = dropped  # type: ignore[method-assign] # an instance with another property
    assert world.read() == ("ana@example.com", "")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ([], "something other than rows"),
        ({"result": {}}, "something other than rows"),
        ({"result": [{"number": "x"}]}, "something other than rows"),
        ({"result": [{"sys_id": "x"}] * 1000}, "1000 or more rows"),
        ({"result": [{"sys_id": "x", "sysapproval": "SYS", "state": "approved"}]}, "which is no time"),
    ],
)
def test_what_cannot_be_read_is_unknown(world: World, answer: Any, told: str) -> None:
    world.decide()
    text = json.dumps(answer).replace("SYS", world.change["sys_id"])
    world.broken["sysapproval_approver"] = json.loads(text)
    with pytest.raises(PatchtideError, match=told) as caught:
        world.read()
    assert caught.value.code == "Unreadable"


def test_the_pins_name_the_instance(trusted: Trusted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = {"bundle": "b", "root_keys": {"root1": trusted.public("root1")}, "signatures": 1, "lowest_version": 1}
    with pytest.raises(BadInput, match="secret_fil"):
        read_pins({**data, "servicenow": {"url": INSTANCE, "secret_file": "/s", "secret_fil": "/s"}}, "trust.yml")
    bundle = read_bundle(trusted.bundle(), "bundle.yml")
    with pytest.raises(PatchtideError, match="name no instance"):
        to_servicenow(Trust(pins=read_pins(data, "trust.yml"), bundle=bundle, digest="", files={}))
    secret, sent = tmp_path / "secret", list[dict[str, str]]()
    secret.write_text("s3cret\n", "ascii")
    monkeypatch.setattr(https_read, "open_url", lambda _url, headers, **_more: sent.append(headers) or _Answer())
    for more in ({}, {"user": "patching"}):
        pins = read_pins({**data, "servicenow": {"url": f"{INSTANCE}/", "secret_file": str(secret), **more}}, "t")
        source = to_servicenow(Trust(pins=pins, bundle=bundle, digest="", files={}))
        assert source.instance == INSTANCE and source.fetch("/api/now/table/x") == {}
    assert [row["Authorization"] for row in sent] == ["Bearer s3cret", "Basic cGF0Y2hpbmc6czNjcmV0"]
    assert isinstance(pins, Pins)


class _Answer:
    def read(self, _most: int) -> bytes:
        return b"{}"


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ([{"instance": INSTANCE, "user_id": "ana"}], "32 hexadecimal"),
        ([{"instance": INSTANCE, "user_id": "0" * 32}] * 2, "each instance once"),
        ([{"instance": "http://contoso", "user_id": "0" * 32}], "https://"),
    ],
)
def test_accounts_that_identify_nobody(trusted: Trusted, accounts: list[dict[str, str]], told: str) -> None:
    data = trusted.bundle()
    data["people"][0]["servicenow"] = accounts
    with pytest.raises(BadInput, match=told):
        read_bundle(data, "bundle.yml")


def test_an_account_belongs_to_one_person(trusted: Trusted) -> None:
    data = trusted.bundle()
    for person in data["people"][:2]:
        person["servicenow"] = [{"instance": INSTANCE, "user_id": "0" * 32}]
    with pytest.raises(BadInput, match="a servicenow of one person"):
        read_bundle(data, "bundle.yml")
