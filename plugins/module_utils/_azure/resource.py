# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A resource of Azure Resource Manager that is read, written and deleted as a whole: the ``ResourcePort``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import NotFound
from .arm import Arm

MAINTENANCE_API = "2023-04-01"


class Resource:
    """:param path: its resource ID. :param api: the API version. :param what: what it is called in errors."""

    def __init__(self, arm: Arm, path: str, api: str, what: str) -> None:
        self._arm, self._path, self._api, self._what = arm, path, api, what

    def read(self) -> Mapping[str, Any] | None:
        try:
            return self._arm.read(self._path, self._api, f"read {self._what}")
        except NotFound:
            return None

    def put(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._write("PUT", body, f"write {self._what}")

    def patch(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        return self._write("PATCH", body, f"update {self._what}")

    def delete(self) -> None:
        try:
            self._arm.write("DELETE", self._path, self._api, None, f"delete {self._what}")
        except NotFound:
            return

    def _write(self, method: str, body: Mapping[str, Any], action: str) -> Mapping[str, Any]:
        """Write and wait: updates of machines are long-running operations, whose answer has no resource."""
        answer = self._arm.write(method, self._path, self._api, body, action)
        if answer.status == 202 or "azure-asyncoperation" in answer.headers:
            self._arm.wait(answer, action)
            return self._arm.read(self._path, self._api, action)
        return answer.data
