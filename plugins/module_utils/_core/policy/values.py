# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy as values, with all defaults filled in. Pure.

``schemas/policy.schema.json`` and ``docs/policy.md`` describe every member; a test keeps their defaults equal to these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..accounts import Account, role_of
from ..canonical import to_digest, without
from ..exceptions.records import ExceptionRules
from ..gate.decide import GateRules
from ..lists.address import Bucket
from ..lists.pins import LIST, RUN_BASELINE
from ..model import Place
from ..nodes import Select
from ..read import read, to_document
from ..tags import TagKeys
from ..work.precheck import PrecheckRules
from ..work.repositories.expected import RepositoryRules
from ..work.windows.selection import UpdateRules
from .notice_rules import NoticeRules
from .run_rules import BudgetRules, DriftTolerance, Enrollment, Hooks, Retries

#: As a wave's window: the tag of each node names its window.
BY_TAG = "tag"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estate:
    """Accounts and Regions; every account is used in every Region. Empty means those of the credentials.

    :param executor_order: which executor works on a machine that several can reach, the preferred one first.
    """

    regions: tuple[str, ...] = ()
    accounts: tuple[Account, ...] = ()
    executor_order: tuple[str, ...] = ()

    def places(self) -> tuple[Place, ...]:
        """Return every account in every Region; without accounts, the Regions of the caller's own account."""
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
    """A patch group and its baselines, one per operating system."""

    name: str
    description: str = ""
    baselines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTask:
    """AWS-RunPatchBaseline as a task of a window. A missing ``name`` is filled in."""

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
    """A wave. ``gate`` is complete: the policy's gates, overridden by the wave's own members."""

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
    """A reboot rule for selected nodes, which takes precedence."""

    select: Select
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reboot:
    """When nodes are rebooted after patching, and the time limit of a reboot."""

    rule: str = "if_required"
    timeout_minutes: int = 30
    overrides: tuple[RebootOverride, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedMinutes:
    """Typical duration of patching and rebooting a node."""

    linux: int = 15
    windows: int = 40
    macos: int = 40

    def of(self, platform: str) -> int:
        """Return the minutes of a platform; those of Linux for an unknown platform."""
        return {"windows": self.windows, "macos": self.macos}.get(platform, self.linux)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patching:
    """How nodes are patched. ``buckets``: the bucket of the override lists, by Region."""

    pin: str = LIST
    windows_document: str = RUN_BASELINE
    buckets: Mapping[str, Bucket] = field(default_factory=dict)
    list_url: str = ""
    rescan_hours: int | None = None
    assessment_hours: int = 0
    auto_patched: str = "warn"
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
    windows: UpdateRules = field(default_factory=UpdateRules)
    retries: Retries = field(default_factory=Retries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exclude:
    """Nodes that are never patched by the policy."""

    select: Select
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Approval of plans. ``people``: how many must approve, if the trust bundle requires fewer. ``authors``: the people
    who wrote the policy; they cannot approve its plans. ``change_type``: of the change in a ticket system."""

    required: bool = False
    people: int = 1
    authors: tuple[str, ...] = ()
    change_type: str = "normal"


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedCron:
    """Duration, cutoff and time zone of windows that a node's tag states as a cron expression."""

    duration_hours: int = 4
    cutoff_hours: int = 1
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRequirements:
    """Requirements for plans. ``strict``: refuse plans with warnings. ``valid_days``: days until a plan expires."""

    strict: bool = False
    valid_days: int = 45
    tagged_cron: TaggedCron = TaggedCron()


@dataclass(frozen=True, slots=True, kw_only=True)
class FreezeCalendars:
    """Calendars; nothing is patched while one of them is closed.

    ``timezone`` is that of whole days in files that name none.
    """

    ics: tuple[str, ...] = ()
    change_calendars: tuple[str, ...] = ()
    timezone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyApproval:
    """``required``: also where ``approval`` asks for none. ``people``: ``None`` for as many as it asks for."""

    required: bool = False
    people: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Emergency:
    """Which findings cannot wait for a window, and the rules of a plan for them alone.

    :param severity_sla: days within which findings of a severity have to be closed. :param kev: CISA's day counts too.
    :param cves: these cannot wait for any window. :param window: of the plan's waves; ``None`` for any time.
    :param soak_minutes: waves soak for so long at most; ``None`` for as long as in other plans.
    :param freeze: calendars in place of the policy's; ``None`` for the policy's.
    """

    severity_sla: Mapping[str, int] = field(default_factory=dict)
    kev: bool = False
    cves: tuple[str, ...] = ()
    window: str | None = None
    soak_minutes: int | None = None
    approval: EmergencyApproval = EmergencyApproval()
    freeze: FreezeCalendars | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """People who may choose the windows of the selected nodes."""

    name: str
    people: tuple[str, ...] = ()
    select: Select = field(default_factory=Select)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoppedNodes:
    """Stopped nodes that are started for their wave and stopped again afterwards."""

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
    repositories: RepositoryRules = field(default_factory=RepositoryRules)
    reboot: Reboot = Reboot()
    patching: Patching = Patching()
    exclude: tuple[Exclude, ...] = ()
    plan: PlanRequirements = PlanRequirements()
    approval: Approval = Approval()
    owners: tuple[Owner, ...] = ()
    exceptions: ExceptionRules = field(default_factory=ExceptionRules)
    freeze: FreezeCalendars = FreezeCalendars()
    emergency: Emergency = field(default_factory=Emergency)
    enrollment: Enrollment = field(default_factory=Enrollment)
    stopped_nodes: StoppedNodes = StoppedNodes()
    budgets: BudgetRules = field(default_factory=BudgetRules)
    hooks: Hooks = field(default_factory=Hooks)
    drift: DriftTolerance = field(default_factory=DriftTolerance)
    notices: NoticeRules = field(default_factory=NoticeRules)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data with every member; reading it again gives an equal policy."""
        return to_document(self)

    @property
    def health_checks(self) -> dict[str, Mapping[str, Any]]:
        """Return the health checks by their paths in the document, those that waves inherit only once."""
        found = {f"gates.health_checks[{index}]": item for index, item in enumerate(self.gates.health_checks)}
        for number, wave in enumerate(self.waves):
            own = wave.gate.health_checks if wave.gate.health_checks != self.gates.health_checks else ()
            found |= {f"waves[{number}].gate.health_checks[{index}]": item for index, item in enumerate(own)}
        return found | {
            f"budgets.quorum[{index}].health_check": rule.health_check for index, rule in enumerate(self.budgets.quorum)
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the policy without its notices: comments, key order and explicit defaults make no difference."""
        return to_digest(without(self.to_dict(), "notices"))


def to_policy(data: Mapping[str, Any]) -> Policy:
    """Fill in all defaults. Missing required members become empty, so that the remaining checks still run."""
    gates = data.get("gates") or {}
    written = [wave if isinstance(wave, Mapping) else {} for wave in data.get("waves") or []]
    waves = [{**wave, "gate": {**gates, **(wave.get("gate") or {})}} for wave in written]
    return _complete(read(Policy, {**data, "waves": waves}))


def _complete(policy: Policy) -> Policy:
    """Fill in derived members: account numbers and names, task names, resolved selectors."""
    estate = replace(policy.estate, accounts=tuple(_account(account) for account in policy.estate.accounts))
    numbers = {account.name: account.id for account in estate.accounts}

    def clear(select: Select) -> Select:
        """Resolve accounts to numbers and applications to tags, so that selecting needs neither estate nor tag keys."""
        accounts = tuple(numbers.get(name, name) for name in select.accounts)
        tags = {policy.tags.application: select.applications, **select.tags} if select.applications else select.tags
        return replace(select, accounts=accounts, tags=tags)

    overrides = tuple(replace(item, select=clear(item.select)) for item in policy.reboot.overrides)
    buckets = {
        region: replace(bucket, account=numbers.get(bucket.account, bucket.account))
        for region, bucket in policy.patching.buckets.items()
    }
    expected = tuple(replace(item, select=clear(item.select)) for item in policy.repositories.expected)
    servers = tuple(replace(item, select=clear(item.select)) for item in policy.repositories.servers)
    routes = tuple(replace(item, select=clear(item.select)) for item in policy.notices.routes)
    onboarding = policy.enrollment.onboarding
    return replace(
        policy,
        estate=estate,
        notices=replace(policy.notices, routes=routes),
        repositories=replace(policy.repositories, expected=expected, servers=servers),
        patching=replace(policy.patching, buckets=buckets),
        windows=tuple(replace(window, tasks=_named_tasks(window)) for window in policy.windows),
        waves=tuple(
            replace(wave, select=clear(wave.select), order=tuple(clear(item) for item in wave.order))
            for wave in policy.waves
        ),
        enrollment=replace(policy.enrollment, onboarding=replace(onboarding, select=clear(onboarding.select))),
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
