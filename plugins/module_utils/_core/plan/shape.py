# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of ``plan.json``: every member that the planner writes. Those that do not always apply are optional.

Code that carries out, compares or reports plans relies on it, so that a missing member is never read as a default.
"""

from __future__ import annotations

import re

from ..gate.differences import CHOICES
from ..nodes import TAGGED
from ..policy.run_rules import SCOPES
from ..shape import COUNT, FLAG, NAME, NUMBER, TEXT, TIME, Each, Object, OrNull, Rule, Values
from .scan import FAILED_PLACE, FORECAST

_CHOICE = Rule(lambda value: value in CHOICES, f"one of {', '.join(CHOICES)}")
_FORECAST = Rule(lambda value: value in ("yes", "no", "unknown"), "yes, no or unknown")
_PATCH = Object({"id": NAME, "title": TEXT, "severity": TEXT, "classification": TEXT})
_NODE = Object(
    {
        "node_id": NAME,
        "host": TEXT,
        "name": TEXT,
        "executor": NAME,
        "platform": TEXT,
        "os": TEXT,
        "account": TEXT,
        "region": TEXT,
        "zone": TEXT,
        "state": TEXT,
        "patch_group": TEXT,
        "instance_profile": TEXT,
        "cluster": TEXT,
        "tags": Values(TEXT),
        "turn": COUNT,
        "patch_count": COUNT,
        "patches": Each(_PATCH),
        "counts_before": Values(NUMBER),
        "reboot": _FORECAST,
        "expected_minutes": NUMBER,
        "pin": TEXT,
    },
    {
        "night": COUNT,
        "start": FLAG,
        "assessed_at": TIME,
        "forecast": FORECAST,
        "reboot_rule": TEXT,
        "list": TEXT,
        "content_open": Each(TEXT),
        "pending_before": Each(TEXT),
        "deferred": Each(TEXT),
        "urgent": Object({"due": TEXT, "why": TEXT, "findings": COUNT}),
        "baseline": TEXT,
        "baseline_id": TEXT,
    },
)
_ROW = Object({"id": NAME, "title": TEXT})
_OCCURRENCE = {"start": TIME, "cutoff_at": TIME, "end": TIME}
_NIGHT = Object(
    {
        **_OCCURRENCE,
        "number": COUNT,
        "window": TEXT,
        "timezone": TEXT,
        "local": TEXT,
        "begin": TIME,
        "ends": TIME,
        "turns": Each(COUNT),
        "nodes": COUNT,
    }
)
_CAPACITY = Object(
    {
        "fits": FLAG,
        "text": TEXT,
        "needed_minutes": NUMBER,
        "usable_minutes": OrNull(NUMBER),
        "concurrency": COUNT,
        "too_late": COUNT,
    },
)
_LIMIT = OrNull(Rule(lambda value: COUNT.fits(value) or isinstance(value, str), "a count, a share or null"))
_GATE = Object(
    {
        "max_failure_rate": NUMBER,
        "min_sample": COUNT,
        "confidence": NUMBER,
        "max_failures": OrNull(COUNT),
        "max_skipped_rate": NUMBER,
        "max_unknown": NUMBER,
        "budget": _LIMIT,
        "unplanned": _CHOICE,
        "withdrawn": _CHOICE,
        "health_checks": Each(Object({"name": TEXT})),
    }
)
_WAVE = Object(
    {
        "name": NAME,
        "order": COUNT,
        "window": OrNull(Object({**_OCCURRENCE, "name": TEXT, "timezone": TEXT})),
        "nights": Each(_NIGHT),
        "moved": Each(Object({"window": TEXT, "from": TIME, "to": OrNull(TIME), "why": TEXT})),
        "gate": _GATE,
        "soak_minutes": NUMBER,
        "reboot_rule": TEXT,
        "turns": COUNT,
        "capacity": _CAPACITY,
        "nodes": Each(_NODE),
    },
    {"promote_from": TEXT, "notes": Each(TEXT), "emptied": TEXT},
)
_LIST = Object(
    {
        "name": NAME,
        "label": TEXT,
        "account": TEXT,
        "region": TEXT,
        "product": TEXT,
        "baseline_id": TEXT,
        "platform": TEXT,
        "address": TEXT,
        "nodes": COUNT,
        "patches": Each(_ROW),
    }
)
_EXCLUDED = Object(
    {"node_id": TEXT, "host": TEXT, "name": TEXT, "code": TEXT, "reason": TEXT},
    dict.fromkeys(("executor", "platform", "os", "account", "region", "patch_group", *TAGGED), TEXT),
)
_CHANGE_TYPE = Rule(lambda value: value in ("standard", "normal", "emergency"), "standard, normal or emergency")
_HEX64 = Rule(
    lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{64}", value)), "64 hexadecimal digits"
)
#: 128 random bits. It is part of paths, keys and comments, and names the plan in every approval.
ROLLOUT = Rule(
    lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{32}", value)), "32 hexadecimal digits"
)
#: Of a child plan: what it is a part of. ``limits``: its budgets, which refer to the nodes of the parent.
_PART = Object(
    {
        "name": NAME,
        "digest": _HEX64,
        "rollout": ROLLOUT,
        "by": NAME,
        "at_most": COUNT,
        "nodes": Values(Values(COUNT)),
        "limits": Values(COUNT),
    }
)
PLAN = Object(
    {
        "rollout": ROLLOUT,
        "created_at": TIME,
        "planner": OrNull(Object({"login": TEXT, "awx_user": TEXT, "awx_user_id": COUNT, "awx_job": COUNT})),
        "valid_until": OrNull(TIME),
        "rehearsal": FLAG,
        "policy": Object({"name": TEXT, "digest": TEXT}),
        "scan": Object({"at": TEXT, "digest": TEXT}),
        "failed_places": Each(FAILED_PLACE),
        "tags": Object(dict.fromkeys(TAGGED, TEXT)),
        "exceptions": Object({"ledger": TEXT, "tag": TEXT}),
        "approval": Object({"required": FLAG, "people": COUNT, "authors": Each(NAME), "change_type": _CHANGE_TYPE}),
        "rules": Object(
            {
                "retries": Object({"delivery": COUNT, "execution": COUNT}),
                "budgets": Object(dict.fromkeys(SCOPES, _LIMIT)),
            }
        ),
        "patching": Object({"pin": TEXT}),
        "lists": Each(_LIST),
        "windows": Each(
            Object({"name": TEXT, "schedule": TEXT, "timezone": TEXT, "occurrences": Each(Object(_OCCURRENCE))})
        ),
        "waves": Each(_WAVE),
        "excluded": Each(_EXCLUDED),
        "totals": Object(dict.fromkeys(("nodes", "patches", "reboots", "excluded"), NUMBER)),
        "warnings": Each(TEXT),
    },
    {"part": _PART, "emergency": Object({"findings": COUNT, "left_out": Values(COUNT)})},
)
