# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Differences between two plans: nodes that are added, removed, moved or altered, and waves that changed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..text import LISTED, WIDTH, plain, table

#: Members of a node that determine what happens to it; the others only name it or follow from these.
_WATCHED = ("executor", "platform", "account", "region", "patch_group", "reboot", "reboot_rule", "start")
#: Members of a wave that are compared elsewhere, or follow from its nodes.
_OF_NODES = ("name", "nodes", "turns", "capacity", "order")


def diff_plans(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Compare two plans, oldest first.

    :returns: ``same`` (they do the same), ``rollouts``, and lists of nodes, each with ``node_id``, ``host``, ``name``:
        ``added`` and ``removed`` with ``wave``, ``turn`` and ``reason`` (why the other plan leaves it out); ``moved``
        with ``before`` and ``after``, each ``wave`` and ``turn``; ``altered`` with ``wave``, ``patches_added`` and
        ``patches_removed`` by id, and ``changes``. ``waves`` lists what else differs: ``wave``, ``change`` (``added``,
        ``removed``, ``changed``) and ``changes``; ``rules`` are changes of the plan as a whole.
        A change is ``{"member", "before", "after"}``.
    """
    old, new = _nodes(before), _nodes(after)
    both = [(old[node_id], item) for node_id, item in new.items() if node_id in old]
    found: dict[str, Any] = {
        "added": _only(new, old, before),
        "removed": _only(old, new, after),
        "moved": [_moved(*pair) for pair in both if _place(pair[0]) != _place(pair[1])],
        "altered": [item for pair in both if (item := _altered(*pair))],
        "waves": list(_waves(before, after)),
        "rules": list(_differences(_whole(before), _whole(after))),
    }
    return {
        "same": not any(found.values()),
        "rollouts": {"before": before.get("rollout", ""), "after": after.get("rollout", "")},
        **found,
    }


def _nodes(plan: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        node["node_id"]: {**node, "wave": wave["name"], "turn": node.get("turn", 1)}
        for wave in plan["waves"]
        for node in wave["nodes"]
    }


def _only(
    mine: Mapping[str, Mapping[str, Any]], others: Mapping[str, object], other: Mapping[str, Any]
) -> list[dict[str, Any]]:
    reasons = {item["node_id"]: f"{item['code']}: {item['reason']}" for item in other["excluded"]}
    return [
        {**_who(node), **_place(node), "reason": reasons.get(node_id, "not in the inventory")}
        for node_id, node in mine.items()
        if node_id not in others
    ]


def _who(node: Mapping[str, Any]) -> dict[str, Any]:
    return {"node_id": node["node_id"], "host": node.get("host", ""), "name": node.get("name", "")}


def _place(node: Mapping[str, Any]) -> dict[str, Any]:
    return {"wave": node["wave"], "turn": node["turn"]}


def _moved(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    return {**_who(new), "before": _place(old), "after": _place(new)}


def _altered(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Return the differences in the work on one node; empty if there are none."""
    mine, theirs = ([patch["id"] for patch in node["patches"]] for node in (old, new))
    kept = set(mine) & set(theirs)
    patches = {
        "patches_added": [patch for patch in theirs if patch not in kept],
        "patches_removed": [patch for patch in mine if patch not in kept],
    }
    watched = _WATCHED if mine or theirs else (*_WATCHED, "patch_count")
    changes = [
        {"member": name, "before": old.get(name), "after": new.get(name)}
        for name in watched
        if old.get(name) != new.get(name)
    ]
    return {**_who(new), "wave": new["wave"], **patches, "changes": changes} if changes or any(patches.values()) else {}


def _waves(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    old, new = ({wave["name"]: wave for wave in plan["waves"]} for plan in (before, after))
    kept_before, kept_after = [name for name in old if name in new], [name for name in new if name in old]
    for name in new:
        if name not in old:
            yield {"wave": name, "change": "added", "changes": []}
            continue
        changes = list(_differences(_rest(old[name]), _rest(new[name])))
        ranks = kept_before.index(name) + 1, kept_after.index(name) + 1
        if ranks[0] != ranks[1]:
            changes.insert(0, {"member": "order", "before": ranks[0], "after": ranks[1]})
        if changes:
            yield {"wave": name, "change": "changed", "changes": changes}
    yield from ({"wave": name, "change": "removed", "changes": []} for name in old if name not in new)


def _rest(wave: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in wave.items() if key not in _OF_NODES}


def _whole(plan: Mapping[str, Any]) -> dict[str, Any]:
    return {key: plan.get(key) for key in ("policy", "rehearsal", "rules", "patching")}


def _differences(old: Any, new: Any, path: str = "") -> Iterator[dict[str, Any]]:
    """Yield each different value with its path, such as ``window.start``; a missing member is ``None``."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif old != new:
        yield {"member": path, "before": old, "after": new}


def diff_to_text(diff: Mapping[str, Any], width: int = WIDTH) -> str:
    """Return the differences as lines for terminals and logs, naming up to a dozen of each kind."""
    rollouts = diff["rollouts"]
    lines = [f"Plan {plain(rollouts['before'])} → plan {plain(rollouts['after'])}"]
    if diff["same"]:
        return "\n".join([*lines, "Both plans have the same effect."])
    changes = [[name, *_cells(change)] for name, change in _all_changes(diff)]
    head = ["WAVE", "WHAT", "BEFORE", "AFTER"]
    lines += _part("Waves and rules", head, changes, width)
    for kind, title in (("added", "Nodes added"), ("removed", "Nodes removed")):
        rows = [[_name(node), _where(node), node["reason"]] for node in diff[kind]]
        why = "LEFT OUT BEFORE" if kind == "added" else "LEFT OUT NOW"
        lines += _part(title, ["NODE", "WAVE", why], rows, width)
    rows = [[_name(node), _where(node["before"]), _where(node["after"])] for node in diff["moved"]]
    lines += _part("Nodes moved", ["NODE", "FROM", "TO"], rows, width)
    rows = [[_name(node), node["wave"], _work(node)] for node in diff["altered"]]
    lines += _part("Nodes altered", ["NODE", "WAVE", "WHAT"], rows, width)
    return "\n".join(lines)


def _all_changes(diff: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield from (("", change) for change in diff["rules"])
    for wave in diff["waves"]:
        if wave["change"] != "changed":
            had, has = ("there", "gone") if wave["change"] == "removed" else ("none", "there")
            yield wave["wave"], {"member": "the wave", "before": had, "after": has}
        yield from ((wave["wave"], change) for change in wave["changes"])


def _cells(change: Mapping[str, Any]) -> list[str]:
    return [str(change["member"]), _value(change["before"]), _value(change["after"])]


def _value(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "none", True: "yes", False: "no"}[value]
    return ", ".join(_value(item) for item in value) or "none" if isinstance(value, (list, tuple)) else str(value)


def _name(node: Mapping[str, Any]) -> str:
    return str(node["name"] or node["host"] or node["node_id"])


def _where(place: Mapping[str, Any]) -> str:
    return f"{place['wave']}, turn {place['turn']}"


def _work(node: Mapping[str, Any]) -> str:
    """Return ``+curl, -bash, reboot no → yes``; of many patches, some."""
    marks = [f"+{patch}" for patch in node["patches_added"]] + [f"-{patch}" for patch in node["patches_removed"]]
    more = [f"and {len(marks) - 4} more patches"] if len(marks) > 4 else []
    words = [
        f"{item['member']} {_value(item['before'])} → {_value(item['after'])}".replace("_", " ")
        for item in node["changes"]
    ]
    return ", ".join([*words, *marks[:4], *more])


def _part(title: str, head: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> list[str]:
    if not rows:
        return []
    more = [f"  and {len(rows) - LISTED:,} more"] if len(rows) > LISTED else []
    return ["", f"{title}: {len(rows):,}", *table(head, rows[:LISTED], width), *more]
