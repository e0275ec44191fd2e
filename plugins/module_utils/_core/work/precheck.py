# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what the host probe says against the policy's thresholds. Pure; the same for every executor.

Nothing a node prints makes this fail: what is missing or of the wrong kind is a finding.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from ..errors import BadInput
from ..executors import SSM, Executor
from .node_answer import LARGEST, SIZE, bounded, read_object, words
from .trouble import to_cause

PROBE_VERSION = 1
_SKIP, _PASS, _SKIP_NODE = "skip", "pass", "skip_node"
_CHOICES = (_SKIP_NODE, "allow", "ignore")
SERVICES = ("require", "record", "ignore")
_SWITCHES = ("pending_reboot", "lock", "database", "repositories", "failed_units", "agent", "time_sync")
_FACTS = ("platform", "os", "os_version", "kernel", "kernel_newest", "boot_id", "uptime_s", "pending_reboot", "agent")
#: An answer has so many lines at most that are taken for its document.
_LINES = 100
_DISK_MB = {"/": 1024, "/boot": 200, "/var": 1024, "C:": 4096}


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecheckRules:
    """What a node must fulfil. ``disk``: free MB by mount point or drive.

    ``skip_node`` keeps a node with the finding back, ``allow`` records it. ``services``: those that run before the work
    must run after it (``require``), or ``record``, or ``ignore``.
    """

    disk: Mapping[str, int] = field(default_factory=lambda: dict(_DISK_MB))
    pending_reboot: str = "allow"
    free_inodes: int = 5000
    lock: str = "skip_node"
    database: str = "skip_node"
    repositories: str = "skip_node"
    expected_repositories: tuple[str, ...] = ()
    failed_units: str = "allow"
    max_load_per_cpu: float | None = None
    agent: str = "skip_node"
    time_sync: str = "allow"
    services: str = SERVICES[0]

    @classmethod
    def from_dict(cls, data: Mapping[str, Any] | None, prefix: str = "prechecks.") -> PrecheckRules:
        """Read the policy's thresholds; what is not given keeps its default. :raises BadInput: the option's path."""
        given = {key: value for key, value in (data or {}).items() if value is not None}
        known = [*_SWITCHES, "disk", "expected_repositories", "free_inodes", "max_load_per_cpu", "services"]
        for key, value in given.items():
            if key not in known:
                raise BadInput(f"{prefix}{key}", value, f"one of the checks {', '.join(sorted(known))}")
            if key in _SWITCHES and value not in _CHOICES:
                raise BadInput(f"{prefix}{key}", value, "skip_node or allow")
            if key == "services" and value not in SERVICES:
                raise BadInput(f"{prefix}{key}", value, f"one of {', '.join(SERVICES)}")
        for mount, free in _mapping(given.get("disk", {}), f"{prefix}disk").items():
            if _number(free) is None or free < 0:
                raise BadInput(f"{prefix}disk.{mount}", free, "free megabytes, 0 or more")
        inodes = given.get("free_inodes", 0)
        if _number(inodes) is None or inodes < 0:
            raise BadInput(f"{prefix}free_inodes", inodes, "a number of inodes, 0 or more")
        load = given.get("max_load_per_cpu")
        if load is not None and (_number(load) is None or load <= 0):
            raise BadInput(f"{prefix}max_load_per_cpu", load, "a number above 0, such as 2.0")
        urls = given.get("expected_repositories", ())
        if isinstance(urls, str) or not isinstance(urls, Sequence) or not all(isinstance(url, str) for url in urls):
            raise BadInput(
                f"{prefix}expected_repositories", urls, "a list of URL patterns such as https://mirror.example/*"
            )
        return cls(**{**given, "expected_repositories": tuple(urls)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. ``ok=False`` holds the node; ``text`` is a sentence for an operator."""

    check: str
    ok: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Precheck:
    """The outcome on one node, with what was found and the facts worth keeping."""

    findings: tuple[Finding, ...]
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        """``pass`` or ``skip``."""
        return _PASS if all(item.ok for item in self.findings) else _SKIP

    def with_findings(self, more: Sequence[Finding]) -> Precheck:
        """Add findings of another look at the node."""
        return replace(self, findings=(*self.findings, *more))

    def with_repositories(
        self, differences: Sequence[str], rules: PrecheckRules, corrected: Sequence[str] = ()
    ) -> Precheck:
        """Add what differs from the repositories that the policy expects, and what was corrected, as sentences."""
        text = "the repositories are as expected"
        more = [_finding("repositories", rules.repositories, False, item) for item in differences]
        more = more or [Finding(check="repositories", ok=True, text=text)]
        more = [*(Finding(check="repositories", ok=True, text=f"corrected: {item}") for item in corrected), *more]
        return replace(self, findings=(*self.findings, *more))

    @property
    def error(self) -> dict[str, str] | None:
        """Why the node is held, as a result record's error: code ``precheck_<check>``; ``None`` if it passes."""
        failing = [item for item in self.findings if not item.ok]
        if not failing:
            return None
        return {"code": f"precheck_{failing[0].check}", "text": "; ".join(item.text for item in failing)}

    def to_dict(self) -> dict[str, Any]:
        """Return plain data: ``outcome``, ``findings`` (``check``, ``ok``, ``text``) and ``facts``."""
        findings = [{"check": item.check, "ok": item.ok, "text": words(item.text)} for item in self.findings]
        return {"outcome": self.outcome, "findings": findings, "facts": dict(self.facts)}


def services_mode(purpose: str, rules: PrecheckRules | None = None) -> str:
    """Return what the host probe of a rollout does about services: ``remember``, ``compare`` or nothing.

    :param purpose: ``precheck`` or ``verify``; what was not remembered is not compared either.
    """
    if purpose == "verify":
        return "compare"
    return "" if (rules or PrecheckRules()).services == "ignore" else "remember"


def parse_probe(output: object) -> dict[str, Any] | None:
    """Return the JSON object in a script's output; ``None`` if there is none. The last line that holds one counts.

    Shells may print a banner before it.
    """
    lines = str(output or "").lstrip("\ufeff")[-SIZE:].splitlines()
    documents = [line for line in lines if line.lstrip().startswith("{")]
    found = [item for line in reversed(documents[-_LINES:]) if (item := read_object(line)) is not None]
    document = next((item for item in found if "probe_packages" not in item), None)
    more = next((item.get("rows") for item in found if "probe_packages" in item), None)
    if document is not None and isinstance(document.get("packages"), dict) and isinstance(more, list):
        document["packages"]["rows"] = more
    return document


def evaluate_probe(
    output: str | Mapping[str, Any] | None,
    rules: PrecheckRules | None = None,
    *,
    executor: Executor = SSM,
) -> Precheck:
    """Judge the host probe's output, or its parsed document.

    :param executor: the agent is looked at only where it does the work.
    """
    wanted = rules or PrecheckRules()
    document = bounded(output) if isinstance(output, Mapping) else parse_probe(output)
    if document is None:
        shown = words(str(output or "").strip()[-200:])
        return _unusable(f"the probe printed no JSON document: {shown!r}" if shown else "the probe printed nothing")
    if document.get("probe") != PROBE_VERSION or isinstance(document.get("probe"), bool):
        return _unusable(f"this is not the document of probe {PROBE_VERSION}: probe is {document.get('probe')!r}")
    findings = [finding for check in _CHECKS for finding in check(document, wanted)]
    if executor.needs_agent:
        findings.extend(_agent(document, wanted))
    facts = {name: document[name] for name in _FACTS if _is_fact(document.get(name))}
    if _number(document.get("services")) is not None:  # what the final look is to make of them
        facts["services"] = wanted.services
    return Precheck(findings=tuple(findings), facts=facts)


def _is_fact(value: object) -> bool:
    return isinstance(value, (str, int, float)) and value != ""


def _unusable(text: str) -> Precheck:
    return Precheck(findings=(Finding(check="probe", ok=False, text=text),))


def _finding(check: str, switch: str, good: bool, text: str) -> Finding:
    return Finding(check=check, ok=good or switch != _SKIP_NODE, text=text)


def _disk(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    mounts = _mounts(document)
    windows = document.get("platform") == "windows"
    wanted = {mount: need for mount, need in rules.disk.items() if (mount[1:2] == ":") == windows}
    if wanted and not mounts:
        yield Finding(check="disk", ok=False, text="the probe lists no disks")
        return
    good = []
    for path, need in sorted(wanted.items()):
        mount = _drive(path, mounts) if windows else _mount_of(path, mounts)
        if mount is None:
            continue
        cut = (_number(document.get("disks_total")) or 0) > len(mounts)
        if cut and mount != path and path.count("/") > 1:
            yield Finding(check="disk", ok=False, text=f"free space of {path} is unknown: too many mounts to list")
        elif mounts[mount] < need:
            where = path if mount == path else f"{mount} (holds {path})"
            text = f"{where} has {mounts[mount]:.0f} MB free, the policy asks for {need} MB"
            yield Finding(check="disk", ok=False, text=text)
        else:
            good.append(f"{mount} {mounts[mount]:.0f} MB")
    if good:
        yield Finding(check="disk", ok=True, text=f"enough space free: {', '.join(dict.fromkeys(good))}")


def _mounts(document: Mapping[str, Any]) -> dict[str, float]:
    """Return free MB by mount, of the entries that make sense."""
    found = {}
    for item in _list(document.get("disks")):
        if isinstance(item, Mapping) and isinstance(item.get("mount"), str):
            free = _number(item.get("free_mb"))
            if free is not None:
                found[item["mount"]] = free
    return found


def _mount_of(path: str, mounts: Mapping[str, float]) -> str | None:
    """Return the mount that holds a path: itself or the nearest parent."""
    around = [mount for mount in mounts if path == mount or path.startswith(f"{mount.rstrip('/')}/")]
    return max(around, key=len, default=None)


def _drive(path: str, mounts: Mapping[str, float]) -> str | None:
    wanted = path.rstrip("\\/").upper()
    return next((mount for mount in mounts if mount.rstrip("\\/").upper() == wanted), None)


def _inodes(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    for item in _list(document.get("inodes")):
        free = _number(item.get("free")) if isinstance(item, Mapping) else None
        if free is not None and free < rules.free_inodes:
            text = f"{item.get('mount')} has {free:.0f} inodes free, the policy asks for {rules.free_inodes}"
            yield Finding(check="inodes", ok=False, text=text)


def _database(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    trouble = document.get("database")
    if isinstance(trouble, str):
        text = f"the package database is broken: {trouble}" if trouble else "the package database is whole"
        yield _finding("database", rules.database, not trouble, text)


def _pending_reboot(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    pending = document.get("pending_reboot")
    if pending is True:
        running, newest = document.get("kernel"), document.get("kernel_newest")
        kernels = f": kernel {running} runs, {newest} is installed" if newest and newest != running else ""
        yield _finding("pending_reboot", rules.pending_reboot, False, f"a reboot is pending{kernels}")
    else:
        text = "no reboot is pending" if pending is False else "the node can't tell whether a reboot is pending"
        yield Finding(check="pending_reboot", ok=True, text=text)


def _lock(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    holder = document.get("lock_held_by")
    text = f"the package manager is locked by {holder}" if holder else "the package manager is free"
    yield _finding("lock", rules.lock, not holder, text)


def _repositories(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    repos = [item for item in _list(document.get("repos")) if isinstance(item, Mapping)]
    for item in repos:
        url = str(item.get("url"))
        if item.get("ok") is False:
            why = f": {to_cause([str(item['text'])])}" if item.get("text") else ""
            yield _finding("repositories", rules.repositories, False, f"repository {url} can't be reached{why}")
        patterns = rules.expected_repositories
        if patterns and not any(fnmatchcase(url, pattern) for pattern in patterns):
            text = f"repository {url} is not one the policy expects ({', '.join(patterns)})"
            yield _finding("repositories", rules.repositories, False, text)
    reached = sum(item.get("ok") is True for item in repos)
    unknown = sum(item.get("ok") is None for item in repos)
    if not repos and document.get("platform") == "linux" and document.get("manager"):
        yield _finding("repositories", rules.repositories, False, f"{document['manager']} has no repository enabled")
    elif reached or unknown:
        text = f"{reached} of {len(repos)} repositories reached" + (f", {unknown} not checked" if unknown else "")
        yield Finding(check="repositories", ok=True, text=text)


def ways_of(output: object) -> list[dict[str, Any]]:
    """Return ``url``, ``ok`` (``None`` if not known) and ``text`` of each endpoint that the probe tried."""
    rows = [item for item in _list((parse_probe(output) or {}).get("ways")) if isinstance(item, Mapping)]
    return [
        {
            "url": words(str(item.get("url"))),
            "ok": item["ok"] if isinstance(item.get("ok"), bool) else None,
            "text": words(str(item.get("text") or "")),
        }
        for item in rows
    ]


def _failed_units(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    units = [str(unit) for unit in _list(document.get("failed_units"))]
    text = f"failed services: {', '.join(units)}" if units else "no service has failed"
    yield _finding("failed_units", rules.failed_units, not units, text)


def _load(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    if rules.max_load_per_cpu is None:
        return
    load, cpus = _number(document.get("load1")), _number(document.get("cpus"))
    if load is None or not cpus or cpus < 0:
        yield Finding(check="load", ok=False, text="the probe can't tell the load, for which the policy has a limit")
        return
    good = load / cpus <= rules.max_load_per_cpu
    text = f"load per CPU is {load / cpus:.2f}, the policy allows {rules.max_load_per_cpu:g}"
    yield Finding(check="load", ok=good, text=text)


def _agent(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    state = document.get("agent")
    yield _finding("agent", rules.agent, state == "active", f"the SSM Agent is {state or 'not reported'}")


def _time_sync(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    synced = document.get("time_synced")
    if isinstance(synced, bool):
        text = "the clock is synchronised" if synced else "the clock is not synchronised"
        yield _finding("time_sync", rules.time_sync, synced, text)
    else:
        yield Finding(check="time_sync", ok=True, text="the node can't tell whether its clock is synchronised")


def _services(document: Mapping[str, Any], rules: PrecheckRules) -> Iterator[Finding]:
    if "services" in document:
        count = _number(document["services"])
        text = "the node can't tell which services run" if count is None else f"{count:g} services run before the work"
        yield Finding(check="services", ok=True, text=text)


_CHECKS: tuple[Callable[[Mapping[str, Any], PrecheckRules], Iterator[Finding]], ...] = (
    _disk,
    _inodes,
    _database,
    _pending_reboot,
    _lock,
    _repositories,
    _failed_units,
    _load,
    _time_sync,
    _services,
)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -LARGEST <= value <= LARGEST:
        return None
    return value


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: object, option: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadInput(option, value, "mount points or drives with free megabytes")
    return value
