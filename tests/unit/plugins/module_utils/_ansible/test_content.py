# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Document content: data or text, and text that would take seconds or gigabytes is refused at once."""

from __future__ import annotations

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible.content import read_content, render
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput

DATA = {"schemaVersion": "2.2", "mainSteps": [{"action": "aws:runShellScript", "name": "x"}]}
BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))


@pytest.mark.parametrize("form", ["JSON", "YAML"])
def test_text_and_data_are_the_same(form: str) -> None:
    assert read_content(render(DATA, form), form) == DATA == read_content(DATA, form)


def test_calendars_stay_text() -> None:
    assert read_content("BEGIN:VCALENDAR", "TEXT") == "BEGIN:VCALENDAR"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        (BOMB, "YAML"),
        ("[" * 5000, "JSON"),
        ("[" * 5000, "YAML"),
        ("a: " + "9" * 5000, "YAML"),
        ('{"a": ' + "9" * 5000 + "}", "JSON"),
        ("a: \0", "YAML"),
        ("!!python/object:os.system {}", "YAML"),
    ],
    ids=["aliases", "json-depth", "yaml-depth", "yaml-number", "json-number", "nul", "tag"],
)
def test_hostile_text_is_one_clear_error(text: str, form: str) -> None:
    with pytest.raises(BadInput, match="content"):
        read_content(text, form)
