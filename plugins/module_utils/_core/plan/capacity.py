# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether work fits its window: for a whole wave before the run, for each step during it. Pure.

Expected minutes per node come from the policy; published experience is about 15 for Linux and 40 for Windows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import heapify, heapreplace
from typing import Any

from ..counts import to_count
from ..errors import BadInput
from ..nodes import Candidate
from ..text import counted
from ..times.schedule import Occurrence

#: Minutes that Azure's guest patching reserves for a reboot; no reboot starts with less of the window left.
REBOOT_MINUTES = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How a wave fills its window. ``too_late``: nodes that would end after the usable time, in order.

    ``usable_minutes`` is the window's length without its cutoff, ``None`` without a window.
    """

    needed_minutes: int
    usable_minutes: int | None
    concurrency: int
    too_late: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartGuard:
    """Whether a step may start now; ``text`` says why not."""

    ok: bool
    text: str = ""


def plan_capacity(
    nodes: Sequence[tuple[str, int]],
    window: Occurrence | None,
    concurrency: int | str | None = None,
    *,
    option: str = "max_concurrency",
) -> Capacity:
    """Fill the window with a wave: the longest work first, each node on the lane that is free first.

    :param nodes: (node id, expected minutes), minutes at least 1.
    :param concurrency: nodes at a time, a count or a percentage rounded up; all at once by default.
    :raises BadInput: the concurrency or the minutes are invalid.
    """
    for node_id, minutes in nodes:
        if minutes < 1:
            raise BadInput(f"expected_minutes of {node_id}", minutes, "1 minute or more")
    lanes_wanted = len(nodes) if concurrency is None else to_count(concurrency, len(nodes), option)
    lanes = [0] * max(1, min(lanes_wanted, len(nodes)))
    heapify(lanes)
    usable = None if window is None else int((window.cutoff_at - window.start) / timedelta(minutes=1))
    late = set()
    for node_id, minutes in sorted(nodes, key=lambda item: -item[1]):
        end = lanes[0] + minutes
        heapreplace(lanes, end)
        if usable is not None and end > usable:
            late.add(node_id)
    return Capacity(
        needed_minutes=max(lanes),
        usable_minutes=usable,
        concurrency=len(lanes) if nodes else 0,
        too_late=tuple(node_id for node_id, _unused in nodes if node_id in late),
        text=_describe(nodes, max(lanes), usable, len(lanes), len(late)),
    )


def wave_capacity(
    nodes: int, needed: int, lanes: int, nights: Sequence[tuple[int, int]] | None, left_out: int = 0
) -> dict[str, Any]:
    """Return how a wave's nodes fill its nights: the members of ``Capacity`` as data.

    :param nights: for each night, the minutes from when the wave can use it to the cutoff, and its nodes; ``None`` for
        a wave without a window.
    :param left_out: nodes without a night.
    """
    usable = None if nights is None else sum(minutes for minutes, _nodes in nights)
    return {
        "needed_minutes": needed,
        "usable_minutes": usable,
        "concurrency": lanes,
        "fits": not left_out,
        "too_late": left_out,
        "text": _describe(range(nodes), needed, usable, lanes, left_out, [count for _minutes, count in nights or ()]),
    }


def at_once(nodes: Sequence[Candidate], concurrency: int | str | None) -> int | str | None:
    """Return the concurrency of all commands together: a count applies to each command.

    :param concurrency: of one command, which has at most 50 nodes of one place and platform; all of them by default.
    """
    if not isinstance(concurrency, int) or not nodes:
        return concurrency
    groups = Counter((node.account, node.region, node.platform) for node in nodes)
    return sum(min(count, concurrency * -(-count // 50)) for count in groups.values())


def _describe(
    nodes: Sequence[object], needed: int, usable: int | None, lanes: int, late: int, nights: Sequence[int] = ()
) -> str:
    if not nodes:
        return "no nodes"
    work = f"{counted(len(nodes), 'node')}, {lanes} at a time, {'need' if len(nodes) > 1 else 'needs'} {needed} minutes"
    if usable is None:
        return f"{work}; the wave has no window"
    if len(nights) > 1:
        counts = f"{', '.join(map(str, nights[:-1]))} and {nights[-1]}"
        have = f"{len(nights)} nights, with {counts} nodes, have {usable} before their cutoffs"
    else:
        have = f"the window has {usable} before its cutoff"
    return f"{work}; {have}" + (f": {counted(late, 'node')} {'does' if late == 1 else 'do'} not fit" if late else "")


def may_start(now: datetime, minutes: float, window: Occurrence | None) -> StartGuard:
    """Return whether a step of this many minutes may start now: in its window, before the cutoff, and over by its end.

    The minutes must include any reboot: for this reason, Azure's guest patching reserves 10 minutes for it and starts
    nothing with fewer than 25 left. A node without a window may be patched at any time.
    """
    if window is None:
        return StartGuard(ok=True)
    left = int((window.end - now) / timedelta(minutes=1))
    if now < window.start:
        return StartGuard(ok=False, text=f"the window opens at {_clock(window.start)}")
    if now >= window.end:
        return StartGuard(ok=False, text=f"the window closed at {_clock(window.end)}")
    if now >= window.cutoff_at:
        text = f"no further work starts after the window's cutoff at {_clock(window.cutoff_at)}"
        return StartGuard(ok=False, text=text)
    if now + timedelta(minutes=minutes) > window.end:
        closes = f"the window closes at {_clock(window.end)}, in {counted(left, 'minute')}"
        return StartGuard(ok=False, text=f"{closes}; this step needs {minutes:g}")
    return StartGuard(ok=True)


def _clock(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M %Z")
