# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Override lists: which nodes share one, and that YAML reads from it exactly what was planned."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.address import (
    MOST,
    Bucket,
    check_bucket,
    check_list_url,
    to_address,
    to_name,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.override_list import (
    MOST_ROWS,
    OverrideList,
    Row,
    Shared,
    is_whole,
    make_lists,
    to_text,
    why_not_listed,
)
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.lists.pins import KB_ONLY, content_open, pin_of
from hypothesis import given
from hypothesis import strategies as st

WEB = Shared(account="1", region="r", product="Ubuntu 22.04", baseline_id="pb-1", platform="linux")
CURL, CURL_2, BASH = ("curl.amd64", "curl.amd64:1"), ("curl.amd64", "curl.amd64:2"), ("bash.amd64", "bash.amd64:5")


def rows(listed: OverrideList) -> set[Row]:
    return set(listed.rows)


def test_nodes_of_one_kind_share_a_list() -> None:
    (listed,) = make_lists([("i-1", WEB, [CURL]), ("i-2", WEB, [BASH, CURL]), ("i-3", WEB, [])])
    assert (rows(listed), listed.nodes) == ({CURL, BASH}, ("i-1", "i-2"))


@pytest.mark.parametrize(
    "other", [{"account": "2"}, {"region": "s"}, {"product": "Ubuntu 24.04"}, {"baseline_id": "pb-2"}]
)
def test_what_is_planned_for_others_is_in_another_list(other: dict[str, str]) -> None:
    """A package that another baseline rejects would be installed where a list names it."""
    first, second = make_lists([("i-1", WEB, [CURL]), ("i-2", replace(WEB, **other), [BASH])])
    assert rows(first) | rows(second) == {CURL, BASH}
    assert len(first.rows) == len(second.rows) == 1


def test_an_id_in_two_versions_takes_two_lists() -> None:
    """Rows are alternatives, and the highest version that one of them names is installed."""
    lists = make_lists(
        [("i-1", WEB, [CURL, BASH]), ("i-2", WEB, [("CURL.amd64", "curl.amd64:2")]), ("i-3", WEB, [BASH])]
    )
    assert [set(item.nodes) for item in lists] == [{"i-1", "i-3"}, {"i-2"}]


def test_on_windows_the_title_is_decoration() -> None:
    windows = replace(WEB, platform="windows")
    (listed,) = make_lists([("i-1", windows, [("KB1", "June")]), ("i-2", windows, [("KB1", "Juni")])])
    assert len(listed.rows) == 1


def test_a_list_has_no_more_rows_than_a_node_can_compare() -> None:
    patches = [(f"p{number}.x", f"p{number}.x:1") for number in range(MOST_ROWS + 1)]
    lists = make_lists([("i-1", WEB, patches[:-1]), ("i-2", WEB, patches[-1:]), ("i-3", WEB, patches[:1])])
    assert [(len(item.rows), item.nodes) for item in lists] == [(MOST_ROWS, ("i-1", "i-3")), (1, ("i-2",))]


@given(st.permutations([("i-1", WEB, (CURL,)), ("i-2", WEB, (CURL_2, BASH)), ("i-3", WEB, (BASH,))]))
def test_the_order_of_nodes_does_not_matter(members: list[tuple[str, Shared, tuple[Row, ...]]]) -> None:
    assert make_lists(members) == make_lists(sorted(members))


@given(st.lists(st.tuples(*[st.text(st.characters(categories=["L", "N", "P", "Z", "S"]), min_size=1)] * 2), max_size=4))
def test_yaml_reads_what_was_planned(found: list[Row]) -> None:
    """A title without quotes that is a number ends the document with a traceback."""
    assert yaml.safe_load(to_text("a: 'label' #", found))["patches"] == (
        [{"id": patch, "title": title} for patch, title in found] or None
    )


def test_a_list_that_was_edited_is_not_what_its_name_says() -> None:
    (made,) = make_lists([("i-1", WEB, [CURL])])
    listed = {"name": made.name, "label": WEB.label, "patches": [{"id": CURL[0], "title": CURL[1]}]}
    assert is_whole(listed)
    assert not is_whole({**listed, "patches": [{"id": CURL_2[0], "title": CURL_2[1]}]})
    assert not is_whole({**listed, "label": "x"})


@pytest.mark.parametrize(
    ("patches", "why"),
    [
        ([("lib*.x", "lib*.x:1")], "would match other patches"),
        ([("a.x", "a.x:[1]")], "would match other patches"),
        ([("a.x", "")], "has no title"),
        ([("", "a")], "has no id"),
        ([(f"p{number}.x", "t") for number in range(MOST_ROWS + 1)], "501 missing patches"),
        ([CURL], ""),
    ],
)
def test_what_a_list_can_not_name(patches: list[Row], why: str) -> None:
    found = why_not_listed(patches, by_title=True)
    assert why in found and bool(found) == bool(why)


def test_titles_of_windows_may_have_any_characters() -> None:
    assert why_not_listed([("KB1", "Update [x64] *")], by_title=False) == ""
    assert why_not_listed([("KB*", "Update")], by_title=False)


def test_an_address_is_short_and_made_from_the_whole_digest() -> None:
    name = to_name("patches: []\n")
    assert len(name) == 43 and name == to_name("patches: []\n") != to_name("patches: [] \n")
    bucket = Bucket(name="contoso-eu-lists", prefix="/pt/")
    assert to_address(bucket, "", name) == f"s3://contoso-eu-lists/pt/{name}"
    assert to_address(None, "https://lists.contoso.example/", name) == f"https://lists.contoso.example/{name}"
    assert to_address(None, "", name) == ""
    check_bucket(bucket, "b", "r")


@pytest.mark.parametrize(
    ("bucket", "told"),
    [
        (Bucket(name="a" * 32), "at most 31 characters"),
        (Bucket(name="a" * 20, prefix="b" * 11), "at most 30 characters"),
        (Bucket(name="Contoso"), "the name of an S3 bucket"),
        (Bucket(name="contoso", prefix="$(x)"), "letters, digits"),
        (Bucket(name="contoso", prefix="a'b"), "letters, digits"),
    ],
)
def test_a_bucket_that_gives_addresses_which_the_document_refuses(bucket: Bucket, told: str) -> None:
    with pytest.raises(BadInput, match=told.replace("(", "[(]")):
        check_bucket(bucket, "patching.buckets.r", "r")


def test_the_longest_address_that_is_allowed() -> None:
    check_bucket(longest := Bucket(name="a" * 20, prefix="b" * 10), "b", "r")
    assert len(to_address(longest, "", to_name(""))) == MOST


@pytest.mark.parametrize("url", ["http://a", "https://u:p@a", "https://a/b?X-Amz-Signature=1", "https://a/" + "b" * 40])
def test_addresses_of_a_web_server_that_are_refused(url: str) -> None:
    """A presigned address dies with its session and would be copied into every row of patch state."""
    with pytest.raises(BadInput, match="list_url"):
        check_list_url(url, "patching.list_url")


def test_how_far_a_node_is_pinned() -> None:
    assert [pin_of("list", "linux", "list"), pin_of("list", "windows", "list")] == ["list", "kb"]
    assert [pin_of("list", "linux", "baseline"), pin_of("versions", "linux", "baseline")] == ["baseline", "versions"]
    assert content_open(["KB2267602", "kb890830", "KB1"]) == ["KB2267602", "kb890830"] and len(KB_ONLY) == 2
