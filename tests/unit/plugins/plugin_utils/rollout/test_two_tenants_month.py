# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One month of two tenants, unattended, in virtual time: approvals in ServiceNow, notices by mail, a failed canary with
its incident, an owner's change of window, an exception; controllers die, and the records agree with one another.

Production code: the actions ``rollout_due`` (its search), ``rollout_journal``, ``rollout_gate``, ``rollout_ticket``,
``notices`` and ``tenants_overview``, the driver, the guards of exceptions, the source of approvals and the judge of the
trust bundle. Simulated: nodes (a fake executor), ServiceNow (the lab, over WSGI), the mail server (a real SMTP server),
and the role ``itsm_servicenow``, whose steps ``Desk`` does, because its collection is on Galaxy only. People are the
list ``PEOPLE``; what they do is not done by anything else.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import Mock, patch

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.action import (
    notices,
    rollout_gate,
    rollout_journal,
    rollout_ticket,
    tenants_overview,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import Decision
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.ledger import declare, name_of
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.owners.window_choices import (
    Request,
    check_request,
    choose,
    owned,
    with_window,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan, seal
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.scan import SCHEMA
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.agenda import Need, agenda
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import Preparations
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.play_order import play_order
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import DONE, final_results
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time, to_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.bundle import (
    Bundle,
    Demand,
    Environment,
    Person,
    Requirement,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.operator import Operator
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.trust.pins import Pins
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals import plan_check, sources
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.servicenow import ServiceNowApprovals
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.trust import Trust
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.approvals.wave_check import WaveCheck, objection_to_begin
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.courses import Courses
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.driver import Driver
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.notes import Notes
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.opening import Opening, OutsideWindow
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.permits import Permits
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.progress_line import WaveProgress
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.tempo import Tempo
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.drive.watch import Watch
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.exceptions.ledger_file import LedgerFile
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.inventory.nodes import planned_candidate
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import load_policy
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout import due_plans
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.due_plans import Search, take_one
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.tenants import directory as tenant_directory
from werkzeug.test import Client

from lab.servicenow.server import ServiceNow
from lab.servicenow.world import World
from tests.fakes.driving import FakePins, NothingToStart
from tests.fakes.executor import FakeExecutor
from tests.fakes.fleet_port import FakeClock
from tests.fakes.receivers import MailReceiver, mail_receiver

pytestmark = pytest.mark.slow
NOW = datetime.fromisoformat("2026-10-01T12:00:00+00:00")
TICK, AHEAD, LONGEST = timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=12)
LOGIN, INSTANCE = Operator(login="patchtide"), "https://provider.service-now.com"
#: By tenant: account, time zone, approver in ServiceNow.
TENANTS = {"contoso": ("222222222222", "Europe/Berlin", "ana"), "fabrikam": ("333333333333", "America/New_York", "ben")}
CANARIES, NODES = 2, 7
CHANGED, EXCEPTED, FAILING = "contoso-5", "fabrikam-6", "contoso-1"


class Died(BaseException):
    """The end of a process."""


def policy(root: Path, name: str, port: int) -> dict[str, Any]:
    account, zone, _approver = TENANTS[name]
    schedules = {"canary": "0 22 ? * * *", "sat": "0 22 ? * SAT *", "sun": "0 22 ? * SUN *"}
    windows = [
        {"name": key, "schedule": f"cron({fields})", "duration_hours": 4, "cutoff_hours": 1, "timezone": zone}
        for key, fields in schedules.items()
    ]
    waves = [
        {"name": "canary", "window": "canary", "select": {"tags": {"Environment": "dev"}}, "soak_minutes": 60},
        {"name": "prod", "window": "tag"},
    ]
    mail = {"host": "127.0.0.1", "port": port, "security": "none", "sender": "patching@provider.example"}
    return {
        "version": 1,
        "name": name,
        "estate": {"regions": ["eu-central-1"], "accounts": [{"role_arn": f"arn:aws:iam::{account}:role/patchtide"}]},
        "windows": windows,
        "waves": waves,
        "patching": {"pin": "baseline"},
        "approval": {"required": True},
        "owners": [{"name": "team", "people": [f"dana-{name}"], "select": {"accounts": [account]}}],
        "exceptions": {"ledger": str(root / name / "exceptions.json"), "tag": ""},
        "notices": {"routes": [{"name": "team", "mail": {**mail, "to": [f"team@{name}.example"]}}]},
    }


def node(name: str, number: int) -> Candidate:
    host = f"{name}-{number}"
    tags = {"Environment": "dev" if number < CANARIES else "prod", "MaintenanceWindow": "sat"}
    account = TENANTS[name][0]
    return Candidate(node_id=host, host=host, executor="linux", platform="linux", account=account, tags=tags)


class Desk:
    """Tickets, by the Table API: what the role does in its steps open, implement, incidents and close.

    :param dies: called after each write; raises where the process ends.
    """

    def __init__(self, world: World, ask: Callable[..., dict[str, Any]]) -> None:
        self.instance, self.ask, self.dies = ServiceNow(world), ask, lambda: None

    def call(self, method: str, path: str, body: Any = None) -> Any:
        given = {"json": body} if body is not None else {}
        answer = Client(self.instance).open(path, method=method, auth=("patching", "changeme"), **given)
        if answer.status_code >= 400:
            raise AssertionError(f"{method} {path}: {answer.get_data(as_text=True)}")
        if method != "GET":
            self.dies()
        return (answer.get_json() or {}).get("result")

    def find(self, table: str, correlation: str) -> dict[str, Any] | None:
        query = f"?sysparm_query=correlation_id={correlation}&sysparm_exclude_reference_link=true"
        rows = [
            row for row in self.call("GET", f"/api/now/table/{table}{query}") if row["correlation_id"] == correlation
        ]
        assert len(rows) < 2, f"{len(rows)} rows of {table} with one correlation ID"
        return rows[0] if rows else None

    def step(self, table: str, row: dict[str, Any], **values: str) -> None:
        changed = self.call("PATCH", f"/api/now/table/{table}/{row['sys_id']}", values)
        assert all(changed[name] == value for name, value in values.items()), "a business rule dropped the write"

    def open(self, folder: Path, approver: str) -> None:
        told, group = self.ask(folder), next(iter(self.instance.world.tables["sys_user_group"]))
        change = told["change"]
        row = self.find("change_request", change["correlation_id"])
        if row is None:
            values = {"start_date": change["start"], "end_date": change["end"], "assignment_group": group}
            values |= {key: change[key] for key in ("correlation_id", "short_description", "description", "type")}
            row = self.call("POST", "/api/now/table/change_request", values)
        if row["state"] == "-5":
            self.attach(row, told["page"])
            self.instance.world.approvers = [approver]
            self.step("change_request", row, state="-4")

    def attach(self, row: dict[str, Any], name: str) -> None:
        kept = self.instance.world.tables["sys_attachment"].values()
        if not [item for item in kept if (item["table_sys_id"], item["file_name"]) == (row["sys_id"], name)]:
            values = {"table_name": "change_request", "table_sys_id": row["sys_id"], "file_name": name}
            self.instance.world.attach(values, b"<html>", "patching")
            self.dies()

    def may_begin(self, folder: Path) -> list[str]:
        """Return why a wave may not begin; else the change is in Implement."""
        row = self.find("change_request", self.ask(folder)["change"]["correlation_id"])
        if row is None:
            return ["there is no change"]
        if not (whys := self.ask(folder, change=row)["objections"]) and row["state"] == "-2":
            self.step("change_request", row, state="-1")
        return list(whys)

    def update(self, folder: Path) -> None:
        """Bring the incidents up to date, and close the change of a finished rollout."""
        told = self.ask(folder)
        for item in told["incidents"]:
            row = self.find("incident", item["correlation_id"])
            if row is None and not item["recovered"]:
                caller = next(iter(self.instance.world.tables["sys_user"]))
                values = {key: item[key] for key in ("correlation_id", "short_description", "description")}
                self.call("POST", "/api/now/table/incident", {**values, "caller_id": caller})
            elif row and item["recovered"] and row["state"] != "6":
                notes = {"close_code": "Solution provided", "close_notes": "Its nodes are patched."}
                self.step("incident", row, state="6", **notes)
        row = self.find("change_request", told["change"]["correlation_id"])
        if row and told["finished"] and row["state"] != "3":
            if row["state"] == "-1":
                self.step("change_request", row, state="0")
            self.step("change_request", row, state="3", **told["outcome"])


def act(module: Any, **options: Any) -> dict[str, Any]:
    """Run a production action; an error that it returns is raised."""
    args = {key: str(value) if isinstance(value, Path) else value for key, value in options.items()}
    task = Mock(args=args, check_mode=False, diff=False, async_val=0, environment=[])
    found: dict[str, Any] = module.ActionModule(task, Mock(), Mock(), Mock(), Mock(), None).run(task_vars={})
    if found.get("failed"):
        raise PatchtideError(found["msg"])
    return found


@dataclass
class Month:
    """:param chance: when processes die. :param deadly: whether they do."""

    root: Path
    mails: MailReceiver
    chance: random.Random
    deadly: bool = True
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOW))
    world: World = field(default_factory=lambda: World(now="2026-10-01 12:00:00"))
    deaths: Counter[str] = field(default_factory=Counter)
    left: int = 10**9
    gaps: int = 0
    seen: list[str] = field(default_factory=list)
    paused_page: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.desk = Desk(self.world, lambda folder, **more: act(rollout_ticket, dir=folder, **more))
        self.desk.dies = lambda: self.die("desk", 4)
        self.nodes = FakeExecutor(
            self.clock, size=3, script={(stage, FAILING): ["failed", "ok"] for stage in ("patch", "verify")}
        )
        rows = {name: {"accounts": [account]} for name, (account, *_rest) in TENANTS.items()}
        (self.root / "patchtide_tenants.yml").write_text(yaml.safe_dump({"tenants": rows}), "utf-8")
        for name in TENANTS:
            (self.root / name).mkdir()
            (self.root / name / "policy.yml").write_text(yaml.safe_dump(policy(self.root, name, self.mails.port)))
        #: What people do, and when.
        self.people: list[tuple[datetime, Callable[[], None]]] = [
            (NOW + timedelta(hours=hours), what)
            for hours, what in (
                (1, self.change_window),
                (2, lambda: self.plan("contoso")),
                (3, lambda: self.plan("fabrikam")),
                (20, lambda: self.approve("contoso")),
                (30, lambda: self.ask_exception("requested", "dana-fabrikam")),
                (33, lambda: self.ask_exception("approved", "eve")),
                (35, self.look_at_page),
                (36, self.retry),
                (36.5, lambda: self.approve("fabrikam")),
                (46, self.extend),
            )
        ]

    # ---- people ----

    def change_window(self) -> None:
        rules, nodes = to_policy(policy(self.root, "contoso", 1)), [node("contoso", at) for at in range(NODES)]
        request = Request(by="dana-contoso", nodes=(CHANGED,), window="sun", until=None, reason="release on Saturday")
        check_request(request, rules, self.clock.now().date())
        pairs = owned(request.by, request.nodes, rules, nodes)
        self.windows, _records = choose(request, pairs, [], "MaintenanceWindow", to_time(self.clock.now()))

    def plan(self, name: str) -> None:
        rules = to_policy(policy(self.root, name, self.mails.port))
        nodes = [node(name, at) for at in range(NODES)]
        nodes = [with_window(item, self.windows.get(item.node_id, "sat"), "MaintenanceWindow") for item in nodes]
        scans = {item.node_id: {"status": "succeeded", "missing": [{"id": "curl"}]} for item in nodes}
        scan = {"schema": SCHEMA, "at": to_time(self.clock.now()), "nodes": scans, "failed_places": []}
        identity = {"created_at": to_time(self.clock.now()), "rollout": name.encode().hex().ljust(32, "0")}
        plan = build_plan(nodes, rules, scan, policy_digest=rules.digest, **identity)
        planner = {"login": "patchtide", "awx_user": "", "awx_user_id": 0, "awx_job": 0}
        folder = self.folder(name)
        folder.mkdir()
        (folder / "plan.json").write_text(json.dumps(seal({**plan, "planner": planner})), "utf-8")

    def approve(self, name: str) -> None:
        self.world.decide(self.change(name)["number"], TENANTS[name][2], "approved", TENANTS[name][2])

    def ask_exception(self, state: str, who: str) -> None:
        rules = to_policy(policy(self.root, "fabrikam", 1)).exceptions
        options = {"node": EXCEPTED, "from": "2026-10-03", "to": "2026-11-15", "reason": "migration", "state": state}
        today, at = self.clock.now().date(), to_time(self.clock.now())
        LedgerFile(Path(rules.ledger)).change(
            name_of(options), lambda before: declare(before, options, rules, who=who, today=today, at=at)
        )

    def look_at_page(self) -> None:
        self.paused_page = self.page()

    def retry(self) -> None:
        decided = Decision(by="olga", action="retry", wave="canary", reason="the mirror is back", nodes=(FAILING,))
        RolloutDir(self.folder("contoso"), self.clock).record(decided)

    def extend(self) -> None:
        """What is left over needs a longer planned window, as docs/servicenow.md says."""
        row = self.world.tables["change_request"][self.change("contoso")["sys_id"]]
        self.world.update(row, {"end_date": "2026-10-20 00:00:00"}, "ana")

    # ---- places ----

    def folder(self, name: str) -> Path:
        return self.root / name / "2026-10"

    def rollouts(self) -> dict[str, RolloutDir]:
        names = [name for name in TENANTS if (self.folder(name) / "plan.json").exists()]
        return {name: RolloutDir(self.folder(name), self.clock) for name in names}

    def change(self, name: str) -> dict[str, Any]:
        row = self.desk.find("change_request", act(rollout_ticket, dir=self.folder(name))["change"]["correlation_id"])
        assert row
        return row

    def page(self) -> dict[str, Any]:
        dest = self.root.parent / "page"
        act(tenants_overview, dir=self.root, dest=dest)
        found: dict[str, Any] = json.loads((dest / "tenants.json").read_text("utf-8"))
        html = (dest / "index.html").read_text("utf-8")
        for row in found["tenants"]:
            assert row["name"] in html and (not row["last"] or row["last"]["title"] in html)
        return {row["name"]: row for row in found["tenants"]}

    # ---- machines ----

    def die(self, who: str, one_in: int) -> None:
        if self.deadly and self.chance.randrange(one_in) == 0:
            self.deaths[who] += 1
            raise Died

    def tick(self) -> None:
        self.world.now = f"{self.clock.now():%Y-%m-%d %H:%M:%S}"
        while self.people and self.people[0][0] <= self.clock.now():
            self.people.pop(0)[1]()
        for name in self.rollouts():
            with suppress(Died):
                self.desk.open(self.folder(name), TENANTS[name][2])
        self.notify()
        with suppress(Died):
            self.run_due()
        for name in self.rollouts():
            with suppress(Died):
                self.desk.update(self.folder(name))
        self.notify()

    def notify(self) -> None:
        """Send the notices of each tenant. A kill after a delivery leaves the ledger without its record."""
        for name in TENANTS:
            found = act(notices, policy_file=self.root / name / "policy.yml", dir=self.root / name)
            assert not found["failed_routes"] and not found["problems"], found
            ledger = self.root / name / "notices.jsonl"
            if found["notices"] and self.deadly and self.chance.randrange(6) == 0:
                lines = ledger.read_text("utf-8").splitlines(keepends=True)
                last = max(at for at, line in enumerate(lines) if "key" in json.loads(line))
                ledger.write_text("".join(lines[:last]), "utf-8")
                self.gaps += 1

    def run_due(self) -> None:
        def objection(rollout: RolloutDir) -> str | None:
            return objection_to_begin(rollout, LOGIN, {})

        found = Search(root=self.root, ahead=AHEAD, objection=objection).all(self.clock.now())
        assert not [item.broken for item in found if item.broken]
        chosen = take_one(found, write=True)
        if chosen is None or chosen.agenda is None or chosen.agenda.need is not Need.DUE:
            return
        self.left = self.chance.choice([2, 5, 9, 20, 10**9]) if self.deadly else 10**9
        self.life(chosen.folder)

    def life(self, folder: Path) -> None:
        """One run of rollout_patches, from its start to its end or its death at a record."""
        kept, month = RolloutDir.record, self

        def mortal(rollout: RolloutDir, *given: Any) -> Any:
            if month.left <= 0:
                month.deaths["controller"] += 1
                raise Died
            month.left -= 1
            return kept(rollout, *given)

        rules = to_policy(yaml.safe_load((folder.parent / "policy.yml").read_text("utf-8")))
        with patch.object(RolloutDir, "record", mortal):
            act(rollout_journal, dir=folder, state="opened", scheduled=True, approval_required=True,
                policy_digest=rules.digest, window_wait_minutes=30)  # fmt: skip
            for item in play_order(RolloutDir(folder, self.clock).state)["play_hosts"]:
                if self.desk.may_begin(folder) or not self.drive(folder, item["wave"], item["turn"], rules):
                    break
                if item["last_turn"] and not self.judge(folder, item["wave"]):
                    break
            act(rollout_journal, dir=folder, state="closed")

    def drive(self, folder: Path, wave: str, turn: int, rules: Any) -> bool:
        rollout = RolloutDir(folder, self.clock)
        if rollout.state.waves[wave].status == "waiting":
            WaveCheck(rollout, LOGIN, {})(wave)
        watch = Watch(
            rollout,
            rules,
            {},
            lambda line: None,
            lambda planned: [planned_candidate(row, "Application") for row in planned],
        )
        tempo, notes, pins = Tempo(self.clock, rehearsal=True), Notes(rollout, lambda line: None), FakePins()
        permits = Permits(rollout, wave, watch, pins, tempo, notes)  # type: ignore[arg-type]  # pins of a fake
        driver = Driver(
            rollout=rollout,
            wave=wave,
            courses=Courses(rollout, wave, {"linux": self.nodes}, permits, tempo, notes),
            permits=permits,
            preparer=lambda what: NothingToStart(rollout, wave, {"calls": [], "stuck": set()}, lambda line: None),
            opening=Opening(rollout, lambda line: None, wait_minutes=30),
            tempo=tempo,
            notes=notes,
            preparations=Preparations([]),
            progress=WaveProgress(wave, lambda line: None),
            turn=turn,
        )
        try:
            driver.run("worked")
        except OutsideWindow:
            return False
        return True

    def judge(self, folder: Path, wave: str) -> bool:
        state = RolloutDir(folder, self.clock).state
        if any(state.nodes[item].stage != DONE for item in state.waves[wave].nodes):
            return False
        return bool(act(rollout_gate, dir=folder, wave=wave, soak_wait_minutes=30)["verdict"] == "promote")

    def go(self, until: datetime) -> None:
        while self.clock.now() < until:
            before = self.clock.now()
            self.tick()
            now = self.clock.now()
            states = [agenda(item.state, now, AHEAD) for item in self.rollouts().values()]
            times = [item.at for item in states if item.at] + [at for at, _what in self.people]
            soon = min([now + LONGEST, *(max(at, now) for at in times)])
            self.clock.moment = max(before + TICK, now, soon)


@pytest.fixture
def months(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Month]]:
    """Yield what makes a month, with all clocks and the trust of the controller in place."""
    with ExitStack() as stack:

        def make(**more: Any) -> Month:
            root = tmp_path / "tenants"
            root.mkdir()
            month = Month(root, stack.enter_context(mail_receiver()), **more)
            for module in (notices, rollout_gate, rollout_journal, rollout_ticket, tenants_overview, due_plans):
                monkeypatch.setattr(module, "find_clock", lambda: month.clock)
            trust = to_trust(month)
            for module in (plan_check, rollout_journal, tenants_overview):
                monkeypatch.setattr(module, "find_trust", lambda *args, **more: trust)
            source = ServiceNowApprovals(INSTANCE, trust.bundle, lambda path: {"result": month.desk.call("GET", path)})
            monkeypatch.setitem(sources.SOURCES, "servicenow", lambda folder, trust, job: source)
            monkeypatch.setattr(rollout_journal, "find_operator", lambda task_vars: LOGIN)
            read = cache(load_policy)  # the files do not change, and reading one takes longer than all of a run
            for module in (notices, due_plans, tenant_directory):
                monkeypatch.setattr(module, "load_policy", read)
            monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
            monkeypatch.delenv("PATCHTIDE_CLOCK", raising=False)
            return month

        yield make


def to_trust(month: Month) -> Trust:
    """Trust one approver of each tenant, by their users in ServiceNow."""
    users = {row["user_name"]: key for key, row in month.world.tables["sys_user"].items()}
    people = {
        approver: Person(principal=approver, roles=(name,), servicenow={INSTANCE: users[approver]})
        for name, (_account, _zone, approver) in TENANTS.items()
    }
    people["patchtide"] = Person(principal="patchtide", service=True, logins=("patchtide",))
    environments = tuple(Environment(name=name, accounts=(row[0],)) for name, row in TENANTS.items())
    plans = tuple(
        Requirement(people=(Demand(roles=(name,)),), environments=(name,), sources=("servicenow",), max_hours=2000)
        for name in TENANTS
    )
    bundle = Bundle(version=1, people=people, roles={}, environments=environments, plans=plans)
    pins = Pins(bundle="bundle.yml", root_keys={}, signatures=1, lowest_version=1)
    return Trust(pins=pins, bundle=bundle, digest="0" * 64, files={}, check=Mock())


def records(month: Month, name: str, kind: str) -> list[Any]:
    rollout = month.rollouts()[name]
    return [item for item in rollout.stores.open_journal(rollout.plan["rollout"]).stream() if item.kind == kind]


def installs(month: Month, name: str) -> Counter[str]:
    """Return how often the nodes themselves began an install, by the ledger of the executor."""
    found: Counter[str] = Counter()
    for item in records(month, name, "intent"):
        if item.data["stage"] == "patch" and item.data["token"] in month.nodes.begun:
            found.update(item.data["nodes"])
    return found


@pytest.mark.parametrize("seed", [None, 1])
def test_journal_tickets_mails_and_page_agree(months: Callable[..., Month], seed: int | None) -> None:
    month = months(chance=random.Random(seed or 0), deadly=seed is not None)
    month.go(NOW + timedelta(days=31))
    assert not month.people
    if seed is not None:
        assert min(month.deaths["controller"], month.deaths["desk"], month.gaps) > 1, (month.deaths, month.gaps)
    check_journals(month)
    check_tickets(month)
    check_mails(month)
    check_page(month)


def check_journals(month: Month) -> None:
    for name, rollout in month.rollouts().items():
        assert (rollout.state.status, rollout.state.finished) == ("completed", True)
        done = {str(row["node_id"]): str(row["status"]) for row in final_results(rollout.state)}
        held = {EXCEPTED} if name == "fabrikam" else set()
        assert {node for node, status in done.items() if status == "skipped"} == held
        assert {status for node, status in done.items() if node not in held} == {"succeeded"}
        expected = Counter({node: 1 for node in done if node not in held}) + Counter(
            {FAILING: 1} if FAILING in done else {}
        )
        assert installs(month, name) == expected, "once for each node, and once more for the one that was retried"
        assert all(node.startswith(name) for node in done), "a node of another tenant"
    nights = {row["node_id"]: row for wave in month.rollouts()["contoso"].plan["waves"] for row in wave["nodes"]}
    (prod,) = [wave for wave in month.rollouts()["contoso"].plan["waves"] if wave["name"] == "prod"]
    days = {key: date.fromisoformat(prod["nights"][row["night"] - 1]["local"][4:14]).strftime("%a")
            for key, row in nights.items() if "prod" in row["tags"].values()}  # fmt: skip
    assert days.pop(CHANGED) == "Sun" and set(days.values()) == {"Sat"}, "the owner's window is one node's"


def check_tickets(month: Month) -> None:
    tables = month.world.tables
    assert len(tables["change_request"]) == len(TENANTS), "one change for each plan"
    for name in TENANTS:
        row = month.change(name)
        clicks = [item for item in tables["sysapproval_approver"].values() if item["sysapproval"] == row["sys_id"]]
        assert [item["state"] for item in clicks] == ["approved"] and (row["state"], row["approval"]) == (
            "3",
            "approved",
        )
        proofs = {proof["principal"] for item in records(month, name, "approved") for proof in item.data["proofs"]}
        assert proofs == {TENANTS[name][2]}, "the journal has the approver of this tenant and nobody else"
        outcome = act(rollout_ticket, dir=month.folder(name))["outcome"]
        assert (row["close_code"], row["close_notes"]) == (outcome["close_code"], outcome["close_notes"])
    told = [item for name in TENANTS for item in act(rollout_ticket, dir=month.folder(name))["incidents"]]
    open_ones = {item["correlation_id"] for item in told if not item["recovered"]}
    rows = {row["correlation_id"]: row["state"] for row in tables["incident"].values()}
    assert len(rows) == len(tables["incident"]), "no incident twice"
    paused = {act(rollout_ticket, dir=month.folder("contoso"))["incidents"][0]["correlation_id"]}
    assert set(rows) == paused | open_ones
    assert {key for key, state in rows.items() if state == "6"} == paused - open_ones, "what recovered is resolved"


def check_mails(month: Month) -> None:
    by_key: dict[str, list[Any]] = {}
    for mail in month.mails.mails:
        by_key.setdefault(str(mail["Message-ID"]), []).append(mail)
    repeated = sum(len(mails) - 1 for mails in by_key.values())
    assert repeated == month.gaps, "again only where a kill lost the record, and then with the same key"
    for name in TENANTS:
        mails = [found[0] for found in by_key.values() if found[0]["To"] == f"team@{name}.example"]
        other = next(item for item in TENANTS if item != name)
        assert mails and not [mail for mail in mails if other in f"{mail['Subject']} {mail.get_content()}"], other
        lines = map(json.loads, (month.root / name / "notices.jsonl").read_text("utf-8").splitlines())
        kinds = Counter(line["kind"] for line in lines if "key" in line)
        assert kinds.total() == len(mails), "the ledger has each mail once"
        gates = Counter(item.data["verdict"] for item in records(month, name, "gate"))
        expected = {"started": len(records(month, name, "rollout_started")), "paused": gates["pause"]}
        expected |= {"finished": len(records(month, name, "rollout_finished")), "plan_made": 1}
        ledger = LedgerFile(month.root / name / "exceptions.json").read()
        expected |= {"exception_requested": len(ledger), "exception_approved": sum(row.is_approved for row in ledger)}
        assert {kind: kinds[kind] for kind in expected} == expected, kinds
        assert kinds["impending"] > 0


def check_page(month: Month) -> None:
    before, after = month.paused_page, month.page()
    texts = {name: [item["text"] for item in row["open_decisions"]] for name, row in before.items()}
    assert len(texts["contoso"]) == 1 and "canary paused the rollout" in texts["contoso"][0]
    assert len(texts["fabrikam"]) == 1 and "is not approved" in texts["fabrikam"][0], "nobody has clicked yet"
    for name, rollout in month.rollouts().items():
        row, statuses = after[name], Counter(str(item["status"]) for item in final_results(rollout.state))
        assert row["open_decisions"] == [] and row["next"] is None
        assert (row["last"]["rollout"], row["last"]["at"]) == (rollout.plan["rollout"], rollout.last_at)
        assert (row["last"]["nodes"]["good"], row["last"]["nodes"]["held"]) == (
            statuses["succeeded"],
            statuses["skipped"],
        )
        change = month.change(name)
        assert change["close_notes"].startswith(row["last"]["title"]), "page and ticket conclude the same"
        force = [item for item in LedgerFile(month.root / name / "exceptions.json").read() if item.is_approved]
        assert row["exceptions"]["in_force"] == len(force)
        assert from_time(row["last"]["at"]) <= month.clock.now()
