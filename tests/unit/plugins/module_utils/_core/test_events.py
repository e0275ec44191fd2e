# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal's events: what is written is what is read, and what breaks an event's shape is neither."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import JournalError, OtherSchema
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import (
    EVENTS,
    SCHEMA,
    Approved,
    Claimed,
    Decision,
    Event,
    GateJudged,
    Intent,
    Outcome,
    Prepared,
    Restored,
    RolloutFinished,
    RolloutStarted,
    Sent,
    TakenUp,
    WaveFinished,
    WaveStarted,
    read_event,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.events import resumed, started

EXAMPLES: tuple[Event, ...] = (
    started(waves=("canary", "rest"), node_count=7, approved_digest="d1", approval={"by": "dana"}, rehearsal=True),
    resumed(),
    Approved(wave="canary", bundle_version=7, bundle_digest="b1", proofs=({"principal": "dana@example.com"},)),
    WaveStarted(wave="canary"),
    Claimed(wave="canary", nodes=("i-1", "i-2")),
    Intent(wave="canary", stage="patch", attempt=1, nodes=("i-1",), token="t"),
    Sent(wave="canary", stage="patch", token="t", place="1/eu", command_id="c", nodes=("i-1",)),
    Outcome(wave="canary", stage="patch", results=({"node_id": "i-1", "installed": ["KB1"]},)),
    Prepared(wave="canary", what="drained", nodes=("i-1",), details={"i-1": {"group": "shop"}}),
    Restored(wave="canary", what="drained", nodes=("i-1",), problems={"i-1": "unhealthy"}),
    GateJudged(wave="canary", verdict="pause", numbers={"good": 1}, reasons=("A.",), health_checks=({"name": "x"},)),
    TakenUp(wave="canary", nodes=("i-1",)),
    Decision(by="dana", action="write_off", wave="canary", reason="by hand", nodes=("i-1",), what="drained"),
    WaveFinished(wave="canary"),
    RolloutFinished(status="completed", reason="every wave was promoted"),
)
MEMBERS = [
    pytest.param(event, item.name, id=f"{event.kind}.{item.name}") for event in EXAMPLES for item in fields(event)
]
#: Tried on every member.
WRONG: tuple[Any, ...] = (None, True, -1, 1.5, "lunch", [-1], ["lunch"], [{}], [{"node_id": 7}], {"a": -1}, {"a": {}})
TEXT, TEXTS = ("lunch",), (["lunch"],)
OBJECTS: tuple[Any, ...] = ({"a": -1}, {"a": {}})
#: The few of them that fit, by the type of the member.
FITTING: dict[str, tuple[Any, ...]] = {
    "str": TEXT,
    "str | None": (None, *TEXT),
    "bool": (True,),
    "int": (),
    "tuple[str, ...]": TEXTS,
    "Mapping[str, Any]": OBJECTS,
    "Mapping[str, Any] | None": (None, *OBJECTS),
    "Mapping[str, str]": (),
    "Mapping[str, Mapping[str, Any]]": ({"a": {}},),
    "tuple[Mapping[str, Any], ...]": ([{}], [{"node_id": 7}]),
}
#: Members that take less than their type does.
CHOSEN = {"rollout_started.schema", "outcome.results", "gate.verdict", "decision.action", "rollout_finished.status"}


def fitting(event: Event, member: str) -> tuple[Any, ...]:
    (annotation,) = (item.type for item in fields(event) if item.name == member)  # type: ignore[arg-type]  # any event
    return () if f"{event.kind}.{member}" in CHOSEN else FITTING[str(annotation)]


def same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and one == other


def test_every_kind_has_an_example() -> None:
    assert {event.kind: type(event) for event in EXAMPLES} == dict(EVENTS)


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.kind)
def test_what_was_written_is_read(event: Event) -> None:
    data = json.loads(json.dumps(event.to_data()))
    assert read_event(event.kind, data) == event and data == event.to_data()
    assert list(data) == [item.name for item in fields(event)]  # type: ignore[arg-type]  # any event


@given(
    nodes=st.lists(st.text()),
    results=st.lists(st.dictionaries(st.text(), st.none() | st.integers() | st.lists(st.text()))),
)
def test_any_content_survives(nodes: list[str], results: list[dict[str, Any]]) -> None:
    rows = tuple({**row, "node_id": "i-1"} for row in results)
    for event in (
        Claimed(wave="w", nodes=tuple(nodes)),
        Outcome(wave="w", stage="scan", results=rows),
        Restored(wave="w", what="drained", nodes=tuple(nodes), problems=dict.fromkeys(nodes, "x")),
    ):
        assert read_event(event.kind, json.loads(json.dumps(event.to_data()))) == event


@pytest.mark.parametrize(("event", "member"), MEMBERS)
def test_a_member_of_another_type_is_refused_by_name(event: Event, member: str) -> None:
    tried = 0
    for value in WRONG:
        data = {**event.to_data(), member: value}
        if any(same(value, good) for good in fitting(event, member)):
            assert read_event(event.kind, data).to_data() == data
            continue
        tried += 1
        with pytest.raises((JournalError, OtherSchema)) as caught:
            read_event(event.kind, data)
        if isinstance(caught.value, JournalError):
            assert str(caught.value).startswith(f"{event.kind}: {member} is ") and ", expected " in str(caught.value)
    assert tried >= 8


@pytest.mark.parametrize(("event", "member"), MEMBERS)
def test_a_missing_member_is_refused_by_name(event: Event, member: str) -> None:
    data = event.to_data()
    del data[member]
    with pytest.raises((JournalError, OtherSchema)) as caught:
        read_event(event.kind, data)
    if member != "schema":
        assert str(caught.value).startswith(f"{event.kind}: {member} is missing, expected ")


@pytest.mark.parametrize("event", EXAMPLES, ids=lambda event: event.kind)
def test_an_unknown_member_is_refused(event: Event) -> None:
    with pytest.raises(JournalError, match=f"^{event.kind}: unknown 'odd', expected "):
        read_event(event.kind, {**event.to_data(), "odd": 1})


@pytest.mark.parametrize("data", [None, [], "x", 7])
def test_data_that_is_no_object_is_refused(data: Any) -> None:
    for kind in EVENTS:
        with pytest.raises(JournalError, match=f"^{kind}: its data is .*, expected an object"):
            read_event(kind, data)


@pytest.mark.parametrize("kind", ["dance", "", None, [], {}])
def test_an_unknown_kind_is_refused(kind: Any) -> None:
    with pytest.raises(JournalError, match="expected one of rollout_started, resumed"):
        read_event(kind, {})


@pytest.mark.parametrize(
    "make",
    [
        lambda: Claimed(wave="w", nodes=["i-1"]),  # type: ignore[arg-type]  # what is tested
        lambda: Outcome(wave="w", stage="patch", results=({"status": "failed"},)),
        lambda: GateJudged(wave="w", verdict="wait"),
        lambda: RolloutFinished(status="paused", reason=""),
    ],
    ids=["list", "no node", "no decision", "no end"],
)
def test_nobody_can_write_what_nobody_could_read(make: Any) -> None:
    with pytest.raises(JournalError):
        make()


@pytest.mark.parametrize("schema", ["patchtide/journal/2", "patchtide/journal/4", None])
def test_another_versions_journal_is_refused_with_the_way_out(schema: str | None) -> None:
    data = {"plan_digest": "d", "new_member": 1, **({"schema": schema} if schema else {})}
    with pytest.raises(OtherSchema) as caught:
        read_event(RolloutStarted.kind, data)
    assert str(caught.value) == (
        f"The journal has {f'the schema {schema!r}' if schema else 'no schema'}, and this version of patchtide.hybrid "
        f"reads {SCHEMA}. Finish the rollout with the version that wrote it, or make a new plan."
    )
