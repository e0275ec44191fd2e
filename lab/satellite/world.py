# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The content of a Foreman with Katello: one organization, one content view, its versions, a path of environments.

What decides an outcome is from Katello's source (app/controllers/katello/api/v2, app/models/katello,
app/lib/actions/katello/content_view) and, for locks, from foreman-tasks (app/models/foreman_tasks/lock.rb).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

NOW = "2026-12-01 09:00:00 UTC"
ORGANIZATION = {"id": 1, "name": "Contoso", "label": "contoso", "title": "Contoso"}
#: The path: each may be promoted to the one after it.
ENVIRONMENTS = {1: "Library", 2: "Dev", 3: "Test", 4: "Prod"}
LOCKED = (
    "Required lock is already taken by other running tasks.\n"
    "Please inspect their state, fix their errors and resume them.\n\nConflicts with tasks:\n"
    "- https://satellite.example/foreman_tasks/tasks/9b55c222-99a5-4b02-bfde-3cfaa5b482de"
)


class Refused(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


@dataclass(slots=True)
class Version:
    """A published version of the content view. ``environments``: where it is."""

    number: str
    errata: set[str]
    environments: set[int] = field(default_factory=set)
    description: str = ""


@dataclass(slots=True)
class Task:
    """A task of Dynflow: planned, running, stopped. What it does is done when it stops with success."""

    action: str
    polls: int
    effect: Callable[[], dict[str, Any]]
    failure: str = ""
    output: dict[str, Any] = field(default_factory=dict)
    input: dict[str, Any] = field(default_factory=dict)
    done: bool = False


@dataclass(slots=True)
class World:
    """``upstream``: what a synchronization brings. ``locked``: so many further changes of the view find it locked.
    ``fails``: tasks whose action has one of these words end with an error. ``polls``: looks until a task has ended."""

    errata: dict[str, dict[str, Any]] = field(default_factory=dict)
    synced: set[str] = field(default_factory=set)
    upstream: set[str] = field(default_factory=set)
    versions: dict[int, Version] = field(default_factory=dict)
    hosts: dict[int, dict[str, Any]] = field(default_factory=dict)
    filters: dict[int, dict[str, Any]] = field(default_factory=dict)
    rules: dict[int, dict[str, Any]] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    password: str = "changeme"
    locked: int = 0
    fails: list[str] = field(default_factory=list)
    polls: int = 0
    needs_publish: bool | None = False
    calls: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> World:
        """Make a world from plain data, as a test sends it."""
        world = cls(**{name: value for name, value in data.items() if name in ("locked", "fails", "polls", "password")})
        for number, (name, cves) in enumerate(dict(data.get("errata", {})).items(), 1):
            world.errata[name] = {"id": number, "cves": list(cves)}
        world.synced, world.upstream = set(data.get("synced", ())), set(data.get("upstream", ()))
        for number, (name, item) in enumerate(dict(data.get("versions", {})).items(), 10):
            world.versions[number] = Version(name, set(item["errata"]), {_environment(env) for env in item["in"]})
        for number, (name, item) in enumerate(dict(data.get("hosts", {})).items(), 1):
            world.hosts[number] = {"name": name, **item}
        world.needs_publish = data.get("needs_publish", False)
        return world

    def to_data(self) -> dict[str, Any]:
        """Return what a test looks at."""
        return {
            "versions": {
                item.number: {
                    "errata": sorted(item.errata),
                    "in": [ENVIRONMENTS[env] for env in sorted(item.environments)],
                }
                for item in self.versions.values()
            },
            "filters": list(self.filters.values()),
            "rules": list(self.rules.values()),
            "calls": self.calls,
            "refused": self.refused,
        }

    def lock(self) -> None:
        """:raises Refused: another task works on the view."""
        if self.locked:
            self.locked -= 1
            raise Refused(500, LOCKED)

    def start(self, action: str, effect: Callable[[], dict[str, Any]], **given: Any) -> dict[str, Any]:
        """Start a task; return what the server says of it."""
        failure = next((f"{word} failed: 502 Bad Gateway" for word in self.fails if word in action.lower()), "")
        task, name = Task(action, self.polls, effect, failure, input=given), str(uuid.uuid4())
        self.tasks[name] = task
        return self.look(name, first=True)

    def look(self, name: str, *, first: bool = False) -> dict[str, Any]:
        """Return a task; each look brings it nearer to its end."""
        task = self.tasks[name]
        if not first and task.polls:
            task.polls -= 1
        ended = not task.polls
        if ended and not task.done:
            task.done = True
            if not task.failure:
                task.output = task.effect()
        state = "stopped" if ended else "planned" if first else "running"
        result = ("error" if task.failure else "success") if ended else "pending"
        return {
            "id": name,
            "action": task.action,
            "pending": not ended,
            "started_at": NOW,
            "ended_at": NOW if ended else None,
            "state": state,
            "result": result,
            "input": {
                **task.input,
                **({"contents_changed": task.output["contents_changed"]} if "contents_changed" in task.output else {}),
            },
            "output": task.output,
            "humanized": {"action": task.action, "errors": [task.failure] if ended and task.failure else []},
        }

    def sync(self) -> dict[str, Any]:
        """Synchronize the repository. A publish is needed if that brought anything (``needs_publish?`` of the view)."""

        def effect() -> dict[str, Any]:
            new = self.upstream - self.synced
            self.synced |= new
            self.needs_publish = bool(new) or self.needs_publish
            return {"contents_changed": bool(new)}

        return self.start("Synchronize repository 'BaseOS'", effect)

    def publish(self, description: str) -> dict[str, Any]:
        """Publish a version; it is in the library at once, and no other version is there any more."""
        self.lock()
        number = max((int(item.number.partition(".")[0]) for item in self.versions.values()), default=0) + 1
        key = max(self.versions, default=9) + 1
        chosen = self._filtered(self.synced)

        def effect() -> dict[str, Any]:
            self.versions[key] = Version(f"{number}.0", chosen, set(), description)
            self._place(key, {1})
            self.needs_publish = False
            return {"content_view_version_id": key}

        return self.start("Publish content view 'base'", effect, content_view_version_id=key)

    def promote(self, key: int, wanted: list[int], *, force: bool) -> dict[str, Any]:
        """Promote a version. :raises Refused: out of the path's order (``ContentView::Promote#plan``), or locked."""
        if not wanted or not set(wanted) <= set(ENVIRONMENTS):
            raise Refused(400, "Could not find environments for promotion")
        reached = self._version(key).environments | set(wanted)
        if not force and not all(env - 1 in reached for env in wanted):
            raise Refused(400, "Cannot promote environment out of sequence. Use force to bypass restriction.")
        self.lock()

        def effect() -> dict[str, Any]:
            self._place(key, set(wanted))
            return {}

        return self.start("Promote content view 'base'", effect)

    def incremental_update(self, places: list[Mapping[str, Any]], errata: list[str]) -> dict[str, Any]:
        """Add errata to a version as its next minor one, in the given environments (IncrementalUpdates)."""
        if not errata:
            raise Refused(400, "Incremental update requires at least one content unit")
        found = [name for name in errata if name in self.errata]
        if len(found) < len(errata):
            raise Refused(500, f"Could not find {len(errata) - len(found)} errata.  Only found: {','.join(found)}")
        self.lock()

        def effect() -> dict[str, Any]:
            for place in places:
                base = self._version(int(place["content_view_version_id"]))
                major = base.number.partition(".")[0]
                same = [item.number for item in self.versions.values() if item.number.startswith(f"{major}.")]
                minor = max(int(item.partition(".")[2]) for item in same) + 1
                key = max(self.versions) + 1
                self.versions[key] = Version(f"{major}.{minor}", base.errata | set(errata))
                self._place(key, set(place["environment_ids"]))
            return {}

        return self.start("Incremental Update of 1 Content View Version(s)", effect)

    def _place(self, key: int, environments: set[int]) -> None:
        for version in self.versions.values():
            version.environments -= environments
        self.versions[key].environments |= environments

    def _filtered(self, errata: set[str]) -> set[str]:
        """Return what a version includes: with rules by date, errata up to that date."""
        ends = [rule["end_date"] for rule in self.rules.values() if rule.get("end_date")]
        return {name for name in errata if not ends or self.issued(name) <= max(ends)}

    def issued(self, name: str) -> str:
        """Return the day of an erratum: those of the simulation are numbered by it, ``RHSA-2026:1103``."""
        year, _colon, day = name.rpartition("-")[2].partition(":")
        return f"{year}-{day[:2]}-{day[2:4]}"

    def _version(self, key: int) -> Version:
        if key not in self.versions:
            raise Refused(404, f"Couldn't find content_view_version with id {key}")
        return self.versions[key]


def _environment(name: str) -> int:
    return next(key for key, value in ENVIRONMENTS.items() if value == name)


def by_search(rows: list[dict[str, Any]], search: str | None) -> list[dict[str, Any]]:
    """Return the rows that a search of Foreman's kind selects: ``name="x"``, or several of them with commas.

    :raises Refused: it is of another kind.
    """
    for part in (search or "").split(","):
        if not part:
            continue
        match = re.fullmatch(r'(\w+)\s*=\s*"?([^"]*)"?', part.strip())
        if not match or (rows and match[1] not in rows[0]):
            raise Refused(400, f"Field '{part}' not recognized for searching!")
        rows = [row for row in rows if str(row[match[1]]) == match[2]]
    return rows
