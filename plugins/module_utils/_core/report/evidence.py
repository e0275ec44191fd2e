# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The evidence of a rollout: which files prove what happened, and whether they still fit together. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..canonical import to_canonical
from ..errors import BadInput, JournalError
from ..plan.plan import check_plan
from ..rollout.journal_check import Examined, command_ids, examine, replay
from ..rollout.journal_head import Head
from ..rollout.state import Rollout

SCHEMA = "patchtide/evidence/1"
MANIFEST, PLAN, JOURNAL, COMMANDS = "MANIFEST.json", "plan.json", "journal.jsonl", "commands.json"
Files = Mapping[str, bytes]


def collect(files: Files, noted: Head | None = None) -> dict[str, bytes]:
    """Return the files of the pack: those given, the commands that the journal names, and the manifest.

    :param files: by name, the plan and the journal among them.
    :param noted: the journal's head as it was noted beside it.
    :raises BadInput: the plan is missing or was changed.
    :raises JournalError: the journal is damaged, or does not fit the plan.
    """
    plan, found, state = _read(files, noted)
    commands = {"rollout": plan["rollout"], "commands": command_ids(found.records)}
    packed = {**files, COMMANDS: _to_bytes(commands)}
    manifest = {
        "schema": SCHEMA,
        "rollout": plan["rollout"],
        "plan_digest": plan["digest"],
        "policy_digest": plan["policy"]["digest"],
        "rehearsal": plan.get("rehearsal", False),
        "journal": {"head": found.head, "records": len(found.records), "status": state.status},
        "files": [{"name": name, **_facts(packed[name])} for name in sorted(packed)],
    }
    return {**packed, MANIFEST: _to_bytes(manifest)}


def read_manifest(files: Files) -> dict[str, Any]:
    """Return the manifest of a pack.

    :raises BadInput: it has none, or not one of ours.
    """
    try:
        manifest = json.loads(files[MANIFEST])
    except (KeyError, ValueError, RecursionError):
        manifest = None
    if not isinstance(manifest, dict) or manifest.get("schema") != SCHEMA:
        raise BadInput("dest", MANIFEST, f"an archive with a manifest of the schema {SCHEMA}")
    return manifest


def find_problems(files: Files, head: str | None = None) -> list[str]:
    """Return what does not fit in a pack, nothing if it proves what it says. Needs nothing but the pack.

    :param head: the journal's head as it was noted elsewhere, for instance in the change ticket.
    """
    manifest = read_manifest(files)
    problems = _file_problems(manifest, files)
    try:
        again = collect({name: data for name, data in files.items() if name not in (MANIFEST, COMMANDS)})
    except (BadInput, JournalError, KeyError) as error:
        return [*problems, str(error)]
    if not problems and again[COMMANDS] != files.get(COMMANDS):
        problems.append(f"{COMMANDS} does not match the commands in the journal")
    if not problems and again[MANIFEST] != files[MANIFEST]:
        problems.append(f"{MANIFEST} does not match the plan and the journal")
    found = examine(files[JOURNAL])
    if head and head != found.head:
        problems.append(f"the journal ends with {found.head or 'no record'}, not with {head}")
    return problems


def _file_problems(manifest: Mapping[str, Any], files: Files) -> list[str]:
    rows = manifest.get("files")
    known = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    listed = {str(row.get("name")): row for row in known}
    problems = [f"{name} is missing" for name in sorted(set(listed) - set(files))]
    problems += [f"{name} is not in the manifest" for name in sorted(set(files) - set(listed) - {MANIFEST})]
    changed = [name for name in sorted(set(listed) & set(files)) if listed[name].get("sha256") != _sha256(files[name])]
    return problems + [f"{name} was changed" for name in changed]


def _read(files: Files, noted: Head | None) -> tuple[dict[str, Any], Examined, Rollout]:
    for name in (PLAN, JOURNAL):
        if name not in files:
            raise BadInput("dir", name, f"a rollout with {PLAN} and {JOURNAL}")
    try:
        plan = json.loads(files[PLAN])
    except (ValueError, RecursionError) as error:
        raise BadInput("dir", PLAN, f"JSON ({error})") from error
    check_plan(plan, PLAN)
    found = examine(files[JOURNAL], noted)
    state, damage = replay(plan, found.records)
    if first := found.damage or damage:
        raise JournalError(f"{JOURNAL}: {first.reason}")
    return plan, found, state


def _facts(data: bytes) -> dict[str, Any]:
    return {"bytes": len(data), "sha256": _sha256(data)}


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _to_bytes(data: Mapping[str, Any]) -> bytes:
    return f"{to_canonical(data)}\n".encode("utf-8", "surrogatepass")
