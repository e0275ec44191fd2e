# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners choose the windows of their nodes; see the module of the same name for the documentation."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.errors import BadInput
from ..module_utils._core.owners.window_choices import (
    NotOwner,
    Request,
    check_request,
    choose,
    expire,
    owned,
    without_failed,
)
from ..module_utils._core.policy.values import to_policy
from ..module_utils._core.stamp import to_time
from ..module_utils._core.text import plain
from ..module_utils._core.times.schedule import to_zone
from ..plugin_utils.aws_options import aws_spec, to_sessions
from ..plugin_utils.controller_action import NO_NODES, ControllerAction, EmptyInventory
from ..plugin_utils.files import locked, read_document
from ..plugin_utils.inventory.nodes import candidates
from ..plugin_utils.inventory.window_tags import ChoiceLedger, WindowTags
from ..plugin_utils.operator import find_operator

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
        policy, clock = to_policy(options["policy"]), find_clock()
        nodes = list(candidates(task_vars, policy.tags.application))
        if not nodes:
            raise EmptyInventory(NO_NODES)
        key, ledger = policy.tags.maintenance_window, ChoiceLedger(Path(options["ledger"]))
        today = clock.now().astimezone(to_zone(policy.exceptions.timezone)).date()
        inventory = Path(options["inventory_dir"]) if options["inventory_dir"] else None
        tags = WindowTags(key, to_sessions(options), policy.estate.accounts, inventory)
        lock = ledger.path.with_name(f".{ledger.path.name}.lock")
        with nullcontext() if self.check_mode else locked(lock):
            before = ledger.read()
            if options["state"] == "expired":
                values, records = expire(before, nodes, key, today)
            else:
                request = _request(options, requester(task_vars))
                check_request(request, policy, today)
                values, records = choose(request, owned(request, policy, nodes), before, key, to_time(clock.now()))
            changing = [node for node in nodes if node.node_id in values]
            tags.check(changing)
            problems: dict[str, str] = {}
            if not self.check_mode and records != before:
                if options["state"] == "expired":  # a choice whose tag is not restored yet is still open
                    problems = tags.write(changing, values)
                    ledger.write(without_failed(before, records, problems))
                else:
                    ledger.write(records)  # who asked for what is known, whatever the services do now
                    problems = tags.write(changing, values)
        shown = {node.host: values[node.node_id] for node in changing}
        for host, window in shown.items():
            self.say(plain(f"{host}: {window or 'no window'}, in plans made from now on"))
        result: dict[str, Any] = {"changed": records != before, "windows": shown, "failed_nodes": problems}
        if self.diff_mode and shown:
            old = {node.host: node.maintenance_window or node.tags.get(key, "") for node in changing}
            result["diff"] = {"before": old, "after": shown, "before_header": key, "after_header": key}
        if problems:
            few = "; ".join(f"{node}: {why}" for node, why in sorted(problems.items())[:12])
            result |= {"failed": True, "msg": plain(f"Could not write every tag; run it again. {few}")}
        return result


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


def requester(task_vars: Mapping[str, Any]) -> str:
    """Return who asks. Of AWX's jobs only those that a person launched say so; it writes its variables over all others.

    :raises NotOwner: nobody in person asks.
    """
    if os.environ.get("JOB_ID") or task_vars.get("awx_job_id") or task_vars.get("tower_job_id"):
        kind = task_vars.get("awx_job_launch_type") or task_vars.get("tower_job_launch_type")
        if kind not in ("manual", "relaunch"):
            raise NotOwner(f"A job that is launched by {plain(kind)} has no person; owners launch it themselves.")
    found = find_operator(task_vars)
    return found.awx_user or found.login
