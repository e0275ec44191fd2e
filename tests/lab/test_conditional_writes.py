# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Of several writers with the same condition one succeeds, as in DynamoDB and S3; moto alone lets several succeed.

DynamoDB developer guide, "Condition expressions"; S3 user guide, "Conditional writes": of concurrent writes with
``If-None-Match`` "the first write operation to finish succeeds". Journals, claims and override lists rely on it.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lab.aws.launch import Lab

WRITERS, ROUNDS = 8, 25
Write = Callable[[int, int], Any]


def to_a_table(aws: Lab) -> Write:
    client = aws.client("dynamodb")
    client.create_table(
        TableName="once",
        AttributeDefinitions=[{"AttributeName": "key", "AttributeType": "N"}],
        KeySchema=[{"AttributeName": "key", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )

    def write(number: int, writer: int) -> Any:
        item = {"key": {"N": str(number)}, "writer": {"N": str(writer)}}
        return client.put_item(
            TableName="once",
            Item=item,
            ConditionExpression="attribute_not_exists(#key)",
            ExpressionAttributeNames={"#key": "key"},
        )

    return write


def to_a_bucket(aws: Lab) -> Write:
    client = aws.client("s3")
    client.create_bucket(Bucket="once", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return lambda number, writer: client.put_object(Bucket="once", Key=str(number), Body=b"x" * writer, IfNoneMatch="*")


@pytest.mark.parametrize("store", [to_a_table, to_a_bucket])
def test_one_of_many_writers_at_once_succeeds(aws: Lab, store: Callable[[Lab], Write]) -> None:
    write, barrier = store(aws), Barrier(WRITERS)

    def race(writer: int) -> list[bool]:
        won = []
        for number in range(ROUNDS):
            barrier.wait(60)
            try:
                write(number, writer)
            except ClientError as error:
                assert error.response["Error"]["Code"] in ("ConditionalCheckFailedException", "PreconditionFailed")
                won.append(False)
            else:
                won.append(True)
        return won

    with ThreadPoolExecutor(WRITERS) as pool:
        rounds = list(zip(*pool.map(race, range(WRITERS)), strict=True))
    assert [sum(winners) for winners in rounds] == [1] * ROUNDS
