# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of Azure Resource Manager: bodies, errors and the headers of long-running operations."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What a handler returns."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def data(self) -> bytes:
        return b"" if self.body is None else json.dumps(self.body).encode()


class Refused(Exception):
    """An error of the form ``{"error": {"code", "message"}}``."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.headers = status, code, headers

    def reply(self) -> Reply:
        body = {"error": {"code": self.code, "message": str(self)}}
        return Reply(self.status, body, {name.replace("_", "-"): text for name, text in self.headers.items()})


def not_found(resource: str) -> Refused:
    message = (
        f"The Resource '{resource}' was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return Refused(404, "ResourceNotFound", message)


def throttled(seconds: float, what: str) -> Refused:
    text = f"Number of requests for {what} exceeded the limit. Please try again after '{seconds:.0f}' seconds."
    return Refused(429, "TooManyRequests", text, Retry_After=f"{seconds:.0f}")
