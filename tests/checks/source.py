"""The tree under check: its files, and what a Python file imports and calls."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
PLUGINS = ROOT / "plugins"
UTILS = PLUGINS / "module_utils"
TREE = ROOT / "build" / "tree"
DOCUMENTATION = ("DOCUMENTATION", "EXAMPLES", "RETURN")


def python_files(place: Path) -> list[Path]:
    return sorted(path for path in place.rglob("*.py") if "__pycache__" not in path.parts)


def tracked() -> list[Path]:
    """All files that are, or would be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def read_yaml(path: Path) -> object:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and module of every import; the collection's own by their full path below ``plugins``, such as
    ``plugins.module_utils._core.errors``."""
    package = path.relative_to(ROOT).parent.parts
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            yield node.lineno, ".".join([*base, *([node.module] if node.module else [])])


def called_names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and dotted name of everything that is called or read as an attribute."""
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Attribute):
            yield node.lineno, ast.unparse(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield node.lineno, node.func.id


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def code_lines(path: Path) -> int:
    """Count lines of code: no blank lines, comments or docstrings, no documentation blocks."""
    text, tree = path.read_text(encoding="utf-8"), parse(path)
    left_out = {
        line
        for node in [*_docstrings(tree), *_documentation(tree)]
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }
    lines = [line.strip() for number, line in enumerate(text.splitlines(), start=1) if number not in left_out]
    return sum(1 for line in lines if line and not line.startswith("#"))


def _docstrings(tree: ast.Module) -> list[ast.stmt]:
    expressions = [node for node in ast.walk(tree) if isinstance(node, ast.Expr)]
    return [node for node in expressions if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)]


def _documentation(tree: ast.Module) -> list[ast.stmt]:
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    return [node for node in assigned if {getattr(item, "id", "") for item in node.targets} & set(DOCUMENTATION)]
