"""The journal's events have one home: every kind is written, and nobody spells one out as text and a dict."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from ansible_collections.patchtide.hybrid.plugins.module_utils._core.events import EVENTS

from tests.checks.source import PLUGINS, ROOT, UTILS, called_names, name_of, parse, python_files

HOME = UTILS / "_core" / "events.py"
#: Read the events, so a name that is called there is no writer.
MACHINE = UTILS / "_core" / "rollout" / "machine.py"
WRITERS = ("record", "rehearse", "append", "note", "apply", "step", "_write")
FILES = [*python_files(PLUGINS), *python_files(ROOT / "tests" / "report"), *python_files(ROOT / "tests" / "kill")]


def spelled_out(tree: ast.AST) -> list[str]:
    """Return calls that hand a kind of event over as text, and comparisons of a kind with text."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            texts = node.args if called in WRITERS and len(node.args) > 1 else node.args[:1]
            if called in WRITERS and any(is_kind(item) for item in texts):
                found.append(f"{node.lineno} {ast.unparse(node)[:80]}")
        compared = node.comparators if isinstance(node, ast.Compare) else []
        if any(map(is_kind, compared)) and ast.unparse(node).split(" ", maxsplit=1)[0].endswith((".kind", "['kind']")):
            found.append(f"{node.lineno} {ast.unparse(node)[:80]}")
    return found


def is_kind(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and node.value in EVENTS


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_no_event_is_spelled_out(path: Path) -> None:
    assert not spelled_out(parse(path)) or path == HOME, "use the class in _core/events.py"


@pytest.mark.parametrize("code", ['rollout.record("sent", {"token": "t"})', 'x = record.kind == "gate"'])
def test_the_check_sees_one(code: str) -> None:
    assert spelled_out(ast.parse(code))


def test_every_event_has_a_writer() -> None:
    called = {
        name for path in python_files(PLUGINS) if path not in (HOME, MACHINE) for _line, name in called_names(path)
    }
    assert {event.__name__ for event in EVENTS.values()} <= called
