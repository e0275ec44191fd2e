# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Override lists in a bucket: written once under their digest, and read back."""

from __future__ import annotations

from typing import Any

from .._core.errors import ServiceError
from .._core.lists.address import Bucket
from .errors import aws_errors

#: No list is larger: 500 rows of two texts of 300 characters.
MOST_BYTES = 1_000_000
#: The object is there already, or somebody writes it at this moment (S3 user guide, conditional writes).
_THERE = frozenset({"PreconditionFailed", "412", "ConditionalRequestConflict", "409"})


class ListBucket:
    """:param client: S3 of the bucket's Region, with retries."""

    def __init__(self, client: Any, bucket: Bucket) -> None:
        self._client = client
        self._bucket = bucket

    def write(self, name: str, text: str) -> bool:
        """Write a list unless there is an object of that name; return whether it was written."""
        key = self._bucket.key(name)
        request = {"Bucket": self._bucket.name, "Key": key, "Body": text.encode(), "ContentType": "text/yaml"}
        if self._bucket.kms_key:
            request |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._bucket.kms_key}
        try:
            with aws_errors(f"write the list s3://{self._bucket.name}/{key}"):
                self._client.put_object(**request, IfNoneMatch="*")
        except ServiceError as error:
            if error.code in _THERE:
                return False
            raise
        return True

    def read(self, name: str) -> bytes:
        """Return what a list's object holds."""
        key = self._bucket.key(name)
        with aws_errors(f"read the list s3://{self._bucket.name}/{key}"):
            return bytes(self._client.get_object(Bucket=self._bucket.name, Key=key)["Body"].read(MOST_BYTES))
