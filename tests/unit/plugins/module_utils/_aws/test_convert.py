# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Conversions between the service's ways to write things and plain data."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.convert import (
    from_tag_list,
    from_target_list,
    snake,
    to_plain,
    to_tag_list,
    to_target_list,
    to_time,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("InstalledOtherCount", "installed_other_count"), ("CVEIds", "cve_ids"), ("S3BucketName", "s3_bucket_name")],
)
def test_snake_case(name: str, expected: str) -> None:
    assert snake(name) == expected


def test_tags_and_targets_survive_the_round_trip() -> None:
    assert from_tag_list(to_tag_list({"b": "1", "a": ""})) == {"a": "", "b": "1"}
    assert from_target_list(to_target_list({"tag:a": ("x", "y")})) == {"tag:a": ("x", "y")}
    assert from_tag_list(None) == {} == from_target_list(None)


def test_times_are_utc_text() -> None:
    berlin = timezone(timedelta(hours=1))
    assert to_time(datetime(2026, 11, 1, 1, tzinfo=berlin)) == "2026-11-01T00:00:00Z"
    assert to_time(None) == ""


def test_replies_become_plain_data() -> None:
    reply = {"ResponseMetadata": {}, "WindowIds": [{"EndDate": datetime(2026, 1, 1, tzinfo=timezone.utc)}]}
    assert to_plain(reply) == {"window_ids": [{"end_date": "2026-01-01T00:00:00Z"}]}
