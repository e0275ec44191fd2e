# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes maintenance windows from tags; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from ..module_utils._aws.inventory import read_entries
from ..module_utils._aws.node_tags import AwsNodeTags
from ..module_utils._aws.session import Sessions, each_place
from ..module_utils._aws.window_set import AwsWindowSet
from ..module_utils._core.change import Change
from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.failed_places import failed_place, failed_text
from ..module_utils._core.model import Place, place_label
from ..module_utils._core.nodes import Candidate
from ..module_utils._core.owners.window_choices import with_window
from ..module_utils._core.owners.window_sync import (
    WindowSet,
    ensure_windows,
    plan_windows,
    wanted_windows,
)
from ..module_utils._core.plan.node_windows import NoWindow, WindowChoice
from ..module_utils._core.policy.values import Policy, to_policy
from ..module_utils._core.ssm.patch_information import TYPE, stated_tags
from ..module_utils._core.text import plain
from ..module_utils._core.times.occurrences import MaintenanceWindow
from ..plugin_utils.aws_options import aws_spec, node_places, to_sessions
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.inventory.nodes import candidates


@dataclass(slots=True)
class _Outcome:
    """What became of one account-Region."""

    change: Change[WindowSet]
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    groups: list[str] = field(default_factory=list)


class ActionModule(ControllerAction):
    """One task for all nodes of all accounts. Check mode reads what it would change."""

    SPEC: ClassVar[dict[str, Any]] = {
        "policy": {"type": "dict", "required": True},
        "custom_inventory": {"type": "bool", "default": True},
        "restored": {"type": "dict", "default": {}},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy = to_policy(options["policy"])
        restored = {host: str(window) for host, window in options["restored"].items()}
        estate = list(candidates(task_vars, policy.tags.application))
        if not estate:
            raise EmptyInventory(NO_NODES)
        nodes = [
            with_window(node, restored[node.host], policy.tags.maintenance_window) if node.host in restored else node
            for node in estate
            if node.in_aws
        ]
        by_place: dict[str, list[Candidate]] = {}
        for node in nodes:
            by_place.setdefault(place_label(node.account, node.region), []).append(node)
        places = node_places([(node.account, node.region) for node in nodes], policy.estate.accounts)
        sessions = to_sessions(options)

        def work(place: Place) -> _Outcome:
            return _At(place, sessions, policy, options, self.check_mode).work(by_place.get(place.label, []))

        outcomes = each_place(places, work)
        return self._result(policy, outcomes)

    def _result(
        self, policy: Policy, outcomes: Sequence[tuple[Place, _Outcome | None, PatchtideError | None]]
    ) -> dict[str, Any]:
        failed = [failed_place(place.label, error.to_dict()) for place, _found, error in outcomes if error]
        found = {place.label: outcome for place, outcome, _error in outcomes if outcome}
        problems = {node: text for outcome in found.values() for node, text in outcome.problems.items()}
        remarks = [text for outcome in found.values() for text in outcome.remarks]
        for text in remarks:
            self.say(plain(text))
        changed = any(outcome.change.changed or outcome.tags for outcome in found.values())
        result: dict[str, Any] = {
            "changed": changed,
            "places": [
                {
                    "place": label,
                    "changed": bool(outcome.change.changed or outcome.tags),
                    "windows": _windows(outcome.change),
                    "patch_groups": outcome.groups,
                    "tags": outcome.tags,
                }
                for label, outcome in sorted(found.items())
            ],
            "remarks": [plain(text) for text in remarks],
            "failed_places": failed,
        }
        if self.diff_mode and changed:
            result["diff"] = [part for label, outcome in sorted(found.items()) for part in _diff(label, outcome)]
        if failed or problems:
            text = failed_text(len(outcomes), failed) if failed else ""
            rest = "; ".join(f"{node}: {why}" for node, why in sorted(problems.items())[:12])
            result |= {"failed": True, "msg": plain(" ".join(part for part in (text, rest) if part))}
        return result


@dataclass(frozen=True, slots=True)
class _At:
    """One account-Region."""

    place: Place
    sessions: Sessions
    policy: Policy
    options: Mapping[str, Any]
    check_mode: bool

    def work(self, nodes: Sequence[Candidate]) -> _Outcome:
        remarks: list[str] = []
        tags = self._stated(nodes, remarks) if self.options["custom_inventory"] else {}
        seen = [_with_tags(node, tags.get(node.node_id, {}), self.policy) for node in nodes]
        port = AwsWindowSet(self.sessions.client("ssm", self.place), self.policy.tags.maintenance_window)
        wanted = wanted_windows(self.policy, self._tagged(seen, remarks))
        change = plan_windows(port.read(), wanted, self.policy.name)
        groups = sorted({node.patch_group for node in seen if node.patch_group})
        outcome = _Outcome(change, tags, remarks, groups=groups)
        if not self.check_mode:
            outcome.problems = self._write_tags(tags)
            if change.changed:
                ensure_windows(port, change)
        return outcome

    def _stated(self, nodes: Sequence[Candidate], remarks: list[str]) -> dict[str, dict[str, str]]:
        """Return the tags that hybrid nodes state in their inventory and do not have yet."""
        client, found = self.sessions.client("ssm", self.place), {}
        for node in nodes:
            if not node.node_id.startswith("mi-"):
                continue
            for entry in read_entries(client, node.node_id, TYPE)[:1]:
                stated = stated_tags(entry, node.tags, self.policy.tags)
                remarks += [f"{node.name or node.host}: {text}" for text in stated.remarks]
                if stated.missing:
                    found[node.node_id] = dict(stated.missing)
        return found

    def _tagged(self, nodes: Sequence[Candidate], remarks: list[str]) -> dict[str, MaintenanceWindow]:
        """Return what each tag value means; nodes without a value that can be read are named."""
        choice, key, found = WindowChoice(self.policy), self.policy.tags.maintenance_window, {}
        for node in nodes:
            window = choice.by_tag(node)
            if isinstance(window, NoWindow):
                remarks.append(f"{node.name or node.host}: {window.why}")
            elif value := node.tags.get(key, ""):
                found[value] = window
        return found

    def _write_tags(self, tags: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
        port = AwsNodeTags(self.place, self.sessions)
        problems: dict[str, str] = {}
        pairs = sorted({(key, value) for some in tags.values() for key, value in some.items()})
        for key, value in pairs:
            problems |= port.put([node for node, some in tags.items() if some.get(key) == value], key, value)
        return problems


def _with_tags(node: Candidate, tags: Mapping[str, str], policy: Policy) -> Candidate:
    keys = policy.tags
    return replace(
        node,
        tags={**node.tags, **tags},
        patch_group=node.patch_group or tags.get(keys.patch_group, ""),
        maintenance_window=node.maintenance_window or tags.get(keys.maintenance_window, ""),
    )


def _diff(label: str, outcome: _Outcome) -> list[dict[str, Any]]:
    """Return the windows of an account-Region before and after, and the tags that its nodes get."""
    header = f"{label}: tags of nodes"
    tags = {"before": {}, "after": outcome.tags, "before_header": header, "after_header": header}
    return [outcome.change.to_diff(label), *([tags] if outcome.tags else [])]


def _windows(change: Change[WindowSet]) -> list[dict[str, Any]]:
    """Return the windows that are in use after the change, with the tag values that they are for."""
    return [
        {
            "name": item.window.name,
            "schedule": item.window.schedule,
            "timezone": item.window.timezone,
            "values": list(item.values),
        }
        for item in (change.after.windows if change.after else ())
        if item.values
    ]
