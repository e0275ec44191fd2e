# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers of Azure Resource Manager as errors of the core."""

from __future__ import annotations

import json

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._azure.errors import (
    Lost,
    Throttled,
    azure_errors,
    refusal,
    retry_after,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import (
    AccessDenied,
    BadInput,
    NotFound,
    ServiceError,
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, AccessDenied),
        (403, AccessDenied),
        (404, NotFound),
        (409, ServiceError),
        (429, Throttled),
        (500, Lost),
        (503, Lost),
        (408, Lost),
    ],
)
def test_status_decides_what_an_error_means(status: int, kind: type[ServiceError]) -> None:
    found = refusal("install", status, {}, json.dumps({"error": {"code": "Some", "message": "two\n lines"}}))
    assert found.__class__ is kind
    assert (found.code, found.detail) == ("Some", "two lines")


@pytest.mark.parametrize("text", ["", "<html>no</html>", "[]", '{"error": "text"}', '{"error": null}'])
def test_an_answer_of_another_form_is_shown(text: str) -> None:
    found = refusal("install", 502, {}, text)
    assert found.code == "HTTP502" and found.detail == (text or "no message")


def test_the_message_of_the_first_detail_stands_in_for_a_missing_one() -> None:
    body = {"error": {"code": "Failed", "details": [{"code": "Inner", "message": "disk full"}]}}
    assert refusal("x", 400, {}, json.dumps(body)).detail == "disk full"


@pytest.mark.parametrize(
    ("value", "seconds"), [("17", 17.0), ("0.5", 0.5), ("-3", 0.0), ("999999", 3600.0), ("soon", 9.0), ("", 9.0)]
)
def test_retry_after(value: str, seconds: float) -> None:
    assert retry_after({"Retry-After": value}, 9.0) == seconds


def test_throttled_says_how_long() -> None:
    found = refusal("x", 429, {"retry-after": "33"}, "{}")
    assert isinstance(found, Throttled) and found.seconds == 33


def test_errors_of_ours_pass() -> None:
    with pytest.raises(BadInput), azure_errors("x"):
        raise BadInput("a", 1, "b")
