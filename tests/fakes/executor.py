# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An executor in memory whose nodes do what a script of a test says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.clock import Clock
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.executors import Executor, Reach
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.executors.base import Result, Unknown, Work

ROW = Executor(
    name="fake", title="A fake", text="in memory", reach=Reach.SERVICE, platforms=("linux",), pin="list", chunk=50
)
#: Seconds that a stage takes, and after which it must have ended.
TAKES, LIMIT = 60.0, 3600.0
RESULTS: dict[str, dict[str, Any]] = {
    "precheck": {"outcome": "pass", "findings": [], "facts": {}},
    "patch": {"status": "succeeded", "pending_reboot": True, "installed": ["p"]},
    "reboot": {"status": "succeeded", "rebooted": True},
    "scan": {"status": "succeeded", "missing_after": []},
    "verify": {"status": "succeeded"},
}


@dataclass
class FakeExecutor:
    """Implements ``ExecutorPort``.

    :param script: by (stage, node), else by node, what happens at each beginning in turn, the last word for ever:
        ``ok``, ``failed``, ``hangs``, ``refused``, ``lost`` (it began, and the answer is lost), ``swallowed`` (it never
        began, and the answer is lost), ``bug at begin``, ``bug at poll``, ``bug at look-up``, ``unreadable``,
        ``away`` (nobody can be asked for 10 minutes) or ``silent`` (no look-up is answered).
    :param size: nodes of one piece of work. ``places``: by node, ``here`` if not named.
    """

    clock: Clock
    script: dict[tuple[str, str] | str, list[str]] = field(default_factory=dict)
    size: int = 50
    places: dict[str, str] = field(default_factory=dict)
    row: Executor = ROW
    poll_seconds: float = 15
    #: (what, stage, nodes) of every call but looks
    calls: list[tuple[str, str, tuple[str, ...]]] = field(default_factory=list)
    #: token to when its work began
    begun: dict[str, datetime] = field(default_factory=dict)
    tokens: list[str] = field(default_factory=list)
    tries: Counter[tuple[str, str]] = field(default_factory=Counter)
    on_begin: Any = None
    #: By how much the service's clock is behind the controller's; the service tells no time where it is not given.
    behind: timedelta | None = None
    #: Seconds that a stage takes on a node; ``TAKES`` if it is not named.
    takes: dict[tuple[str, str], float] = field(default_factory=dict)

    def batches(self, stage: str, nodes: Sequence[str]) -> list[tuple[str, list[str]]]:
        by_place: dict[str, list[str]] = {}
        for node in nodes:
            by_place.setdefault(self.places.get(node, "here"), []).append(node)
        return [
            (place, ids[start : start + self.size])
            for place, ids in by_place.items()
            for start in range(0, len(ids), self.size)
        ]

    def deadline(self, stage: str, at: datetime) -> datetime:
        return at + timedelta(seconds=LIMIT)

    def begin(self, work: Work) -> str:
        self._note("begin", work)
        self.tries.update((work.stage, node) for node in work.nodes)
        self.tokens.append(work.token)
        if self.on_begin:
            self.on_begin(work)
        words = {self.word(work, node) for node in work.nodes}
        if "refused" in words:
            raise PatchtideError("it was refused")
        if "swallowed" in words:
            raise Unknown("no answer")
        if "bug at begin" in words:
            raise KeyError("begin")
        work.confirm()
        self.begun[work.token] = self.clock.now()
        if "lost" in words:
            raise Unknown("no answer")
        return f"handle of {work.token}"

    def look_up(self, work: Work, *, final: bool) -> str | None:
        self._note("look up", work)
        words = {self.word(work, node) for node in work.nodes}
        if "bug at look-up" in words:
            raise KeyError("look-up")
        if "away" in words and self.clock.now() < work.at + timedelta(minutes=10):
            raise PatchtideError("nobody can be asked")
        if "silent" in words:
            raise PatchtideError("the token has expired")
        return f"handle of {work.token}" if work.token in self.begun else None if final else ""

    def poll(self, work: Work) -> list[Result]:
        now, found = self.clock.now(), []
        for node in work.nodes:
            word = self.word(work, node)
            if word == "bug at poll":
                raise KeyError("poll")
            if word == "away" and now < work.at + timedelta(minutes=10):
                raise PatchtideError("nobody can be asked")
            takes = timedelta(seconds=self.takes.get((work.stage, node), TAKES))
            if word != "hangs" and now >= self.begun[work.token] + takes:
                found.append(self._result(work.stage, node, word))
        return found

    def service_time(self) -> datetime | None:
        return None if self.behind is None else self.clock.now() - self.behind

    def give_up(self, work: Work, why: PatchtideError | None) -> list[Result]:
        self._note("give up" if why else "stop", work)
        if any(self.word(work, node).startswith("bug") for node in work.nodes):
            raise KeyError("give up")
        status = "unreachable" if why else "unknown"
        more = {"outcome": "skip", "findings": [], "facts": {}} if work.stage == "precheck" else {}
        why_not = {"code": status, "text": str(why or "too late")}
        return [{"node_id": node, "status": status, "error": why_not, **more} for node in work.nodes]

    def word(self, work: Work, node: str) -> str:
        words = self.script.get((work.stage, node)) or self.script.get(node) or ["ok"]
        return words[min(self.tries[work.stage, node] or 1, len(words)) - 1]

    def _result(self, stage: str, node: str, word: str) -> Result:
        if word == "unreadable":
            return {"node_id": node, "status": "splendid"}
        if word == "put off":
            return {"node_id": node, "status": "reboot_pending", "error": {"code": "out_of_time", "text": "put off"}}
        if word == "failed":
            return {"node_id": node, "status": "failed", "error": {"code": "x", "text": "it failed"}}
        return {"node_id": node, **RESULTS[stage]}

    def _note(self, what: str, work: Work) -> None:
        self.calls.append((what, work.stage, work.nodes))
