# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a rollout by the lab's ledger, whatever the rollout says of itself. Pure.

"No node gets two Installs in one window, none outside one; none is forgotten; nothing is left prepared."
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

Ledger = Mapping[str, Any]
Rows = Sequence[Mapping[str, Any]]


def findings(ledger: Ledger, planned: Collection[str], lasting: Collection[str] = ()) -> list[str]:
    """Return one line for each thing that is wrong; none for a good rollout.

    :param planned: names of the nodes that must have got an Install.
    :param lasting: keys of tags that are meant to stay, such as the time of the last patching.
    """
    runs = ledger["install_runs"]
    return sorted([*twice(runs), *outside(runs), *forgotten(runs, planned), *left_prepared(ledger, lasting)])


def twice(runs: Rows) -> Iterator[str]:
    """Nodes with two Installs in one window; outside all windows any second one counts."""
    counts = Counter((row["name"], row["window"]) for row in runs)
    for (name, window), count in counts.items():
        if count > 1:
            yield f"{name}: {count} Installs in window {window}"


def outside(runs: Rows) -> Iterator[str]:
    """Installs that began in no window of their node, or ended after it."""
    for row in runs:
        if row["window"] is None:
            yield f"{row['name']}: Install began outside any window at {row['at']}"
        elif row["ended_in"] is False:
            yield f"{row['name']}: Install of window {row['window']} ended after it at {row['ended']}"


def forgotten(runs: Rows, planned: Iterable[str]) -> Iterator[str]:
    done = {row["name"] for row in runs}
    for name in planned:
        if name not in done:
            yield f"{name}: no Install"


def left_prepared(ledger: Ledger, lasting: Collection[str] = ()) -> Iterator[str]:
    """What was changed on the way and not put back: tags, power, targets, alarm actions."""
    for (name, key), first, last in _ends(ledger["tags"], "name", "key"):
        if first["before"] != last["value"] and key not in lasting:
            yield f"{name}: tag {key} left at {last['value']}"
    power = [*({**row, "on": True} for row in ledger["starts"]), *({**row, "on": False} for row in ledger["stops"])]
    for (name,), first, last in _ends(sorted(power, key=lambda row: str(row["at"])), "name"):
        if first["on"] == last["on"]:
            yield f"{name}: left {'running' if last['on'] else 'stopped'}"
    for (name, group, _), _first, last in _ends(ledger["targets"], "name", "group", "port"):
        if last["action"] == "deregister":
            yield f"{name}: left out of {group}"
    for (name, *_place), first, last in _ends(ledger["alarms"], "alarm", "account", "region"):
        if first["before"] != last["enabled"]:
            yield f"alarm {name}: actions left {'on' if last['enabled'] else 'off'}"


def _ends(rows: Iterable[Mapping[str, Any]], *by: str) -> Iterator[tuple[tuple[Any, ...], Any, Any]]:
    """First and last row of each thing."""
    first: dict[tuple[Any, ...], Any] = {}
    last: dict[tuple[Any, ...], Any] = {}
    for row in rows:
        key = tuple(row[name] for name in by)
        first.setdefault(key, row)
        last[key] = row
    for key, row in first.items():
        yield key, row, last[key]
