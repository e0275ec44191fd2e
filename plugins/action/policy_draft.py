# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Discovers an estate and drafts its first policy; see the module of the same name for the documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml

from ..module_utils._ansible.clock import find_clock
from ..module_utils._aws.session import each_place
from ..module_utils._core.errors import BadInput
from ..module_utils._core.failed_places import failed_place
from ..module_utils._core.fleet.coverage import Coverage
from ..module_utils._core.fleet.discovery import Finding, find_gaps
from ..module_utils._core.fleet.records import Node
from ..module_utils._core.nodes import EMPTY, Candidate
from ..module_utils._core.plan.covered import is_by_baseline
from ..module_utils._core.policy.draft import draft_policy
from ..module_utils._core.report.next_words import after_draft
from ..module_utils._core.tags import TagKeys
from ..module_utils._core.text import counted, plain
from ..plugin_utils.aws_options import accounts_of, aws_spec, own_region, to_sessions
from ..plugin_utils.controller_action import ControllerAction
from ..plugin_utils.files import write_text
from ..plugin_utils.inventory.discover import Discovered, discover, read_place, to_seen
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.policy.file import check_policy, parse_yaml

_HEADER = "# Written by patchtide.hybrid.init_policy. docs/inventory.md has all options.\n"


class ActionModule(ControllerAction):
    """Reads only, except for the two files. A file that exists is never changed."""

    SPEC: ClassVar[dict[str, Any]] = {
        "dir": {"type": "path", "required": True},
        "name": {"type": "str", "default": "patching"},
        "regions": {"type": "list", "elements": "str", "default": []},
        "accounts": {"type": "list", "elements": "raw", "default": []},
        "tags": {"type": "dict", "default": {}},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        keys = _tag_keys(options["tags"])
        hosts = [node for node in candidates(task_vars) if node.executor and not is_by_baseline(node)]
        found = self._discover(options, keys)
        nodes = found.nodes + [_host_node(host, task_vars["hostvars"][host.host]) for host in hosts]
        Coverage(now=find_clock().now()).findings(found.nodes)
        gaps = find_gaps(nodes, keys)
        self._show(found, nodes, gaps)
        texts, why = self._texts(options, found, nodes, keys)
        written, kept = self._write(Path(options["dir"]), texts)
        self.say(f"No policy is drafted: {why}" if why else plain(after_draft(options["dir"])))
        return {
            "changed": bool(written),
            "nodes": len(nodes),
            "findings": [gap.to_dict() for gap in gaps],
            "failed_places": found.failed,
            "written": written,
            "kept": kept,
            "drafts": texts,
            **self._diff(written, texts),
        }

    def _discover(self, options: Mapping[str, Any], keys: TagKeys) -> Discovered:
        sessions, accounts = to_sessions(options), accounts_of(options)
        regions = options["regions"] or [region for region in [own_region(options, sessions)] if region]
        found = discover(sessions, regions, accounts, keys)
        answered = [place for place in found.places if place.label not in {row["place"] for row in found.failed}]
        for place, more, error in each_place(answered, lambda place: read_place(sessions, place)):
            if error:
                found.failed.append(failed_place(place.label, error.to_dict()))
            elif more:
                found.baselines[place.label], found.windows[place.label] = more
        return found

    def _show(self, found: Discovered, nodes: list[Node], gaps: list[Finding]) -> None:
        """What a newcomer sees first."""
        managed = sum(bool(node["managed"]) for node in nodes)
        answered = len(found.places) - len({row["place"] for row in found.failed})
        self.say(
            f"{answered} of {len(found.places)} account-Regions answered: {len(nodes)} nodes, {managed} can be managed"
        )
        if gone := sorted(str(item) for node in nodes for item in node["merged_ids"]):
            listed = ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else "")
            self.say(f"{counted(len(gone), 'other registration')} of the same machines: not counted twice, {listed}")
        for row in found.failed:
            self.say(f"No answer from {row['place']}: {plain(row['error']['message'])}")
            self.say(
                "  Next: ask whoever owns the account to let the role be assumed and to grant the read permissions."
            )
        for gap in gaps:
            for line in gap.lines():
                self.say(line)

    def _texts(
        self, options: Mapping[str, Any], found: Discovered, nodes: list[Node], keys: TagKeys
    ) -> tuple[dict[str, str], str]:
        """Return the drafts by file name, and why there is no policy among them."""
        accounts = [
            {key: value for key, value in vars_of(account).items() if value}
            for account in found.accounts
            if account.role_arn
        ]
        fleet: dict[str, Any] = {"plugin": "patchtide.hybrid.ssm_fleet", "regions": found.regions}
        fleet |= {"accounts": accounts} if accounts else {}
        # Through JSON, because Ansible's own kinds of texts are none that YAML writes.
        texts = {
            "inventory/aws.ssm_fleet.yml": _HEADER + yaml.safe_dump(json.loads(json.dumps(fleet)), sort_keys=False)
        }
        try:
            text = draft_policy(to_seen(found, nodes, options["name"], keys))
        except ValueError:
            return (
                texts,
                f"no node has the tag {keys.patch_group}. Set it on the nodes to patch first, and run this again.",
            )
        check_policy(parse_yaml(text, "policy.yml")[0])
        return {**texts, "policy.yml": text}, ""

    def _write(self, folder: Path, texts: Mapping[str, str]) -> tuple[list[str], list[str]]:
        """Return the files that were or would be written, and those that exist with another content."""
        written, kept = [], []
        for name, text in texts.items():
            path = folder / name
            if path.exists():
                if path.read_text("utf-8", "replace") != text:
                    kept.append(str(path))
                    self.say(f"{path} exists and is kept; the draft differs from it.")
                continue
            written.append(str(path))
            if not self.check_mode:
                write_text(path, text)
                self.say(f"Written: {path}")
        return written, kept

    def _diff(self, written: list[str], texts: Mapping[str, str]) -> dict[str, Any]:
        if not self.diff_mode:
            return {}
        new = [(path, text) for path in written for name, text in texts.items() if path.endswith(name)]
        return {"diff": [{"before": "", "after": text, "after_header": path} for path, text in new]}


def vars_of(account: Any) -> dict[str, Any]:
    """Return the members of an account as the inventory file takes them."""
    return {name: getattr(account, name) for name in ("id", "name", "role_arn", "external_id")}


def _tag_keys(given: Mapping[str, Any]) -> TagKeys:
    known = ("patch_group", "maintenance_window", "application", "owner", "environment")
    if unknown := sorted(set(given) - set(known)):
        raise BadInput("tags", unknown, f"only the keys {', '.join(known)}")
    return TagKeys(**{name: str(value) for name, value in given.items()})


def _host_node(host: Candidate, variables: Mapping[str, Any]) -> Node:
    """Return a host reached over SSH as a node; what its probe said is in ``patchtide_init_probe``."""
    probe = variables.get("patchtide_init_probe") or {}
    silent = probe.get("unreachable") or probe.get("failed")
    named = {name: getattr(host, name) for name in ("node_id", "name", "executor", "platform", "os", "patch_group")}
    coverage = [code for code, gap in (("no_answer", silent), ("no_patch_group", not host.patch_group)) if gap]
    window = host.maintenance_window
    coverage += [] if window else ["no_maintenance_window"]
    node = {
        **EMPTY,
        **named,
        "tags": dict(host.tags),
        "maintenance_window": window,
        "coverage": coverage,
        "managed": True,
    }
    return {**node, "name": host.name or host.host}
