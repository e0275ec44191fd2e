# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the estate has changed since a plan: nodes against the inventory, patches against a scan. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import PatchtideError
from ..nodes import WATCHED, Candidate
from ..policy.run_rules import DriftTolerance
from ..policy.values import Policy
from ..text import plain
from .exclude import exclusion
from .wave import is_stopped

#: Represents a scan that found work, so that only the node's own state can exclude it.
_HAS_WORK = {"status": "succeeded", "pending_reboot": True}
NAMED = 3


class PlanDrifted(PatchtideError):
    """The rollout would no longer do what was approved."""

    code = "PlanDrifted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Differences, each ``{"node_id", "name", "text"}``, and the number of nodes and patches in the plan.

    ``new`` counts nodes of the inventory that the plan neither patches nor excludes; they are not patched. For a child
    plan it is 0, because the other child plans have nodes of the inventory too.
    """

    nodes: tuple[Mapping[str, str], ...] = ()
    planned_nodes: int = 0
    patched: tuple[Mapping[str, str], ...] = ()
    patches: int = 0
    planned_patches: int = 0
    new: int = 0

    @property
    def any(self) -> bool:
        return bool(self.nodes or self.patches)

    def to_dict(self) -> dict[str, Any]:
        """Return the differences as plain data."""
        return {
            "nodes": [dict(item) for item in self.nodes],
            "planned_nodes": self.planned_nodes,
            "patched": [dict(item) for item in self.patched],
            "patches": self.patches,
            "planned_patches": self.planned_patches,
            "new": self.new,
        }


def find_drift(
    plan: Mapping[str, Any],
    nodes: Sequence[Candidate] | None,
    policy: Policy,
    scan: Mapping[str, Any] | None,
) -> Drift:
    """Compare a plan with the present inventory (``None``: not requested), and with the newest scan, if any.

    Nodes without a valid record in the scan are not compared: their missing patches are unknown.
    """
    now = {node.node_id: node for node in nodes or ()}
    planned = [node for wave in plan["waves"] for node in wave["nodes"]]
    known = {node["node_id"] for node in planned} | {item["node_id"] for item in plan["excluded"]}
    records = scan["nodes"] if scan else {}
    news = [(node, *_news(node, records.get(node["node_id"]))) for node in planned] if scan else []
    return Drift(
        nodes=tuple(
            _note(node, text)
            for node in (planned if nodes is not None else ())
            if (text := _moved(node, now.get(node["node_id"]), policy))
        ),
        planned_nodes=len(planned),
        patched=tuple(_note(node, text) for node, _count, text in news if text),
        patches=sum(count for _node, count, _text in news),
        planned_patches=sum(int(node["patch_count"]) for node in planned),
        new=len(now.keys() - known) if "part" not in plan else 0,
    )


def _note(node: Mapping[str, Any], text: str) -> dict[str, str]:
    return {"node_id": node["node_id"], "name": node.get("name") or node.get("host") or node["node_id"], "text": text}


def _moved(planned: Mapping[str, Any], now: Candidate | None, policy: Policy) -> str:
    """Return how a planned node differs from the inventory's; empty if it is unchanged."""
    if now is None:
        return "no longer in the inventory"
    changes = [
        f"{name.replace('_', ' ')} {planned[name] or 'none'} → {getattr(now, name) or 'none'}"
        for name in WATCHED
        if planned[name] != getattr(now, name)
    ]
    if changes:
        return ", ".join(changes)
    why = exclusion(now, _HAS_WORK, policy, None)
    if why:
        return why[1]
    if is_stopped(now) and not planned.get("start"):
        return "the instance is stopped and the plan does not start it"
    return ""


def _news(planned: Mapping[str, Any], record: Mapping[str, Any] | None) -> tuple[int, str]:
    """Return (number of patches that are new or gone, in words)."""
    if not record or record.get("status") not in ("succeeded", "no_op"):
        return 0, ""
    before, after = _ids(planned.get("patches")), _ids(record.get("missing"))
    if not before and planned.get("patch_count"):  # the plan has only their number, or nothing if it starts the node
        return 0, ""
    added, gone = len(after - before - set(planned.get("deferred") or ())), len(before - after)
    words = [f"{number} {word}" for number, word in ((added, "new"), (gone, "no longer missing")) if number]
    return added + gone, ", ".join(words) + (" patches" if words else "")


def _ids(patches: Sequence[Mapping[str, Any]] | None) -> set[str]:
    return {patch["id"] for patch in patches or ()}


def check_drift(drift: Drift, tolerance: DriftTolerance) -> None:
    """Refuse a plan that differs more than the policy's ``drift`` allows.

    :raises PlanDrifted: names the difference, some nodes, and what to do.
    """
    reasons = list(_reasons(drift, tolerance))
    if reasons:
        advice = "Create a new plan. To accept larger differences, raise drift in the policy first."
        raise PlanDrifted(f"The plan no longer matches the estate: {'; '.join(reasons)}. {advice}")


def _reasons(drift: Drift, tolerance: DriftTolerance) -> Iterator[str]:
    rows = (
        ("nodes", len(drift.nodes), drift.planned_nodes, drift.nodes),
        ("patches", drift.patches, drift.planned_patches, drift.patched),
    )
    for name, differ, total, notes in rows:
        given = getattr(tolerance, name)
        if given is not None and differ > (limit := _limit(given, total)):
            allowed = f"drift.{name} is {given} and allows {limit}"
            yield f"{differ:,} of {total:,} planned {name} differ, {allowed} ({to_words(notes)})"


def _limit(tolerance: int | str, total: int) -> int:
    text = str(tolerance)
    return -(-total * int(text[:-1]) // 100) if text.endswith("%") else int(text)


def to_words(notes: Sequence[Mapping[str, str]], named: int = NAMED) -> str:
    """Return the first few differences by name."""
    words = [f"{plain(item['name'])}: {plain(item['text'])}" for item in notes[:named]]
    return "; ".join(words) + (f"; and {len(notes) - named:,} more nodes" if len(notes) > named else "")


def check_policy_digest(plan: Mapping[str, Any], digest: str) -> None:
    """Refuse a plan that was made with another policy.

    :raises PlanDrifted: saying what to do.
    """
    planned = plan["policy"]["digest"]
    if digest != planned:
        raise PlanDrifted(
            f"The policy was changed after the plan was created (the plan's digest is {planned}, the file's {digest}). "
            "Create a new plan. To run this one, set allow_changed_policy (patchtide_allow_changed_policy of "
            "rollout_patches), which a controller with a trust bundle refuses."
        )


def check_planned_policy(plan: Mapping[str, Any], digest: str | None) -> None:
    """Refuse another policy for an approved plan: people approved its policy with it, so no option overrides that.

    :raises PlanDrifted: it was made with another policy.
    """
    if digest and digest != plan["policy"]["digest"]:
        raise PlanDrifted(
            f"The plan was approved with policy {plan['policy']['digest']}, and the policy is {digest} now. "
            "Create a new plan, and have it approved."
        )


def check_accepted_policy(accepted: str, digest: str) -> None:
    """Refuse to continue a rollout with a policy that nobody accepted.

    :raises PlanDrifted: saying what to do.
    """
    if digest != accepted:
        raise PlanDrifted(
            f"The policy was changed after the rollout began: it uses {accepted}, and the file is {digest}. Restore "
            "the file, or accept the change: steer_rollout with patchtide_decision=accept_policy and "
            f"patchtide_policy_digest={digest}."
        )
