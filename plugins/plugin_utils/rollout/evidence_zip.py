# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A pack of files as a ZIP archive whose bytes depend only on the files: no times, no owners, no compression."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ...module_utils._core.errors import BadInput

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time of a ZIP archive
_UNIX, _MODE = 3, 0o100644 << 16


def to_zip(files: Mapping[str, bytes]) -> bytes:
    """Return the archive. Nothing is compressed, since the output of compressors differs between versions."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.create_system, entry.external_attr = _UNIX, _MODE
            archive.writestr(entry, files[name])
    return target.getvalue()


def read_zip(path: Path) -> dict[str, bytes]:
    """Return the files of an archive; nothing is unpacked to disk.

    :raises BadInput: it is missing, or not such an archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len({entry.filename for entry in entries}) != len(entries):
                raise BadInput("dest", str(path), "an archive that has every name once")
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise BadInput("dest", str(path), "an archive without compression, as it was packed")
            return {entry.filename: archive.read(entry) for entry in entries}
    except FileNotFoundError:
        raise BadInput("dest", str(path), "an existing pack") from None
    except (OSError, zipfile.BadZipFile) as error:
        raise BadInput("dest", str(path), f"a readable ZIP archive ({error})") from error
