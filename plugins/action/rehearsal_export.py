# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes an estate file for the rehearsal; see the module of the same name for the documentation."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ..module_utils._ansible.clock import find_clock
from ..module_utils._aws.fleet import STATES_A_CALL, FleetCalls
from ..module_utils._aws.session import Sessions, each_place
from ..module_utils._core.failed_places import failed_place, failed_text
from ..module_utils._core.fleet.estate_export import Names, to_estate
from ..module_utils._core.fleet.facts import to_missing
from ..module_utils._core.model import Place, place_label
from ..module_utils._core.nodes import TAGGED, Candidate
from ..module_utils._core.plan.covered import is_by_baseline
from ..module_utils._core.policy.values import Policy, to_policy
from ..module_utils._core.stamp import to_time
from ..plugin_utils.aws_options import aws_spec, node_places, to_sessions
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.files import write_text
from ..plugin_utils.inventory.nodes import candidates

_WORKERS = 8
_EXPORTED_AT = re.compile(r"^exported_at: '?([^'\n]*)'?$", re.MULTILINE)
Missing = dict[str, list[dict[str, Any]] | None]


class ActionModule(ControllerAction):
    """Reads patch states only; the one file is written on the controller."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dest": {"type": "path", "required": True},
        "policy": {"type": "dict", "required": True},
        "pseudonyms": {"type": "bool", "default": False},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy = to_policy(options["policy"])
        nodes = list(candidates(task_vars, policy.tags.application))
        if not nodes:
            raise EmptyInventory(NO_NODES)
        sessions = to_sessions(options)
        by_place: dict[str, list[Candidate]] = {}
        for node in nodes:
            if node.in_aws:
                by_place.setdefault(place_label(node.account, node.region), []).append(node)
        pairs = [(some[0].account, some[0].region) for some in by_place.values()]
        missing: Missing = {}
        failed: list[dict[str, Any]] = []
        places = node_places(pairs, policy.estate.accounts)
        ids = {label: [node.node_id for node in some if node.managed] for label, some in by_place.items()}
        for place, found, error in each_place(places, lambda place: read_missing(sessions, place, ids[place.label])):
            missing |= found or {}
            failed += [failed_place(place.label, error.to_dict())] if error else []
        names = Names(secrets.token_hex(16) if options["pseudonyms"] else "", policy.tags, _kept_tags(policy))
        export = to_estate(nodes, missing, to_time(find_clock().now()), names)
        changed = _write(Path(options["dest"]), export.data, self.check_mode)
        never = sum(missing.get(node.node_id) is None for node in nodes if is_by_baseline(node))
        result = {
            "changed": changed,
            "nodes": len(export.data["groups"]),
            "never_scanned": never,
            "left_out": dict(export.left_out),
            "failed_places": failed,
        }
        if failed:
            result |= {"failed": True, "msg": failed_text(len(places), failed)}
        return result


def read_missing(sessions: Sessions, place: Place, ids: list[str]) -> Missing:
    """Return the missing patches of nodes; ``None`` for those that were never scanned."""
    calls = FleetCalls(lambda service: sessions.client(service, place), place.label)
    found: Missing = dict.fromkeys(ids)
    for start in range(0, len(ids), STATES_A_CALL):
        for state in calls.patch_states(ids[start : start + STATES_A_CALL]):
            found[state["InstanceId"]] = []
    scanned = [node_id for node_id, rows in found.items() if rows is not None]
    with ThreadPoolExecutor(max_workers=_WORKERS) as pool:
        for node_id, rows in zip(scanned, pool.map(calls.missing, scanned), strict=True):
            found[node_id] = [to_missing(row) for row in rows]
    return found


def _kept_tags(policy: Policy) -> frozenset[str]:
    """Return the tags that the policy reads: those of its ``tags``, of selectors, and of exceptions."""
    keys = [getattr(policy.tags, name) for name in ("patch_group", "maintenance_window", "cluster", *TAGGED)]
    selects = [wave.select for wave in policy.waves] + [row.select for row in policy.exclude]
    selects += [order for wave in policy.waves for order in wave.order]
    selects += [row.select for row in policy.reboot.overrides]
    return frozenset([*keys, policy.exceptions.tag, *(key for select in selects for key in select.tags)])


def _write(dest: Path, data: Mapping[str, Any], check: bool) -> bool:
    """Write the estate and return whether it differs from the file's, apart from the time of the export."""
    before = dest.read_text("utf-8", "replace") if dest.is_file() else ""
    found = _EXPORTED_AT.search(before)
    if found and _text({**data, "exported_at": found[1]}) == before:
        return False
    return True if check else write_text(dest, _text(data))


def _text(data: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(data), sort_keys=False, allow_unicode=True, width=160)  # type: ignore[no-any-return,unused-ignore]
