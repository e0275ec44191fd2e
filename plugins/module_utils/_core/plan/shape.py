# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The required form of ``plan.json``, for code that carries out, compares and reports plans."""

from __future__ import annotations

import re

from ..shape import COUNT, FLAG, NAME, NUMBER, TEXT, TIME, Each, Object, OrNull, Rule, Values
from .scan import COUNTS, FAILED_PLACE, PATCH

_NODE = Object(
    {"node_id": NAME},
    {
        "executor": NAME,
        "patches": Each(PATCH),
        "host": TEXT,
        "name": TEXT,
        "platform": TEXT,
        "os": OrNull(TEXT),
        "account": OrNull(TEXT),
        "region": OrNull(TEXT),
        "zone": OrNull(TEXT),
        "cluster": OrNull(TEXT),
        "patch_group": OrNull(TEXT),
        "state": OrNull(TEXT),
        "tags": Values(TEXT),
        "turn": COUNT,
        "patch_count": COUNT,
        "counts_before": COUNTS,
        "reboot": TEXT,
        "reboot_rule": OrNull(TEXT),
        "expected_minutes": NUMBER,
        "start": FLAG,
        "instance_profile": OrNull(TEXT),
        "pin": TEXT,
        "list": TEXT,
        "content_open": Each(TEXT),
        "pending_before": Each(TEXT),
        "baseline": TEXT,
        "baseline_id": TEXT,
    },
)
_ROW = Object({"id": NAME, "title": TEXT})
_WINDOW = Object({"start": TIME, "end": TIME, "cutoff_at": TIME}, {"name": TEXT, "timezone": TEXT})
_CAPACITY = Object(
    {"fits": FLAG, "text": TEXT},
    {"needed_minutes": NUMBER, "usable_minutes": OrNull(NUMBER), "too_late": COUNT},
)
_WAVE = Object(
    {"name": NAME, "nodes": Each(_NODE)},
    {
        "order": COUNT,
        "window": OrNull(_WINDOW),
        "gate": Object({}, {"health_checks": Each(Object({}, {"name": TEXT}))}),
        "soak_minutes": NUMBER,
        "promote_from": TEXT,
        "reboot_rule": TEXT,
        "turns": COUNT,
        "capacity": _CAPACITY,
        "notes": Each(TEXT),
        "emptied": TEXT,
    },
)
_LIST = Object(
    {"name": NAME, "label": TEXT, "address": TEXT, "account": TEXT, "region": TEXT, "patches": Each(_ROW)},
    {"product": TEXT, "baseline_id": TEXT, "platform": TEXT, "nodes": COUNT},
)
_SHARE = Rule(lambda value: COUNT.fits(value) or isinstance(value, (str, float)), "a count or a share")
_LIMIT = Object({}, {name: OrNull(_SHARE) for name in ("rollout", "wave", "zone", "cluster")})
#: 128 random bits. It is part of paths, keys and comments, and names the plan in every approval.
ROLLOUT = Rule(
    lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9a-f]{32}", value)), "32 hexadecimal digits"
)
PLAN = Object(
    {"rollout": ROLLOUT, "waves": Each(_WAVE)},
    {
        "created_at": TEXT,
        "planner": OrNull(Object({"login": TEXT, "awx_user": TEXT, "awx_user_id": COUNT, "awx_job": COUNT})),
        "rehearsal": FLAG,
        "policy": Object({}, {"name": TEXT, "digest": TEXT}),
        "scan": Object({}, {"at": TEXT, "digest": TEXT}),
        "failed_places": Each(FAILED_PLACE),
        "tags": Values(TEXT),
        "exceptions": Object({}, {"ledger": TEXT, "tag": TEXT}),
        "approval": Object({"required": FLAG}, {"people": COUNT, "authors": Each(NAME)}),
        "rules": Object({}, {"retries": Values(COUNT), "budgets": _LIMIT}),
        "patching": Object({}, {"pin": TEXT}),
        "lists": Each(_LIST),
        "excluded": Each(Object({"node_id": TEXT, "code": TEXT, "reason": TEXT}, {"host": TEXT, "name": TEXT})),
        "totals": Values(NUMBER),
        "warnings": Each(TEXT),
    },
)
