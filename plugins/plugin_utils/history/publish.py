# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Publishes runs to a history: rows to files of a new publication, then its manifest, then the pointer.

A reader sees a run as it was before or as it is after, because one file, the pointer, decides which publication counts.
Whatever ends a publisher before that leaves files that nobody reads; the same rows have the same names again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ...module_utils._core.errors import PatchtideError
from ...module_utils._core.history.datasets import Part
from ...module_utils._core.history.lines import Lines
from ...module_utils._core.history.runs import Run, common
from ...module_utils._core.history.store import (
    DESCRIPTOR,
    JSONL,
    PARQUET,
    HistoryStore,
    data_name,
    manifest_name,
    pointer_name,
    read_format,
    read_pointer,
    to_descriptor,
    to_manifest,
    to_pointer,
    to_publication,
)
from ...module_utils._core.stamp import from_time
from .duck import Convert, has_duckdb, parquet_writer

#: Lines that are kept until they are written to the files of their parts.
_BUFFER = 20_000


class HistoryError(PatchtideError):
    """Something cannot be published."""

    code = "HistoryError"


@dataclass(slots=True)
class _Spool:
    """Rows by part, as lines of files in a temporary directory, with their number and digest."""

    folder: Path
    buffers: dict[Part, list[str]] = field(default_factory=dict)
    digests: dict[Part, Any] = field(default_factory=dict)
    counts: dict[Part, int] = field(default_factory=dict)
    names: dict[Part, Path] = field(default_factory=dict)
    kept: int = 0
    lines: Lines = field(default_factory=Lines)

    def add(self, part: Part, row: Mapping[str, Any]) -> None:
        try:
            line = self.lines.to_line(part.dataset, row)
        except ValueError as error:
            raise HistoryError(f"a row does not fit its dataset: {error}") from error
        self.buffers.setdefault(part, []).append(line)
        self.kept += 1
        if self.kept >= _BUFFER:
            self.flush()

    def flush(self) -> None:
        for part, lines in self.buffers.items():
            path = self.names.setdefault(part, self.folder / f"{len(self.names)}.jsonl")
            data = "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")
            self.digests.setdefault(part, hashlib.sha256()).update(data)
            self.counts[part] = self.counts.get(part, 0) + len(lines)
            with path.open("ab") as file:
                file.write(data)
        self.buffers, self.kept = {}, 0


def find_format(store: HistoryStore, wanted: str | None, write: bool) -> str:
    """Return the format of a history; a new one gets ``wanted``, or Parquet if DuckDB is installed.

    :raises HistoryError: it has another format, or DuckDB is missing for it.
    """
    data = store.read(DESCRIPTOR)
    found = read_format(data, f"{store.where}/{DESCRIPTOR}") if data is not None else None
    if found and wanted and found != wanted:
        raise HistoryError(
            f"{store.where} has {found} files, expected format: {found}, because a history has one format"
        )
    form = found or wanted or (PARQUET if has_duckdb() else JSONL)
    if form == PARQUET and not has_duckdb():
        raise HistoryError(
            f"{store.where} has Parquet files, which need the Python library duckdb on the controller: "
            "pip install duckdb. A new history can have format: jsonl."
        )
    if found is None and write:
        store.write(DESCRIPTOR, to_descriptor(form))
    return form


def publish(store: HistoryStore, run: Run, form: str, now: str, write: bool = True) -> dict[str, Any]:
    """Publish one run. Return ``run_id, kind, publication, changed, rows`` (by dataset) and ``kept`` (why it is not).

    :param form: of ``find_format``. :param now: the time of publication. :param write: false in check mode.
    :raises HistoryError: a row does not fit its dataset.
    """
    with TemporaryDirectory(prefix="patchtide-history-") as name:
        spool = _Spool(Path(name))
        for part, row in run.rows:
            spool.add(part, row)
        spool.flush()
        digests = {part: digest.hexdigest() for part, digest in spool.digests.items()}
        publication = to_publication(run.run_id, digests)
        kept = _kept(store, run, publication)
        if kept is None and write:
            more = {**common(run), "publication": publication}
            with parquet_writer() if form == PARQUET else nullcontext(_to_gzip) as convert:
                files = [_write(store, spool, part, form, more, convert) for part in sorted(spool.names)]
            store.write(manifest_name(publication), to_manifest(run, publication, files))
            store.write(pointer_name(run.run_id), to_pointer(run, publication, form, now))
        rows: dict[str, int] = {}
        for part, count in spool.counts.items():
            rows[part.dataset] = rows.get(part.dataset, 0) + count
    found = {"run_id": run.run_id, "kind": run.kind, "publication": publication, "rows": dict(sorted(rows.items()))}
    return {**found, "changed": kept is None, "kept": kept or ""}


def _kept(store: HistoryStore, run: Run, publication: str) -> str | None:
    """Return why the published rows of the run stay, ``None`` if they are replaced or there are none."""
    name = pointer_name(run.run_id)
    data = store.read(name)
    if data is None:
        return None
    pointer = read_pointer(data, f"{store.where}/{name}")
    if pointer["publication"] == publication:
        return "the same rows are published"
    if from_time(pointer["as_of"]) > from_time(run.as_of):
        return f"a later state is published, of {pointer['as_of']}"
    return None


def _write(
    store: HistoryStore, spool: _Spool, part: Part, form: str, more: Mapping[str, Any], convert: Convert
) -> dict[str, Any]:
    """Write the rows of one part, with the columns that all of them have; return its line of the manifest."""
    source = spool.names[part]
    ready = source.with_suffix(".ready")
    convert(source, ready, part.dataset, more)
    source.unlink()
    name = data_name(part, more["publication"], form)
    digest, size = _sha256(ready), ready.stat().st_size
    store.write(name, str(ready))
    ready.unlink()
    return {"name": name, "rows": spool.counts[part], "bytes": size, "sha256": digest}


def _sha256(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()


def _to_gzip(source: Path, dest: Path, _dataset: str, more: Mapping[str, Any]) -> None:
    """Compress the rows; equal rows are equal bytes, because no time and no name are in the file."""
    end = f",{json.dumps(more, sort_keys=True, separators=(',', ':'))[1:]}\n".encode()
    with (
        source.open("rb") as lines,
        dest.open("wb") as raw,
        gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as file,
    ):
        file.writelines(line[:-2] + end for line in lines)
