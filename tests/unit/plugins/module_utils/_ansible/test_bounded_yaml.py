# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML of strangers takes neither seconds nor gigabytes, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.patchtide.hybrid.plugins.module_utils._ansible.bounded_yaml import ENTRIES, parse
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.errors import BadInput
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.policy.errors import PolicyError
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.files import read_document
from ansible_collections.patchtide.hybrid.plugins.plugin_utils.policy.file import load_policy

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
WRONG = [
    (BOMB, "once its aliases are written out"),
    ("a: &a {<<: [*a]}", "an alias inside of its own anchor"),
    ("[" * 60, "more than 50 levels"),
    ("- x\n" * (ENTRIES + 1), "more than 50000 entries"),
    ("a: " + "9" * 5000, "more than 18 digits"),
    ("a: " + "9" * 400 + ".0", "more than 18 digits"),
    ("a: x\0y", "special characters are not allowed"),
    ("x: " + "y" * 1_000_001, "at most 1000000 are read"),
    ("a: !!int x", "invalid literal"),
]


@pytest.mark.parametrize(("text", "expected"), [*WRONG, ("a: 1\nb: {c: 1, c: 2}", "the key 'c' is a duplicate")])
def test_what_is_refused(text: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(yaml.YAMLError, match=expected):
        parse(text)
    (tmp_path / "approval.yml").write_text(text, "utf-8")
    with pytest.raises(BadInput, match=expected) as caught:
        read_document(tmp_path / "approval.yml", "approval_file")
    assert "approval.yml" in str(caught.value) and len(str(caught.value)) < 2000


@pytest.mark.parametrize(("text", "expected"), WRONG)
def test_a_policy_says_where(text: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "policy.yml").write_text(text, "utf-8")
    with pytest.raises(PolicyError, match=expected) as caught:
        load_policy(tmp_path / "policy.yml")
    assert "policy.yml has 1 mistake" in str(caught.value)


def test_plain_documents_and_aliases_are_read() -> None:
    assert parse("a: &a [1, 2.5]\nb: *a\nc: 2026-12-31\n") == {"a": [1, 2.5], "b": [1, 2.5], "c": "2026-12-31"}
    assert parse("") is None and parse('{"digest": "x"}') == {"digest": "x"}
