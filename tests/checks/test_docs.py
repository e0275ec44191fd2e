"""Pages for contributors: the files and names that they point to exist."""

from __future__ import annotations

import re
import sys

import pytest

from tests.checks.source import ROOT, name_of, tracked

sys.path.insert(0, str(ROOT / "tools"))
from history_page import VIEWS, page, views

PAGES = tuple(f"docs/{name}.md" for name in ("architecture", "rollout", "formats", "inventory", "policy", "playbooks"))
FILE = re.compile(r"`([\w./-]+\.(?:py|yml|md))`")
#: Files of a rollout or of a user, which are not in the repository.
THEIRS = frozenset({"policy.yml"})


def named_in(page: str) -> set[str]:
    return set(FILE.findall((ROOT / page).read_text(encoding="utf-8")))


@pytest.mark.parametrize("page", PAGES)
def test_files_that_a_page_names_exist(page: str) -> None:
    known = [f"/{name_of(path)}" for path in tracked()]
    missing = {file for file in named_in(page) if not any(name.endswith(f"/{file}") for name in known)}
    assert not missing - THEIRS


def test_names_that_the_architecture_points_to_exist() -> None:
    """A name in backquotes before the file that has it: ``Name`` in ``file.py``."""
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    pairs = re.findall(r"`([A-Za-z_.]+)` (?:in|of) `([\w/]+\.py)`", text)
    assert len(pairs) >= 8
    for name, file in pairs:
        (source,) = [path for path in tracked() if f"/{name_of(path)}".endswith(f"/{file}") and "test" not in path.name]
        for part in name.split("."):
            assert re.search(rf"\b(?:def|class) {part}\b|^{part} ?[=:]", source.read_text("utf-8"), re.MULTILINE), name


def test_the_page_of_the_history_has_its_datasets() -> None:
    assert (ROOT / "docs/history.md").read_text("utf-8") == page(), "run tools/history_page.py"
    assert VIEWS.read_text("utf-8") == views(), "run tools/history_page.py"
