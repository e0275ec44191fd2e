# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners choose the windows of their nodes; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput, PatchtideError
from ..module_utils._core.nodes import Candidate
from ..module_utils._core.owners.window_choices import (
    Request,
    check_request,
    choose,
    expire,
    owned,
    past,
    without_failed,
)
from ..module_utils._core.policy.values import Policy, to_policy
from ..module_utils._core.stamp import to_time
from ..module_utils._core.text import LISTED, plain
from ..module_utils._core.times.schedule import to_zone
from ..plugin_utils.aws_options import aws_spec, to_sessions
from ..plugin_utils.azure_login import env_tenants
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.files import locked, read_document
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.inventory.window_tags import ChoiceLedger, WindowTags
from ..plugin_utils.owner import requester
from ..plugin_utils.prepare.places import Clouds

_FORM = ("nodes", "window", "until", "reason")


class ActionModule(ControllerAction):
    """Decides first and writes then; what is refused changes nothing."""

    SPEC: ClassVar[dict[str, Any]] = {
        "policy": {"type": "dict", "required": True},
        "ledger": {"type": "path", "required": True},
        "state": {"type": "str", "choices": ["chosen", "expired"], "default": "chosen"},
        "nodes": {"type": "list", "elements": "str"},
        "window": {"type": "str"},
        "until": {"type": "str"},
        "reason": {"type": "str"},
        "form": {"type": "path"},
        "inventory_dir": {"type": "path"},
    }

    def spec(self) -> dict[str, Any]:
        return {**aws_spec(), **self.SPEC}

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        policy = to_policy(options["policy"])
        nodes = list(candidates(task_vars, policy.tags.application))
        if not nodes:
            raise EmptyInventory(NO_NODES)
        ledger = ChoiceLedger(Path(options["ledger"]))
        inventory = Path(options["inventory_dir"]) if options["inventory_dir"] else None
        clouds = Clouds(cache(lambda: to_sessions(options)), cache(env_tenants))
        tags = WindowTags(policy.tags.maintenance_window, clouds, policy.estate.accounts, inventory)
        lock = ledger.path.with_name(f".{ledger.path.name}.lock")
        with nullcontext() if self.check_mode else locked(lock):
            if options["state"] == "expired":
                found = self._expire(policy, nodes, ledger, tags)
            else:
                found = self._choose(policy, nodes, ledger, tags, _request(options, requester(task_vars)))
        return self._result(policy, nodes, found)

    def _choose(
        self, policy: Policy, nodes: Sequence[Candidate], ledger: ChoiceLedger, tags: WindowTags, request: Request
    ) -> _Done:
        """The ledger says who asked for what, whatever the services do then."""
        now, before = find_clock().now(), ledger.read()
        check_request(request, policy, _day(policy, now))
        mine = owned(request.by, request.nodes, policy, nodes)
        seen, unread = tags.as_now([node for node, _owner in mine])
        if unread:
            raise PatchtideError(f"Could not read every tag; nothing was changed. {_few(unread, nodes)}")
        pairs = [(node, owner) for node, (_node, owner) in zip(seen, mine, strict=True)]
        values, records = choose(request, pairs, before, tags.key, to_time(now))
        changing = [node for node in seen if node.node_id in values]
        tags.check(changing)
        done = _Done(records != before, changing, values)
        if done.changed and not self.check_mode:
            ledger.write(records)
            done.problems = tags.write(changing, values)
        return done

    def _expire(self, policy: Policy, nodes: Sequence[Candidate], ledger: ChoiceLedger, tags: WindowTags) -> _Done:
        """A choice whose tag is not restored yet is still open."""
        before = ledger.read()
        today = _day(policy, find_clock().now())
        ended = past(before, today)
        seen, unread = tags.as_now([node for node in nodes if node.node_id in ended])
        values, records = expire(before, seen, tags.key, today)
        changing = [node for node in seen if node.node_id in values]
        tags.check(changing)
        done = _Done(records != before, changing, values, unread)
        if done.changed and not self.check_mode:
            done.problems = {**unread, **tags.write(changing, values)}
            ledger.write(without_failed(before, records, done.problems))
        return done

    def _result(self, policy: Policy, nodes: Sequence[Candidate], done: _Done) -> dict[str, Any]:
        key = policy.tags.maintenance_window
        shown = {node.host: done.values[node.node_id] for node in done.nodes if node.node_id not in done.problems}
        for host, window in shown.items():
            self.say(plain(f"{host}: {window or 'no window'}, in plans made from now on"))
        result: dict[str, Any] = {"changed": done.changed, "windows": shown, "failed_nodes": done.problems}
        if self.diff_mode and shown:
            old = {node.host: node.maintenance_window or node.tags.get(key, "") for node in done.nodes}
            result["diff"] = {"before": old, "after": shown, "before_header": key, "after_header": key}
        if done.problems:
            few = _few(done.problems, nodes)
            result |= {"failed": True, "msg": plain(f"Could not read or write every tag; run it again. {few}")}
        return result


@dataclass(slots=True)
class _Done:
    """What became of a choice: the nodes whose windows change, and what failed."""

    changed: bool
    nodes: Sequence[Candidate]
    values: Mapping[str, str]
    problems: Mapping[str, str] = field(default_factory=dict)


def _day(policy: Policy, now: datetime) -> date:
    return now.astimezone(to_zone(policy.exceptions.timezone)).date()


def _few(problems: Mapping[str, str], nodes: Iterable[Candidate]) -> str:
    names = {node.node_id: node.host for node in nodes}
    found = sorted((names.get(node_id, node_id), why) for node_id, why in problems.items())
    more = f"; and {len(found) - LISTED} more" if len(found) > LISTED else ""
    return "; ".join(f"{host}: {why}" for host, why in found[:LISTED]) + more


def _request(options: Mapping[str, Any], by: str) -> Request:
    """Return the request of the options, or of a form: a YAML or JSON file with the same members."""
    given = {name: options[name] for name in _FORM if options[name]}
    if options["form"]:
        if given:
            raise BadInput("form", options["form"], f"no form together with {', '.join(given)}")
        document = read_document(options["form"], "form")
        if not isinstance(document, Mapping) or set(document) - set(_FORM):
            raise BadInput("form", options["form"], f"a mapping with the keys {', '.join(_FORM)}")
        given = {name: value for name, value in document.items() if value}
    nodes = given.get("nodes") or []
    return Request(
        by=by,
        nodes=tuple(str(item) for item in (nodes if isinstance(nodes, list) else [nodes])),
        window=str(given.get("window") or ""),
        reason=str(given.get("reason") or ""),
        until=str(given.get("until") or ""),
    )
