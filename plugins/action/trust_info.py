# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows the trust bundle of this controller; see the module of the same name for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..module_utils._ansible.clock import find_clock
from ..module_utils._core.trust.bundle import Bundle, Demand, Person
from ..module_utils._core.trust.keys import moment
from ..module_utils._core.trust.responsibilities import responsibility_rows
from ..plugin_utils.approvals.plan_check import NOT_VERIFIED
from ..plugin_utils.approvals.trust import find_pins, find_trust
from ..plugin_utils.controller_action import ControllerAction


class ActionModule(ControllerAction):
    """Only reads files of the controller."""

    def act(self, options: Mapping[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        now = find_clock().now()
        path = find_pins()
        trust = find_trust(now, pins=path) if path else None
        if trust is None:
            self.say(NOT_VERIFIED)
            return {"changed": False, "configured": False, "text": NOT_VERIFIED}
        bundle = trust.bundle
        text = f"Trust bundle {bundle.version} is signed as this controller demands."
        self.say(text)
        return {
            "changed": False,
            "configured": True,
            "text": text,
            "pins": str(path),
            "bundle": trust.pins.bundle,
            "version": bundle.version,
            "digest": trust.digest,
            "lowest_version": trust.pins.lowest_version,
            **_content(bundle, now),
        }


def _content(bundle: Bundle, now: datetime) -> dict[str, Any]:
    return {
        "people": [_person(person, bundle, now) for person in bundle.people.values()],
        "environments": [item.name for item in bundle.environments],
        "plans": [
            {
                "environments": list(rule.environments),
                "waves": list(rule.waves),
                "people": [_demand(item) for item in rule.people],
                "sources": list(rule.sources),
                "max_hours": rule.max_hours,
            }
            for rule in bundle.plans
        ],
        "decisions": {name: _demand(item) for name, item in bundle.decisions.items()},
        "exceptions": {
            "steps": {name: _demand(item) for name, item in bundle.exceptions.steps.items()},
            "max_days": dict(bundle.exceptions.max_days),
        },
        "responsibilities": responsibility_rows(bundle),
        "revocations": [
            {"what": item.what, "name": item.name, "since": moment(item.since), "reason": item.reason}
            for item in bundle.revocations
        ],
    }


def _demand(demand: Demand) -> dict[str, Any]:
    return {"roles": list(demand.roles), "count": demand.count}


def _person(person: Person, bundle: Bundle, now: datetime) -> dict[str, Any]:
    return {
        "principal": person.principal,
        "name": person.name,
        "roles": list(person.roles),
        "service": person.service,
        "keys": [
            {
                "fingerprint": key.fingerprint,
                "type": key.kind,
                "valid_from": moment(key.valid_from),
                "valid_until": moment(key.valid_until),
                "problem": bundle.revoked("person", person.principal, now)
                or bundle.revoked("key", key.fingerprint, now)
                or key.objection(now),
            }
            for key in person.keys
        ],
    }
