# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How findings read: by owner, each fix once, a few names, harmless on a terminal."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.enrollment.words import MEANINGS, finding, lines


def row(name: str, owner: str, *codes: str) -> dict[str, Any]:
    return {"name": name, "owner": owner, "findings": [finding(code).to_dict() for code in codes]}


def test_findings_are_shown_by_owner_with_each_fix_once() -> None:
    found = list(
        lines([row("c", "web-team", "no_executor"), row("b", "", "no_wave"), row("a", "web-team", "no_executor")])
    )
    assert found[0] == "No owner: 1 finding" and found[3] == "web-team: 2 findings"
    assert found[4].startswith("  a, c: nothing patches it") and found[5].startswith("    Fix: Set patchtide_executor")
    assert len(found) == 6


def test_many_names_are_cut_and_control_characters_removed() -> None:
    found = list(lines([row(f"n{number:02}\x1b[2J", "o\x07", "no_wave") for number in range(11)]))
    assert found[0] == "o : 11 findings" and found[1].count("n0") == 8 and "and 3 more" in found[1]
    assert "\x1b" not in "".join(found)


def test_values_of_tags_are_no_templates() -> None:
    shown = finding("bad_tag", key="{why}", why="{0} \x1b[2J")
    assert shown.what == "its tag {why} is not valid: {0}  [2J"


def test_the_page_lists_every_finding() -> None:
    page = (Path(__file__).parents[6] / "docs" / "enrollment.md").read_text("utf-8")
    assert re.findall(r"^\| `(\w+)` \| .* \| [A-Z].*\. \|$", page, re.MULTILINE) == list(MEANINGS)


@pytest.mark.parametrize("code", MEANINGS)
def test_every_finding_names_its_fix(code: str) -> None:
    """A fix is a sentence, and names only what the finding is told."""
    what, fix = MEANINGS[code]
    assert re.fullmatch(r"[A-Z].*\.", fix) and not what.endswith(".")
    names = {name for text in (what, fix) for _lead, name, _spec, _conversion in Formatter().parse(text) if name}
    made = finding(code, **dict.fromkeys(names, "x"))
    assert "{" not in made.what + made.fix
