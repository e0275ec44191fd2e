# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks SSH signatures with ssh-keygen, and reads the signed statements beside a plan.

Only ``-Y verify`` with exit status 0 proves anything: ``find-principals`` ignores data and namespace, and
``check-novalidate`` the signer (ssh-keygen(1); tried with OpenSSH 9.2).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ...module_utils._core.errors import BadInput, PatchtideError
from ...module_utils._core.text import plain
from ...module_utils._core.trust.bundle import Bundle
from ...module_utils._core.trust.keys import Key
from ...module_utils._core.trust.ports import SignatureCheck
from ...module_utils._core.trust.signed_plan import SOURCE, read_signed
from ...module_utils._core.trust.statement import LARGEST
from ...module_utils._core.trust.votes import Found

APPROVALS = "approvals"
#: Where signed decisions are kept.
DECISIONS = "decisions"
#: Directories of a rollout with statements and their signatures.
SIGNED = (APPROVALS, DECISIONS)
_MOST_FILES = 500
_SECONDS = 30
#: OpenSSH reads times without a Z as local time, and not every release accepts the Z: so its local time is UTC here.
_TIME = "%Y%m%d%H%M%S"
_FOR_EVER = 9000


class CannotVerify(PatchtideError):
    """Signatures can't be verified, so nothing that requires one can continue."""

    code = "CannotVerify"


@dataclass(frozen=True, slots=True)
class SshKeygen:
    """A ``SignatureCheck``. Each check uses its own file of allowed signers, which contains only this key."""

    program: str = "ssh-keygen"

    def objection(
        self, data: bytes, signature: bytes, *, namespace: str, principal: str, key: Key, at: datetime
    ) -> str:
        program = shutil.which(self.program)
        if not program:
            raise CannotVerify(
                f"{self.program} is not installed here. Install the OpenSSH client, version 8.9 or later."
            )
        with tempfile.TemporaryDirectory(prefix="patchtide-") as folder:
            signers, detached = Path(folder, "allowed_signers"), Path(folder, "signature")
            signers.write_text(f"{_signer(principal, namespace, key)}\n", "ascii")
            detached.write_bytes(signature)
            command = [program, "-Y", "verify", "-f", str(signers), "-I", principal, "-n", namespace]
            command += ["-s", str(detached), "-O", f"verify-time={at.astimezone(timezone.utc).strftime(_TIME)}"]
            return _run(command, data)


def _signer(principal: str, namespace: str, key: Key) -> str:
    options = [f'namespaces="{namespace}"', f'valid-after="{key.valid_from.strftime(_TIME)}"']
    if key.valid_until.year < _FOR_EVER:
        options.append(f'valid-before="{key.valid_until.strftime(_TIME)}"')
    return f"{principal} {','.join(options)} {key.line}"


def _run(command: Sequence[str], data: bytes) -> str:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC0", "LC_ALL": "C"}
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=_SECONDS, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotVerify(f"{command[0]} did not verify a signature: {error}") from error
    if done.returncode == 0:
        return ""
    said = plain(" ".join(done.stderr.decode("utf-8", "replace").split()))[:200]
    return f"the signature does not fit the statement ({said or f'exit status {done.returncode}'})"


@dataclass(frozen=True, slots=True)
class SshApprovals:
    """An ``ApprovalSource``: the statements in the directory ``approvals`` of a rollout, each with its ``.sig``."""

    folder: Path
    bundle: Bundle
    check: SignatureCheck = field(default_factory=SshKeygen)
    name: str = SOURCE

    def gather(self, plan: Mapping[str, Any], now: datetime) -> list[Found]:
        return list(self._read(plan, now))

    def _read(self, plan: Mapping[str, Any], now: datetime) -> Iterator[Found]:
        paths = sorted(self.folder.glob("*.json"))
        if len(paths) > _MOST_FILES:
            raise BadInput("dir", str(self.folder), f"at most {_MOST_FILES} statements in this directory")
        for path in paths:
            data, signature = read_bounded(path), read_bounded(signature_of(path))
            if data is None or signature is None:
                why = "it has no signature yet" if data is not None else "it can't be read"
                yield Found(label=path.name, source=SOURCE, objection=why)
            else:
                yield read_signed(path.name, data, signature, plan=plan, bundle=self.bundle, check=self.check, now=now)


def signature_of(path: Path) -> Path:
    """Return the path to which ssh-keygen -Y sign writes the signature of a file."""
    return path.with_name(f"{path.name}.sig")


def read_bounded(path: Path) -> bytes | None:
    """Return the content of a regular file; ``None`` if it is missing or too large to be one of ours."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        try:
            data = file.read(LARGEST + 1)
        except OSError:
            return None
    return data if len(data) <= LARGEST else None
