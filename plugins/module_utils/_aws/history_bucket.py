# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A history in a bucket of S3. A reader sees a whole object or none (S3 user guide, "Amazon S3 data
consistency model")."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from .._core.errors import ServiceError
from .._core.history.store import Stored
from .errors import aws_errors

#: What browsers need to know; other objects are for programs.
_TYPES = {".html": "text/html; charset=utf-8", ".csv": "text/csv; charset=utf-8"}
#: An address signed by SigV4 is valid for 7 days at most (S3 user guide, "Sharing objects with presigned URLs").
LONGEST_LINK = timedelta(days=7)
_NOT_THERE = frozenset({"NoSuchKey", "404", "NotFound"})


def _in_region(context: dict[str, Any], **_more: Any) -> None:
    context["use_global_endpoint"] = False


class HistoryBucket:
    """A ``HistoryStore``.

    :param client: S3 of the bucket's Region, with retries. :param kms_key: encrypts new objects; "" leaves it to the
        bucket.
    """

    def __init__(self, client: Any, bucket: str, prefix: str, kms_key: str = "") -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = prefix
        self._kms = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
        self.where = f"s3://{bucket}/{prefix}".rstrip("/")

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name

    def read(self, name: str) -> bytes | None:
        try:
            with aws_errors(f"read {self.where}/{name}"):
                return bytes(self._client.get_object(Bucket=self._bucket, Key=self._key(name))["Body"].read())
        except ServiceError as error:
            if error.code in _NOT_THERE:
                return None
            raise

    def write(self, name: str, source: str | bytes) -> None:
        """At most 5 GB (S3 user guide, "Uploading objects")."""
        with aws_errors(f"write {self.where}/{name}"):
            if isinstance(source, bytes):
                self._put(name, source)
            else:
                with Path(source).open("rb") as file:
                    self._put(name, file)

    def _put(self, name: str, body: Any) -> None:
        kind = _TYPES.get(Path(name).suffix)
        more = {**self._kms, **({"ContentType": kind} if kind else {})}
        self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=body, **more)

    def link(self, name: str, lifetime: timedelta, now: datetime) -> tuple[str, datetime]:
        """Return an address that lets anybody read an object, and until when at the latest.

        It ends with the credentials that signed it, and with the rights of their owner. A browser saves the object
        instead of showing it, so that no script of it runs in the name of the bucket.
        """
        until = now + min(lifetime, LONGEST_LINK)
        with aws_errors(f"sign {self.where}/{name}"):
            if expiry := getattr(self._client._get_credentials(), "_expiry_time", None):
                until = min(until, expiry)
            shown = f'attachment; filename="{Path(name).name}"'
            request = {"Bucket": self._bucket, "Key": self._key(name), "ResponseContentDisposition": shown}
            seconds = max(1, int((until - now).total_seconds()))
            # Else the address names the endpoint of all Regions, which newer ones refuse.
            self._client.meta.events.register_first("before-endpoint-resolution.s3", _in_region, unique_id="in-region")
            found = self._client.generate_presigned_url("get_object", Params=request, ExpiresIn=seconds)
        return str(found), until

    def local(self, name: str, folder: str) -> str:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with aws_errors(f"read {self.where}/{name}"):
            self._client.download_file(self._bucket, self._key(name), str(path))
        return str(path)

    def names(self, folder: str) -> Iterator[str]:
        yield from (name for name, _object in self._objects(folder))

    def files(self, folder: str) -> Iterator[Stored]:
        for name, found in self._objects(folder):
            written = found["LastModified"].astimezone(timezone.utc)
            yield Stored(name=name, modified=written, size=int(found["Size"]))

    def _objects(self, folder: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """S3 lists keys in the order of their UTF-8 bytes, 1,000 a page (API reference, ListObjectsV2)."""
        start = self._key("")
        with aws_errors(f"list {self.where}/{folder}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=self._key(f"{folder}/")
            )
            for page in pages:
                yield from ((item["Key"][len(start) :], item) for item in page.get("Contents") or ())

    def remove(self, name: str) -> None:
        """In a bucket with versioning, S3 keeps the object as an earlier version (user guide, "Deleting object versions
        from a versioning-enabled bucket")."""
        with aws_errors(f"remove {self.where}/{name}"):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))
