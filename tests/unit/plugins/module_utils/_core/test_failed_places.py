# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one shape of an account-Region that failed."""

from __future__ import annotations

from ansible_collections.patchtide.hybrid.plugins.module_utils._core.failed_places import failed_place, failed_text

NO = {"code": "AccessDenied", "message": "no"}


def test_a_row_names_account_and_region() -> None:
    origin = {"account": "111122223333", "region": "eu-west-1"}
    assert failed_place("111122223333/eu-west-1", NO) == {"place": "111122223333/eu-west-1", **origin, "error": NO}
    assert failed_place("eu-west-1", NO) == {"place": "eu-west-1", "account": None, "region": "eu-west-1", "error": NO}


def test_the_message_counts_and_lists_or_is_the_only_error() -> None:
    rows = [failed_place("1/a", NO), failed_place("1/b", {**NO, "message": "gone"})]
    assert failed_text(3, rows) == "2 of 3 account-Regions failed: 1/a: no; 1/b: gone"
    assert failed_text(1, rows[:1]) == "no"
