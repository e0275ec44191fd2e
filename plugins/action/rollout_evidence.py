# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packs the evidence of a rollout and verifies a pack; see the module of the same name for the documentation."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.report.evidence import JOURNAL, PLAN, collect, find_problems, read_manifest
from ..module_utils._core.rollout.journal_check import examine
from ..plugin_utils.approvals.pack_check import PackCheck
from ..plugin_utils.approvals.ssh import SIGNED, SshKeygen, read_bounded
from ..plugin_utils.approvals.trust import find_pins, find_trust
from ..plugin_utils.approvals.wave_check import ARCHIVE
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import read_json, write_bytes
from ..plugin_utils.rollout.evidence_zip import read_zip, to_zip
from ..plugin_utils.rollout.stores import read_head, read_journal_bytes

_BESIDE = ("scan.json", "approval.json", "approval.yml")


class EvidenceError(PatchtideError):
    """A pack does not prove what it says."""

    code = "EvidenceError"


class ActionModule(ControllerAction):
    """Works on files of the controller; verifying needs the pack alone."""

    SPEC: ClassVar[dict[str, Any]] = {
        "state": {"type": "str", "choices": ["packed", "verified"], "default": "packed"},
        "dir": {"type": "path"},
        "dest": {"type": "path"},
        "policy": {"type": "path"},
        "head": {"type": "str"},
    }
    RULES: ClassVar[dict[str, Any]] = {
        "required_if": [("state", "packed", ["dir"]), ("state", "verified", ["dest"])],
    }

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if options["state"] == "verified":
            return self._verified(Path(options["dest"]), options["head"])
        folder = Path(options["dir"])
        files = collect(_gather(folder, Path(options["policy"]) if options["policy"] else None), read_head(folder))
        data, manifest = to_zip(files), read_manifest(files)
        dest = Path(options["dest"] or folder / f"evidence-{manifest['rollout']}.zip")
        changed = not dest.exists() or dest.read_bytes() != data
        if changed and not self.check_mode:
            write_bytes(dest, data)
        return {"changed": changed, **_facts(dest, data, manifest)}

    def _verified(self, dest: Path, head: str | None) -> dict[str, Any]:
        files = read_zip(dest)
        problems = find_problems(files, head)
        if not problems and to_zip(files) != dest.read_bytes():
            problems = ["its bytes are not those that were packed"]
        approvals = None if problems else self._approvals(files)
        problems += approvals.problems if approvals else []
        if problems:
            more = f", and {len(problems) - 3} more" if len(problems) > 3 else ""
            raise EvidenceError(f"{dest} does not prove what it says: {'; '.join(problems[:3])}{more}")
        found = approvals or PackCheck(files, {}, SshKeygen())
        for line in (*found.verified, *found.notes):
            self.say(line)
        facts = _facts(dest, dest.read_bytes(), read_manifest(files))
        return {"changed": False, **facts, "verified": found.verified, "notes": found.notes}

    def _approvals(self, files: Mapping[str, bytes]) -> PackCheck:
        """Verify what people signed, with the root keys that this controller pins, if it does."""
        path = find_pins()
        trust = find_trust(find_clock().now(), pins=path) if path else None
        check = PackCheck(
            files,
            json.loads(files[PLAN]),
            SshKeygen(),
            trust.pins if trust else None,
            trust.bundle if trust else None,
        )
        check.run(examine(files[JOURNAL]).records)
        return check


def _facts(dest: Path, data: bytes, manifest: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "dest": str(dest),
        "sha256": hashlib.sha256(data).hexdigest(),
        "rollout": manifest["rollout"],
        "digest": manifest["plan_digest"],
        "head": manifest["journal"]["head"],
        "records": manifest["journal"]["records"],
        "status": manifest["journal"]["status"],
        "files": [row["name"] for row in manifest["files"]],
    }


def _gather(folder: Path, policy: Path | None) -> dict[str, bytes]:
    """Read what belongs into the pack, by the names it has there."""
    read_json(folder / PLAN, "dir")
    paths = {name: folder / name for name in (PLAN, *_BESIDE) if (folder / name).exists()}
    if policy:
        paths["policy.yml"] = policy
    report = folder / "report"
    found = sorted(path for path in report.rglob("*") if path.is_file()) if report.is_dir() else []
    archive = folder / ARCHIVE
    found += sorted(path for path in archive.rglob("*") if path.is_file()) if archive.is_dir() else []
    paths |= {path.relative_to(folder).as_posix(): path for path in found}
    files = {JOURNAL: read_journal_bytes(folder), **_signed(folder)}
    for name, path in paths.items():
        try:
            files[name] = path.read_bytes()
        except OSError as error:
            raise BadInput("policy" if path == policy else "dir", str(path), f"a readable file ({error})") from error
    return files


def _signed(folder: Path) -> dict[str, bytes]:
    """Return the statements and signatures of a rollout as they lie there, also those that were not accepted."""
    paths = [path for name in SIGNED for kind in ("*.json", "*.json.sig") for path in (folder / name).glob(kind)]
    found = {path.relative_to(folder).as_posix(): read_bounded(path) for path in sorted(paths)}
    return {name: data for name, data in found.items() if data is not None}
