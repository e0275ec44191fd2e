# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Approvals: bound to the digest, refused for any other plan, wanted where the policy says so."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.plan.approval import (
    NotApproved,
    find_approval,
    read_approval,
)

PLAN = {"digest": "9edb2bfb93c0" + "a" * 52}


def find(**given: Any) -> dict[str, str] | None:
    return find_approval(PLAN, **{"required": True, "digest": None, "document": None, "who": "op", **given})


def test_without_approval_nothing_starts_where_the_policy_wants_one() -> None:
    with pytest.raises(NotApproved, match=r"patchtide_approved_digest.*patchtide_approval_file"):
        find()
    assert find(required=False) is None


def test_who_gives_the_digest_vouches_for_it() -> None:
    found = find(digest=PLAN["digest"].upper())
    assert found is not None and (found["by"], found["digest"]) == ("op", PLAN["digest"])


@pytest.mark.parametrize("digest", ["9edb2bfb93c0", PLAN["digest"][:63], "a" * 64])
def test_a_short_or_foreign_digest_is_refused_even_if_none_is_wanted(digest: str) -> None:
    with pytest.raises(BadInput, match=r"approved_digest.*9edb2bfb93c0a"):
        find(digest=digest, required=False)


def test_an_approval_file_says_who_approved() -> None:
    at = datetime(2026, 11, 9, 14, tzinfo=timezone.utc)
    found = find(document=read_approval({"digest": PLAN["digest"], "by": "Dana", "at": at}, "approval_file"))
    assert found is not None and found["by"] == "Dana" and found["at"] == "2026-11-09T14:00:00+00:00"


def test_an_approval_of_another_plan_is_refused() -> None:
    document = read_approval({"digest": "0" * 64, "by": "Dana"}, "approval_file")
    with pytest.raises(BadInput, match=r"approval_file\.digest"):
        find(document=document, digest=PLAN["digest"])


@pytest.mark.parametrize(
    ("data", "path"),
    [
        ("yes", "approval_file"),
        ({"by": "Dana"}, "approval_file.digest"),
        ({"digest": "x" * 12, "by": " "}, "approval_file.by"),
        ({"digest": "x" * 12, "by": "Dana", "who": "me"}, "approval_file.who"),
    ],
)
def test_a_file_with_mistakes_names_them(data: object, path: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_approval(data, "approval_file")
    assert caught.value.option == path
