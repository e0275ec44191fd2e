# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A requester can't approve under a name that only looks like another one."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.exceptions.people_names import (
    check_name,
    same_person,
)


@pytest.mark.parametrize(
    "other",
    [
        "Dana",
        " dana ",
        "DANA",
        "d\u0430na",
        "\uff44\uff41\uff4e\uff41",
        "d\u03b1na",
    ],
)
def test_what_looks_the_same_is_the_same(other: str) -> None:
    assert same_person("dana", other)


def test_others_are_others() -> None:
    assert not same_person("dana", "robin") and not same_person("José", "Jose")


@pytest.mark.parametrize("name", ["d\u0430na", "dana\u200b", "dana\nrobin", "d\u03b1na"])
def test_a_name_that_pretends_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="decided_by"):
        check_name(name, "decided_by")


@pytest.mark.parametrize("name", ["Dana Fields", "José Müller", "Иван Петров", "Ελένη", "佐藤", "dana (AWX job 4)"])
def test_names_of_one_script_are_fine(name: str) -> None:
    check_name(name, "decided_by")
