# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People of the demo: a trust bundle that names them, and their SSH keys, with which they sign."""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle_read import SHARED_LOGINS

#: They sign plans; the first one also signs decisions. Whoever starts the demo is its operator and may not approve it.
MANAGERS = ("ana@example.com", "ben@example.com", "cleo@example.com")
APPROVER = MANAGERS[0]
_FROM, _UNTIL = "2026-01-01T00:00:00Z", "2035-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Signers:
    """``folder`` holds keys, bundle and pins. The keys are made for the demo and protect nothing."""

    folder: Path

    @property
    def pins(self) -> Path:
        """What the controller pins; ``PATCHTIDE_TRUST`` names it."""
        return self.folder / "trust.yml"

    def create(self) -> None:
        self.folder.mkdir(parents=True)
        for name in ("root", *MANAGERS, "operator"):
            _keygen("-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.key(name)))
        bundle = self.folder / "bundle.yml"
        bundle.write_text(yaml.safe_dump(self._bundle(), sort_keys=False), "utf-8")
        self.sign(bundle, "trust", "root").rename(self.folder / "bundle.yml.root.sig")
        pins = {
            "bundle": str(bundle),
            "root_keys": {"root": self._public("root")},
            "signatures": 1,
            "lowest_version": 1,
        }
        self.pins.write_text(yaml.safe_dump(pins), "utf-8")
        self.pins.chmod(0o600)

    @property
    def approvers(self) -> Sequence[str]:
        """Who has to sign the plan. As root, nobody knows who plans and who runs: each takes one more person."""
        return MANAGERS if _login() in SHARED_LOGINS else MANAGERS[:1]

    def key(self, name: str) -> Path:
        return self.folder / name

    def unsigned(self, rollout: Path, act: str) -> Path:
        """Return the statement of an act in a rollout's directory that nobody has signed yet."""
        found = rollout.glob(f"*/{act}-*.json")
        (path,) = [path for path in found if not path.with_name(f"{path.name}.sig").exists()]
        return path

    def sign(self, path: Path, act: str, name: str = APPROVER) -> Path:
        """Sign a file as its owner would; return the signature."""
        _keygen("-q", "-Y", "sign", "-n", f"{act}@patchtide", "-f", str(self.key(name)), str(path))
        return path.with_name(f"{path.name}.sig")

    def _public(self, name: str) -> str:
        return self.key(name).with_name(f"{name}.pub").read_text("ascii").strip()

    def _person(self, principal: str, role: str, key: str, *logins: str) -> dict[str, Any]:
        keys = [{"key": self._public(key), "valid_from": _FROM, "valid_until": _UNTIL}]
        return {"principal": principal, "roles": [role], "logins": list(logins), "keys": keys}

    def _bundle(self) -> dict[str, Any]:
        logins = [] if _login() in SHARED_LOGINS else [_login()]
        return {
            "schema": "patchtide/trust/1",
            "version": 1,
            "roles": {"change_manager": "Approves changes", "operator": "Runs rollouts"},
            "people": [
                *(self._person(name, "change_manager", name) for name in MANAGERS),
                self._person("operator@example.com", "operator", "operator", *logins),
            ],
            "environments": [{"name": "estate"}],
            "requirements": {
                "plans": [{"environments": ["estate"], "people": [{"roles": ["change_manager"]}], "max_hours": 168}],
                "decisions": {"promote": {"roles": ["change_manager"]}},
                "unknown_identity": "one_more",
            },
        }


def _login() -> str:
    return pwd.getpwuid(os.getuid()).pw_name


def _keygen(*arguments: str) -> None:
    command = ["ssh-keygen", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise RuntimeError(f"ssh-keygen: {done.stderr.strip()}")
