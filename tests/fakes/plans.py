# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans of the planner: one with every member that it can write, and others of which a test states a part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.emergency import Urgent
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan, seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import Calendar, Interval
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.operator import Operator

AT = "2026-06-01T12:00:00.000Z"
REGION = "eu-central-1"
_TAGS = ("Owner", "Application", "Environment")
#: Members whose names are data.
_FREE = ("tags", "counts_before")

#: Makes the window of the first nodes shorter, which is noted.
_FREEZE = Calendar(
    name="deploys", events=(Interval(start=from_time("2026-06-03T01:00:00Z"), end=from_time("2026-06-03T03:00:00Z")),)
)
#: A wave that gets no node, and windows of which the first one is too early for the last wave.
_POLICY: dict[str, Any] = {
    "name": "all",
    "windows": [
        {"name": "early", "schedule": "cron(0 22 ? * TUE *)", "duration_hours": 4, "cutoff_hours": 1},
        {"name": "late", "schedule": "cron(0 21 ? * TUE *)", "duration_hours": 4, "timezone": "Europe/Berlin"},
    ],
    "baselines": [{"name": "al2023", "operating_system": "AMAZON_LINUX_2023", "default": True}],
    "waves": [
        {"name": "none", "select": {"tags": {"Wave": ["none"]}}, "gate": {"health_checks": [
            {"name": "shop", "http": {"url": "https://shop.example"}},
        ]}},
        {"name": "canary", "window": "early", "select": {"tags": {"Wave": ["canary"]}}, "soak_minutes": 60},
        {"name": "broad", "window": "late", "select": {"tags": {"Wave": ["broad"]}}, "promote_from": "canary"},
    ],
    "reboot": {"overrides": [{"select": {"platforms": ["windows"]}, "rule": "always"}]},
    "stopped_nodes": {"start": True},
    "exclude": [{"select": {"tags": {"Wave": ["never"]}}, "reason": "appliances"}],
    "patching": {"buckets": {REGION: {"name": "lists"}}},
    "approval": {"authors": ["ana@example.com"]},
    "budgets": {"zone": 1, "wave": "25%"},
}  # fmt: skip


def candidate(node_id: str, **more: Any) -> Candidate:
    """Return a node of Systems Manager as the inventory sees it."""
    given = {"executor": "ssm", "platform": "linux", "os": "Amazon Linux", "os_version": "2023", "state": "running"}
    given |= {"account": "1" * 12, "region": REGION, "zone": f"{REGION}a", "ping_status": "Online"}
    return Candidate(node_id=node_id, host=f"host-{node_id}", name=f"name-{node_id}", **{**given, **more})


@cache
def _whole(pin: str) -> dict[str, Any]:
    broad = [candidate(f"i-b{number}", tags={"Wave": "broad"}) for number in range(2)]
    stopped = candidate("i-s", executor="ssm", state="stopped", ping_status="", tags={"Wave": "canary"})
    windows = candidate("i-w", platform="windows", os="Windows Server 2022", tags={"Wave": "canary"})
    never = candidate("i-n", patch_group="g", tags={"Wave": "never"} | dict.fromkeys(_TAGS, "x"))
    nodes = [candidate("i-c", tags={"Wave": "canary"}), *broad, stopped, windows, never]
    missing = [{"id": "curl.x86_64", "title": "curl.x86_64:0:8.5.0", "severity": "Important"}]
    records: dict[str, Any] = {
        node.node_id: {
            "status": "succeeded",
            "missing": missing,
            "counts": {"missing_count": 1},
            "pending": ["openssl.x86_64"],
            "held": [{"id": "curl.x86_64:8", "why": "removes"}],
            "forecast": {"removes": ["exim4"], "downgrades": ["vim"], "adds": ["libnew"], "download_bytes": 5},
            "assessed_at": AT,
            "evidence": {"baseline_id": "pb-0123456789abcdef0"},
        }
        for node in nodes
        if node is not stopped
    }
    records["i-w"] |= {"missing": [{"id": "KB2267602", "title": "Security Intelligence Update"}]}
    error = {"code": "AccessDenied", "message": "not allowed"}
    places = [{"place": f"{'2' * 12}/{REGION}", "account": "2" * 12, "region": REGION, "error": error}]
    scan = {"at": AT, "digest": "0" * 64, "nodes": records, "failed_places": places}
    return build_plan(
        nodes,
        to_policy({**_POLICY, "patching": {**_POLICY["patching"], "pin": pin}}),
        scan,
        policy_digest="1" * 64,
        created_at=AT,
        rollout="5eed" * 8,
        planner=Operator(login="patchtide"),
        calendars=[_FREEZE],
    )


def whole_plans() -> list[dict[str, Any]]:
    """Return plans of the planner that have, together, every member that it can write.

    A stopped node is started only where no list pins what is installed.
    """
    return [deepcopy(_whole(pin)) for pin in ("list", "baseline")] + [deepcopy(_urgent())]


@cache
def _urgent() -> dict[str, Any]:
    """Return an emergency plan."""
    node, due = candidate("i-u"), from_time(AT)
    found = Urgent(patches={"i-u": {"curl"}}, due={"i-u": due}, why={"i-u": "CVE"}, findings=Counter({"i-u": 1}))
    found.left["other"] = 2
    record = {"status": "succeeded", "missing": [{"id": name, "title": f"{name}:0:1-1"} for name in ("curl", "vim")]}
    scan = {"at": AT, "nodes": {node.node_id: record}, "failed_places": []}
    rules = to_policy({"name": "p", "waves": [{"name": "w"}], "patching": _POLICY["patching"]})
    return build_plan([node], rules, scan, policy_digest="", created_at=AT, rollout="5eed" * 8, urgent=found)


_WINDOW = {"name": "night", "timezone": "UTC"}
_SCHEDULED = {"schedule": "cron(0 22 ? * TUE *)", "timezone": "UTC"}
_NIGHT = {"number": 1, "window": "night", "timezone": "UTC", "local": "", "begin": AT, "ends": AT, "turns": [1]}
_NIGHT |= {"nodes": 1}


@cache
def _small() -> dict[str, Any]:
    node = candidate("i-1", zone="")
    record = {"status": "succeeded", "missing": [{"id": "curl"}], "counts": {"missing_count": 1}}
    waves = [{"name": "w", "select": {"platforms": ["linux"]}}]
    rules = {"baselines": _POLICY["baselines"], "patching": {"pin": "baseline"}}
    policy = to_policy({"name": "p", "waves": waves, **rules})
    scan = {"at": AT, "nodes": {node.node_id: record}, "failed_places": []}
    return build_plan([node], policy, scan, policy_digest="", created_at=AT, rollout="5eed" * 8)


def completed(waves: Sequence[Mapping[str, Any]], **members: Any) -> dict[str, Any]:
    """Return a sealed plan: what is given, with what the planner wrote for a wave and a node in place of the rest."""
    base = deepcopy(_small())
    wave = base["waves"][0]
    (node,) = wave["nodes"]
    filled = [
        {
            **_over(wave, {"order": order, **given}),
            "window": _WINDOW | given["window"] if given.get("window") else None,
            "nights": [{**_NIGHT, **night} for night in given.get("nights", ())],
            "nodes": [_row(node, row) for row in given["nodes"]],
        }
        for order, given in enumerate(waves, 1)
    ]
    windows = [{**_SCHEDULED, **window} for window in members.pop("windows", ())]
    return seal({**_over(base, members), "windows": windows, "waves": filled})


def _row(node: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    row = _over(node, {"host": given["node_id"], "name": given["node_id"], **given})
    row["patches"] = [{"title": "", "severity": "", "classification": "", **patch} for patch in row["patches"]]
    return row


def _over(base: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    found = {**deepcopy(dict(base)), **given}
    for name, value in given.items():
        if isinstance(value, Mapping) and isinstance(base.get(name), Mapping) and name not in _FREE:
            found[name] = _over(base[name], value)
    return found
