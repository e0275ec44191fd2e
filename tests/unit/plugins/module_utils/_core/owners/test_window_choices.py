# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners choose windows for their own nodes alone, for good or until a day, and the ledger keeps who and why (TM-2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.nodes import Candidate
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.owners.window_choices import (
    ChoiceRecord,
    NotOwner,
    Request,
    check_request,
    choose,
    expire,
    owned,
    past,
    without_failed,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.values import to_policy

TODAY = date(2026, 11, 20)
KEY = "MaintenanceWindow"
WINDOWS = [{"name": name, "schedule": "rate(7 days)", "duration_hours": 4} for name in ("sat", "sun")]
POLICY = to_policy(
    {
        "name": "p",
        "windows": WINDOWS,
        "owners": [
            {"name": "web", "people": ["dana"], "select": {"groups": ["web"]}},
            {"name": "db", "people": ["robin", "dana"], "select": {"accounts": ["2"], "tags": {"Role": "db"}}},
        ],
    }
)
WEB = Candidate(node_id="i-1", host="web-1", account="1", groups=frozenset({"web"}), tags={KEY: "sat"})
DB = Candidate(node_id="i-2", host="db-1", account="2", tags={"Role": "db"})
OTHER = Candidate(node_id="i-3", host="other", account="3", tags={"Owner": "web", "Role": "db"})
NODES = [WEB, DB, OTHER]


def request(*nodes: str, by: str = "dana", window: str = "sun", until: str = "") -> Request:
    return Request(by=by, nodes=nodes, window=window, reason="Release", until=until)


def test_people_choose_for_the_nodes_of_their_teams_alone() -> None:
    assert [(node.host, team) for node, team in owned("dana", ("web-1", "i-2"), POLICY, NODES)] == [
        ("web-1", "web"),
        ("db-1", "db"),
    ]
    for by, names in (("robin", ["web-1"]), ("dana", ["web-1", "other"]), ("dana", ["unknown"])):
        with pytest.raises(NotOwner, match="owns no nodes"):
            owned(by, names, POLICY, NODES)
    with pytest.raises(NotOwner, match="is in no entry"):
        owned("mallory", ["web-1"], POLICY, NODES)


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        (request("web-1", window="cron(0 22 ? * SAT *)"), "window"),
        (request(), "nodes"),
        (replace(request("web-1"), reason=" "), "reason"),
        (request("web-1", until="soon"), "until"),
        (request("web-1", until="2026-11-19"), "until"),
    ],
)
def test_a_request_that_can_not_be_met_is_named(asked: Request, option: str) -> None:
    with pytest.raises(BadInput) as caught:
        check_request(asked, POLICY, TODAY)
    assert caught.value.option == option


def test_a_choice_changes_the_tag_and_the_ledger_once() -> None:
    values, ledger = choose(request("web-1"), [(WEB, "web")], [], KEY, "t1")
    assert values == {"i-1": "sun"} and ledger[0].to_dict()["by"] == "dana" and ledger[0].before == ""
    seen = replace(WEB, tags={KEY: "sun"})
    assert choose(request("web-1"), [(seen, "web")], ledger, KEY, "t2") == ({}, ledger)


def test_a_choice_until_a_day_restores_what_was_there_before() -> None:
    _values, ledger = choose(request("web-1", until="2026-11-30"), [(WEB, "web")], [], KEY, "t1")
    seen = replace(WEB, tags={KEY: "sun"})
    assert expire(ledger, [seen], KEY, date(2026, 11, 30)) == ({}, ledger), "the last day is part of it"
    values, after = expire(ledger, [seen], KEY, date(2026, 12, 1))
    assert values == {"i-1": "sat"} and after[0].ended == "it ended on 2026-11-30"
    assert expire(after, [WEB], KEY, date(2026, 12, 2)) == ({}, after)


def test_a_second_choice_keeps_the_window_from_before_the_first_one() -> None:
    _values, ledger = choose(request("web-1", until="2026-11-30"), [(WEB, "web")], [], KEY, "t1")
    seen = replace(WEB, tags={KEY: "sun"})
    _values, ledger = choose(request("web-1", until="2026-12-31"), [(seen, "web")], ledger, KEY, "t2")
    assert [item.ended for item in ledger] == ["replaced by dana", ""] and ledger[1].before == "sat"


def test_a_tag_that_was_changed_meanwhile_stays() -> None:
    _values, ledger = choose(request("web-1", until="2026-11-30"), [(WEB, "web")], [], KEY, "t1")
    values, after = expire(ledger, [replace(WEB, tags={KEY: "own"})], KEY, date(2026, 12, 1))
    assert values == {} and "changed before" in after[0].ended


def test_a_choice_whose_tag_was_restored_already_has_just_ended() -> None:
    """A controller that died after the tag and before the ledger."""
    _values, ledger = choose(request("web-1", until="2026-11-30"), [(WEB, "web")], [], KEY, "t1")
    values, after = expire(ledger, [WEB], KEY, date(2026, 12, 1))
    assert values == {} and after[0].ended == "it ended on 2026-11-30"


def test_only_choices_that_are_open_and_past_are_restored() -> None:
    _values, ledger = choose(request("web-1", until="2026-11-30"), [(WEB, "web")], [], KEY, "t")
    _values, ledger = choose(request("i-2", until="2026-12-31"), [(DB, "db")], ledger, KEY, "t")
    assert past(ledger, date(2026, 11, 30)) == set() and past(ledger, date(2026, 12, 1)) == {"i-1"}
    ended = [replace(item, ended="replaced by dana") for item in ledger]
    assert past(ended, date(2027, 1, 1)) == set()
    assert expire(ended, [replace(WEB, tags={KEY: "sun"}), DB], KEY, date(2027, 1, 1)) == ({}, ended)


def test_a_choice_whose_tag_could_not_be_restored_is_still_open() -> None:
    found: list[tuple[Candidate, str]] = [(WEB, "web"), (DB, "db")]
    _values, ledger = choose(request("web-1", "db-1", until="2026-11-30"), found, [], KEY, "t1")
    _values, after = expire(ledger, [replace(WEB, tags={KEY: "sun"}), DB], KEY, date(2026, 12, 1))
    assert [bool(item.ended) for item in without_failed(ledger, after, {"i-1": "denied"})] == [False, True]


@pytest.mark.parametrize("data", [None, [], {"node_id": 3}])
def test_a_ledger_row_of_another_kind_is_refused(data: object) -> None:
    with pytest.raises(BadInput, match=r"choices\[0\]"):
        ChoiceRecord.from_dict(data, "choices[0]")
