# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The simulated Satellite takes what a real one's API description has, and refuses what Katello refuses."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from lab.satellite.server import Satellite

ERRATA = {"RHSA-2026:1001": ["CVE-2026-1"], "RHSA-2026:1103": []}
WORLD: dict[str, Any] = {
    "errata": ERRATA,
    "synced": list(ERRATA),
    "versions": {
        "1.0": {"errata": ["RHSA-2026:1001"], "in": ["Test", "Prod"]},
        "2.0": {"errata": list(ERRATA), "in": ["Library"]},
    },
}
VERSIONS = "/katello/api/content_view_versions"
OLD, NEW, DEV, PROD = 10, 11, 2, 4


class Asked:
    """A client with a world of its own."""

    def __init__(self, **more: Any) -> None:
        self.client = Client(Satellite())
        self.client.put("/lab", json={**WORLD, **more})

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.client.get(path, query_string=query, auth=("patching", "changeme"))

    def post(self, path: str, body: dict[str, Any]) -> TestResponse:
        return self.client.post(path, json=body, auth=("patching", "changeme"))

    def promote(self, version: int, *environments: int, **more: Any) -> TestResponse:
        return self.post(f"{VERSIONS}/{version}/promote", {"environment_ids": list(environments), **more})

    def where(self) -> dict[str, list[str]]:
        found: dict[str, Any] = self.client.get("/lab").get_json()["versions"]
        return {number: item["in"] for number, item in found.items()}


def said(answer: TestResponse) -> str:
    return str(answer.get_json()["displayMessage"])


def test_without_the_password_nothing_is_answered() -> None:
    found = Asked(password="another").get("/katello/api/environments")
    assert found.status_code == 401 and "Unable to authenticate user patching" in found.get_json()["error"]["message"]


@pytest.mark.parametrize(
    ("path", "query", "status", "words"),
    [
        ("/katello/api/nonsense", {}, 404, "no such route"),
        (VERSIONS, {"enviroment_id": 1}, 422, "enviroment_id is unknown"),
        (VERSIONS, {"environment_id": "Dev"}, 422, "environment_id is 'Dev', expected numeric"),
        ("/katello/api/environments", {"search": "name ~ x"}, 400, "not recognized for searching"),
    ],
)
def test_what_the_api_does_not_have_is_refused(path: str, query: dict[str, Any], status: int, words: str) -> None:
    found = Asked().get(path, **query)
    assert found.status_code == status and words in said(found)


def test_a_version_goes_along_the_path_only() -> None:
    asked = Asked()
    found = asked.promote(NEW, PROD)
    assert found.status_code == 400 and "out of sequence" in said(found)
    assert asked.promote(NEW, DEV).get_json()["result"] == "success"
    assert asked.where() == {"1.0": ["Test", "Prod"], "2.0": ["Library", "Dev"]}
    assert asked.promote(NEW, PROD, force=True).status_code == 202
    assert asked.where()["2.0"] == ["Library", "Dev", "Prod"]


def test_a_view_that_another_task_works_on_is_locked() -> None:
    asked = Asked(locked=1)
    found = asked.promote(NEW, DEV)
    assert found.status_code == 500 and "Required lock is already taken" in said(found)
    assert asked.promote(NEW, DEV).status_code == 202


def test_a_task_has_its_effect_when_it_ends_and_none_if_it_fails() -> None:
    asked = Asked(polls=2, fails=["publish"])
    task = asked.promote(NEW, DEV).get_json()
    seen = [task] + [asked.get(f"/foreman_tasks/api/tasks/{task['id']}").get_json() for _number in range(2)]
    assert [item["state"] for item in seen] == ["planned", "running", "stopped"]
    assert [item["result"] for item in seen] == ["pending", "pending", "success"]
    failed = asked.post("/katello/api/content_views/5/publish", {}).get_json()
    looks = [asked.get(f"/foreman_tasks/api/tasks/{failed['id']}").get_json() for _number in range(2)]
    assert looks[-1]["result"] == "error" and looks[-1]["humanized"]["errors"] == ["publish failed: 502 Bad Gateway"]
    assert sorted(asked.where()) == ["1.0", "2.0"]


def test_errata_are_added_as_a_minor_version_of_what_the_environment_has() -> None:
    asked = Asked()
    place = {"content_view_version_id": OLD, "environment_ids": [PROD]}
    body = {"content_view_version_environments": [place], "add_content": {"errata_ids": ["RHSA-2026:1103"]}}
    assert asked.post(f"{VERSIONS}/incremental_update", body).status_code == 202
    assert asked.where() == {"1.0": ["Test"], "1.1": ["Prod"], "2.0": ["Library"]}
    body["add_content"] = {"errata_ids": ["RHSA-2026:9999"]}
    assert "Could not find 1 errata" in said(asked.post(f"{VERSIONS}/incremental_update", body))
