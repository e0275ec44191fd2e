"""Shipped text: no row numbers of internal lists, and none of the words that were replaced by the field's own terms."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.checks.source import name_of, tracked

PLACES = ("plugins", "roles", "playbooks", "docs", "schemas", "examples", "meta", "lab", "bench", "extensions")
PAGES = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "galaxy.yml", "changelogs/changelog.yaml")
ROW = re.compile(r"\b(?:TM|TCS|PG|MO|CG)-\d{1,2}\b|\bF\d{2}\b(?!:)")
VERBS = r"borrow(?:s|ed|ing)?|lend(?:s|ing)?|lent|g[ai]ves? back|given back|held back|h[eo]lds? back|brings? it about"
WORDS = re.compile(rf"\b(?:{VERBS}|on loan|anew|under way)\b| at all\b", re.IGNORECASE)


def shipped() -> list[Path]:
    files = [path for path in tracked() if name_of(path).split("/")[0] in PLACES or name_of(path) in PAGES]
    return [path for path in files if path.suffix not in (".png", ".ico", ".svg")]


def lines(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    found = []
    for path in paths:
        text = path.read_text(encoding="utf-8")
        for match in pattern.finditer(text):
            found.append(f"{name_of(path)}:{text.count(chr(10), 0, match.start()) + 1}: {match.group()}")
    return found


def test_files_are_checked() -> None:
    assert len(shipped()) > 200


def test_no_row_numbers_of_internal_lists() -> None:
    assert not lines(ROW, shipped())


def test_no_replaced_words() -> None:
    assert not lines(WORDS, shipped())


@pytest.mark.parametrize("text", ["kept back (TM-8)", "covers F04.", "a tag is read anew", "the node is held back"])
def test_patterns_find_what_they_should(text: str) -> None:
    assert ROW.search(text) or WORDS.search(text)
