# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A history in S3: keys below the prefix, KMS where it is asked for, and what is not there is none."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws import session
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.history_bucket import HistoryBucket
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import ServiceError
from botocore.stub import ANY, Stubber


@pytest.fixture
def stub() -> Iterator[tuple[HistoryBucket, Stubber]]:
    client = boto3.client("s3", region_name="eu-west-1", aws_access_key_id="x", aws_secret_access_key="x")
    with Stubber(client) as stubber:
        yield HistoryBucket(client, "bucket", "a/b", "alias/key"), stubber
        stubber.assert_no_pending_responses()


def test_objects_are_below_the_prefix_and_encrypted(stub: tuple[HistoryBucket, Stubber], tmp_path: Path) -> None:
    bucket, answers = stub
    request = {"Bucket": "bucket", "Key": "a/b/x.json", "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/key"}
    answers.add_response("put_object", {}, {**request, "Body": b"1"})
    answers.add_response("put_object", {}, {**request, "Body": ANY})
    (tmp_path / "f").write_bytes(b"2")
    bucket.write("x.json", b"1")
    bucket.write("x.json", str(tmp_path / "f"))


def test_what_is_not_there_is_none_and_anything_else_an_error(stub: tuple[HistoryBucket, Stubber]) -> None:
    bucket, answers = stub
    answers.add_client_error("get_object", "NoSuchKey")
    assert bucket.read("x") is None
    answers.add_client_error("get_object", "AccessDenied")
    with pytest.raises(ServiceError, match="read s3://bucket/a/b/x"):
        bucket.read("x")


def test_names_come_without_the_prefix_from_all_pages(stub: tuple[HistoryBucket, Stubber]) -> None:
    bucket, answers = stub
    request = {"Bucket": "bucket", "Prefix": "a/b/published/"}
    page = {"IsTruncated": True, "NextContinuationToken": "t", "Contents": [{"Key": "a/b/published/1.json"}]}
    answers.add_response("list_objects_v2", page, request)
    last = {"IsTruncated": False, "Contents": [{"Key": "a/b/published/2.json"}]}
    answers.add_response("list_objects_v2", last, {**request, "ContinuationToken": "t"})
    assert list(bucket.names("published")) == ["published/1.json", "published/2.json"]


def test_browsers_know_what_a_report_is(stub: tuple[HistoryBucket, Stubber]) -> None:
    bucket, answers = stub
    kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/key"}
    request = {"Bucket": "bucket", "Key": "a/b/r.html", "Body": b"1", "ContentType": "text/html; charset=utf-8", **kms}
    answers.add_response("put_object", {}, request)
    bucket.write("r.html", b"1")


NOW = datetime(2026, 11, 28, 12, tzinfo=timezone.utc)


def client_of(region: str) -> Any:
    connection = session.Connection(access_key="AKIAEXAMPLE", secret_key="x")
    return session.Sessions(connection).client("s3", session.Place(region=region))


@pytest.mark.parametrize(("hours", "seconds"), [(24, 86_400), (168, 604_800), (500, 604_800)])
def test_a_link_is_signed_for_its_region_and_not_for_longer_than_a_week(hours: int, seconds: int) -> None:
    link, until = HistoryBucket(client_of("eu-west-1"), "reports", "p").link(
        "2026-11/r.html", timedelta(hours=hours), NOW
    )
    address = urlsplit(link)
    query = parse_qs(address.query)
    assert (address.scheme, address.netloc) == ("https", "reports.s3.eu-west-1.amazonaws.com")
    assert address.path == "/p/2026-11/r.html" and query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["X-Amz-Expires"] == [str(seconds)] and until == NOW + timedelta(seconds=seconds)
    assert query["response-content-disposition"] == ['attachment; filename="r.html"']


def test_a_link_ends_with_its_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    client = client_of("eu-west-1")
    monkeypatch.setattr(client._get_credentials(), "_expiry_time", NOW + timedelta(minutes=50), raising=False)
    link, until = HistoryBucket(client, "reports", "").link("r.html", timedelta(hours=24), NOW)
    assert until == NOW + timedelta(minutes=50) and "X-Amz-Expires=3000&" in link
