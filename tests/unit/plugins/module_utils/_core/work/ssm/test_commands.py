# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run Command over many nodes: exactly once, whatever answers are lost; never more calls than pages."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import PatchtideError, ServiceError
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.commands import (
    MAX_COMMENT,
    comment_of,
    split,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.ports import Invocation, PatchState
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stagerun import StageRun
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.work.ssm.stages import InstallStage

from tests.fakes.fleet_port import FakeClock, FakeFleet, chunk, gather, patch_state


def nodes(count: int, region: str = "eu-central-1", platform: str = "linux", first: int = 0) -> list[dict[str, str]]:
    return [
        {"node_id": f"i-{number:05d}", "account": "111111111111", "region": region, "platform": platform}
        for number in range(first, first + count)
    ]


def run_of(*fleets: FakeFleet, lines: list[str] | None = None, **options: Any) -> StageRun:
    shown = [] if lines is None else lines
    return StageRun(
        stage=InstallStage(),
        title="canary patch",
        ports={fleet.label: fleet for fleet in fleets},
        clock=fleets[0].clock,
        gather=gather,
        progress=shown.append,
        **options,
    )


def patched(*node_ids: str) -> dict[str, PatchState]:
    return {node: patch_state(node, installed=1) for node in node_ids}


def test_split_makes_chunks_of_50_per_place_and_platform_in_a_stable_order() -> None:
    estate = [*nodes(101), *nodes(3, platform="windows", first=200), *nodes(50, "us-east-1", first=300)]
    parts = split(estate)
    assert [(place, platform, len(ids)) for place, platform, ids in parts] == [
        ("111111111111/eu-central-1", "linux", 50),
        ("111111111111/eu-central-1", "linux", 50),
        ("111111111111/eu-central-1", "linux", 1),
        ("111111111111/eu-central-1", "windows", 3),
        ("111111111111/us-east-1", "linux", 50),
    ]
    assert split(reversed(estate)) == parts
    assert sorted(node for *_place, ids in parts for node in ids) == sorted(item["node_id"] for item in estate)


def test_a_comment_fits_and_stays_unique() -> None:
    waves = [f"{'w' * 80}{letter}{'w' * 80}" for letter in "ab"]
    long = {comment_of(f"663176eb6905 {wave}/patch/1.{number}") for wave in waves for number in range(1, 200)}
    assert len(long) == 2 * 199 and max(map(len, long)) <= MAX_COMMENT
    assert all(text.startswith("patchtide 663176eb6905 w") for text in long)
    assert comment_of("663176eb6905 canary/patch/1.2") == "patchtide 663176eb6905 canary/patch/1.2"


def test_one_send_and_one_page_a_look_for_50_nodes() -> None:
    fleet = FakeFleet(FakeClock(), seconds=60)
    parts = split(nodes(200))
    fleet.states = patched(*(node for *_place, ids in parts for node in ids))
    chunks = [chunk(fleet, ids, number) for number, (_place, _platform, ids) in enumerate(parts)]
    run = run_of(fleet, poll_seconds=30)
    results = run.begin(chunks) + run.wait(chunks)
    looks = len(fleet.clock.slept) + 1
    assert [item["status"] for item in results] == ["succeeded"] * 200
    assert (fleet.calls["send"], fleet.calls["find"], looks) == (4, 0, 3)
    assert fleet.calls["pages"] == 4 * looks
    assert fleet.calls["patch_states"] <= 4 and fleet.calls["patches"] == 0


@pytest.mark.parametrize("visible_after", [0, 6])
def test_a_lost_answer_is_found_by_its_comment_and_never_sent_twice(visible_after: float) -> None:
    fleet = FakeFleet(FakeClock(), lost=1, visible_after=visible_after)
    run = run_of(fleet)
    part = chunk(fleet, ["i-1"])
    assert run.begin([part]) == []
    assert len(fleet.commands) == fleet.calls["send"] == 1
    assert part.command_id == "command-1"


def test_a_request_that_never_arrived_is_sent_again() -> None:
    fleet = FakeFleet(FakeClock(), lost=1, swallowed=True)
    run = run_of(fleet)
    run.begin([chunk(fleet, ["i-1"])])
    assert (len(fleet.commands), fleet.calls["send"]) == (1, 2)


def test_a_service_that_never_answers_leaves_its_nodes_unknown() -> None:
    fleet = FakeFleet(FakeClock(), lost=99, swallowed=True)
    results = run_of(fleet).begin([chunk(fleet, ["i-1", "i-2"])])
    assert [(item["status"], item["error"]["code"]) for item in results] == [("unknown", "NoEnd")] * 2
    assert "no answer" in results[0]["error"]["text"]


def test_after_a_crash_the_command_is_found_not_sent() -> None:
    fleet = FakeFleet(FakeClock())
    run_of(fleet).begin([chunk(fleet, ["i-1"])])
    part = chunk(fleet, ["i-1"])
    assert run_of(fleet).begin([part], look_first=True) == []
    assert (fleet.calls["send"], part.command_id) == (1, "command-1")


def test_after_a_crash_before_sending_it_is_sent_once() -> None:
    fleet = FakeFleet(FakeClock())
    part = chunk(fleet, ["i-1"])
    run_of(fleet).begin([part], look_first=True)
    run_of(fleet).begin([part], look_first=True)
    assert fleet.calls["send"] == 1


def test_a_place_that_refuses_does_not_hide_the_others() -> None:
    clock = FakeClock()
    denied = ServiceError("send", "AccessDeniedException", "not authorized to perform ssm:SendCommand")
    bad, good = FakeFleet(clock, refuse=denied), FakeFleet(clock, label="222222222222/us-east-1", states=patched("i-2"))
    run = run_of(bad, good)
    chunks = [chunk(bad, ["i-1"], 1), chunk(good, ["i-2"], 2)]
    results = {item["node_id"]: item for item in run.begin(chunks) + run.wait(chunks)}
    assert results["i-1"]["status"] == "unreachable" and "AccessDenied" in results["i-1"]["error"]["text"]
    assert results["i-2"]["status"] == "succeeded"
    assert chunks[0].error is denied and chunks[1].error is None


def test_a_command_that_hangs_ends_at_its_deadline_and_is_cancelled() -> None:
    """InProgress for ever when the agent does not come back (aws/amazon-ssm-agent#320)."""
    fleet = FakeFleet(FakeClock(), seconds=60, endings={"i-hung": "InProgress"}, states=patched("i-fine"))
    run, part = run_of(fleet), chunk(fleet, ["i-hung", "i-fine"])
    results = {item["node_id"]: item["status"] for item in run.begin([part]) + run.wait([part])}
    assert results == {"i-fine": "succeeded", "i-hung": "unknown"}
    assert fleet.cancelled == ["command-1"]
    assert 600 + 600 <= sum(fleet.clock.slept) <= 600 + 600 + 60 + 15 + 240  # and its patch state is waited for


def test_a_cancel_that_fails_does_not_lose_the_outcome() -> None:
    fleet = FakeFleet(FakeClock(), endings={"i-hung": "InProgress"})

    def refused(command_id: str) -> None:
        raise PatchtideError("not allowed")

    fleet.cancel = refused
    run, part = run_of(fleet), chunk(fleet, ["i-hung"])
    assert [item["status"] for item in run.begin([part]) + run.wait([part])] == ["unknown"]


def test_a_look_that_fails_is_told_and_repeated() -> None:
    lines: list[str] = []
    fleet = FakeFleet(FakeClock(), seconds=0, unreadable=1, states=patched("i-1"))
    run, part = run_of(fleet, lines=lines), chunk(fleet, ["i-1"])
    assert [item["status"] for item in run.begin([part]) + run.wait([part])] == ["succeeded"]
    assert "no answer from 111111111111/eu-central-1" in lines[0] and "no answer" not in lines[1]


def test_progress_counts_every_node_once() -> None:
    lines: list[str] = []
    fleet = FakeFleet(FakeClock(), seconds=15, endings={"i-2": "Failed"}, states=patched("i-1", "i-3"))
    fleet.states["i-2"] = patch_state("i-2", failed=1)
    run, part = run_of(fleet, lines=lines), chunk(fleet, ["i-1", "i-2", "i-3"])
    run.begin([part])
    run.wait([part])
    assert lines == [
        "canary patch: 0 done, 0 failing, 3 running, 0 left of 3",
        "canary patch: 2 done, 1 failing, 0 running, 0 left of 3",
    ]


def test_every_node_gets_exactly_one_outcome() -> None:
    endings = dict(
        zip("abcde", ("Failed", "Undeliverable", "Cancelled", "DeliveryTimedOut", "AccessDenied"), strict=True)
    )
    fleet = FakeFleet(FakeClock(), seconds=15, endings=endings)
    run, part = run_of(fleet), chunk(fleet, "abcdef")
    told = [item["node_id"] for item in run.begin([part]) + run.wait([part])]
    assert sorted(told) == list("abcdef")


def test_a_state_that_cannot_be_read_is_waited_for_and_then_unknown_with_its_reason() -> None:
    fleet = FakeFleet(FakeClock(), seconds=0)

    def down(node_ids: Any) -> Any:
        raise ServiceError("read patch states", "InternalServerError", "down")

    fleet.patch_states = down
    run, part = run_of(fleet), chunk(fleet, ["i-1"])
    results = run.begin([part]) + run.wait([part])
    assert results[0]["status"] == "unknown" and results[0]["error"]["code"] == "unreadable"
    assert 240 <= sum(fleet.clock.slept) <= 240 + 15


def test_evidence_names_the_command_and_the_place() -> None:
    fleet = FakeFleet(FakeClock(), seconds=0, states={"i-1": patch_state("i-1", installed=3)})
    run, part = run_of(fleet), chunk(fleet, ["i-1"])
    result = (run.begin([part]) + run.wait([part]))[0]
    assert result["evidence"]["command_id"] == "command-1"
    assert result["evidence"]["place"] == "111111111111/eu-central-1"


def test_nodes_that_wait_for_their_turn_are_left_not_running() -> None:
    lines: list[str] = []
    fleet = FakeFleet(FakeClock(), seconds=20, begun=1)
    run, part = run_of(fleet, lines=lines), chunk(fleet, ["i-1", "i-2", "i-3"])
    run.begin([part])
    run.wait([part])
    assert lines[0] == "canary patch: 0 done, 0 failing, 1 running, 2 left of 3"


def test_states_are_read_beside_one_another_and_a_long_look_shows_how_far_it_is() -> None:
    lines: list[str] = []
    fleet = FakeFleet(FakeClock(), seconds=0)
    parts = [chunk(fleet, [f"i-{number}"], number) for number in range(64)]
    fleet.states = {node: patch_state(node, failed=1) for item in parts for node in item.request.node_ids}
    read: list[int] = []

    def lazy(work: Any, items: Sequence[Any]) -> Iterator[Any]:
        for item in items:
            yield work(item)
            read.append(fleet.calls["patches"])

    run = run_of(fleet, lines=lines)
    run.begin(parts)
    run.gather = lazy
    results = run.wait(parts)
    assert lines[0] == "canary patch: 32 done, 0 failing, 0 running, 32 left of 64"
    assert len(results) == 64 and read == list(range(1, 65))


@pytest.mark.parametrize(("unreadable", "said"), [(0, "E: dpkg was interrupted"), (1, "its invocation ended Failed")])
def test_a_failed_install_has_the_nodes_own_words_if_they_can_be_read(unreadable: int, said: str) -> None:
    fleet = FakeFleet(FakeClock(), endings={"i-2": "Failed"}, outputs={"i-1": "done", "i-2": "E: dpkg was interrupted"})
    fleet.states = patched("i-1")
    run, part = run_of(fleet), chunk(fleet, ["i-1", "i-2"])
    assert run.begin([part]) == []
    fleet.clock.sleep(120)
    rows = fleet.invocations

    def invocations(command_id: str, with_output: bool, nodes: Collection[str] = ()) -> list[Invocation]:
        fleet.unreadable = unreadable if with_output else 0
        return rows(command_id, with_output)

    fleet.invocations = invocations
    good, bad = sorted(run.wait([part]), key=lambda item: str(item["node_id"]))
    assert bad["error"] == {"code": "Failed", "text": said} and not good.get("error")
