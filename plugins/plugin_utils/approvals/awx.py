# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads approvals from the API of AWX and automation controller: who clicked, in which workflow, for which plan.

It proves who clicked, not what they read. Everything is read from the API; a job's variables only say where to read,
because runs by schedule, webhook or callback can forge them. The facts are from ansible/awx:

- a node's approval is ``successful`` if approved and ``failed`` if denied or timed out (``timed_out``); a canceled one
  passes where all nodes converge, and the path after a denial can lead on (awx/main/models/workflow.py,
  awx/main/scheduler/dag_workflow.py)
- ``summary_fields.approved_or_denied_by`` names the user, and is missing where nobody did (awx/api/serializers.py)
- a job's artifacts are what its play set with set_stats (awx/main/models/jobs.py)
- where any parent suffices, a node may begin before its other parents have ended (awx/main/scheduler/dag_workflow.py)
- since Ansible Automation Platform 2.5, the API is below ``/api/controller/v2/`` (ansible/awx#16498)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from ...module_utils._core.stamp import from_time
from ...module_utils._core.text import plain
from ...module_utils._core.trust.bundle import Bundle, Person
from ...module_utils._core.trust.votes import Found, Vote
from .https_read import Fetch, Unreadable, fetch_from, to_bearer
from .trust import Trust

SOURCE = "awx"
#: The artifact in which plan_rollout records for AWX which plan it made.
ARTIFACT = "patchtide_plan_digest"
API = "/api/v2/"
_MOST_PAGES = 50


@dataclass(frozen=True, slots=True)
class AwxApprovals:
    """An ``ApprovalSource``: the approval nodes of the workflow that the plan's job belongs to.

    ``workflow_job``: its number; 0 outside of a workflow, where there is nothing to read. ``api``: the API's path.
    """

    controller: str
    workflow_job: int
    bundle: Bundle
    fetch: Fetch
    api: str = API
    name: str = SOURCE

    def gather(self, plan: Mapping[str, Any], now: datetime) -> list[Found]:
        if not self.workflow_job:
            return []
        return list(self._read(plan, now))

    def _read(self, plan: Mapping[str, Any], now: datetime) -> Iterator[Found]:
        job = self._object(f"workflow_jobs/{self.workflow_job}/")
        label = f"workflow job {self.workflow_job}"
        template = job.get("workflow_job_template")
        if template not in self.bundle.awx_workflows.get(self.controller, ()):
            why = f"the trust bundle does not admit workflow template {template!r} of {self.controller}"
            yield Found(label=label, source=SOURCE, objection=why)
            return
        nodes = {node["id"]: node for node in self._pages(f"workflow_jobs/{self.workflow_job}/workflow_nodes/")}
        for number, node in sorted(nodes.items()):
            if _job_of(node).get("type") == "workflow_approval":
                yield self._approval(number, nodes, plan, now)

    def _approval(
        self, number: int, nodes: Mapping[int, Mapping[str, Any]], plan: Mapping[str, Any], now: datetime
    ) -> Found:
        """Judge one approval node."""
        approval = self._object(f"workflow_approvals/{_job_of(nodes[number])['id']}/")
        label = f"approval {approval.get('id')} of workflow job {self.workflow_job}"
        verdict, why = _verdict(approval)
        user = (approval.get("summary_fields") or {}).get("approved_or_denied_by") or {}
        person = self._person(user.get("id"))
        why = why or self._objection(person, user.get("id"), now)
        if why or person is None:
            return Found(label=label, source=SOURCE, objection=plain(why))
        at = from_time(str(approval["finished"]))
        if at > now or not self._plans_before(number, nodes, plan, at):
            why = (
                "no job before it in the workflow had made this plan" if at <= now else f"it is of {at}, in the future"
            )
            return Found(label=label, source=SOURCE, objection=why)
        return Found(
            label=label,
            source=SOURCE,
            statement=json.dumps(_kept(approval), indent=2, sort_keys=True).encode(),
            vote=Vote(
                principal=person.principal,
                verdict=verdict,
                roles=person.roles,
                source=SOURCE,
                hours=(now - at).total_seconds() / 3600,
                reason=plain(f"denied in {label}") if verdict != "approve" else "",
                proof=f"{self.controller}/{approval['id']}",
            ),
        )

    def _person(self, user: object) -> Person | None:
        people = self.bundle.people.values()
        return next((item for item in people if item.awx.get(self.controller) == user), None)

    def _objection(self, person: Person | None, user: object, now: datetime) -> str:
        """Return why a user's click does not count; empty if it does."""
        if person is None:
            return f"user {user!r} of {self.controller} is nobody of the bundle"
        if person.service:
            return f"user {user!r} of {self.controller} is {person.principal}, a service account, and those never count"
        return self.bundle.revoked("person", person.principal, now)

    def _plans_before(
        self, number: int, nodes: Mapping[int, Mapping[str, Any]], plan: Mapping[str, Any], at: datetime
    ) -> bool:
        """Return whether a job before the approval had made exactly this plan when somebody clicked."""
        for node in _ancestors(number, nodes):
            job = _job_of(nodes[node])
            if job.get("type") != "job":
                continue
            made = self._object(f"jobs/{job['id']}/")
            is_this = (made.get("artifacts") or {}).get(ARTIFACT) == plan["digest"]
            ended = made.get("finished") if made.get("status") == "successful" else None
            if is_this and ended and from_time(str(ended)) <= at:
                return True
        return False

    def _object(self, path: str) -> dict[str, Any]:
        found = self.fetch(self.api + path)
        if not isinstance(found, dict):
            raise Unreadable(f"{self.controller} answered {self.api}{path} with something other than an object.")
        return found

    def _pages(self, path: str) -> Iterator[dict[str, Any]]:
        following: object = self.api + path
        for _page in range(_MOST_PAGES):
            page = self.fetch(str(following))
            rows = page.get("results") if isinstance(page, dict) else None
            if not isinstance(rows, list) or not all(isinstance(row, dict) and "id" in row for row in rows):
                raise Unreadable(f"{self.controller} answered {following} with something other than a list.")
            yield from rows
            following = page.get("next")
            if not following:
                return
            if not str(following).startswith(self.api):
                raise Unreadable(f"{self.controller} names a next page elsewhere: {plain(following)}")
        raise Unreadable(f"{self.controller} has more than {_MOST_PAGES} pages of {path}")


def _job_of(node: Mapping[str, Any]) -> dict[str, Any]:
    found = (node.get("summary_fields") or {}).get("job")
    return found if isinstance(found, dict) else {}


def _verdict(approval: Mapping[str, Any]) -> tuple[str, str]:
    """Return a person's verdict, or why the node has none."""
    status = approval.get("status")
    if approval.get("timed_out"):
        return "", "it timed out"
    if status not in ("successful", "failed"):
        return "", f"it is {status!r}, not 'successful'"
    if not approval.get("finished"):
        return "", "it is not finished"
    return ("approve" if status == "successful" else "reject"), ""


def _kept(approval: Mapping[str, Any]) -> dict[str, Any]:
    """Return an approval in the form that the evidence keeps."""
    user = approval["summary_fields"]["approved_or_denied_by"]
    members = ("id", "name", "status", "timed_out", "finished", "created", "url")
    return {
        **{name: approval.get(name) for name in members},
        "approved_by": {"id": user.get("id"), "name": user.get("username")},
    }


def _ancestors(number: int, nodes: Mapping[int, Mapping[str, Any]]) -> Sequence[int]:
    """Return the nodes from which a path leads to this one."""
    parents: dict[int, set[int]] = {}
    for node in nodes.values():
        for kind in ("success_nodes", "failure_nodes", "always_nodes"):
            for child in node.get(kind) or ():
                parents.setdefault(child, set()).add(node["id"])
    found: set[int] = set()
    todo = [number]
    while todo:
        new = parents.get(todo.pop(), set()) - found
        found |= new
        todo += new
    return sorted(found & set(nodes))


def to_awx(trust: Trust, job: Mapping[str, Any]) -> AwxApprovals:
    """Return the source for the controller in the pins and for the workflow in the job's variables."""
    row = trust.pins.awx
    if not row:
        raise Unreadable(
            "The trust bundle admits approvals of AWX, and the pins of this controller name no AWX to read."
        )
    number = str(job.get("awx_workflow_job_id") or job.get("tower_workflow_job_id") or "")
    workflow = int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0
    url = row["url"].rstrip("/")
    fetch = fetch_from(url, lambda: to_bearer(Path(row["token_file"])), row.get("ca_file"))
    return AwxApprovals(url, workflow, trust.bundle, fetch, row.get("api") or API)
