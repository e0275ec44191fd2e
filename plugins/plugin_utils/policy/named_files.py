# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that a policy names and a rollout executes: their content is part of the policy."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...module_utils._core.canonical import to_digest
from ...module_utils._core.policy.run_rules import HOOK_FILES
from ...module_utils._core.policy.values import Policy

_LARGEST = 16 << 20
#: Updates change the programs of the system, so only users' own scripts are included.
_PROGRAM = b"\x7fELF"


def hash_named_files(policy: Policy, folder: Path) -> dict[str, str]:
    """Return the SHA-256 of hooks and of health check scripts, by name; empty for a file that does not exist.

    :param folder: the directory of the policy file, to which paths of hooks are relative.
    """
    found = {}
    for name in HOOK_FILES:
        if hook := getattr(policy.hooks, name):
            found[f"hooks.{name}: {hook}"] = _hash(folder / hook)
    for argument in sorted(set(_arguments(policy))):
        path = Path(argument)
        if path.is_file() and not _is_program(path):
            found[f"command: {argument}"] = _hash(path)
    return found


def _arguments(policy: Policy) -> Iterator[str]:
    """Yield the paths in the commands of health checks."""
    checks = [check for wave in policy.waves for check in wave.gate.health_checks]
    checks += [*policy.gates.health_checks, *(rule.health_check for rule in policy.budgets.quorum)]
    for check in checks:
        command = check.get("command") if isinstance(check, Mapping) else None
        argv = command.get("argv") if isinstance(command, Mapping) else None
        yield from (item for item in argv or () if isinstance(item, str) and "/" in item)


def _is_program(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_PROGRAM)) == _PROGRAM
    except OSError:
        return False


def _hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError:
        return ""
    return hashlib.sha256(data).hexdigest() if len(data) <= _LARGEST else ""


def frozen_digest(policy: Policy, files: Mapping[str, str]) -> str:
    """Return the digest of a policy's content and of the files that it executes."""
    return to_digest({"policy": policy.digest, "files": dict(files)}) if files else policy.digest
