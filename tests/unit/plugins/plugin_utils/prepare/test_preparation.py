# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Power, tags and load balancer targets: prepared once, restored once, whatever happens in between."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError, TakenOver
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    Claimed,
    Event,
    Outcome,
    Prepared,
    Resumed,
    WaveStarted,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Place
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.prepare.ports import Target
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.due import due
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import WHOLE_WAVE
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare import last_patched, preparers
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare.places import (
    Clouds,
    PlacePorts,
    is_in_cloud,
    is_instance,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare.power import STARTED_TAG
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.prepare.preparation import (
    Preparer,
    at_once,
    preparing,
    restoring,
)
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.rollout.folder import RolloutDir

from tests.fakes.events import started
from tests.fakes.fleet_port import FakeClock
from tests.fakes.nodes import FakeDrain, FakeNode, FakeNodes, FakeNodeTags, FakePower
from tests.fakes.plans import completed

WEB, SPARE, PLANT = "i-0000000000000000a", "i-0000000000000000b", "mi-0000000000000000c"
OPTIONS = {"tag": "patch-now", "timeout_minutes": 5, "poll_interval": 15, "update_agent": False, "accounts": []}
GROUP = Target(node_id=WEB, group="shop", target_id=WEB, port=80)


class Night:
    """One wave of three nodes that has begun: one serves requests, one is stopped, one is not in EC2."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.clock, self.lines = folder, FakeClock(), list[str]()
        self.world = FakeNodes([FakeNode(WEB), FakeNode(SPARE, power="stopped"), FakeNode(PLANT)])
        self.balancer = FakeDrain(self.world, {"shop": [GROUP]})
        self.begun = self.clock.moment
        self.monkeypatch: Any = None
        self.real_ports: Any = None
        nodes = [self._node(WEB), self._node(SPARE, start=True), self._node(PLANT)]
        plan = completed([{"name": "w", "nodes": nodes, "reboot_rule": "never"}])
        (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
        self.rollout = self.again()
        self.rollout.record(started(plan["digest"]))
        self.rollout.record(Claimed(wave="w", nodes=(WEB, SPARE, PLANT)))

    def _node(self, node_id: str, *, start: bool = False) -> dict[str, Any]:
        more = {"name": node_id, "host": node_id, "executor": "ssm", "account": "1" * 12, "region": "eu-central-1"}
        return {"node_id": node_id, **more, "platform": "linux", "start": start, "patch_count": 1}

    def again(self) -> RolloutDir:
        """What a controller sees that starts now."""
        self.rollout = RolloutDir(self.folder, self.clock)
        return self.rollout

    def preparer(self, what: str, **options: Any) -> Preparer:
        return preparers.PREPARERS[what](self.rollout, "w", {**OPTIONS, **options}, self.lines.append)

    def record(self, event: type[Event], **data: Any) -> None:
        self.rollout.record(event(wave="w", **data))

    def pass_prechecks(self, *nodes: str) -> None:
        self.record(WaveStarted)
        self.record(Outcome, stage="precheck", results=tuple({"node_id": node, "outcome": "pass"} for node in nodes))

    def finish(self, *nodes: str, status: str = "succeeded") -> None:
        rows = [{"node_id": node, "status": status, "ended_at": "2026-06-01T22:00:00Z"} for node in nodes]
        self.record(Outcome, stage="verify", results=tuple(rows))

    def restore(self, what: str) -> dict[str, str]:
        (found,) = [item for item in due(self.rollout.state) if item.kind == "restore" and item.stage == what]
        return at_once(restoring(self.preparer(what), found.nodes))

    def prepare(self, what: str) -> list[str]:
        preparer = self.preparer(what)
        return at_once(preparing(preparer, preparer.wanted()))

    def kinds(self) -> list[str]:
        return [json.loads(line)["kind"] for line in (self.folder / "journal.jsonl").read_text().splitlines()]


@pytest.fixture
def night(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Night:
    made = Night(tmp_path)

    def sleep(seconds: float) -> None:
        made.clock.moment += timedelta(seconds=seconds)
        made.world.advance(seconds)

    monkeypatch.setattr(made.clock, "sleep", sleep)
    made.monkeypatch, made.real_ports = monkeypatch, Clouds.ports
    ports = PlacePorts(FakePower(made.world), FakeNodeTags(made.world), made.balancer)
    monkeypatch.setattr(Clouds, "ports", lambda self, place, *, azure: ports)
    return made


def test_a_stopped_instance_is_started_tagged_awaited_and_stopped_again(night: Night) -> None:
    assert night.prepare("started") == [SPARE]
    spare = night.world.nodes[SPARE]
    assert FakePower(night.world).ping([SPARE]) == {SPARE: "Online"} and night.world.state(spare) == "running"
    assert spare.tags == {STARTED_TAG: night.rollout.plan["rollout"]}
    night.finish(SPARE)
    assert night.restore("started") == {}
    assert (spare.power, spare.tags, night.rollout.state.prepared) == ("stopped", {}, {})


def test_one_that_somebody_started_meanwhile_is_not_prepared(night: Night) -> None:
    night.world.nodes[SPARE].power = "running"
    assert night.prepare("started") == [] and Prepared.kind not in night.kinds()


def test_one_whose_tag_was_taken_away_stays_up(night: Night) -> None:
    night.prepare("started")
    night.world.nodes[SPARE].tags.clear()
    night.finish(SPARE)
    assert night.restore("started") == {} and night.world.nodes[SPARE].power == "running"


def test_one_that_somebody_took_back_by_hand_stays_theirs_also_after_a_crash(night: Night) -> None:
    """A controller dies after StartInstances, and a person takes the tag off: the next one leaves the node alone."""
    night.prepare("started")
    night.world.nodes[SPARE].tags.clear()
    night.again()
    assert night.prepare("started") == [SPARE], "it runs, so it is patched"
    assert night.world.nodes[SPARE].tags == {}
    night.finish(SPARE)
    assert night.restore("started") == {} and night.world.nodes[SPARE].power == "running"


def test_a_controller_that_was_succeeded_neither_prepares_nor_restores(night: Night) -> None:
    night.rollout.act_as("c")
    RolloutDir(night.folder, night.clock).record(Resumed(operator="dana", controller="elsewhere/1/2"))
    with pytest.raises(TakenOver):
        night.prepare("started")
    assert night.world.nodes[SPARE].power == "stopped" and night.world.nodes[SPARE].tags == {}
    night.again().act_as("elsewhere/1/2")
    night.prepare("started")
    night.finish(SPARE)
    RolloutDir(night.folder, night.clock).record(Resumed(operator="dana", controller="third/1/3"))
    with pytest.raises(TakenOver):
        night.restore("started")
    assert night.world.nodes[SPARE].power == "running"


def test_one_that_does_not_start_is_missed_and_not_left_tagged(night: Night) -> None:
    night.world.nodes[SPARE].no_start = "InsufficientInstanceCapacity: none left"
    assert night.prepare("started") == []
    final = night.rollout.state.nodes[SPARE].final
    assert final is not None and final["status"] == "skipped"
    assert final["error"] == {"code": "missed_not_started", "text": "InsufficientInstanceCapacity: none left"}
    assert night.restore("started") == {} and night.world.nodes[SPARE].tags == {}


def test_it_is_known_before_it_is_done_and_done_again_after_a_crash(night: Night, monkeypatch: Any) -> None:
    def die(nodes: object) -> dict[str, str]:
        raise KeyboardInterrupt

    preparer = night.preparer("started")
    monkeypatch.setattr(preparer, "prepare", die)
    with pytest.raises(KeyboardInterrupt):
        at_once(preparing(preparer, preparer.wanted()))
    assert night.kinds()[-1] == Prepared.kind and night.world.nodes[SPARE].power == "stopped"
    night.again()
    assert night.prepare("started") == [SPARE] and night.world.nodes[SPARE].power == "running"
    assert night.kinds().count(Prepared.kind) == 1


def test_a_target_is_drained_before_and_healthy_after(night: Night) -> None:
    night.pass_prechecks(WEB, PLANT)
    assert night.prepare("drained") == [WEB]
    assert night.balancer.groups == {"shop": {}} and night.balancer.health([GROUP]) == {GROUP: "unused"}
    night.finish(WEB)
    assert night.restore("drained") == {} and night.balancer.health([GROUP]) == {GROUP: "healthy"}
    assert night.rollout.state.waves["w"].problems == {}


def test_one_that_does_not_drain_in_time_is_missed(night: Night) -> None:
    night.balancer.delay = 3600
    night.pass_prechecks(WEB)
    assert night.prepare("drained") == []
    final = night.rollout.state.nodes[WEB].final
    assert final is not None and final["error"] == {"code": "missed_not_drained", "text": "shop: draining"}
    assert night.restore("drained") == {} and night.balancer.health([GROUP]) == {GROUP: "healthy"}


def test_one_that_does_not_come_back_into_service_is_a_problem_for_the_gate(night: Night) -> None:
    night.pass_prechecks(WEB)
    night.prepare("drained")
    night.balancer.serves = False
    night.finish(WEB)
    assert night.restore("drained") == {}
    assert night.rollout.state.waves["w"].problems == {WEB: "shop: unhealthy"}


def test_what_could_not_be_restored_stays_prepared_until_it_can(night: Night) -> None:
    night.pass_prechecks(WEB, PLANT)
    assert night.prepare("patch_now") == [WEB, PLANT]
    night.finish(WEB, PLANT)
    night.world.denied = "UnauthorizedOperation: not you"
    assert night.restore("patch_now") == dict.fromkeys((WEB, PLANT), "UnauthorizedOperation: not you")
    assert set(night.again().state.prepared["w", "patch_now"]) == {WEB, PLANT}
    night.world.denied = ""
    assert night.restore("patch_now") == {} and night.rollout.state.prepared == {}
    assert night.world.nodes[WEB].tags == night.world.nodes[PLANT].tags == {}


def test_a_node_that_cannot_be_tagged_is_patched_all_the_same(night: Night) -> None:
    night.pass_prechecks(WEB)
    night.world.denied = "UnauthorizedOperation: not you"
    night.prepare("patch_now")
    assert night.rollout.state.nodes[WEB].stage == "patch"
    assert any("not patch_now: UnauthorizedOperation" in line for line in night.lines)


def test_the_date_is_written_where_patching_succeeded(night: Night) -> None:
    night.record(WaveStarted)
    night.finish(WEB)
    night.finish(PLANT, status="failed")
    options = {**OPTIONS, "last_patched": "LastPatched"}
    last_patched.mark_patched(night.rollout, "w", options, night.lines.append)
    assert night.world.nodes[WEB].tags == {"LastPatched": "2026-06-01"} and night.world.nodes[PLANT].tags == {}


def test_clouds_open_the_ports_of_their_places(night: Night) -> None:
    """A subscription that can't be opened is the trouble of its own machines."""
    vm = "/subscriptions/s/resourcegroups/rg/providers/microsoft.compute/virtualmachines/web"
    night.rollout.nodes[vm] = {**night.rollout.nodes[WEB], "node_id": vm, "account": "s", "region": "westeurope"}

    class NoAzure:
        def of(self, subscription: str) -> Any:
            raise PatchtideError(f"no credentials for {subscription}")

    def ports(self: Clouds, place: Place, *, azure: bool) -> PlacePorts:
        return real(self, place, azure=True) if azure else fake

    fake, real = PlacePorts(FakePower(night.world), FakeNodeTags(night.world), night.balancer), night.real_ports
    night.monkeypatch.setattr(Clouds, "ports", ports)
    preparer = night.preparer("patch_now")
    preparer.clouds = Clouds(preparer.clouds.sessions, NoAzure)  # type: ignore[arg-type] # the call that is made
    assert is_instance(night.rollout.nodes[vm]) and is_in_cloud(night.rollout.nodes[vm])
    assert preparer.prepare({WEB: {"tag": "t"}, vm: {"tag": "t"}}) == {vm: "no credentials for s"}
    assert night.world.nodes[WEB].tags == {"patch-now": night.rollout.plan["rollout"]}


def test_what_servers_give_is_recorded_before_it_is_done_and_again_after_a_crash(night: Night) -> None:
    servers = [{"kind": "wsus", "address": "wsus-01", "targets": {"w": "Dev"}, "kbs": ["KB5990101"]}]
    policy = {"name": "p", "version": 1, "waves": [{"name": "w"}], "repositories": {"servers": servers}}
    night.record(WaveStarted)
    preparer = night.preparer("promoted", policy=policy)
    assert at_once(preparing(preparer, preparer.wanted())) == [WHOLE_WAVE]
    (step,) = night.rollout.state.prepared["w", "promoted"][WHOLE_WAVE]["servers"]
    assert (step["target"], step["kbs"]) == ("Dev", ["KB5990101"])
    events = night.rollout.events
    again = night.preparer("promoted", policy=policy)
    assert at_once(preparing(again, again.wanted())) == [WHOLE_WAVE]
    assert night.rollout.events == events
    none = night.preparer("promoted", policy={**policy, "repositories": {}})
    assert none.wanted() == []


def test_a_wave_without_nodes_gets_what_servers_have_for_it_as_well(tmp_path: Path) -> None:
    """Its nodes had nothing to install at the scan: they find it in the next one."""
    night = Night(tmp_path)
    plan = completed([{"name": "w", "nodes": [], "reboot_rule": "never"}])
    for name in ("journal.jsonl", "journal.head"):
        (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / "plan.json").write_text(json.dumps(plan), "utf-8")
    night.again().record(started(plan["digest"]))
    servers = [{"kind": "wsus", "address": "wsus-01", "targets": {"w": "Dev"}, "kbs": ["KB5990101"]}]
    policy = {"name": "p", "version": 1, "waves": [{"name": "w"}], "repositories": {"servers": servers}}
    assert night.preparer("promoted", policy=policy).wanted() == []
    night.record(WaveStarted)
    assert night.preparer("promoted", policy=policy).wanted() == [WHOLE_WAVE]
