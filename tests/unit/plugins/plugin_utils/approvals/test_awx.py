# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals of AWX, read from a strict emulator of the few endpoints, which answers in the shapes of ansible/awx:
awx/api/serializers.py (WorkflowApprovalSerializer, WorkflowJobNodeSerializer, JobSerializer)."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle import Bundle
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle_read import read_bundle
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.awx import AwxApprovals, fetch_from

from tests.fakes.trusted import AT, PLAN_DIGEST, Trusted

URL = "https://awx.example.com"
PLAN = {"digest": PLAN_DIGEST}
Answers = dict[str, Any]


def node(number: int, job: int, kind: str, *following: int) -> dict[str, Any]:
    links = {"success_nodes": list(following), "failure_nodes": [], "always_nodes": []}
    return {"id": number, "job": job, **links, "summary_fields": {"job": {"id": job, "type": kind}}}


def answers() -> Answers:
    """Return what AWX answers: plan (job 11), then approval 12 by user 1 (ana), then the rollout (job 13)."""
    user = {"id": 1, "username": "ana"}
    approval = {"id": 12, "name": "go", "status": "successful", "timed_out": False, "finished": "2026-12-01T20:00:00Z"}
    return {
        "/api/v2/workflow_jobs/9/": {"id": 9, "workflow_job_template": 42},
        "/api/v2/workflow_jobs/9/workflow_nodes/": {
            "results": [node(1, 11, "job", 2)],
            "next": "/api/v2/workflow_jobs/9/workflow_nodes/?page=2",
        },
        "/api/v2/workflow_jobs/9/workflow_nodes/?page=2": {
            "results": [node(2, 12, "workflow_approval", 3), node(3, 13, "job")],
            "next": None,
        },
        "/api/v2/workflow_approvals/12/": {**approval, "summary_fields": {"approved_or_denied_by": user}},
        "/api/v2/jobs/11/": {"id": 11, "status": "successful", "artifacts": {"patchtide_plan_digest": PLAN_DIGEST}},
    }


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    workflows = [{"controller": URL, "workflow_templates": [42]}]
    data = Trusted(tmp_path_factory.mktemp("awx")).bundle(awx_workflows=workflows)
    return read_bundle(data, "bundle.yml")


def read(bundle: Bundle, given: Answers, workflow: int = 9) -> tuple[str, str]:
    """Return (who approved, why not)."""

    def fetch(path: str) -> Any:
        return given[path]  # a call too many is a KeyError

    found = AwxApprovals(URL, workflow, bundle, fetch).gather(PLAN, from_time(AT))
    return (
        " ".join(item.vote.principal for item in found if item.vote),
        "; ".join(item.objection for item in found if not item.vote),
    )


def test_who_clicked_after_this_plan_was_made(bundle: Bundle) -> None:
    assert read(bundle, answers()) == ("ana@example.com", "")


def test_outside_of_a_workflow_nothing_is_read(bundle: Bundle) -> None:
    assert read(bundle, {}, 0) == ("", "")


APPROVAL, PLANNED = "/api/v2/workflow_approvals/12/", "/api/v2/jobs/11/"
NODES = "/api/v2/workflow_jobs/9/workflow_nodes/"
CASES: dict[str, tuple[Callable[[Answers], object], str]] = {
    "denied": (lambda a: a[APPROVAL].update(status="failed"), "it is 'failed'"),
    "timed out": (lambda a: a[APPROVAL].update(status="failed", timed_out=True), "it timed out"),
    "canceled": (lambda a: a[APPROVAL].update(status="canceled"), "it is 'canceled'"),
    "pending": (lambda a: a[APPROVAL].update(status="pending", finished=None), "it is 'pending'"),
    "nobody": (lambda a: a[APPROVAL].update(summary_fields={}), "user None"),
    "a stranger": (lambda a: a[APPROVAL]["summary_fields"]["approved_or_denied_by"].update(id=99), "user 99"),
    "a service account": (lambda a: a[APPROVAL]["summary_fields"]["approved_or_denied_by"].update(id=6), "user 6"),
    "another plan": (lambda a: a[PLANNED]["artifacts"].update(patchtide_plan_digest="0" * 64), "no job before it"),
    "artifacts that vanished": (lambda a: a[PLANNED].update(artifacts={}), "no job before it"),
    "a plan that failed": (lambda a: a[PLANNED].update(status="failed"), "no job before it"),
    "a plan beside it": (lambda a: a[NODES]["results"][0].update(success_nodes=[]), "no job before it"),
    "another workflow": (lambda a: a["/api/v2/workflow_jobs/9/"].update(workflow_job_template=7), "template 7"),
}


@pytest.mark.parametrize("name", CASES)
def test_what_approves_nothing(bundle: Bundle, name: str) -> None:
    change, told = CASES[name]
    given = deepcopy(answers())
    change(given)
    who, why = read(bundle, given)
    assert who == "" and told in why and "\n" not in why


@pytest.mark.parametrize(
    "page",
    [[], {"results": "x"}, {"results": [{}]}, {"results": [], "next": "https://evil.example.com/api/v2/"}],
)
def test_other_answers_are_unreadable(bundle: Bundle, page: Any) -> None:
    with pytest.raises(PatchtideError, match=r"awx\.example\.com"):
        read(bundle, {**answers(), NODES: page})


def test_a_controller_that_can_t_be_reached_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(PatchtideError, match="Could not read"):
        fetch_from("https://127.0.0.1:9", tmp_path / "token")("/api/v2/workflow_jobs/9/")
    (tmp_path / "token").write_text("x")
    with pytest.raises(PatchtideError, match="Could not read"):
        fetch_from("https://127.0.0.1:9", tmp_path / "token")("/api/v2/workflow_jobs/9/")
