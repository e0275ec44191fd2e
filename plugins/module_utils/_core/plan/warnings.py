# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What approvers must know about a plan besides its waves; ``plan.strict`` turns it into errors. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..errors import PatchtideError
from ..exceptions.records import ExceptionRules
from ..executors import by_node_id, comes_first
from ..nodes import Candidate
from ..ssm.patch_policies import policies_of
from ..text import counted
from .covered import Coverage, is_by_baseline
from .exclude import TROUBLE

#: Number of nodes that a warning names.
_NAMED = 3
#: Rules of exceptions that have no effect without a ledger.
_OF_LEDGERS = ("max_days", "expiring_days", "four_eyes")


class PlanNotStrict(PatchtideError):
    """The policy accepts no plan with warnings, and this one has some."""

    code = "PlanNotStrict"


def check_strict(warnings: Sequence[str]) -> None:
    """:raises PlanNotStrict: there are warnings; all are named."""
    if warnings:
        listed = "\n".join(f"- {text}" for text in warnings)
        count = "1 warning" if len(warnings) == 1 else f"{len(warnings)} warnings"
        raise PlanNotStrict(f"plan.strict is true and the plan has {count}, so it was not written:\n{listed}")


def trouble_warnings(excluded: Iterable[Mapping[str, str]]) -> Iterator[str]:
    """Yield a sentence about nodes that are excluded because of a problem, not by intention."""
    lost = [item for item in excluded if item["code"] in TROUBLE]
    if lost:
        counts = Counter(item["code"] for item in lost)
        by = ", ".join(f"{counts[code]:,} {code.replace('_', ' ')}" for code in TROUBLE if counts[code])
        names = [item["name"] or item["host"] or item["node_id"] for item in lost]
        yield f"{are(len(lost))} left out because of trouble: {by} ({named(names)})."


def place_warnings(failed_places: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a sentence about the account-Regions that the scan could not read."""
    labels = sorted(str(item["place"]) for item in failed_places)
    if labels:
        count = "1 account-Region" if len(labels) == 1 else f"{len(labels):,} account-Regions"
        yield f"{count} did not answer the scan, so their nodes are not in this plan: {named(labels)}."


def uncovered_warnings(coverage: Coverage, waves: Iterable[Sequence[Candidate]]) -> Iterator[str]:
    """Yield a sentence about the nodes of waves that no baseline of the policy covers."""
    found = [node for members in waves for node in members if is_by_baseline(node) and not coverage.baseline(node)]
    if found:
        names = sorted(node.name or node.host or node.node_id for node in found)
        yield (
            f"{are(len(found))} covered by no baseline of the policy ({named(names)}): "
            "baselines outside the policy, such as their accounts' defaults, decide what is installed."
        )


def preference_warnings(waves: Iterable[Sequence[Candidate]], order: Sequence[str]) -> Iterator[str]:
    """Yield a sentence about the nodes that another executor reaches too, which the policy prefers."""
    found: dict[tuple[str, str], list[str]] = {}
    for node in (node for members in waves for node in members):
        others = {by_node_id(item) for item in node.merged_ids}
        better = next((name for name in order if name in others), "")
        if better and comes_first(better, node.executor, order):
            found.setdefault((better, node.executor), []).append(node.name or node.host or node.node_id)
    for (better, used), names in sorted(found.items()):
        yield (
            f"{are(len(names))} patched by the executor {used} although estate.executor_order prefers {better} "
            f"({named(sorted(names))}): set policy_file in the inventory files that list them."
        )


def ledger_warnings(rules: ExceptionRules, nodes: Iterable[Candidate]) -> Iterator[str]:
    """Yield a sentence if exceptions are in use and the policy names no ledger of their approvals."""
    if rules.ledger:
        return
    tagged = [node.name or node.host or node.node_id for node in nodes if rules.tag and rules.tag in node.tags]
    defaults = ExceptionRules()
    given = [name for name in _OF_LEDGERS if getattr(rules, name) != getattr(defaults, name)]
    if tagged:
        count = "1 node has" if len(tagged) == 1 else f"{len(tagged):,} nodes have"
        yield (
            f"{count} the exception tag {rules.tag} ({named(sorted(tagged))}), but the policy names no "
            "exceptions.ledger: whoever can set tags can grant an exception, and nothing says who approved it."
        )
    elif given:
        keys = ", ".join(f"exceptions.{name}" for name in given)
        yield f"The policy sets {keys}, which has no effect without exceptions.ledger."


def patch_policy_warnings(waves: Iterable[Sequence[Candidate]]) -> Iterator[str]:
    """Yield a sentence about the nodes of waves that patch policies of Quick Setup scan and patch as well."""
    found = [(node, tags) for members in waves for node in members if (tags := policies_of(node.tags))]
    if found:
        names = sorted(node.name or node.host or node.node_id for node, _tags in found)
        policies = sorted({f"{name} (tag {key})" for _node, tags in found for key, name in tags.items()})
        yield (
            f"{are(len(found))} in patch policies of Quick Setup as well ({named(names)}): {named(policies)}. "
            "They install by their own schedule and baselines, and their scans replace the patch compliance. "
            "Take the nodes out of the patch policies, or exclude them by that tag."
        )


def are(number: int) -> str:
    return f"{counted(number)} {'is' if number == 1 else 'are'}"


def named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
