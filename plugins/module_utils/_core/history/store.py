# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The port of a history's place, and the small files in it: descriptor, manifests and pointers. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from ..canonical import to_canonical, to_digest
from ..errors import BadInput
from ..schema import check_schema
from .datasets import PUBLICATIONS, SCHEMA, SCHEMA_VERSION, Part
from .runs import Run

DESCRIPTOR = "history.json"
PARQUET, JSONL = "parquet", "jsonl"
#: Extension of data files by format.
EXTENSIONS: Mapping[str, str] = {PARQUET: ".parquet", JSONL: ".jsonl.gz"}
POINTERS, MANIFESTS = "published", "manifests"
POINTER_SCHEMA, MANIFEST_SCHEMA = "patchtide/publication/1", "patchtide/manifest/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file of a history. ``modified``: when it was written, in UTC."""

    name: str
    modified: datetime
    size: int


class HistoryStore(Protocol):
    """A directory or a bucket. Names are relative and have slashes."""

    where: str

    def read(self, name: str) -> bytes | None:
        """Return a file's content, ``None`` if there is none."""

    def write(self, name: str, source: str | bytes) -> None:
        """Write a file: readers see all of it or nothing. :param source: its content, or the path of a file with it."""

    def local(self, name: str, folder: str) -> str:
        """Return the path of a file with that content; what is elsewhere is copied into ``folder`` first."""

    def names(self, folder: str) -> Iterator[str]:
        """Yield the names of all files below a folder."""

    def files(self, folder: str) -> Iterator[Stored]:
        """Yield all files below a folder."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""


def pointer_name(run_id: str) -> str:
    return f"{POINTERS}/{run_id}.json"


def manifest_name(publication: str) -> str:
    return f"{MANIFESTS}/{publication}.json"


def data_name(part: Part, publication: str, form: str) -> str:
    return f"{part.folder}/{publication}{EXTENSIONS[form]}"


def to_publication(run_id: str, digests: Mapping[Part, str]) -> str:
    """Return the ID of a publication: equal rows of a run have the same one, in any format.

    :param digests: SHA-256 of the rows of each part.
    """
    return to_digest([SCHEMA, run_id, sorted((part.folder, digest) for part, digest in digests.items())])


def to_descriptor(form: str) -> bytes:
    return _line({"schema": SCHEMA, "format": form})


def read_format(data: bytes, where: str) -> str:
    """Return the format of a history's files. :raises BadInput: it is no history. :raises OtherSchema: another one."""
    found = _object(data, where)
    check_schema("history", found.get("schema"), SCHEMA, f"{where}: schema")
    if found.get("format") not in EXTENSIONS:
        raise BadInput(f"{where}: format", found.get("format"), f"one of {', '.join(EXTENSIONS)}")
    return str(found["format"])


def to_pointer(run: Run, publication: str, form: str, published_at: str) -> bytes:
    """Return the file that makes a publication count, and the one before it no more."""
    values = {
        "schema": POINTER_SCHEMA,
        "run_id": run.run_id,
        "kind": run.kind,
        "publication": publication,
        "observed_at": run.observed_at,
        "as_of": run.as_of,
        "published_at": published_at,
        "format": form,
        "schema_version": SCHEMA_VERSION,
    }
    return _line({name: values[name] for name in PUBLICATIONS})


def read_pointer(data: bytes, where: str) -> dict[str, Any]:
    """:raises BadInput: it is no pointer. :raises OtherSchema: another version wrote it."""
    found = _object(data, where)
    check_schema("publication", found.get("schema"), POINTER_SCHEMA, f"{where}: schema")
    if found.keys() != PUBLICATIONS.keys():
        raise BadInput(where, sorted(found), f"the members {', '.join(PUBLICATIONS)}")
    return found


def to_manifest(run: Run, publication: str, files: list[dict[str, Any]]) -> bytes:
    """:param files: ``name, rows, bytes, sha256`` of each file."""
    found = {"schema": MANIFEST_SCHEMA, "run_id": run.run_id, "publication": publication, "files": files}
    return _line(found)


def read_manifest(data: bytes, where: str) -> list[dict[str, Any]]:
    """Return the files of a publication. :raises BadInput: it is no manifest."""
    found = _object(data, where)
    check_schema("manifest", found.get("schema"), MANIFEST_SCHEMA, f"{where}: schema")
    return list(found["files"])


def read_run(data: bytes, where: str) -> str:
    """Return the run of a publication by its manifest. :raises BadInput: it is no manifest."""
    found = _object(data, where)
    check_schema("manifest", found.get("schema"), MANIFEST_SCHEMA, f"{where}: schema")
    return str(found.get("run_id") or "")


def _line(data: Mapping[str, Any]) -> bytes:
    return (to_canonical(data) + "\n").encode("utf-8", "surrogatepass")


def _object(data: bytes, where: str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise BadInput(where, data[:40].decode("utf-8", "replace"), "a JSON object")
    return found
