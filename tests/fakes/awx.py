# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A strict emulator of the part of AWX's API that approvals are read from, behind TLS.

It answers in the shapes of ansible/awx: awx/api/serializers.py (WorkflowJobSerializer, WorkflowJobNodeSerializer,
WorkflowApprovalSerializer, JobSerializer) and awx/api/pagination.py. It refuses what the service refuses: calls without
a token, other methods than GET, addresses without the slash at the end, query members that it does not know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.fakes.https import https_server

TOKEN = "a-token-that-reads"
LINKS = ("success_nodes", "failure_nodes", "always_nodes")


@dataclass
class FakeAwx:
    """Workflow job 9 of template 42: plan (job 11), approval 12 by user 1, then the rollout (job 13).

    ``api``: where the API is. ``page_size``: nodes on a page. ``broken``: answers by path instead of the real ones.
    """

    digest: str
    api: str = "/api/v2/"
    page_size: int = 2
    broken: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.workflow: dict[str, Any] = {"id": 9, "type": "workflow_job", "workflow_job_template": 42}
        self.nodes = {
            1: self.node(1, "job", 11, success_nodes=[2]),
            2: self.node(2, "workflow_approval", 12, success_nodes=[3]),
            3: self.node(3, "job", 13),
        }
        self.jobs: dict[int, dict[str, Any]] = {
            11: {
                "status": "successful",
                "finished": "2026-12-01T19:00:00.123456Z",
                "artifacts": {"patchtide_plan_digest": self.digest},
            },
            13: {"status": "running", "finished": None, "artifacts": {}},
        }
        self.approval: dict[str, Any] = {
            "name": "go",
            "status": "successful",
            "timed_out": False,
            "finished": "2026-12-01T20:00:00.654321Z",
            "summary_fields": {
                "approved_or_denied_by": {"id": 1, "username": "ana", "first_name": "", "last_name": ""}
            },
        }

    @staticmethod
    def node(number: int, kind: str, job: int, **links: list[int]) -> dict[str, Any]:
        summary = {"job": {"id": job, "type": kind, "status": "successful"}}
        return {"id": number, "job": job, **{name: links.get(name, []) for name in LINKS}, "summary_fields": summary}

    @contextmanager
    def served(self, folder: Path) -> Iterator[tuple[str, Path, Path]]:
        """Serve it; yields its address, the file with the token and the CA file."""
        token = folder / "token"
        token.write_text(f"{TOKEN}\n", "ascii")

        class Handler(BaseHTTPRequestHandler):
            awx = self

            def do_GET(self) -> None:
                status, kind, body = self.awx.answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Type", kind)
                if status in (301, 302):
                    self.send_header("Location", body.decode())
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_given: Any) -> None:
                pass

        with https_server(Handler, folder) as (url, certificate):
            yield url, token, certificate

    def answer(self, target: str, authorization: str) -> tuple[int, str, bytes]:
        """Return status, content type and body of a GET."""
        self.calls.append(target)
        path, query = urlsplit(target).path, parse_qs(urlsplit(target).query)
        if path in self.broken:
            return self.broken[path]
        if authorization != f"Bearer {TOKEN}":
            return self._json({"detail": "Authentication credentials were not provided."}, 401)
        if not path.startswith(self.api):
            return 404, "text/html", b"<h1>Not Found</h1>"
        if not path.endswith("/"):
            return 301, "text/html", f"{path}/".encode()
        if set(query) - {"page"}:
            return self._json({"detail": f"WorkflowJobNode has no field named {min(query)!r}"}, 400)
        found = self._find(path.removeprefix(self.api), int(query.get("page", ["1"])[0]))
        return self._json(found) if found is not None else self._json({"detail": "Not found."}, 404)

    def _find(self, path: str, page: int) -> dict[str, Any] | None:
        if path == "workflow_jobs/9/":
            return self.workflow
        if path == "workflow_jobs/9/workflow_nodes/":
            return self._page(path, page)
        if path == "workflow_approvals/12/":
            return {"id": 12, "type": "workflow_approval", "url": self.api + path, **self.approval}
        kind, _slash, number = path.strip("/").partition("/")
        if kind == "jobs" and number.isdigit() and int(number) in self.jobs:
            return {"id": int(number), "type": "job", **self.jobs[int(number)]}
        return None

    def _page(self, path: str, page: int) -> dict[str, Any] | None:
        rows, first = list(self.nodes.values()), (page - 1) * self.page_size
        if first >= len(rows) and page > 1:
            return None
        more = first + self.page_size < len(rows)
        following = f"{self.api}{path}?page={page + 1}" if more else None
        return {"count": len(rows), "next": following, "results": rows[first : first + self.page_size]}

    @staticmethod
    def _json(data: dict[str, Any], status: int = 200) -> tuple[int, str, bytes]:
        return status, "application/json", json.dumps(data).encode()
