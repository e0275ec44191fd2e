# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A controller that pins root keys, a bundle of people, and their signatures, all by the real ssh-keygen."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.statement import Statement, namespace

AT = "2026-12-01T22:00:00Z"
BEFORE, AFTER = "2026-11-01T00:00:00Z", "2027-11-01T00:00:00Z"
ROLLOUT, PLAN_DIGEST = "5eed" * 8, "d1" * 32
#: By principal the roles.
PEOPLE = {
    "ana@example.com": ["change_manager"],
    "ben@example.com": ["change_manager", "app_owner"],
    "cleo@example.com": ["app_owner"],
    "dana@example.com": ["change_manager", "operator"],
    "eve@example.com": ["auditor"],
    "robot": ["change_manager"],
}


@dataclass
class Trusted:
    """Everything lies in ``folder``. Keys are made when they are first needed."""

    folder: Path
    keys: dict[str, Path] = field(default_factory=dict)

    def key(self, name: str, kind: str = "ed25519") -> Path:
        """Return the file of a private key."""
        if name not in self.keys:
            path = self.folder / "keys" / name
            path.parent.mkdir(exist_ok=True)
            run("-q", "-t", kind, "-N", "", "-C", "a comment", "-f", str(path))
            self.keys[name] = path
        return self.keys[name]

    def public(self, name: str) -> str:
        return Path(f"{self.key(name)}.pub").read_text("ascii").strip()

    def fingerprint(self, name: str) -> str:
        return run("-l", "-f", f"{self.key(name)}.pub").split()[1]

    def bundle(self, **changes: Any) -> dict[str, Any]:
        """Return the data of a bundle: production needs a change manager and an app owner, test one of them."""
        people = [
            {
                "principal": name,
                "roles": roles,
                "service": name == "robot",
                "logins": [name.partition("@")[0]],
                "awx": [{"controller": "https://awx.example.com", "user_id": number}],
                "keys": [{"key": self.public(name), "valid_from": BEFORE, "valid_until": AFTER}],
            }
            for number, (name, roles) in enumerate(PEOPLE.items(), 1)
        ]
        both = [{"roles": ["change_manager"]}, {"roles": ["app_owner"]}]
        return {
            "schema": "patchtide/trust/1",
            "version": 7,
            "roles": {name: name for name in ("change_manager", "app_owner", "operator", "auditor")},
            "people": people,
            "environments": [{"name": "production", "accounts": ["1"]}, {"name": "test", "accounts": ["2"]}],
            "requirements": {
                "plans": [
                    {"environments": ["production"], "people": both},
                    {"environments": ["test"], "people": [{"roles": ["change_manager", "app_owner"]}]},
                ],
                "decisions": {name: {"roles": ["operator"]} for name in ("promote", "retry", "skip")},
            },
            **changes,
        }

    def pin(self, bundle: Mapping[str, Any], *, roots: tuple[str, ...] = ("root1", "root2"), **pins: Any) -> Path:
        """Write a bundle, sign it by some root keys, and return the file with the controller's pins."""
        path = self.folder / "bundle.yml"
        path.write_text(yaml.safe_dump(dict(bundle), sort_keys=False), "utf-8")
        for old in self.folder.glob("bundle.yml*.sig"):
            old.unlink()
        for root in roots:
            self.sign_file(path, root, "trust@patchtide").rename(self.folder / f"bundle.yml.{root}.sig")
        data = {
            "bundle": str(path),
            "root_keys": {name: self.public(name) for name in ("root1", "root2", "root3")},
            "signatures": 2,
            "lowest_version": 7,
            **pins,
        }
        pinned = self.folder / "trust.yml"
        pinned.write_text(yaml.safe_dump(data), "utf-8")
        pinned.chmod(0o600)
        return pinned

    def sign_file(self, path: Path, key: str, purpose: str) -> Path:
        """Sign as the documentation says, and return the signature's file."""
        signature = path.with_name(f"{path.name}.sig")
        signature.unlink(missing_ok=True)
        run("-q", "-Y", "sign", "-n", purpose, "-f", str(self.key(key)), str(path))
        return signature

    def sign(self, data: bytes, key: str, purpose: str) -> bytes:
        path = self.folder / "signed"
        path.write_bytes(data)
        return self.sign_file(path, key, purpose).read_bytes()


def run(*arguments: str) -> str:
    command = ["ssh-keygen", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def statement(principal: str, role: str, **changes: Any) -> Statement:
    """Return an approval of the plan in both environments."""
    subject = {
        "rollout": ROLLOUT,
        "plan_digest": PLAN_DIGEST,
        "environments": ["production", "test"],
        "waves": [],
        **changes.pop("subject", {}),
    }
    given: dict[str, Any] = {
        "act": "plan",
        "verdict": "approve",
        "principal": principal,
        "role": role,
        "not_before": "2026-12-01T00:00:00Z",
        "expires": "2026-12-03T00:00:00Z",
        "bundle_version": 7,
        "nonce": "0" * 32,
        "reason": "CHG0040007",
        **changes,
    }
    return Statement(subject=subject, **given)


def edited(data: bytes, **members: Any) -> bytes:
    """Return a statement's bytes with other members, in canonical form, whatever they say."""
    found = {**json.loads(data), **members}
    return f"{json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False)}\n".encode()


__all__ = ["AT", "Trusted", "edited", "namespace", "statement"]
