# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests for stack instances: each is for all its accounts in all its Regions, so none asks for too much."""

from __future__ import annotations

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.stacks.instances import (
    Instance,
    Request,
    Targets,
    missing,
    requests_for,
)


def test_accounts_with_the_same_missing_regions_share_a_request() -> None:
    targets = Targets(regions=("b", "a"), accounts=("1", "2", "3"))
    there = [Instance(account="1", region="a")]
    assert missing(targets, there, ()) == [
        Request(regions=("b",), accounts=("1",)),
        Request(regions=("b", "a"), accounts=("2", "3")),
    ]


def test_the_order_of_the_regions_is_kept() -> None:
    rows = [Instance(account="1", region=region) for region in ("a", "b", "c")]
    assert requests_for(rows, ("c", "a")) == [Request(regions=("c", "a", "b"), accounts=("1",))]


def test_existing_stacks_of_units_are_named_with_their_unit() -> None:
    rows = [Instance(account="1", region="a", unit="ou-x"), Instance(account="2", region="a", unit="ou-y")]
    assert [(item.units, item.accounts, item.account_filter) for item in requests_for(rows)] == [
        (("ou-x",), ("1",), "INTERSECTION"),
        (("ou-y",), ("2",), "INTERSECTION"),
    ]


def test_a_unit_that_the_set_knows_is_missing_where_it_has_other_stacks() -> None:
    """The set's units and Regions are two lists, which do not say which unit is in which Region."""
    targets = Targets(regions=("a", "b"), units=("ou-x",))
    known = {("ou-x", "a"), ("ou-x", "b")}
    assert not missing(targets, [], known)
    assert [item.regions for item in missing(targets, [Instance(account="1", region="a", unit="ou-x")], known)] == [
        ("b",)
    ]


def test_inoperable_and_suspended() -> None:
    assert Instance(account="1", region="a", status="INOPERABLE", detail="INOPERABLE").failed
    assert not Instance(account="1", region="a", status="OUTDATED", detail="SKIPPED_SUSPENDED_ACCOUNT").failed
