# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Determines whom this controller trusts: its pins, and the bundle that they refer to."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ...module_utils._core.errors import BadInput
from ...module_utils._core.trust.bundle import Bundle
from ...module_utils._core.trust.bundle_read import read_bundle
from ...module_utils._core.trust.pins import BundleRefused, Pins, check_signatures, check_version, read_pins
from ...module_utils._core.trust.ports import SignatureCheck
from ..policy.file import parse_yaml
from .ssh import SshKeygen

#: Where a controller pins its root keys. Job variables can't change it, and only root may write it.
PINS = Path("/etc/patchtide/trust.yml")
#: For execution environments; the machine's file takes precedence.
VARIABLE = "PATCHTIDE_TRUST"
_LARGEST = 4 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """A verified bundle. ``files``: the bundle and its signatures by name, for the evidence pack."""

    pins: Pins
    bundle: Bundle
    digest: str
    files: Mapping[str, bytes]
    check: SignatureCheck = field(default_factory=SshKeygen)


def find_pins(machine: Path = PINS, environ: Mapping[str, str] | None = None) -> Path | None:
    """Return the file with this controller's pins; ``None`` if it has none, and approvals are not verified.

    :raises BadInput: others could write it.
    """
    if machine.exists():
        _check_owner(machine, (0,))
        return machine
    named = (os.environ if environ is None else environ).get(VARIABLE)
    if not named:
        return None
    path = Path(named)
    if not path.exists():
        raise BadInput(VARIABLE, named, "an existing file with the pins of this controller")
    _check_owner(path, (0, os.geteuid()))
    return path


def _check_owner(path: Path, owners: tuple[int, ...]) -> None:
    found = path.stat()
    if not stat.S_ISREG(found.st_mode) or found.st_uid not in owners or found.st_mode & 0o022:
        raise BadInput(str(path), oct(found.st_mode), "a file that root owns and nobody else can write")


def find_trust(
    now: datetime, *, seen: int = 0, pins: Path | None = None, check: SignatureCheck | None = None
) -> Trust | None:
    """Return the bundle that this controller trusts; ``None`` if the controller pins none.

    :param seen: the version with which the rollout began; an older one is refused.
    :param pins: the file with the pins, if it is already known.
    :raises BundleRefused: too few root keys have signed the bundle, or it is too old.
    :raises BadInput: pins or bundle are malformed or can't be read.
    """
    path = pins or find_pins()
    if path is None:
        if seen:
            raise BundleRefused(
                f"The rollout has begun with version {seen} of the trust bundle, and this controller pins none: "
                f"{PINS} is missing."
            )
        return None
    found = read_pins(parse_yaml(_read(path).decode("utf-8", "replace"), str(path))[0], str(path))
    return load_bundle(found, now, seen=seen, check=check or SshKeygen())


def load_bundle(pins: Pins, now: datetime, *, seen: int, check: SignatureCheck) -> Trust:
    """Read and verify the bundle that the pins name; see ``find_trust``."""
    path = Path(pins.bundle)
    files = {item.name: _read(item) for item in (path, *sorted(path.parent.glob(f"{path.name}*.sig"))[:50])}
    return verify_bundle(files, path.name, pins, now, seen=seen, check=check)


def verify_bundle(
    files: Mapping[str, bytes], name: str, pins: Pins, now: datetime, *, seen: int, check: SignatureCheck
) -> Trust:
    """Verify a bundle whose files have already been read, such as those of an evidence pack."""
    data = files[name]
    check_signatures(data, [files[item] for item in files if item != name], pins, check, now)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise BadInput(name, data[:40], "UTF-8") from None
    bundle = read_bundle(parse_yaml(text, name)[0], name)
    check_version(bundle.version, pins, seen)
    return Trust(pins=pins, bundle=bundle, digest=hashlib.sha256(data).hexdigest(), files=dict(files), check=check)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise BadInput(str(path), str(path), f"a readable file ({error.strerror})") from error
    if len(data) > _LARGEST:
        raise BadInput(str(path), f"more than {_LARGEST} bytes", f"at most {_LARGEST} bytes")
    return data
