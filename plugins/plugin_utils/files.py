# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that the controller reads and writes. Writes are atomic."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from ..module_utils._ansible.bounded_yaml import parse
from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.text import plain
from .large_json import parse_shared
from .private_file import check_replaceable, disk_errors, make_directory, open_private

#: Which playbook writes the files of a rollout.
_WRITTEN_BY = {"scan.json": "scan_compliance", "plan.json": "plan_rollout", "journal.jsonl": "rollout_patches"}


class FileError(PatchtideError):
    """A file can't be written."""

    code = "FileError"


def read_json(path: Path, option: str) -> Any:
    """Read a JSON file of the collection. Equal patches in it are one object (``parse_shared``).

    :raises BadInput: it is missing or not JSON.
    """
    try:
        return parse_shared(path.read_text("utf-8"))
    except FileNotFoundError:
        step = _WRITTEN_BY.get(path.name, "the step that writes it")
        raise BadInput(option, str(path), f"an existing file; run {step} first") from None
    except RecursionError:
        raise BadInput(option, str(path), "a JSON file with fewer levels") from None
    except (OSError, ValueError) as error:
        raise BadInput(option, str(path), f"a readable JSON file ({_why(error)})") from error


def read_document(path: str | Path, option: str) -> Any:
    """Read a YAML or JSON file that a person wrote.

    :raises BadInput: it is missing or invalid.
    """
    try:
        return parse(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise BadInput(option, str(path), "an existing file") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(option, str(path), f"a readable YAML or JSON file ({_why(error)})") from error


def _why(error: Exception) -> str:
    """Return the error in one line, without the name of the file."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return plain(" ".join(text.split()))[:300]


def write_text(path: Path, text: str) -> bool:
    """Write a file atomically, readable by its owner only; return whether its content changed."""
    return write_bytes(path, text.encode("utf-8", "surrogatepass"))


def write_bytes(path: Path, data: bytes) -> bool:
    """Write a file atomically, readable by its owner only; return whether its content changed.

    :raises FileError: it cannot be written or is not a regular file.
    """
    with disk_errors(path, "write", FileError):
        check_replaceable(path)
        if path.exists() and path.read_bytes() == data:
            return False
        _replace(path, [data])
    return True


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a large file like ``write_text``, without keeping all of it in memory."""
    with disk_errors(path, "write", FileError):
        check_replaceable(path)
        _replace(path, (piece.encode("utf-8", "surrogatepass") for piece in pieces))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file, which is created if it does not exist and has no content."""
    with disk_errors(path, "lock", FileError):
        make_directory(path.parent)
        handle = open_private(path, os.O_RDWR | os.O_CREAT)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
        except BaseException:
            os.close(handle)
            raise
    try:
        yield
    finally:
        os.close(handle)


def _replace(path: Path, pieces: Iterable[bytes]) -> None:
    """The temporary file is readable by its owner only, whatever the umask."""
    make_directory(path.parent)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
