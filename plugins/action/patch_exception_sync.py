# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings ledger and dated tags together; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._ansible.spec import PLACES
from ..module_utils._aws.exception_tags import ExceptionTags
from ..module_utils._aws.session import each_place
from ..module_utils._core.change import to_data
from ..module_utils._core.errors import PatchtideError
from ..module_utils._core.exceptions.ledger import Ledger, with_tags
from ..module_utils._core.exceptions.records import ExceptionRecord, ExceptionRules
from ..module_utils._core.exceptions.tags import Reconciliation, TagAction, after_actions, reconcile
from ..module_utils._core.failed_places import failed_place, failed_text
from ..module_utils._core.model import Place
from ..module_utils._core.nodes import Candidate
from ..module_utils._core.tags import TagKeys, check_tags
from ..module_utils._core.times.schedule import to_zone
from ..plugin_utils.aws_options import accounts_of, aws_spec, node_places, to_sessions
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.exceptions.open_ledger import open_ledger
from ..plugin_utils.inventory.nodes import candidates

Tags = dict[str, "str | None"]


class ActionModule(ControllerAction):
    """One task for all nodes of all accounts; asks each place once for all nodes that have the tag."""

    SPEC: ClassVar[dict[str, Any]] = {
        "ledger": {"type": "str", "required": True},
        "tag": {"type": "str", "default": "PatchException"},
        "application_tag": {"type": "str", "default": TagKeys().application},
        "expiring_days": {"type": "int", "default": 7},
        "timezone": {"type": "str", "default": "UTC"},
        "accounts": PLACES["accounts"],
        "on_place_error": PLACES["on_place_error"],
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        check_tags({options["tag"]: "2026-11-01/2026-11-30"}, "tag")
        nodes = list(candidates(task_vars, options["application_tag"]))
        if not nodes:
            raise EmptyInventory(NO_NODES)
        ledger = open_ledger(options["ledger"], options)
        run = _Run(options, nodes, self.check_mode)
        records = sorted(ledger.read(), key=lambda record: record.exception_id)
        plan = run.compare(records)
        done = run.write(plan.actions)
        if not self.check_mode:
            _note(ledger, records, run, done)
        for alarm in plan.alarms:
            self.say(f"{alarm.kind}: {alarm.text}")
        return self._result(options, plan, run, done)

    def _result(
        self, options: Mapping[str, Any], plan: Reconciliation, run: _Run, done: Sequence[TagAction]
    ) -> dict[str, Any]:
        failed = run.failed_places()
        result: dict[str, Any] = {
            "changed": bool(done),
            "actions": to_data(done),
            "alarms": to_data(plan.alarms),
            "failed_places": failed,
        }
        if self.diff_mode and done:
            key = options["tag"]
            before = {item.node_id: {key: item.before} if item.before else {} for item in done}
            after = {item.node_id: {key: item.value} if item.value else {} for item in done}
            result["diff"] = {"before": before, "after": after, "before_header": "tags", "after_header": "tags"}
        if failed and options["on_place_error"] == "fail":
            result |= {"failed": True, "msg": failed_text(len(run.places), failed)}
        return result


class _Run:
    """The nodes with their tags as they are now, and the places that did not answer."""

    def __init__(self, options: Mapping[str, Any], nodes: Sequence[Candidate], check_mode: bool) -> None:
        self._key, self._check_mode = options["tag"], check_mode
        self._rules = ExceptionRules.from_dict({"expiring_days": options["expiring_days"]}, "")
        self._today = find_clock().now().astimezone(to_zone(options["timezone"])).date()
        self._sessions = to_sessions(options)
        self._where = {node.node_id: f"{node.account}/{node.region}" for node in nodes if node.in_aws}
        tagged = [(node.account, node.region) for node in nodes if node.node_id in self._where]
        self.places = node_places(tagged, accounts_of(options))
        self.failed: dict[str, PatchtideError] = {}
        self.nodes = list(nodes)

    def reachable(self, node: Candidate) -> bool:
        return node.node_id in self._where and self._where[node.node_id] not in self.failed

    def failed_places(self) -> list[dict[str, Any]]:
        return [failed_place(label, why.to_dict()) for label, why in sorted(self.failed.items())]

    def compare(self, records: Sequence[ExceptionRecord]) -> Reconciliation:
        """Compare with the tags that the tagging service shows; where they differ, with those of EC2 and SSM."""
        self._see(self._each(self.places, lambda tags, place: dict(tags.read_all())), all_of_them=True)
        first = self._reconcile(records)
        doubtful = {item.node_id for item in first.actions} | {item.node_id for item in first.alarms if item.node_id}
        doubtful &= {node.node_id for node in self.nodes if self.reachable(node)}
        if not doubtful:
            return first
        places = [place for place in self.places if any(self._where[item] == place.label for item in doubtful)]
        self._see(self._each(places, lambda tags, place: tags.read(self._at(place, doubtful))))
        return self._reconcile(records)

    def _reconcile(self, records: Sequence[ExceptionRecord]) -> Reconciliation:
        return reconcile(records, self.nodes, self._key, self._today, self._rules, self.reachable)

    def _at(self, place: Place, node_ids: set[str]) -> list[str]:
        return sorted(item for item in node_ids if self._where[item] == place.label)

    def _see(self, found: Tags, all_of_them: bool = False) -> None:
        """Take the tags into the nodes; with ``all_of_them`` a node that is not among them has none."""

        def seen(node: Candidate) -> Candidate:
            if not self.reachable(node) or not (all_of_them or node.node_id in found):
                return node
            rest = {key: value for key, value in node.tags.items() if key != self._key}
            value = found.get(node.node_id)
            return replace(node, tags=rest if value is None else {**rest, self._key: value})

        self.nodes = [seen(node) for node in self.nodes]

    def write(self, actions: Sequence[TagAction]) -> list[TagAction]:
        """Carry the actions out and return those that were; in check mode those that would be."""
        if self._check_mode or not actions:
            return list(actions)
        by_id = {item.node_id: item for item in actions}
        places = [place for place in self.places if any(self._where[item] == place.label for item in by_id)]

        def work(tags: ExceptionTags, place: Place) -> Tags:
            mine = {item: by_id[item] for item in self._at(place, set(by_id))}
            before = {name: item.before for name, item in mine.items()}
            after = {name: item.value for name, item in mine.items()}
            tags.write(before, after)
            return after

        done = self._each(places, work)
        return [item for item in actions if item.node_id in done]

    def _each(self, places: Sequence[Place], work: Any) -> Tags:
        """Run at every place, concurrently; a place that fails is noted and left out from then on."""

        def one(place: Place) -> Tags:
            tags: Tags = work(ExceptionTags(lambda service: self._sessions.client(service, place), self._key), place)
            return tags

        found: Tags = {}
        live = [place for place in places if place.label not in self.failed]
        for place, result, error in each_place(live, one) if live else []:
            if error:
                self.failed[place.label] = error
            found.update(result or {})
        return found

    def after(self, records: Sequence[ExceptionRecord], done: Sequence[TagAction]) -> tuple[ExceptionRecord, ...]:
        reached = [node for node in self.nodes if self.reachable(node)]
        return after_actions(records, reached, done, self._key)


def _note(ledger: Ledger, records: Sequence[ExceptionRecord], run: _Run, done: Sequence[TagAction]) -> None:
    """Write into the ledger which tags now stand where; only what changed."""
    for before, after in zip(records, run.after(records, done), strict=True):
        if before != after:
            ledger.change(before.exception_id, with_tags(after.tagged))
