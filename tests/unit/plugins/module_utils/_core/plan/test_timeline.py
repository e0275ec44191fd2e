# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan's timeline: waves in order whatever their windows say, owners' windows, freezes, and the end of the plan."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.plan import build_plan, check_plan
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.timeline import Timeline
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stamp import from_time
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.times.calendars import Calendar, Interval
from hypothesis import given
from hypothesis import strategies as st

UTC = timezone.utc
#: TUE#1 is 2 June 2026, TUE#2 the 9th: this Thursday lies between them.
THURSDAY = "2026-06-04T12:00:00Z"
WINDOWS = [
    {
        "name": "dev",
        "schedule": "cron(0 22 ? * TUE#1 *)",
        "duration_hours": 4,
        "cutoff_hours": 1,
        "timezone": "Europe/Berlin",
    },
    {
        "name": "prod",
        "schedule": "cron(0 22 ? * TUE#2 *)",
        "duration_hours": 4,
        "cutoff_hours": 1,
        "timezone": "Europe/Berlin",
    },
]
WAVES = [
    {"name": "dev", "window": "dev", "select": {"tags": {"Environment": "dev"}}},
    {"name": "prod", "window": "prod"},
]


def node(number: int | str, environment: str = "prod", window: str = "", **tags: str) -> Candidate:
    known = {"Environment": environment, **({"MaintenanceWindow": window} if window else {}), **tags}
    given = {"executor": "ssm", "platform": "linux", "account": "1" * 12, "region": "eu-central-1"}
    return Candidate(node_id=f"i-{number}", host=f"h{number}", state="running", tags=known, **given)


def plan_of(*nodes: Candidate, at: str = THURSDAY, events: tuple[Interval, ...] = (), **policy: Any) -> dict[str, Any]:
    missing = {"status": "succeeded", "missing": [{"id": "curl"}]}
    scan = {"nodes": {item.node_id: missing for item in nodes}, "failed_places": []}
    document = to_policy({"name": "p", "windows": WINDOWS, "waves": WAVES, "patching": {"pin": "baseline"}, **policy})
    calendars = [Calendar(name="contoso", events=events)] if events else []
    plan = build_plan(nodes, document, scan, policy_digest="d", created_at=at, rollout="5eed" * 8, calendars=calendars)
    check_plan(plan)
    return plan


def starts(plan: dict[str, Any]) -> list[list[str]]:
    return [[night["start"][:16] for night in wave["nights"]] for wave in plan["waves"]]


def test_waves_keep_their_order_when_the_plan_is_made_between_their_windows() -> None:
    plan = plan_of(node(1, "dev"), node(2))
    assert starts(plan) == [["2026-07-07T20:00"], ["2026-07-14T20:00"]]
    (moved,) = plan["waves"][1]["moved"]
    assert (moved["from"][:16], moved["to"][:16]) == ("2026-06-09T20:00", "2026-07-14T20:00")
    assert moved["why"] == "wave dev ends on 2026-07-07 20:15 UTC" and plan["waves"][0]["moved"] == []


def test_the_plan_says_each_night_in_the_time_of_its_owners() -> None:
    (night,) = plan_of(node(1, "dev"))["waves"][0]["nights"]
    assert night["local"] == "Tue 2026-07-07 22:00 CEST to Wed 2026-07-08 02:00 CEST"
    assert (night["timezone"], night["nodes"], night["turns"]) == ("Europe/Berlin", 1, [1])


def test_soak_counts_outside_of_windows_and_moves_the_next_wave() -> None:
    soaking = [{**WAVES[0], "soak_minutes": 7 * 24 * 60}, WAVES[1]]
    plan = plan_of(node(1, "dev"), node(2), waves=soaking, plan={"valid_days": 90})
    assert starts(plan) == [["2026-07-07T20:00"], ["2026-07-14T20:00"]]
    soaking[0]["soak_minutes"] = 7 * 24 * 60 + 150
    plan = plan_of(node(1, "dev"), node(2), waves=soaking, plan={"valid_days": 90})
    assert starts(plan)[1] == ["2026-08-11T20:00"], "what is left of 14 July does not hold the wave and the reserve"
    assert plan["waves"][1]["moved"][0]["why"].endswith("and soaks for 10230 minutes")


def test_an_occurrence_in_which_nothing_may_start_any_more_is_not_planned() -> None:
    after_the_cutoff = "2026-06-02T23:30:00Z"
    assert starts(plan_of(node(1, "dev"), at=after_the_cutoff))[0] == ["2026-07-07T20:00"]


@pytest.mark.parametrize(("at", "night"), [("22:34", "2026-06-02T20:00"), ("22:36", "2026-07-07T20:00")])
def test_an_open_occurrence_is_used_only_if_all_work_and_a_reboot_fit_before_its_cutoff(at: str, night: str) -> None:
    """The cutoff is at 23:00 UTC; 15 minutes of work and 10 for a reboot."""
    assert starts(plan_of(node(1, "dev"), at=f"2026-06-02T{at}:00Z"))[0] == [night]


def test_nodes_are_worked_on_in_the_order_of_their_wave() -> None:
    """The first selector that matches counts; nodes that none matches come last."""
    order = [{"tags": {"Role": "standby"}}, {"tags": {"Role": ["primary", "standby"]}}]
    nodes = [node(1), node(2, Role="primary"), node(3, Role="standby"), node(4, Role="primary")]
    for more, turns in ({"order": order}, [4, 2, 1, 3]), ({}, [1, 2, 3, 4]):
        plan = plan_of(*nodes, waves=[{"name": "all", **more}], budgets={"rollout": 1})
        rows = sorted(plan["waves"][0]["nodes"], key=lambda row: row["node_id"])
        assert [row["turn"] for row in rows] == turns


def test_the_order_of_a_wave_holds_across_the_windows_of_its_owners() -> None:
    """The standby's window opens after the primary's, which waits for it."""
    order = [{"tags": {"Role": "standby"}}]
    nodes = [node(1, window="dev", Role="standby"), node(2, window="prod", Role="primary")]
    for more, days in ({"order": order}, ["07-07", "07-14"]), ({}, ["07-07", "06-09"]):
        plan = plan_of(*nodes, waves=[{"name": "all", "window": "tag", **more}], plan={"valid_days": 90})
        (wave,) = plan["waves"]
        begins = {night["number"]: night["start"][5:10] for night in wave["nights"]}
        rows = sorted(wave["nodes"], key=lambda row: row["node_id"])
        assert [begins[row["night"]] for row in rows] == days


def test_owners_tags_decide_the_night() -> None:
    nodes = [node(1, window="prod"), node(2, window="cron(30 23 ? * SAT#3 *)"), node(3, window="prod")]
    tagged = {"plan": {"tagged_cron": {"duration_hours": 2, "cutoff_hours": 0, "timezone": "America/New_York"}}}
    plan = plan_of(*nodes, waves=[{"name": "all", "window": "tag"}], **tagged)
    (wave,) = plan["waves"]
    assert [(night["window"], night["local"][:20]) for night in wave["nights"]] == [
        ("prod", "Tue 2026-06-09 22:00"),
        ("cron(30 23 ? * SAT#3 *)", "Sat 2026-06-20 23:30"),
    ]
    assert {row["node_id"]: row["night"] for row in wave["nodes"]} == {"i-1": 1, "i-2": 2, "i-3": 1}
    assert {item["name"] for item in plan["windows"]} == {"prod", "cron(30 23 ? * SAT#3 *)"}


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("", "it has no tag MaintenanceWindow; its owner is sap-team"),
        (
            "prdo",
            "its tag MaintenanceWindow says 'prdo', which is neither a window of the policy (dev, prod) nor cron(…)",
        ),
        ("cron(0 22 ? * SAT#9 *)", "its tag MaintenanceWindow says 'cron(0 22 ? * SAT#9 *)', which can't be read"),
        ("rate(7 days)", "its tag MaintenanceWindow says 'rate(7 days)', which is neither"),
    ],
)
def test_a_tag_that_nobody_can_read_leaves_its_node_out_by_name_and_owner(tag: str, why: str) -> None:
    plan = plan_of(
        node(1, window=tag, Owner="sap-team"), node(2, window="prod"), waves=[{"name": "all", "window": "tag"}]
    )
    (row,) = plan["excluded"]
    assert (row["node_id"], row["code"]) == ("i-1", "no_window") and row["reason"].startswith(why)
    assert row["reason"].endswith("its owner is sap-team")


def test_nodes_without_a_night_are_warned_of() -> None:
    plan = plan_of(node(1), waves=[{"name": "all", "window": "tag"}])
    assert "1 node is left out because of trouble: 1 no window (h1)." in plan["warnings"]


def test_a_night_after_the_end_of_the_plan_is_none() -> None:
    plan = plan_of(node(1, "dev"), node(2), plan={"valid_days": 30})
    assert plan["valid_until"] == "2026-07-04T00:00:00.000Z"
    assert [(row["host"], row["code"]) for row in plan["excluded"]] == [("h1", "no_night")]
    assert starts(plan) == [[], ["2026-06-09T20:00"]], "nothing of dev is left that prod could wait for"
    assert "on 2026-07-04" in plan["excluded"][0]["reason"]


def test_a_wave_names_the_first_occurrence_of_its_window_even_without_nodes() -> None:
    dev, prod = plan_of(node(1, "dev"))["waves"]
    for wave, day in ((dev, "2026-07-07"), (prod, "2026-06-09")):
        times = {name: f"{day}T{hour}:00:00.000Z" for name, hour in (("start", 20), ("cutoff_at", 23))}
        assert {**times, "name": wave["name"], "timezone": "Europe/Berlin"}.items() <= wave["window"].items()
    assert (len(dev["nights"]), prod["nights"]) == (1, [])


def test_a_wave_without_a_window_ends_when_its_turns_have_passed() -> None:
    waves = [{"name": "first", "select": {"tags": {"Environment": "dev"}}, "soak_minutes": 30}, WAVES[1]]
    rules = {"patching": {"pin": "baseline", "expected_minutes": {"linux": 45}}, "budgets": {"rollout": 1}}
    plan = plan_of(node(1, "dev"), node(2, "dev"), node(3), waves=waves, at="2026-06-09T18:29:00Z", **rules)
    assert starts(plan)[1] == ["2026-06-09T20:00"]
    assert plan["waves"][1]["nights"][0]["begin"] == "2026-06-09T20:29:00.000Z", "two turns of 45 minutes, and the soak"


def test_the_periods_for_which_freezes_must_be_known() -> None:
    """Those of named windows whoever has them, those of tags, and this moment where no window bounds the work."""
    now = from_time(THURSDAY)

    def spans(nodes: list[Candidate], **wave: Any) -> list[str]:
        policy = to_policy(
            {"name": "p", "windows": WINDOWS, "waves": [{"name": "w", **wave}], "plan": {"valid_days": 40}}
        )
        timeline = Timeline(policy, now)
        for item in nodes:
            first = timeline.first_span(item, policy.waves[0])
            assert first == timeline.spans([item])[0]
        return [f"{start:%m-%d}" for start, _end in timeline.spans(nodes)]

    assert spans([], window="prod") == spans([node(1)], window="prod") == ["06-09"]
    assert spans([], window="dev") == ["07-07"] and spans([node(1)]) == ["06-04"]
    tagged = [node(1, window="dev"), node(2, window="prod"), node(3, window="dev")]
    assert spans(tagged, window="tag") == ["06-09", "07-07"] and spans([], window="tag") == []


def test_an_occurrence_whose_cutoff_is_now_is_none_to_come() -> None:
    policy = to_policy({"name": "p", "windows": WINDOWS, "waves": WAVES, "plan": {"valid_days": 90}})
    timeline = Timeline(policy, from_time("2026-06-09T23:00:00Z"))
    assert timeline.first_span(node(1), policy.waves[1])[0] == from_time("2026-07-14T20:00:00Z")


def test_a_frozen_night_moves_to_the_next_one_and_says_why() -> None:
    july = Interval(start=datetime(2026, 7, 7, tzinfo=UTC), end=datetime(2026, 7, 9, tzinfo=UTC), name="Quarter end")
    plan = plan_of(node(1, "dev"), events=(july,), plan={"valid_days": 90})
    assert starts(plan)[0] == ["2026-08-04T20:00"]
    assert plan["waves"][0]["moved"][0]["why"] == "it is frozen"


def test_a_node_that_needs_more_than_a_partly_frozen_night_has_waits_for_a_whole_one() -> None:
    evening = Interval(
        start=datetime(2026, 6, 9, 20, tzinfo=UTC), end=datetime(2026, 6, 9, 22, tzinfo=UTC), name="Sale"
    )
    slow = {"pin": "baseline", "expected_minutes": {"linux": 120}}
    plan = plan_of(node(1), waves=[WAVES[1]], events=(evening,), patching=slow, plan={"valid_days": 90})
    assert starts(plan) == [["2026-07-14T20:00"]] and plan["excluded"] == []
    (moved,) = plan["waves"][0]["moved"]
    assert "does not hold all turns" in moved["why"] and moved["from"].startswith("2026-06-09T20:00")


def test_plans_of_one_day_are_equal() -> None:
    first, again = (plan_of(node(1, "dev"), node(2), at=f"2026-06-04T{hour}:00:00Z") for hour in ("01", "23"))
    assert first["content_digest"] == again["content_digest"]


SCHEDULES = st.builds(
    lambda minute, hour, day: f"cron({minute} {hour} ? * {day} *)",
    st.sampled_from([0, 30]),
    st.integers(0, 23),
    st.sampled_from(["*", "TUE", "TUE#1", "SAT#3", "FRIL", "MON-FRI"]),
)
ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    windows = [
        {
            "name": f"w{number}",
            "schedule": draw(SCHEDULES),
            "timezone": draw(ZONES),
            "duration_hours": (hours := draw(st.integers(1, 8))),
            "cutoff_hours": draw(st.integers(0, hours - 1)),
        }
        for number in range(3)
    ]
    choices = st.sampled_from(["w0", "w1", "w2", "tag", None])
    waves = [
        {
            "name": f"wave{number}",
            "window": draw(choices),
            "size": draw(st.sampled_from(["30%", 3, "100%"])),
            "soak_minutes": draw(st.sampled_from([0, 60, 2880])),
        }
        for number in range(draw(st.integers(1, 3)))
    ]
    budgets = {"rollout": draw(st.sampled_from([None, 1, 3, "25%"]))}
    return {"windows": windows, "waves": waves, "budgets": budgets}


@given(
    policies(),
    st.lists(st.sampled_from(["w0", "w1", "w2", "cron(0 3 ? * SUN *)", "", "w9"]), max_size=14),
    # around the clock changes of Berlin, New York and Lord Howe
    st.datetimes(datetime(2026, 3, 1), datetime(2026, 11, 20)).map(lambda at: at.replace(microsecond=0)),
)
def test_every_plan_keeps_the_rules(policy: dict[str, Any], tags: list[str], at: datetime) -> None:
    plan = plan_of(*(node(n, window=tag) for n, tag in enumerate(tags)), at=at.isoformat() + "Z", **policy)
    now = at.replace(tzinfo=UTC)
    zones = {item["name"]: item["timezone"] for item in policy["windows"]}
    ready = now
    found = [row["node_id"] for rows in (plan["excluded"], *(wave["nodes"] for wave in plan["waves"])) for row in rows]
    assert sorted(found) == sorted(f"i-{n}" for n in range(len(tags)))
    for wave, rules in zip(plan["waves"], policy["waves"], strict=True):
        nights = wave["nights"]
        for night in nights:
            start, cutoff, end = (from_time(night[name]) for name in ("start", "cutoff_at", "end"))
            begin, ends = from_time(night["begin"]), from_time(night["ends"])
            assert max(now, ready, start) <= begin < ends <= cutoff <= end <= from_time(plan["valid_until"])
            own = start.astimezone(ZoneInfo(zones.get(night["window"], "UTC")))
            assert own.minute in (0, 30), "openings are wall-clock times of the window's own zone"
            assert {"start": night["start"], "cutoff_at": night["cutoff_at"], "end": night["end"]} in next(
                item["occurrences"] for item in plan["windows"] if item["name"] == night["window"]
            )
        for row in wave["nodes"]:
            if rules["window"] is not None:
                night = nights[row["night"] - 1]
                assert row["turn"] in night["turns"]
                wanted = row["tags"]["MaintenanceWindow"] if rules["window"] == "tag" else rules["window"]
                assert night["window"] == wanted
        if wave["nodes"] and nights:
            ready = max(from_time(night["ends"]) for night in nights) + timedelta(minutes=rules["soak_minutes"])
    for item in plan["windows"]:
        for one, other in pairwise(item["occurrences"]):
            assert from_time(one["end"]) <= from_time(other["start"])
