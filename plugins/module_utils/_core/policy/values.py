# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy: the user's declared intent, as values with all defaults filled in. Pure.

``schemas/policy.schema.json`` and ``docs/policy.md`` describe every member; a test keeps their defaults equal to these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..accounts import Account, role_of
from ..canonical import to_digest
from ..exceptions.records import ExceptionRules
from ..gate.decide import GateRules
from ..lists.address import Bucket
from ..lists.pins import LIST
from ..model import Place
from ..nodes import Select
from ..read import read, to_document
from ..tags import TagKeys
from ..work.precheck import PrecheckRules
from .run_rules import BudgetRules, DriftTolerance, Hooks, Retries

#: Stands for "the tag of each node decides" where a wave names its window.
BY_TAG = "tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Every account in every Region. Empty means that of the credentials."""

    regions: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()

    def places(self) -> tuple[Place, ...]:
        """Return every account in every Region named; without accounts, the Regions of the caller's own account."""
        return tuple(account.place(region) for account in self.accounts for region in self.regions) or tuple(
            Place(region=region) for region in self.regions
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """An approval rule of a baseline, with the option names of ``ssm_patch_baseline``."""

    classification: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    product: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compliance_level: str = "UNSPECIFIED"
    approve_after_days: int | None = None
    approve_until_date: str | None = None
    enable_non_security: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyBaseline:
    """A baseline as declared. ``default=None`` leaves the account's default as it is."""

    name: str
    operating_system: str
    description: str = ""
    global_filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    approved_patches: tuple[str, ...] = ()
    approved_patches_compliance_level: str = "UNSPECIFIED"
    approved_patches_enable_non_security: bool = False
    rejected_patches: tuple[str, ...] = ()
    rejected_patches_action: str = "ALLOW_AS_DEPENDENCY"
    available_security_updates_status: str | None = None
    default: bool | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchGroup:
    """A value of the patch group tag and the baselines bound to it, one per operating system."""

    name: str
    description: str = ""
    baselines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """AWS-RunPatchBaseline as a task of a window. ``name`` is filled in where it is not given."""

    operation: str
    name: str = ""
    description: str = ""
    priority: int = 1
    max_concurrency: int | str = "10%"
    max_errors: int | str = "10%"
    reboot_option: str = "RebootIfNeeded"
    cutoff_behavior: str = "CONTINUE_TASK"
    delivery_timeout: int = 600
    service_role_arn: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A maintenance window. Dates are ISO 8601 with a UTC offset."""

    name: str
    schedule: str
    duration_hours: int
    description: str = ""
    timezone: str = "UTC"
    offset_days: int | None = None
    cutoff_hours: int = 0
    enabled: bool = True
    start_date: str | None = None
    end_date: str | None = None
    allow_unassociated_targets: bool = False
    patch_groups: tuple[str, ...] = ()
    tasks: tuple[WindowTask, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """A wave. ``gate`` is complete: the policy's gates with the wave's own members over them."""

    name: str
    description: str = ""
    select: Select = field(default_factory=Select)
    size: int | str = "100%"
    order: tuple[Select, ...] = ()
    window: str | None = None
    gate: GateRules = field(default_factory=GateRules)
    soak_minutes: int = 0
    reboot: str | None = None
    promote_from: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RebootOverride:
    """Another reboot rule for some nodes."""

    select: Select
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """When nodes are rebooted after patching, and how long that may take."""

    rule: str = "if_required"
    timeout_minutes: int = 30
    overrides: tuple[RebootOverride, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedMinutes:
    """What patching and rebooting one node usually takes."""

    linux: int = 15
    windows: int = 40
    macos: int = 40

    def of(self, platform: str) -> int:
        """Return the minutes of a platform; one that is not known takes as long as Linux."""
        return {"windows": self.windows, "macos": self.macos}.get(platform, self.linux)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patching:
    """How nodes are patched. ``buckets``: by Region, where its override lists are kept."""

    pin: str = LIST
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    list_url: str = ""
    rescan_hours: int | None = None
    expected_minutes: ExpectedMinutes = ExpectedMinutes()
    delivery_timeout: int = 600
    execution_timeout_minutes: int = 120
    max_concurrency: int | str = "100%"
    security_only: bool = False
    exclude_packages: tuple[str, ...] = ()
    lock_timeout: int = 300
    allow_removals: bool = False
    repair_database: bool = False
    restart_services: bool = False
    security_sources: tuple[str, ...] = ()
    other_sources: tuple[str, ...] = ()
    releasever: str = ""
    retries: Retries = field(default_factory=Retries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclude:
    """Nodes that are never patched by the policy."""

    select: Select
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Approval of plans. ``people``: so many must approve, where the trust bundle asks for fewer. ``authors``: people
    who wrote the policy, and so must not approve its plans."""

    required: bool = False
    people: int = 1
    authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedCron:
    """How long a window is open that a node's tag states as a cron expression, and in which time zone."""

    duration_hours: int = 4
    cutoff_hours: int = 1
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequirements:
    """What the policy asks of plans. ``strict``: one with warnings is refused. ``valid_days``: how far one reaches."""

    strict: bool = False
    valid_days: int = 45
    tagged_cron: TaggedCron = TaggedCron()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeCalendars:
    """Calendars whose closed times nothing is patched in."""

    ics: tuple[str, ...] = ()
    change_calendars: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """Who may choose the windows of which nodes."""

    name: str
    people: tuple[str, ...] = ()
    select: Select = field(default_factory=Select)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedNodes:
    """Nodes that are stopped when their wave begins: which ones are started for it, and stopped again."""

    start: bool = False
    minutes_ahead: int = 15
    update_agent: bool = True
    select: Select = field(default_factory=Select)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The whole document. Made by ``to_policy`` from data that the schema has accepted."""

    name: str
    version: int = 1
    description: str = ""
    tags: TagKeys = field(default_factory=TagKeys)
    estate: Estate = Estate()
    baselines: tuple[PolicyBaseline, ...] = ()
    patch_groups: tuple[PatchGroup, ...] = ()
    windows: tuple[Window, ...] = ()
    waves: tuple[Wave, ...] = ()
    gates: GateRules = field(default_factory=GateRules)
    prechecks: PrecheckRules = field(default_factory=PrecheckRules)
    reboot: Reboot = Reboot()
    patching: Patching = Patching()
    exclude: tuple[Exclude, ...] = ()
    plan: PlanRequirements = PlanRequirements()
    approval: Approval = Approval()
    owners: tuple[Owner, ...] = ()
    exceptions: ExceptionRules = field(default_factory=ExceptionRules)
    freeze: FreezeCalendars = FreezeCalendars()
    stopped_nodes: StoppedNodes = StoppedNodes()
    budgets: BudgetRules = field(default_factory=BudgetRules)
    hooks: Hooks = field(default_factory=Hooks)
    drift: DriftTolerance = field(default_factory=DriftTolerance)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with every member; reading it again gives an equal policy."""
        return to_document(self)

    @property
    def digest(self) -> str:
        """SHA-256 of the complete policy: comments, the order of keys and written-out defaults don't count."""
        return to_digest(self.to_dict())


def to_policy(data: Mapping[str, Any]) -> Policy:
    """Fill in all defaults. Members that are missing though required become empty, so that checks go on past them."""
    gates = data.get("gates") or {}
    written = [wave if isinstance(wave, Mapping) else {} for wave in data.get("waves") or []]
    waves = [{**wave, "gate": {**gates, **(wave.get("gate") or {})}} for wave in written]
    return _complete(read(Policy, {**data, "waves": waves}))


def _complete(policy: Policy) -> Policy:
    """Fill in what follows from other members: account numbers and names, task names, what selectors mean."""
    estate = replace(policy.estate, accounts=tuple(_account(account) for account in policy.estate.accounts))
    numbers = {account.name: account.id for account in estate.accounts}

    def clear(select: Select) -> Select:
        """Accounts by number and applications as their tag: who selects needs neither estate nor tag keys."""
        accounts = tuple(numbers.get(name, name) for name in select.accounts)
        tags = {policy.tags.application: select.applications, **select.tags} if select.applications else select.tags
        return replace(select, accounts=accounts, tags=tags)

    overrides = tuple(replace(item, select=clear(item.select)) for item in policy.reboot.overrides)
    buckets = {
        region: replace(bucket, account=numbers.get(bucket.account, bucket.account))
        for region, bucket in policy.patching.buckets.items()
    }
    return replace(
        policy,
        estate=estate,
        patching=replace(policy.patching, buckets=buckets),
        windows=tuple(replace(window, tasks=_named_tasks(window)) for window in policy.windows),
        waves=tuple(
            replace(wave, select=clear(wave.select), order=tuple(clear(item) for item in wave.order))
            for wave in policy.waves
        ),
        stopped_nodes=replace(policy.stopped_nodes, select=clear(policy.stopped_nodes.select)),
        owners=tuple(replace(item, select=clear(item.select)) for item in policy.owners),
        exclude=tuple(replace(item, select=clear(item.select)) for item in policy.exclude),
        reboot=replace(policy.reboot, overrides=overrides),
    )


def _account(account: Account) -> Account:
    role = role_of(account.role_arn)
    number = account.id or (role.account if role else "")
    return replace(account, id=number, name=account.name or number)


def _named_tasks(window: Window) -> tuple[WindowTask, ...]:
    return tuple(
        replace(task, name=task.name or f"{window.name}-{task.operation.lower()}"[:128]) for task in window.tasks
    )
