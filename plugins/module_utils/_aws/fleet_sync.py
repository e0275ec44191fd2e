# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the bucket of a Resource Data Sync, with the pool that otherwise queries the services."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from .._core.errors import ServiceError
from .._core.fleet.data_sync import (
    INFORMATION,
    PATCH_INFORMATION,
    PATCH_SUMMARY,
    TAGS,
    key_prefixes,
    parse_key,
    read_lines,
    to_content,
    to_managed_row,
    to_tags,
)
from .._core.model import Place
from .errors import aws_errors
from .fleet_gather import Answer, Crew, Wish

#: Objects per job, so that a page of a listing is fetched by several workers.
_OBJECTS_A_JOB = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """Location of the sync's data, and the requested part; empty means all."""

    name: str
    prefix: str = ""
    accounts: Sequence[str] = ()
    regions: Sequence[str] = ()


def read_sync(client: Any, bucket: Bucket, wish: Wish, workers: int = 32) -> list[Answer]:
    """Return one answer per account and Region found in the bucket, sorted. An unreadable object is an error."""
    whole = Answer(place=Place(region="s3", account=bucket.name))
    answers: dict[tuple[str, str], Answer] = {}
    kinds = [INFORMATION, *([TAGS] if wish.tags else [])]
    kinds += [PATCH_SUMMARY] if wish.want_patch_states else []
    kinds += [PATCH_INFORMATION] if wish.want_patch_information else []
    with ThreadPoolExecutor(max_workers=workers) as pool:
        crew = Crew(pool)
        reader = _Reader(client, bucket, crew, whole, answers)
        for kind in kinds:
            for prefix in key_prefixes(bucket.prefix, kind, bucket.accounts, bucket.regions):
                crew.start(whole, partial(reader.list, prefix))
        crew.wait()
    if whole.error:
        raise whole.error
    return [answers[key] for key in sorted(answers)]


class _Reader:
    def __init__(
        self, client: Any, bucket: Bucket, crew: Crew, whole: Answer, answers: dict[tuple[str, str], Answer]
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._crew = crew
        self._whole = whole
        self._answers = answers

    def list(self, prefix: str) -> None:
        request = {"Bucket": self._bucket.name, "Prefix": prefix}
        token = None
        while True:
            with aws_errors(f"list s3://{self._bucket.name}/{prefix}"):
                reply = self._client.list_objects_v2(**request, **({"ContinuationToken": token} if token else {}))
            keys = [row["Key"] for row in reply.get("Contents") or ()]
            for begin in range(0, len(keys), _OBJECTS_A_JOB):
                self._crew.start(self._whole, partial(self._read_all, keys[begin : begin + _OBJECTS_A_JOB]))
            token = reply.get("NextContinuationToken")
            if not token:
                return

    def _read_all(self, keys: Iterable[str]) -> None:
        for key in keys:
            found = parse_key(key)
            if found and (not self._bucket.regions or found[2] in self._bucket.regions):
                self._read(key, *found)

    def _read(self, key: str, kind: str, account: str, region: str, node_id: str) -> None:
        name = f"s3://{self._bucket.name}/{key}"
        with aws_errors(f"read {name}"):
            body = self._client.get_object(Bucket=self._bucket.name, Key=key)["Body"].read()
        try:
            rows = read_lines(body)
        except ValueError as error:
            raise ServiceError(f"read {name}", "NotJson", str(error)) from error
        answer = self._answers.setdefault((account, region), Answer(place=Place(region=region, account=account)))
        _KEEP[kind](answer, node_id, rows)


def _keep_node(answer: Answer, node_id: str, rows: Sequence[Any]) -> None:
    if row := to_managed_row(rows, node_id):
        answer.managed.append(row)


def _keep_tags(answer: Answer, node_id: str, rows: Sequence[Any]) -> None:
    answer.tags[node_id] = to_tags(rows)


def _keep_summary(answer: Answer, node_id: str, rows: Sequence[Any]) -> None:
    answer.patch_states[node_id] = to_content(rows)


def _keep_information(answer: Answer, node_id: str, rows: Sequence[Any]) -> None:
    answer.patch_information[node_id] = to_content(rows)


_KEEP: dict[str, Callable[[Answer, str, Sequence[Any]], None]] = {
    INFORMATION: _keep_node,
    TAGS: _keep_tags,
    PATCH_SUMMARY: _keep_summary,
    PATCH_INFORMATION: _keep_information,
}
