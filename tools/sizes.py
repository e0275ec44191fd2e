"""The longest Python files and functions: places to look, not a verdict. Modules have a limit in tests/checks."""

from __future__ import annotations

import ast
from pathlib import Path

from running import ROOT, ran, run

FILE_LINES, FUNCTION_LINES, TEST_LINES = 400, 40, 25


def main() -> None:
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"], quiet=True).splitlines()
    files = [ROOT / name for name in listed if (ROOT / name).is_file()]
    rows = [row for path in files for row in (*_file(path), *_functions(path))]
    for length, name in sorted(rows, reverse=True):
        print(f"{length:5}  {name}")
    ran(len(files), "Python files")


def _file(path: Path) -> list[tuple[int, str]]:
    length = len(path.read_text(encoding="utf-8").splitlines())
    # A module is mostly documentation.
    return [(length, str(path.relative_to(ROOT)))] if length > FILE_LINES and path.parent.name != "modules" else []


def _functions(path: Path) -> list[tuple[int, str]]:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > (TEST_LINES if node.name.startswith("test_") else FUNCTION_LINES):
                found.append((length, f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"))
    return found


if __name__ == "__main__":
    main()
