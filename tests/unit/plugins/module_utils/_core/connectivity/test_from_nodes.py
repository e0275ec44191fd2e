# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What nodes say of their ways becomes one table a site, with the fix of what is wrong."""

from __future__ import annotations

from typing import Any

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.connectivity.from_nodes import (
    INTERNET,
    all_asked,
    checks_of,
    endpoints,
    way_of_repositories,
)

S3 = "https://aws-ssm-eu-central-1.s3.eu-central-1.amazonaws.com"


def node(name: str, site: str = "hamburg", why: str = "", **ways: Any) -> dict[str, Any]:
    """``ways``: by the name of a host with ``_`` for ``.``, whether it is reached."""
    rows = [
        {"url": f"https://{key.replace('_', '.')}", "ok": ok, "text": "" if ok else "timed out"}
        for key, ok in ways.items()
    ]
    return {"name": name, "site": site, "ways": rows, "why": why}


def short(*nodes: dict[str, Any], internet: bool = True) -> list[tuple[str, str, str, int]]:
    return [(item.where, item.status, item.what, item.nodes) for item in checks_of(nodes, internet=internet)]


def test_what_nodes_of_a_region_try() -> None:
    assert endpoints("eu-central-1", ["https://wsus-{region}.example.com"], internet=True) == [
        "https://ssm.eu-central-1.amazonaws.com",
        "https://ssmmessages.eu-central-1.amazonaws.com",
        S3,
        "https://wsus-eu-central-1.example.com",
    ]
    assert endpoints("cn-north-1", [], internet=True)[0] == "https://ssm.cn-north-1.amazonaws.com.cn"
    assert endpoints("eu-central-1", [], internet=False)[-1] == INTERNET


def test_each_site_is_judged_alone_and_unknown_is_no_answer() -> None:
    rows = short(
        node("a", ssm_example=True),
        node("b", ssm_example=False),
        node("c", "bremen", ssm_example=True),
        node("d", "bremen", ssm_example=None),
    )
    assert rows == [
        ("bremen", "unknown", "ssm.example is not known from d: timed out", 2),
        ("hamburg", "wrong", "ssm.example is not reached from b: timed out", 2),
    ]
    assert short(node("a", ssm_example=True)) == [("hamburg", "ok", "ssm.example is reached from all 1 nodes", 1)]


def test_the_internet_is_wrong_where_it_is_reached_and_wanted_nowhere() -> None:
    closed, open_ = node("a", checkip_amazonaws_com=False), node("b", checkip_amazonaws_com=True)
    (found,) = checks_of([closed, open_], internet=False)
    assert (found.status, found.check) == ("wrong", "no internet") and "is reached from b" in found.what
    assert "Remove the route" in found.fix
    (found,) = checks_of([open_], internet=True)
    assert (found.status, found.check) == ("ok", "from nodes"), "somebody wants to know whether it is reached"
    (found,) = checks_of([closed], internet=False)
    assert (found.status, found.what, found.fix) == ("ok", "no node reaches checkip.amazonaws.com", "")


def test_nodes_that_were_not_asked_are_named_with_the_reason() -> None:
    rows = short(node("a", why="its agent does not answer"), node("b", ssm_example=True))
    assert rows[-1] == ("hamburg", "unknown", "a: its agent does not answer", 1) and len(rows) == 2
    two = short(node("a", why="x"), node("b", why="y"), node("c", why="x"))
    assert [(row[2], row[3]) for row in two] == [("a, c: x", 2), ("b: y", 1)]
    many = short(*[node(f"n{number}", why="x") for number in range(7)])
    assert many == [("hamburg", "unknown", "n0, n1, n2, n3, n4 and 2 more: x", 7)]


def test_the_fix_names_what_to_open_for_whom() -> None:
    fixes = {
        item.what.split(" ")[0]: item.fix
        for item in checks_of([node("a", ssm_eu_amazonaws_com=False, satellite_example=False)])
    }
    assert "make an endpoint of ssm" in fixes["ssm.eu.amazonaws.com"]
    assert "certificate authority" in fixes["satellite.example"] and "tcp 443" in fixes["satellite.example"]
    (s3,) = checks_of([{"name": "a", "site": "x", "ways": [{"url": S3, "ok": False, "text": ""}]}])
    assert "make an endpoint of s3" in s3.fix


def test_package_sources_are_a_way_if_the_probe_says_something_of_them() -> None:
    bad = {"check": "repositories", "ok": False, "text": "repository x can't be reached"}
    good = {"check": "repositories", "ok": True, "text": "2 of 3 repositories reached"}
    assert way_of_repositories([bad, good]) == [
        {"url": "repositories", "ok": False, "text": "repository x can't be reached"}
    ]
    assert way_of_repositories([good])[0]["ok"] is True and way_of_repositories([{"check": "disk", "ok": True}]) == []
    (check,) = checks_of([{"name": "a", "site": "x", "ways": way_of_repositories([bad])}])
    assert check.status == "wrong" and "package sources" in check.fix


def test_what_a_node_was_asked_for_and_does_not_mention_is_not_known() -> None:
    told = [{"url": "https://a.example.com/x", "ok": True, "text": ""}]
    found = all_asked(told, ["https://a.example.com/y", "https://b.example.com"])
    assert [(way["url"], way["ok"]) for way in found] == [
        ("https://a.example.com/x", True),
        ("https://b.example.com", None),
    ]
