# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that the controller reads and writes. Writes are atomic."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from ..module_utils._core.errors import BadInput
from .large_json import parse_shared


def read_json(path: Path, option: str) -> Any:
    """Read a JSON file of ours; equal patches in it are one object (``parse_shared``).

    :raises BadInput: it is missing or not JSON.
    """
    try:
        return parse_shared(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BadInput(option, str(path), "an existing file; run the step that writes it first") from None
    except (OSError, ValueError) as error:
        raise BadInput(option, str(path), f"a readable JSON file ({error})") from error


def read_document(path: str | Path, option: str) -> Any:
    """Read a YAML or JSON file that a person wrote.

    :raises BadInput: it is missing or neither.
    """
    try:
        return yaml.safe_load(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise BadInput(option, str(path), "an existing file") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise BadInput(option, str(path), f"a readable YAML or JSON file ({' '.join(str(error).split())})") from error


def write_text(path: Path, text: str, *, mode: int = 0o644) -> bool:
    """Write a file atomically; return whether its content changed."""
    return write_bytes(path, text.encode("utf-8", "surrogatepass"), mode=mode)


def write_bytes(path: Path, data: bytes, *, mode: int = 0o644) -> bool:
    """Write a file atomically; return whether its content changed."""
    if path.exists() and path.read_bytes() == data:
        return False
    _replace(path, [data], mode)
    return True


def write_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a large file atomically, without ever holding all of it."""
    _replace(path, (piece.encode("utf-8", "surrogatepass") for piece in pieces))


def _replace(path: Path, pieces: Iterable[bytes], mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.writelines(pieces)
        Path(name).chmod(mode & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
