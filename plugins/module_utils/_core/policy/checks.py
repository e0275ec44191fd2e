# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks that a JSON Schema cannot express: references to existing names, and values that must match. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from ..accounts import role_of
from ..errors import BadInput
from ..gate.decide import GateRules
from ..gate.health_rules import AlarmCheck, HealthCheckRule
from ..lists.address import check_bucket, check_list_url
from ..lists.pins import LIST, RUN_BASELINE, WINDOWS_UPDATES
from ..nodes import Select
from ..ssm.baselines import Baseline, check_baseline, to_rule
from ..text import nearest
from ..times.schedule import parse, to_zone
from ..work.repositories.expected import check_closed, mistakes
from ..work.repositories.promotion import wave_mistakes
from ..work.repositories.servers import WSUS, server_mistakes
from ..work.windows.selection import ANYBODYS
from .errors import Mistake
from .notice_checks import notice_mistakes
from .required_tags import to_tag_rules
from .values import BY_TAG, Policy, PolicyBaseline, Window

#: Quotas per account and Region (AWS general reference, Systems Manager).
GROUPS_PER_BASELINE = 25

#: What Azure's nodes have as Region and account. A policy doesn't list these, so only their form can be checked.
_LOCATION = re.compile(r"[a-z]+[0-9]*")
_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def find_mistakes(policy: Policy) -> list[Mistake]:
    """Return all mistakes with their paths in the document; an empty list if the policy is valid."""
    checks: Sequence[Callable[[Policy], Iterator[Mistake]]] = (
        _check_accounts,
        _check_names,
        _check_baselines,
        _check_groups,
        _check_windows,
        _check_waves,
        _check_planning,
        _check_emergency,
        _check_owners,
        _check_gates,
        _check_selects,
        _check_risk_keys,
        _check_zones,
        _check_health_check,
        _check_hooks,
        _check_lists,
        _check_repositories,
        lambda policy: notice_mistakes(policy.notices),
        _check_required_tags,
        _check_onboarding,
    )
    return [mistake for check in checks for mistake in check(policy)]


def suggest(value: str, known: Sequence[str]) -> str:
    """Return the end of a sentence: "did you mean 'x'?" for a near miss, else all that is known if that is little."""
    if near := nearest(value, known):
        return f" (did you mean {near!r}?)"
    return f": {', '.join(sorted(known))}" if 0 < len(known) <= 12 else ""


def _check_accounts(policy: Policy) -> Iterator[Mistake]:
    for index, account in enumerate(policy.estate.accounts):
        role = role_of(account.role_arn)
        if role and account.id != role.account:
            yield Mistake(
                path=f"estate.accounts[{index}].id",
                value=account.id,
                expected=f"the account of role_arn, {role.account!r}",
            )
    yield from _unique("estate.accounts", "id", [account.id for account in policy.estate.accounts])
    yield from _unique("estate.accounts", "name", [account.name for account in policy.estate.accounts])


def _check_names(policy: Policy) -> Iterator[Mistake]:
    named: dict[str, Sequence[Any]] = {
        "baselines": policy.baselines,
        "patch_groups": policy.patch_groups,
        "windows": policy.windows,
        "waves": policy.waves,
        "notices.routes": policy.notices.routes,
    }
    for path, items in named.items():
        yield from _unique(path, "name", [item.name for item in items])
    for index, window in enumerate(policy.windows):
        yield from _unique(f"windows[{index}].tasks", "name", [task.name for task in window.tasks])


def _unique(path: str, member: str, values: Sequence[str]) -> Iterator[Mistake]:
    first: dict[str, int] = {}
    for index, value in enumerate(values):
        if value and first.setdefault(value, index) != index:
            there = f"{path}[{index}].{member}"
            expected = f"a unique {member}"
            yield Mistake(
                path=there, value=value, expected=expected, problem=f"is already used by {path}[{first[value]}]"
            )


def _check_baselines(policy: Policy) -> Iterator[Mistake]:
    for index, baseline in enumerate(policy.baselines):
        yield from _check_rules(f"baselines[{index}]", baseline)
    defaults: dict[str, str] = {}
    for index, baseline in enumerate(policy.baselines):
        if baseline.default and defaults.setdefault(baseline.operating_system, baseline.name) != baseline.name:
            other = defaults[baseline.operating_system]
            expected = f"one default baseline for {baseline.operating_system}; {other!r} is the default already"
            yield Mistake(path=f"baselines[{index}].default", value=True, expected=expected)
    users = Counter(name for group in policy.patch_groups for name in set(group.baselines))
    for index, baseline in enumerate(policy.baselines):
        if users[baseline.name] > GROUPS_PER_BASELINE:
            expected = f"at most {GROUPS_PER_BASELINE} patch groups with this baseline, not {users[baseline.name]}"
            yield Mistake(path=f"baselines[{index}].name", value=baseline.name, expected=expected)


def _check_rules(path: str, baseline: PolicyBaseline) -> Iterator[Mistake]:
    """Check the baseline and each of its rules separately, so that one mistake does not hide another."""
    if not baseline.operating_system:
        return
    try:
        names = Baseline.__dataclass_fields__.keys() & PolicyBaseline.__dataclass_fields__.keys()
        given = {name: getattr(baseline, name) for name in names}
        check_baseline(Baseline(**{**given, "name": baseline.name or "unnamed", "rules": ()}))
    except BadInput as error:
        yield Mistake.of(error, f"{path}.{error.option}")
    for index, rule in enumerate(baseline.rules):
        try:
            one = Baseline(name="rule", operating_system=baseline.operating_system, rules=(to_rule(asdict(rule)),))
            check_baseline(one)
        except BadInput as error:
            where = error.option.removeprefix("rules[0]")
            yield Mistake.of(error, f"{path}.rules[{index}]{where}")


def _check_groups(policy: Policy) -> Iterator[Mistake]:
    systems = {baseline.name: baseline.operating_system for baseline in policy.baselines}
    for index, group in enumerate(policy.patch_groups):
        taken: dict[str, str] = {}
        for position, name in enumerate(group.baselines):
            path = f"patch_groups[{index}].baselines[{position}]"
            if name not in systems:
                yield Mistake(
                    path=path, value=name, expected="a baseline of this policy" + suggest(name, list(systems))
                )
            elif other := taken.get(systems[name]):
                expected = f"one baseline per operating system; {other!r} is for {systems[name]} already"
                yield Mistake(path=path, value=name, expected=expected)
            else:
                taken[systems[name]] = name


_SCHEDULE_OPTIONS = {"start": "start_date", "end": "end_date"}


def _check_windows(policy: Policy) -> Iterator[Mistake]:
    groups = [group.name for group in policy.patch_groups]
    for index, window in enumerate(policy.windows):
        path = f"windows[{index}]"
        yield from _check_schedule(path, window)
        if window.name == BY_TAG:
            expected = "another name; in a wave this one means that the node's tag decides"
            yield Mistake(path=f"{path}.name", value=window.name, expected=expected)
        if window.duration_hours and window.cutoff_hours >= window.duration_hours:
            expected = f"fewer hours than the window's duration, {window.duration_hours}"
            yield Mistake(path=f"{path}.cutoff_hours", value=window.cutoff_hours, expected=expected)
        yield from _known(f"{path}.patch_groups", window.patch_groups, groups, "a patch group of this policy")
        if window.tasks and not window.patch_groups:
            expected = "at least one patch group, because the window has tasks"
            yield Mistake(path=f"{path}.patch_groups", value=[], expected=expected)


def _check_schedule(path: str, window: Window) -> Iterator[Mistake]:
    try:
        to_zone(window.timezone)
    except BadInput as error:
        yield Mistake.of(error, f"{path}.timezone")
    try:
        if window.schedule:
            parse(window.schedule, None, window.offset_days, window.start_date, window.end_date)
    except BadInput as error:
        yield Mistake.of(error, f"{path}.{_SCHEDULE_OPTIONS.get(error.option, error.option)}")


def _check_waves(policy: Policy) -> Iterator[Mistake]:
    windows = [window.name for window in policy.windows]
    for index, wave in enumerate(policy.waves):
        yield from _check_promotion(policy, index)
        if wave.window and wave.window not in (*windows, BY_TAG):
            expected = f"a window of this policy or {BY_TAG}" + suggest(wave.window, windows)
            yield Mistake(path=f"waves[{index}].window", value=wave.window, expected=expected)


def _check_planning(policy: Policy) -> Iterator[Mistake]:
    tagged = policy.plan.tagged_cron
    try:
        to_zone(tagged.timezone)
    except BadInput as error:
        yield Mistake.of(error, "plan.tagged_cron.timezone")
    if tagged.cutoff_hours >= tagged.duration_hours:
        expected = f"fewer hours than the window's duration, {tagged.duration_hours}"
        yield Mistake(path="plan.tagged_cron.cutoff_hours", value=tagged.cutoff_hours, expected=expected)


def _check_emergency(policy: Policy) -> Iterator[Mistake]:
    rules, names = policy.emergency, [window.name for window in policy.windows]
    if rules.window and rules.window not in names:
        expected = "a window of this policy" + suggest(rules.window, names)
        yield Mistake(path="emergency.window", value=rules.window, expected=expected)


def _check_owners(policy: Policy) -> Iterator[Mistake]:
    yield from _unique("owners", "name", [owner.name for owner in policy.owners])
    for index, owner in enumerate(policy.owners):
        if not (owner.select.accounts or owner.select.groups or owner.select.nodes):
            expected = "accounts, groups or nodes among its keys, because whoever has the machine can write its tags"
            yield Mistake(path=f"owners[{index}].select", value=owner.select.to_dict(), expected=expected)


def _check_promotion(policy: Policy, index: int) -> Iterator[Mistake]:
    """Check ``promote_from``: it names an earlier wave, and only override lists can enforce it."""
    source, earlier = policy.waves[index].promote_from, [wave.name for wave in policy.waves[:index]]
    path = f"waves[{index}].promote_from"
    if source and source not in earlier:
        expected = "an earlier wave" + suggest(source, earlier) if earlier else "nothing, since no wave is before it"
        yield Mistake(path=path, value=source, expected=expected)
    elif source and policy.patching.pin != LIST:
        yield Mistake(path=path, value=source, expected="patching.pin: list beside it; a baseline would install more")
    elif source and policy.patching.windows_document == WINDOWS_UPDATES:
        expected = (
            f"patching.windows_document: {RUN_BASELINE} beside it; {WINDOWS_UPDATES} installs all that is offered"
        )
        yield Mistake(path=path, value=source, expected=expected)


def _check_gates(policy: Policy) -> Iterator[Mistake]:
    """Report an invalid value once, not again for each wave that inherits it."""
    gates = {"gates": policy.gates} | {f"waves[{index}].gate": wave.gate for index, wave in enumerate(policy.waves)}
    for path, gate in gates.items():
        try:
            if path == "gates" or gate.confidence != policy.gates.confidence:
                GateRules.from_dict(asdict(gate), f"{path}.")
        except BadInput as error:
            yield Mistake.of(error)


def _check_selects(policy: Policy) -> Iterator[Mistake]:
    for path, select in _selects(policy):
        groups = [group.name for group in policy.patch_groups]
        yield from _known(f"{path}.patch_groups", select.patch_groups, groups, "a patch group of this policy")
        estate = policy.estate
        if estate.regions:
            regions = [*estate.regions, *filter(_LOCATION.fullmatch, select.regions)]
            yield from _known(f"{path}.regions", select.regions, regions, "a Region of the estate")
        if estate.accounts:
            accounts = [*(account.id for account in estate.accounts), *filter(_SUBSCRIPTION.fullmatch, select.accounts)]
            expected = "an account of the estate, by name or number"
            yield from _known(f"{path}.accounts", select.accounts, accounts, expected)
        key = policy.tags.application
        if select.applications and select.tags.get(key) != select.applications:
            yield Mistake(
                path=f"{path}.tags.{key}",
                value=list(select.tags[key]),
                expected="the tag either in tags or in applications, not in both",
            )


def _check_risk_keys(policy: Policy) -> Iterator[Mistake]:
    """Only plans know the findings of scanners."""
    servers = enumerate(policy.repositories.servers)
    expected = enumerate(policy.repositories.expected)
    others = [
        *((path, select) for path, select in _selects(policy) if not path.startswith("waves[")),
        *((f"repositories.servers[{index}].select", item.select) for index, item in servers),
        *((f"repositories.expected[{index}].select", item.select) for index, item in expected),
    ]
    for path, select in others:
        for key in ("cves", "kev", "severity_sla"):
            if value := getattr(select, key):
                shown = list(value) if key == "cves" else value
                yield Mistake(path=f"{path}.{key}", value=shown, expected="this key in select or order of a wave only")


def _selects(policy: Policy) -> Iterator[tuple[str, Select]]:
    for index, wave in enumerate(policy.waves):
        yield f"waves[{index}].select", wave.select
        yield from ((f"waves[{index}].order[{number}]", select) for number, select in enumerate(wave.order))
    for index, owner in enumerate(policy.owners):
        yield f"owners[{index}].select", owner.select
    for index, entry in enumerate(policy.exclude):
        yield f"exclude[{index}].select", entry.select
    for index, override in enumerate(policy.reboot.overrides):
        yield f"reboot.overrides[{index}].select", override.select
    for index, route in enumerate(policy.notices.routes):
        yield f"notices.routes[{index}].select", route.select
    yield "stopped_nodes.select", policy.stopped_nodes.select
    yield "enrollment.onboarding.select", policy.enrollment.onboarding.select


def _known(path: str, values: Sequence[str], known: Sequence[str], what: str) -> Iterator[Mistake]:
    """Check names that the policy declares elsewhere. If it declares none, any name is valid."""
    for index, value in enumerate(values):
        if known and value not in known:
            yield Mistake(path=f"{path}[{index}]", value=value, expected=what + suggest(value, known))


def _check_zones(policy: Policy) -> Iterator[Mistake]:
    zones = {"exceptions.timezone": policy.exceptions.timezone, "freeze.timezone": policy.freeze.timezone}
    if policy.emergency.freeze:
        zones["emergency.freeze.timezone"] = policy.emergency.freeze.timezone
    for option, zone in zones.items():
        try:
            to_zone(zone)
        except BadInput as error:
            yield Mistake.of(error, option)


def _check_health_check(policy: Policy) -> Iterator[Mistake]:
    """Check each health check separately."""
    accounts = [name for account in policy.estate.accounts for name in (account.id, account.name)]
    for path, health_check in policy.health_checks.items():
        try:
            check = HealthCheckRule.from_dict(health_check, path).check
        except BadInput as error:
            yield Mistake.of(error)
        else:
            account = check.account if isinstance(check, AlarmCheck) else ""
            if account and accounts and account not in accounts:
                expected = "an account of the estate, by name or number" + suggest(account, accounts)
                yield Mistake(path=f"{path}.alarm.account", value=account, expected=expected)


def _check_hooks(policy: Policy) -> Iterator[Mistake]:
    """Require the hook that undoes another hook."""
    for before, after in (("before_wave", "after_wave"), ("before_nodes", "after_nodes")):
        if getattr(policy.hooks, before) and not getattr(policy.hooks, after):
            expected = f"a task file that undoes hooks.{before} (it can be empty)"
            yield Mistake(path=f"hooks.{after}", value="", expected=expected)


def _check_required_tags(policy: Policy) -> Iterator[Mistake]:
    try:
        if policy.enrollment.required_tags:
            to_tag_rules("enrollment.required_tags", policy.enrollment.required_tags)
    except BadInput as error:
        yield Mistake.of(error)


def _check_onboarding(policy: Policy) -> Iterator[Mistake]:
    """Require all of it or nothing, and a place that the estate has: elsewhere, no plan would have the machines."""
    given, path = policy.enrollment.onboarding, "enrollment.onboarding"
    members = {"select": given.select.to_dict(), "region": given.region, "iam_role": given.iam_role}
    if any(members.values()) or given.account:
        for name, value in members.items():
            if not value:
                yield Mistake(path=f"{path}.{name}", value=value, expected="a value, as the other keys have one")
    regions, names = policy.estate.regions, [n for item in policy.estate.accounts for n in (item.id, item.name)]
    if given.region and regions and given.region not in regions:
        expected = "a Region of estate.regions" + suggest(given.region, regions)
        yield Mistake(path=f"{path}.region", value=given.region, expected=expected)
    if given.account not in ("", *names) or (given.region and names and not given.account):
        expected = "an account of the estate, by name or number" + suggest(given.account, names)
        yield Mistake(path=f"{path}.account", value=given.account, expected=expected)


def _check_lists(policy: Policy) -> Iterator[Mistake]:
    """Check the buckets for override lists: valid addresses, and a bucket in every Region or in none."""
    patching, regions = policy.patching, policy.estate.regions
    try:
        check_list_url(patching.list_url, "patching.list_url")
    except BadInput as error:
        yield Mistake.of(error)
    names = [name for account in policy.estate.accounts for name in (account.id, account.name)]
    for region, bucket in patching.buckets.items():
        path = f"patching.buckets.{region}"
        yield from _known(path, [region], regions, "a Region of the estate")
        if bucket.account and names and bucket.account not in names:
            expected = "an account of the estate, by name or number" + suggest(bucket.account, names)
            yield Mistake(path=f"{path}.account", value=bucket.account, expected=expected)
        if other := next((r for r, b in patching.buckets.items() if r != region and b.name == bucket.name), ""):
            expected = f"a bucket in {region}, not the one of {other}: nodes have no way to another Region's buckets"
            yield Mistake(path=f"{path}.name", value=bucket.name, expected=expected)
        try:
            check_bucket(bucket, path, region)
        except BadInput as error:
            yield Mistake.of(error)
    if patching.buckets and patching.list_url:
        expected = "either buckets or list_url, since a node reads one list"
        yield Mistake(path="patching.list_url", value=patching.list_url, expected=expected)
    lacking = [region for region in regions if region not in patching.buckets]
    if patching.pin == LIST and patching.buckets and lacking:
        yield Mistake(
            path=f"patching.buckets.{lacking[0]}", value=None, expected="a bucket for each Region of the estate"
        )


def _check_repositories(policy: Policy) -> Iterator[Mistake]:
    expected, prefix = policy.repositories.expected, "repositories.expected"
    waves = [wave.name for wave in policy.waves]
    closed = check_closed(policy.repositories.closed, "repositories.closed")
    servers = server_mistakes(policy.repositories.servers, waves, "repositories.servers")
    if policy.patching.windows.server == ANYBODYS and any(item.kind == WSUS for item in policy.repositories.servers):
        expected_server = "managed_server or default, as repositories.servers name a WSUS server"
        yield Mistake(path="patching.windows.server", value=ANYBODYS, expected=expected_server)
    for mistake in (*mistakes(expected, prefix), *wave_mistakes(expected, waves, prefix), *closed, *servers):
        yield Mistake.of(mistake)
    if any(item.snapshots for item in expected):
        for index, wave in enumerate(policy.waves):
            if wave.size != "100%":
                words = (
                    "100%, as repositories have a snapshot for each wave: which hosts a share takes, only a plan knows"
                )
                yield Mistake(path=f"waves[{index}].size", value=wave.size, expected=words)
