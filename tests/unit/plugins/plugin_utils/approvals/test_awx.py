# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals of AWX, read over TLS from a strict emulator of its API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput, PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle_read import read_bundle
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.judge import find_actors, judge
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.operator import Operator
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.pins import Pins, read_pins
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.votes import Found
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.awx import to_awx
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.trust import Trust

from tests.fakes.awx import FakeAwx
from tests.fakes.trusted import AT, PLAN_DIGEST, Trusted

PLAN = {"digest": PLAN_DIGEST, "waves": [{"name": "broad", "nodes": [{"account": "2", "tags": {}}]}]}
JOB = {"awx_workflow_job_id": 9}
NODES, PLANNED = "/api/v2/workflow_jobs/9/workflow_nodes/", "/api/v2/jobs/11/"


class World:
    """An AWX that is served, and a controller that pins it."""

    def __init__(self, folder: Path, trusted: Trusted) -> None:
        self.folder, self.trusted = folder, trusted
        self.awx = FakeAwx(PLAN_DIGEST)
        self.revocations: list[dict[str, str]] = []
        self.pinned: dict[str, str] = {}
        self.job: Mapping[str, Any] = JOB

    def gather(self) -> list[Found]:
        with self.awx.served(self.folder) as (url, token, certificate):
            return to_awx(self.trust(url, token, certificate), self.job).gather(PLAN, from_time(AT))

    def trust(self, url: str, token: Path, certificate: Path) -> Trust:
        data = self.trusted.bundle(
            awx_workflows=[{"controller": url, "workflow_templates": [42]}], revocations=self.revocations
        )
        for person in data["people"]:
            person["awx"][0]["controller"] = url
        data["requirements"]["plans"][1]["sources"] = ["ssh", "awx"]
        pinned = {"url": url, "token_file": str(token), "ca_file": str(certificate), **self.pinned}
        pins = Pins(bundle="b", root_keys={}, signatures=1, lowest_version=1, awx=pinned)
        self.bundle = read_bundle(data, "bundle.yml")
        return Trust(pins=pins, bundle=self.bundle, digest="", files={})

    def read(self) -> tuple[str, str]:
        """Return (who approved, why not)."""
        found = self.gather()
        return (
            " ".join(item.vote.principal for item in found if item.vote and item.vote.verdict == "approve"),
            "; ".join(item.objection for item in found if not item.vote),
        )


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Trusted:
    return Trusted(tmp_path_factory.mktemp("awx"))


@pytest.fixture
def world(tmp_path: Path, trusted: Trusted) -> World:
    return World(tmp_path, trusted)


def test_who_clicked_after_this_plan_was_made(world: World) -> None:
    assert world.read() == ("ana@example.com", "")
    assert len(world.awx.calls) == 5 and f"{NODES}?page=2" in world.awx.calls


def test_outside_of_a_workflow_nothing_is_read(world: World) -> None:
    world.job = {}
    assert world.read() == ("", "") and world.awx.calls == []


def test_the_api_of_newer_automation_platforms(world: World) -> None:
    """ansible/awx#16498: since 2.5 it is below /api/controller/."""
    world.awx.api = world.pinned["api"] = "/api/controller/v2/"
    assert world.read() == ("ana@example.com", "")


def user(world: World, number: int) -> None:
    world.awx.approval["summary_fields"]["approved_or_denied_by"]["id"] = number


def insert(world: World, **links: list[int]) -> None:
    """Put a node before the approval, whose job is not the one that made the plan."""
    world.awx.nodes[4] = world.awx.node(4, "job", 13, success_nodes=[2])
    world.awx.nodes[1].update(links)


def any_parent(world: World) -> None:
    """Where any parent suffices, the approval can be given before the plan exists."""
    insert(world)
    world.awx.jobs[11]["finished"] = "2026-12-01T21:00:00.5Z"


CASES: dict[str, tuple[Callable[[World], object], str]] = {
    "timed out": (lambda w: w.awx.approval.update(status="failed", timed_out=True), "it timed out"),
    "timed out though it says successful": (lambda w: w.awx.approval.update(timed_out=True), "it timed out"),
    "canceled": (lambda w: w.awx.approval.update(status="canceled"), "it is 'canceled'"),
    "broken": (lambda w: w.awx.approval.update(status="error"), "it is 'error'"),
    "pending": (lambda w: w.awx.approval.update(status="pending", finished=None), "it is 'pending'"),
    "not finished": (lambda w: w.awx.approval.update(finished=None), "it is not finished"),
    "clicked in the future": (lambda w: w.awx.approval.update(finished="2026-12-01T22:00:01Z"), "in the future"),
    "nobody": (lambda w: w.awx.approval.update(summary_fields={}), "user None"),
    "a stranger": (lambda w: user(w, 99), "user 99"),
    "a number that is none": (lambda w: user(w, "1"), "user '1'"),  # type: ignore[arg-type] # wrong on purpose
    "a service account": (lambda w: user(w, 6), "is robot, a service account"),
    "a revoked person": (
        lambda w: w.revocations.append(
            {"person": "ana@example.com", "since": "2026-11-01T00:00:00Z", "reason": "left"}
        ),
        "was revoked on 2026-11-01: left",
    ),
    "another plan": (lambda w: w.awx.jobs[11]["artifacts"].update(patchtide_plan_digest="0" * 64), "no job before it"),
    "artifacts that vanished": (lambda w: w.awx.jobs[11].update(artifacts={}), "no job before it"),
    "artifacts of null": (lambda w: w.awx.jobs[11].update(artifacts=None), "no job before it"),
    "a plan that failed": (lambda w: w.awx.jobs[11].update(status="failed"), "no job before it"),
    "a plan that is still made": (lambda w: w.awx.jobs[11].update(status="running", finished=None), "no job before it"),
    "a plan beside it": (lambda w: w.awx.nodes[1].update(success_nodes=[]), "no job before it"),
    "a plan after it": (
        lambda w: (w.awx.nodes[1].update(success_nodes=[]), w.awx.nodes[3].update(success_nodes=[1])),
        "no job before it",
    ),
    "a plan made after the click": (any_parent, "no job before it"),
    "a nested workflow's plan": (
        lambda w: w.awx.nodes[1]["summary_fields"]["job"].update(type="workflow_job"),
        "no job before it",
    ),
    "another workflow": (lambda w: w.awx.workflow.update(workflow_job_template=7), "template 7"),
    "a workflow without a template": (lambda w: w.awx.workflow.update(workflow_job_template=None), "template None"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_approves_nothing(world: World, name: str) -> None:
    change, told = CASES[name]
    change(world)
    who, why = world.read()
    assert who == "" and told in why and "\n" not in why


@pytest.mark.parametrize("links", [{"always_nodes": [2]}, {"failure_nodes": [2]}, {"success_nodes": [4]}])
def test_any_path_from_the_plan_counts(world: World, links: dict[str, list[int]]) -> None:
    insert(world, **{"success_nodes": [], **links})
    assert world.read() == ("ana@example.com", "")


@pytest.mark.parametrize("number", [1, 5])
def test_a_denial_stops_the_plan(world: World, number: int) -> None:
    """The workflow can go on after a denial, by the path for failures. Everybody of the bundle may reject."""
    world.awx.approval.update(status="failed")
    user(world, number)
    (found,) = world.gather()
    assert found.vote and found.vote.verdict == "reject"
    actors = find_actors(world.bundle, Operator(login="dana"), Operator(login="dana"))
    (why,) = {
        why for whys in judge(PLAN, world.bundle, [found], actors).missing.values() for why in whys if "said" in why
    }
    assert why == f"{found.vote.principal} said reject: denied in approval 12 of workflow job 9"


def test_a_denial_of_a_stranger_is_no_vote(world: World) -> None:
    world.awx.approval.update(status="failed")
    user(world, 99)
    assert "user 99" in world.read()[1]


BROKEN: dict[str, tuple[str, tuple[int, str, bytes]]] = {
    "a list": (NODES, (200, "application/json", b"[]")),
    "no rows": (NODES, (200, "application/json", b'{"results": "x"}')),
    "a row without a number": (NODES, (200, "application/json", b'{"results": [{}]}')),
    "a page elsewhere": (
        NODES,
        (200, "application/json", b'{"results": [], "next": "https://evil.example.com/api/v2/"}'),
    ),
    "a page without end": (NODES, (200, "application/json", f'{{"results": [], "next": "{NODES}"}}'.encode())),
    "a page of another API": (NODES, (200, "application/json", b'{"results": [], "next": "/login/"}')),
    "no object": (PLANNED, (200, "application/json", b'"x"')),
    "no JSON": (PLANNED, (200, "text/html", b"<html>sign in</html>")),
    "a redirect": (PLANNED, (302, "text/html", b"/api/v2/jobs/14/")),
    "no right": (PLANNED, (403, "application/json", b'{"detail": "You do not have permission"}')),
    "not there": (PLANNED, (404, "application/json", b'{"detail": "Not found."}')),
    "broken": (PLANNED, (502, "text/html", b"Bad Gateway")),
    "too large": (PLANNED, (200, "application/json", b" " * ((8 << 20) + 1))),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_cannot_be_read_is_no_approval_and_no_lack_of_one(world: World, name: str) -> None:
    path, answer = BROKEN[name]
    world.awx.broken[path] = answer
    world.awx.jobs[14] = world.awx.jobs[11]
    told = "names a next page elsewhere" if name in ("a page elsewhere", "a page of another API") else "localhost"
    with pytest.raises(PatchtideError, match=told) as caught:
        world.read()
    assert "\n" not in str(caught.value) and caught.value.code == "Unreadable"


@pytest.mark.parametrize("trouble", ["token", "no token", "certificate", "not running"])
def test_a_controller_that_can_t_be_read(world: World, tmp_path: Path, trouble: str) -> None:
    with world.awx.served(tmp_path) as (url, token, certificate):
        if trouble == "token":
            token.write_text("another")
        elif trouble == "no token":
            token.unlink()
        elif trouble == "certificate":
            world.pinned["ca_file"] = str(other_certificate(tmp_path))
        address = "https://localhost:9" if trouble == "not running" else url
        source = to_awx(world.trust(address, token, certificate), JOB)
        with pytest.raises(PatchtideError, match="Could not read"):
            source.gather(PLAN, from_time(AT))


def other_certificate(folder: Path) -> Path:
    other = folder / "other"
    other.mkdir()
    with FakeAwx("").served(other) as (_url, _token, certificate):
        return certificate


def test_a_controller_that_nobody_pins(world: World, tmp_path: Path) -> None:
    trust = world.trust("https://awx.example.com", tmp_path, tmp_path)
    bare = Trust(
        pins=Pins(bundle="b", root_keys={}, signatures=1, lowest_version=1), bundle=trust.bundle, digest="", files={}
    )
    with pytest.raises(PatchtideError, match="name no AWX to read"):
        to_awx(bare, JOB)


@pytest.mark.parametrize(
    ("more", "told"),
    [({"api": "/api/v3/"}, "api/controller/v2"), ({"api": "//evil/api/v2/"}, "api/v2"), ({"ca_fil": "x"}, "ca_fil")],
)
def test_pins_that_do_not_say_where_to_read(trusted: Trusted, more: dict[str, str], told: str) -> None:
    pins = {
        "bundle": "b",
        "root_keys": {"root1": trusted.public("root1")},
        "signatures": 1,
        "lowest_version": 1,
        "awx": {"url": "https://awx.example.com", "token_file": "/t", **more},
    }
    with pytest.raises(BadInput, match=told):
        read_pins(pins, "trust.yml")
