# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Run Command's answers mean for a node: unknown is never "nothing ran"."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.model import Status
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.catch_up import final_without_look
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.rollout.state import failure_class, next_stage
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import Chunk, send
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation, PatchState
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import ChunkStage
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import InstallStage
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.driving import planned
from tests.fakes.fleet_port import START, FakeClock, FakeFleet, chunk, patch_state

LAST_MONTH = START - timedelta(days=30)
Results = dict[str, dict[str, Any]]


class Told(FakeFleet):
    """Says at each look what it is told, the last word for ever; ``None``: the look is refused."""

    words: Sequence[str | None] = ()
    looks: int = 0

    def invocations(self, command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        word = self.words[min(self.looks, len(self.words) - 1)]
        self.looks += 1
        if word is None:
            raise ServiceError("read the command", "AccessDeniedException", "not now")
        request, _at = self.commands[command_id]
        return [Invocation(node_id=node, status=word) for node in request.node_ids] if word else []


def told(*words: str | None, **options: Any) -> Told:
    fleet = Told(FakeClock(), **options)
    fleet.words = words
    return fleet


def work_of(fleet: FakeFleet, *nodes: str) -> tuple[ChunkStage, Chunk, Results]:
    """Announce and begin an install; return it with what is known at once."""
    stage, part = ChunkStage(InstallStage(), fleet.clock), chunk(fleet, nodes or ("a",))
    try:
        part.command_id = send(part, fleet, look_first=False, clock=fleet.clock)
    except PatchtideError as why:
        return stage, part, {row["node_id"]: row for row in stage.refused(part, why, fleet)}
    return stage, part, {}


def results_of(fleet: FakeFleet, *nodes: str, every: float = 15) -> Results:
    """Look as the driver does, until each node has a result."""
    stage, part, found = work_of(fleet, *nodes)
    while part.waiting:
        fleet.clock.sleep(every)
        found |= {row["node_id"]: row for row in stage.look(part, fleet)}
    assert set(found) == set(part.request.node_ids)
    return found


def said(fleet: FakeFleet, *nodes: str, **options: Any) -> dict[str, tuple[str, str]]:
    rows = results_of(fleet, *nodes, **options)
    return {node: (row["status"], row.get("error", {}).get("code", "")) for node, row in rows.items()}


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (["Pending", "DeliveryTimedOut"], ("unreachable", "NeverBegan")),
        (["Delayed", "Pending", "DeliveryTimedOut"], ("unreachable", "NeverBegan")),
        (["DeliveryTimedOut"], ("unknown", "DeliveryTimedOut")),
        (["InProgress", "DeliveryTimedOut"], ("unknown", "DeliveryTimedOut")),
        (["Pending", "InProgress", "DeliveryTimedOut"], ("unknown", "DeliveryTimedOut")),
        (["Pending", None, "DeliveryTimedOut"], ("unknown", "DeliveryTimedOut")),
        (["Pending", "", "DeliveryTimedOut"], ("unknown", "DeliveryTimedOut")),
    ],
)
def test_a_command_that_expired(words: list[str | None], end: tuple[str, str]) -> None:
    """Given to what is InProgress, Pending or Delayed when the command expires (API reference, Command.ExpiresAfter;
    aws/amazon-ssm-agent#289, #316): only one that was seen waiting until then never began (E3)."""
    assert said(told(*words)) == {"a": end}


def test_who_waited_long_ago_may_have_begun_since() -> None:
    """A controller that slept for an hour, as a laptop does, saw nothing of what came after its last look."""
    assert said(told("Pending", "DeliveryTimedOut"), every=1000) == {"a": ("unknown", "DeliveryTimedOut")}


@pytest.mark.parametrize(
    ("words", "end"),
    [
        (["InProgress"], ("unknown", "NoEnd")),
        (["Pending"], ("unreachable", "NeverBegan")),
        ([""], ("unknown", "NoEnd")),
        (["Pending", None], ("unknown", "NoEnd")),
    ],
)
def test_a_deadline_that_is_over(words: list[str | None], end: tuple[str, str]) -> None:
    """InProgress for ever when the agent does not come back (aws/amazon-ssm-agent#320)."""
    fleet = told(*words)
    assert said(fleet) == {"a": end}
    assert fleet.cancelled == ["command-1"]


def test_who_waits_at_the_deadline_may_begin_later_where_the_cancellation_is_refused() -> None:
    """The service gives no guarantee (API reference, CancelCommand), and here it did not even take it."""
    fleet = told("Pending")

    def denied(command_id: str) -> None:
        raise ServiceError("cancel", "AccessDeniedException", "no")

    fleet.cancel = denied
    assert said(fleet) == {"a": ("unknown", "NoEnd")}


def test_given_up_every_node_has_a_result_at_once() -> None:
    """At the window's end nobody waits for states any more."""
    fleet = FakeFleet(FakeClock(), endings={"b": "InProgress"}, state_after=1000)
    fleet.states["a"] = patch_state("a", installed=1)
    stage, part, _none = work_of(fleet, "a", "b")
    fleet.clock.sleep(60)
    assert stage.look(part, fleet) == []
    found = {row["node_id"]: row["error"]["code"] for row in stage.give_up(part, fleet)}
    assert found == {"a": "no_state", "b": "NoEnd"} and part.waiting == () and fleet.cancelled


def test_a_refused_command_ran_nowhere() -> None:
    fleet = FakeFleet(FakeClock(), refuse=ServiceError("send", "AccessDeniedException", "no"))
    assert said(fleet, "a", "b") == dict.fromkeys("ab", ("unreachable", "Refused"))


def test_nodes_that_are_gone_are_left_out_and_the_others_sent() -> None:
    """One of 14 terminated after planning: InvalidInstanceId for the whole call (aws/aws-cli#3646; E6)."""
    fleet = FakeFleet(FakeClock(), gone=frozenset("c"), states={n: patch_state(n, installed=1) for n in "abd"})
    found = said(fleet, *"abcd")
    assert found == {**dict.fromkeys("abd", ("succeeded", "")), "c": ("unreachable", "NotValid")}
    assert [request.node_ids for request, _at in fleet.commands.values()] == [("a", "b", "d")]


def test_where_all_are_gone_each_is_told() -> None:
    fleet = FakeFleet(FakeClock(), gone=frozenset("ab"))
    assert said(fleet, "a", "b") == dict.fromkeys("ab", ("unreachable", "NotValid")) and not fleet.commands


def test_each_refusal_may_name_one_more() -> None:
    fleet = FakeFleet(FakeClock(), gone=frozenset("abcdef"), states={"g": patch_state("g", installed=1)})
    whole = fleet.send

    def one_by_one(request: Any, confirm: Any = None) -> str:
        gone = fleet.gone
        fleet.gone = frozenset(sorted(gone & set(request.node_ids))[:1])
        try:
            return whole(request)
        finally:
            fleet.gone = gone

    fleet.send = one_by_one
    found = said(fleet, *"abcdefg")
    assert found == {**dict.fromkeys("abcdef", ("unreachable", "NotValid")), "g": ("succeeded", "")}


def test_a_command_that_the_service_ended_at_once_is_refused_at_once() -> None:
    """Rate Exceeded cancels a command before any invocation exists (SSM user guide, "Command statuses"; E8)."""
    fleet = FakeFleet(FakeClock(), ended_early="RateExceeded")
    assert said(fleet, "a", "b") == dict.fromkeys("ab", ("unreachable", "Refused"))
    assert sum(fleet.clock.slept) <= 90


def test_an_empty_answer_after_invocations_were_seen_refuses_nobody() -> None:
    """Lists are eventually consistent: a node that was at work was reached, whatever a later page leaves out."""
    fleet = told("InProgress", "", "", "", "", "", "Success", states={"a": patch_state("a", installed=1)})
    fleet.refusal = lambda command_id: "RateExceeded"
    assert said(fleet) == {"a": ("succeeded", "")}


@pytest.mark.parametrize(
    ("state", "after", "end"),
    [
        (patch_state("a", installed=1), 45, ("succeeded", "")),
        (patch_state("a", installed=1), 230, ("succeeded", "")),
        (patch_state("a", installed=1), 400, ("unknown", "no_state")),
        (None, 0, ("unknown", "no_state")),
        (patch_state("a", at=LAST_MONTH, installed=1), 0, ("unknown", "no_state")),
        (patch_state("a", "Scan", installed=1), 0, ("unknown", "no_state")),
        (patch_state("a", at=START - timedelta(minutes=1), installed=1), 0, ("succeeded", "")),  # the node's clock
    ],
)
def test_only_this_commands_patch_state_counts_and_is_waited_for(
    state: PatchState | None, after: float, end: tuple[str, str]
) -> None:
    """Uploads are delayed by seconds to a minute, a document that fails early leaves last month's row (E5)."""
    fleet = FakeFleet(FakeClock(), state_after=after, states={"a": state} if state else {})
    assert said(fleet) == {"a": end}
    assert sum(fleet.clock.slept) <= 60 + 240 + 15


def test_last_months_state_does_not_heal_a_failed_install() -> None:
    """Exit 156, no Python: the Install failed early and last month's row shows no failed patch (E5)."""
    old = {"a": patch_state("a", at=LAST_MONTH, installed=9)}
    assert said(FakeFleet(FakeClock(), endings={"a": "Failed"}, states=old)) == {"a": ("failed", "Failed")}


class Real(FakeFleet):
    """A node with a true history, of which each look sees the moment; some looks are refused or see nothing yet."""

    history: Sequence[tuple[str, bool]] = ()
    seen: Sequence[str] = ()
    step: int = -1

    def invocations(self, command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        self.step += 1
        word, _touched = self.history[min(self.step, len(self.history) - 1)]
        how = self.seen[min(self.step, len(self.seen) - 1)]
        if how == "refused":
            raise ServiceError("read the command", "ThrottlingException", "later")
        return [] if how == "empty" else [Invocation(node_id="a", status=word)]


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[str, bool]]:
    """(status, whether it may have been touched by then). It waits, perhaps works, perhaps ends."""
    waits = draw(st.lists(st.sampled_from(["Pending", "Delayed"]), max_size=4))
    works = draw(st.integers(0, 4))
    ends = ["DeliveryTimedOut", "NeverEnds", "Undeliverable"]
    if works:
        ends = ["DeliveryTimedOut", "NeverEnds", "Success", "Failed", "ExecutionTimedOut", "Cancelled"]
    end = draw(st.sampled_from(ends))
    found = [(word, False) for word in waits] + [("InProgress", True)] * works
    if end != "NeverEnds":
        found.append((end, bool(works)))
    return found or [("Pending", False)]


STATES: list[PatchState | None] = [
    None,
    patch_state("a", at=LAST_MONTH, installed=1),
    patch_state("a", "Scan", installed=1),
    patch_state("a", installed=1),
    patch_state("a", failed=1),
]


@settings(max_examples=300, deadline=None)
@given(
    history=histories(),
    seen=st.lists(st.sampled_from(["clear", "refused", "empty"]), min_size=1, max_size=10),
    state=st.sampled_from(STATES),
    after=st.sampled_from([0, 45, 230, 1000]),
    early=st.sampled_from(["", "RateExceeded"]),
    stop_at=st.integers(1, 200),
)
def test_what_may_have_been_touched_is_never_skipped_nor_tried_again_as_if_nothing_ran(
    history: list[tuple[str, bool]], seen: list[str], state: PatchState | None, after: float, early: str, stop_at: int
) -> None:
    fleet = Real(FakeClock(), states={"a": state} if state else {}, state_after=after)
    fleet.history, fleet.seen = history, [*seen, "clear"]
    touched_ever = any(touched for _word, touched in history)
    if not touched_ever:  # the service says so only of commands that ran nowhere
        fleet.refusal = lambda command_id: early
    stage, part, _none = work_of(fleet)
    found: list[dict[str, Any]] = []
    for _look in range(stop_at):
        fleet.clock.sleep(15)
        if found := stage.look(part, fleet):
            break
    (result,) = found or stage.give_up(part, fleet)
    touched = any(by for _word, by in history[: fleet.step + 1])
    if touched:
        assert failure_class("patch", result) != "delivery", result
        record = final_without_look(planned("a", 1), {"patch": result}, "now")
        assert record is None or record.status is not Status.SKIPPED
        assert next_stage("patch", result) != "verify" or result["status"] == "cancelled"
    if result["status"] == "succeeded":
        assert state is not None and (state.operation, state.operation_ended_at) == ("Install", None)
