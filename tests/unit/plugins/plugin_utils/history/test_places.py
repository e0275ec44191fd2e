# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A history in a bucket has the same answers as one in a directory; S3 is simulated by moto."""

from __future__ import annotations

from datetime import timedelta

import boto3
import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._aws.history_bucket import HistoryBucket
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.history.runs import limit_run
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.cleanup import clean_up
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.places import HistoryDirectory, open_history
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.publish import find_format, publish
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.history.read import open_history_tables
from moto import mock_aws

from tests.fakes.history_months import Estate

NOW = "2026-11-28T00:00:00.000Z"


def test_a_bucket_is_read_and_written(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="history")
        store = HistoryBucket(client, "history", "a/b", "alias/key")
        form = find_format(store, "jsonl", True)
        runs = list(Estate(2, 1).runs())
        assert all(publish(store, run, form, NOW)["changed"] for run in runs)
        assert not publish(store, runs[1], form, NOW)["changed"]
        head = client.head_object(Bucket="history", Key="a/b/history.json")
        assert head["ServerSideEncryption"] == "aws:kms"
        names = list(store.names("limits"))
        (file,) = store.files("limits")
        assert [file.name] == names and file.size == len(store.read(file.name) or b"")
        assert file.modified.utcoffset() == timedelta(0) and clean_up(store, file.modified, 1)["files"] == []
        publish(store, limit_run({"stale": 3}, "2026-11-28T00:00:00.000Z"), form, NOW)
        found = clean_up(store, file.modified + timedelta(days=9), 1)
        assert found["publications"] == 1 and file.name in found["files"] and file.name not in store.names("limits")
        with open_history_tables(store) as database:
            assert database.execute("SELECT sum(nodes) FROM compliance_now").fetchall() == [(2,)]


def test_a_place_is_a_directory_or_an_address(tmp_path: object) -> None:
    assert isinstance(open_history(str(tmp_path), {}), HistoryDirectory)
    for text in ("s3:bucket", "s3://Bucket/x", "s3://bucket/a b", "s3://bucket//x"):
        with pytest.raises(BadInput, match="bucket and prefix"):
            open_history(text, {})
